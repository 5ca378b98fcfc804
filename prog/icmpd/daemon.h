/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon.h - all that icmpd(8) knows, and who does what:
 *
 *	begin.c		opens everything, gives rights up
 *	run.c		waits, and calls the others
 *	client.c	connections: who comes, reads, is slow, goes
 *	answer.c	what a client asks for
 *	hear.c		what the network says, whose it is, who is told
 *	compat.c	a client that speaks the ancestor's protocol to others
 *
 * Nothing that a packet or a client does ends the program.
 */
#ifndef ICMPD_DAEMON_H
#define ICMPD_DAEMON_H

#include "opts.h"
#include "queue.h"
#include "table.h"

#include "sys/diag.h"
#include "sys/rawicmp.h"

struct client {
	int fd, pidfd;			/* pidfd: the process that connected; -1: unknown */
	uint32_t place;			/* in the table of clients */
	uint32_t uid, pid;
	uint32_t own, sockets;		/* registrations: the first; how many */
	bool greeted, watching, dirty, leaving;
	bool reads, writes;		/* what the loop waits for */
	struct sky_icmpd_filter filter;
	struct queue queue;
	uint64_t delivered, dropped;
	uint64_t lost, overrun;		/* not yet told: of its own; of the daemon's */
	struct client *next_dirty;
};

/* What one user has of us. */
struct usage {
	uint32_t uid, clients, sockets;
};

struct daemon {
	struct opts o;
	int raw4, raw6, listener, wait, signals, notify;
	int compat_listener;		/* until compat_begin(); -1: none */
	pid_t compat;			/* the process of compat.h; 0: none */
	bool compat_bound;		/* its path is ours */
	int spare;			/* a descriptor kept for when there is none */
	struct sky_diag diag;
	bool deaf;			/* the listener is not waited for just now */
	bool rights_pass;		/* old kernel: descriptors may be passed to us */
	bool ended, listener_inherited;
	uint64_t said_ns;		/* when a client last was a reason to say something */
	unsigned said;			/* lines since it was quiet */
	struct table table;
	struct client **client;		/* by place; NULL: free */
	uint32_t clients, places, watchers;
	struct client *dirty;
	struct usage *usage;
	uint32_t users, users_cap;
	uint32_t drops4, drops6;	/* the kernel's, as last seen */
	uint64_t count[SKY_ICMPD_COUNTERS_N];

	uint64_t asleep_ns;		/* CLOCK_REALTIME, before the loop last slept */
	bool storm;			/* the last errors came several at a time */

	/* of one batch */
	struct sky_rawicmp heard[SKY_RAWICMP_BATCH];
	uint8_t data[SKY_RAWICMP_BATCH][SKY_RAWICMP_DATA];
	struct sky_fate fate[SKY_RAWICMP_BATCH];
	uint8_t asked[SKY_RAWICMP_BATCH];	/* which question is about fate i */
	struct sky_diag_ask ask[SKY_RAWICMP_BATCH];
	struct sky_diag_answer answer[SKY_RAWICMP_BATCH];
	uint8_t msg[SKY_ICMPDMSG_MAX + 1];
};

/* Tokens of the loop: places of clients begin at TOKEN_CLIENTS. */
enum token { TOKEN_RAW4, TOKEN_RAW6, TOKEN_LISTENER, TOKEN_SIGNALS, TOKEN_CLIENTS };

/* begin.c: 0, or an exit status after one line that says why. */
int begin(struct daemon *d);
int begin_confined(struct daemon *d);
void begin_release(struct daemon *d);

/* run.c: until a signal asks for the end. */
void run(struct daemon *d);

/* client.c */
void client_accept(struct daemon *d);
/* Something came, or there is room. */
void client_ready(struct daemon *d, uint32_t place);
/* Sends what waits, as far as there is room, for all that have something new. */
void client_flush_all(struct daemon *d);
/* It is to be flushed. */
void client_mark(struct daemon *d, struct client *c);
/* After the last use of c in this round. */
void client_close(struct daemon *d, struct client *c, const char *why);
/* At the end: their memory. */
void client_release_all(struct daemon *d);
struct usage *client_usage(struct daemon *d, uint32_t uid);
/* The same, but its descriptor stays open, unread: what waits in it would hold us up
 * when it is dropped. It goes on counting as its user's client. */
void client_abandon(struct daemon *d, struct client *c);
/* True while the process that connected is there. */
bool client_lives(const struct client *c);

/* answer.c: false if the message made no sense. */
bool answer(struct daemon *d, struct client *c, const void *data, size_t len);

/* hear.c */
void hear(struct daemon *d, int family);
/* Counts what the kernel dropped because we were slow; tells clients. */
void hear_drops(struct daemon *d);

/* say.c: one line, without a newline, to who operates us. */
void say_open(const struct daemon *d);
__attribute__((format(printf, 2, 3))) void say(const struct daemon *d, const char *format, ...);

#endif
