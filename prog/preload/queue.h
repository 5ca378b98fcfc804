/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - the error queue of a socket that does not know it has one.
 *
 * The kernel's queue is where errors wait: it wakes whoever sleeps on the socket,
 * by any call, for as long as something lies in it. So a receive takes one entry
 * and returns it, and a send leaves them there.
 *
 * The program is to see all errors; or, where they are only told, those that it had
 * seen without us: of a connected socket, what the kernel does not call transient.
 */
#ifndef PRELOAD_QUEUE_H
#define PRELOAD_QUEUE_H

#include "state.h"

#include <sockeye/fate.h>

/* The flags of a socket that was made elsewhere: was its queue on already? On by us,
 * in the program that started this one, can be told from on by its own will. */
uint32_t queue_flags(int fd, bool six);
/* Turns the queue on, and joins icmpd, once. None of these touches errno. */
void queue_on(struct sock *s, int fd);
/* For when there is an error: true if it lies in a queue that we turned on, here or
 * in another process that shares the socket. The kernel is asked: the C library may
 * have closed the descriptor by itself, and something else has its number. */
bool queue_is_ours(struct sock *s, int fd);
/* The program wants its own: what we turned on is off again, and stays. */
void queue_give_back(struct sock *s, int fd);

/* The next error that the program is to see, as an errno; 0 if there is none. Those
 * that it is not to see are taken, and told if lines are wanted; then *hidden. */
int queue_take(struct sock *s, int fd, bool *hidden);
/* Is there one? It is kept for the next queue_take(). */
bool queue_peek(struct sock *s, int fd);
/* An error that another reporter knows of. */
void queue_learn(struct sock *s, struct sky_fate *f);
/* Everything is taken; the first that the program is to see is kept for the next
 * queue_take(). */
void queue_empty(struct sock *s, int fd);
/* The same, but returns the errno of the first one that a connected socket without
 * a queue had returned, 0 if there is none; of what it had not the first is kept. */
int queue_take_plain(struct sock *s, int fd);
/* Errors must not fill the room of data: takes older ones while they lie in more
 * than a quarter of the receive buffer. */
void queue_relieve(struct sock *s, int fd);

/* Could this errno of a send or receive be that of an earlier datagram? */
bool queue_may_be_stale(int err);
/* ... and of nothing else? */
bool queue_is_stale(int err);

#endif
