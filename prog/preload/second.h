/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * second.h - the second reporter, icmpd(8), for what the error queue never shows.
 *
 * Source quench and reassembly time-outs, and with SO_REUSEPORT the errors that the
 * kernel gives to another member of the group. Where icmpd does not run all is as
 * if this were not here. It has descriptors of its own in the program, which the
 * program's closing of all that it has must not hit.
 */
#ifndef PRELOAD_SECOND_H
#define PRELOAD_SECOND_H

#include "state.h"

/* What an event of ours carries in a program's epoll set. */
#define SECOND_MARK 0x736f636b65796532u

/* Registers the socket, if icmpd is there. */
void second_join(struct sock *s, int fd);
void second_leave(struct sock *s);
/* Readable when there is news; -1 without icmpd. */
int second_fd(void);
/* Takes the news: errors are kept with their sockets. */
void second_take(void);
/* Is the socket registered, so that its errors come this way? */
bool second_has(const struct sock *s);
/* The news are to wake who sleeps on this set. */
void second_watch(int epfd);

/* A descriptor of ours, that the program does not know. */
bool second_owns(int fd);
/* Its number is wanted: all of ours are closed, and opened again when needed. */
void second_yield(void);
/* In the child of a fork. */
void second_forget(void);

#endif
