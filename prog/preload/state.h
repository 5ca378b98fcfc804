/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h - what the library remembers: which descriptors are UDP sockets.
 *
 * A table by descriptor points to sockets, so that duplicates share one. Both are
 * bounded; what does not fit is left alone. There is no lock: a signal handler and
 * the child of a fork may call at any time, and all that a race can do is to make
 * a socket unknown, which is asked again at its next use.
 */
#ifndef PRELOAD_STATE_H
#define PRELOAD_STATE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* RECENT: destinations remembered of each socket. */
enum { FDS = 65536, SOCKS = 4096, RECENT = 64 };

enum sock_flag {
	SOCK_ON = 1u << 0,		/* we turned its error queue on */
	SOCK_HANDS_OFF = 1u << 1,	/* the program reads its own error queue */
	SOCK_CONNECTED = 1u << 2,
	SOCK_LISTENS = 1u << 3,		/* the program receives, or waits to */
	SOCK_WAITS = 1u << 4,		/* errors may lie in the queue, with no errno pending */
	SOCK_SIX = 1u << 5,
	SOCK_READY = 1u << 6,		/* nothing is left to do at a send */
	SOCK_MADE_HERE = 1u << 7,	/* nobody sent by it before */
	SOCK_FORGOT = 1u << 8,		/* it sent to more than is remembered */
	SOCK_SHARED_PORT = 1u << 9,	/* SO_REUSEPORT */
	SOCK_ACCEPTED = 1u << 10,	/* icmpd reports about it */
	SOCK_TOLD = 1u << 11,		/* its set was told of the kept error: edges */
};

/* How the program waits for it with epoll. */
struct watch {
	_Atomic uint32_t busy;		/* being written: not read */
	int epfd, fd;
	uint32_t events;
	uint64_t data;
};

struct sock {
	_Atomic uint32_t refs;		/* descriptors that are this socket */
	_Atomic uint32_t flags;		/* enum sock_flag */
	_Atomic int kept;		/* errno that left the queue, to be returned */
	_Atomic uint32_t generation;	/* who had this place before is another */
	_Atomic int id;			/* at icmpd, or -1 */
	struct watch watch;
	_Atomic uint32_t sent[RECENT];	/* hashes of destinations; 0: free */
};

struct state {
	/* from the environment, constant afterwards */
	bool log_only;			/* errors are told, never returned */
	bool tells;			/* lines are written */
	char icmpd[PATH_MAX];		/* where it listens; empty: not to be asked */
	char log[PATH_MAX];		/* lines go to this file; empty: to standard error */
	dev_t err_dev;			/* what standard error was at the start */
	ino_t err_ino;

	_Atomic pid_t pid;		/* told apart from the child of a vfork */
	_Atomic bool forked;
	_Atomic int kept;		/* sockets that keep an error */
	_Atomic int sock_free;		/* no free place below this one */
	_Atomic int sock_top;		/* no place was ever taken from this one on */
	_Atomic int fd_top;		/* nothing is known above this descriptor */
	_Atomic uint16_t of[FDS];
	struct sock sock[SOCKS];
};

struct state *state(void);

/* Is this the child of a vfork? It shares our memory, but not our descriptors. */
bool state_is_borrowed(void);

/* The socket of a descriptor, or NULL if it is none of ours. sock_find asks the
 * kernel about one that was not seen before. Neither touches errno. */
struct sock *sock_known(int fd);
struct sock *sock_find(int fd);
/* A descriptor that the program has just made with socket(2). */
void sock_made(int fd, int family, int type, int protocol);
void sock_copied(int from, int to);
void sock_closed(unsigned first, unsigned last);

static inline bool
sock_has(const struct sock *s, uint32_t flag)
{
	return atomic_load_explicit(&s->flags, memory_order_relaxed) & flag;
}

static inline void
sock_set(struct sock *s, uint32_t flag)
{
	if (!sock_has(s, flag))
		atomic_fetch_or(&s->flags, flag);
}

static inline void
sock_clear(struct sock *s, uint32_t flag)
{
	if (sock_has(s, flag))
		atomic_fetch_and(&s->flags, ~flag);
}

/* Our errors are in its queue, and nobody else's. */
static inline bool
sock_is_ours(const struct sock *s)
{
	return s && (atomic_load_explicit(&s->flags, memory_order_relaxed) &
	    (SOCK_ON | SOCK_HANDS_OFF)) == SOCK_ON;
}

/* Watches are written and looked for by several threads: nobody waits for it. */
void watch_set(struct sock *s, int epfd, int fd, uint32_t events, uint64_t data);
void watch_drop(struct sock *s, int epfd);
/* The socket whose events on epfd carry data; w is a copy of its watch. */
struct sock *watch_find(struct watch *w, int epfd, uint64_t data);

#endif
