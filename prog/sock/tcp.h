/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.h - one run over TCP: what its roles share.
 *
 * Every descriptor is non-blocking; nothing waits but tcp_wait(), which also
 * hears signals. How each connection ended is told once, by conn_close().
 */
#ifndef SOCK_TCP_H
#define SOCK_TCP_H

#include "opts.h"

#include "cli/out.h"

#include <poll.h>
#include <sockeye/tcp.h>
#include <stdio.h>

#define TCP_FOREVER UINT64_MAX

/* One connection. */
struct conn {
	int fd;
	struct sky_addr local, peer;
	uint64_t sent, received;	/* bytes */
	uint64_t answered;		/* of sent, when something last came */
	unsigned char *buf;		/* what is typed, until it is sent; ours */
	const unsigned char *out;	/* what is being sent */
	size_t len;			/* bytes left there */
	size_t piece;			/* -k, -V: bytes in each */
	bool fin_sent;			/* our half is closed */
	bool fin_got;			/* its half is closed */
	bool told;			/* how it ended was said already */
	int err;			/* errno that ended it, or 0 */
	uint64_t idle_ns;		/* something last came, of run_clock() */
	uint64_t stuck_ns;		/* the send buffer was last found not full */
};

struct tcp {
	const struct config *c;
	struct out out;
	int sig;			/* descriptor of signals */
	int signal;			/* the one that came, or 0 */
	int status;			/* exit status so far */
	int listener;			/* or -1 */
	struct sky_addr listens;	/* where */
	struct sky_tcp_queue queue;	/* as last told */
	bool starved;			/* no descriptors: told, and not accepting */
	unsigned char *in;		/* c->read_size of room */
	int sigio;			/* descriptor of SIGIO, or -1 */
};

/* Runs everything the config asks for over TCP. Returns the exit status. */
int tcp_main(const struct config *c);
/* Opens output and signals / ends them; the status to leave with. */
int tcp_open(struct tcp *t, const struct config *c);
int tcp_close(struct tcp *t);

/* Polls p[0..n-1], of which p[0] is for signals and filled here, until the
 * deadline (of run_clock()). Returns how many are ready. */
int tcp_wait(struct tcp *t, struct pollfd *p, nfds_t n, uint64_t deadline);
/* Sleeps, while a listener's queue is watched. */
void tcp_pause(struct tcp *t, uint64_t ns);
bool tcp_over(const struct tcp *t);
/* "sock: ..." to standard error, status kept at least at this. */
void tcp_say(struct tcp *t, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- tcp_dial.c --- */
/* Tries each address of the config, with a new socket each; tells each failure.
 * Returns 0 with the connection, or the exit status. */
int tcp_dial(struct tcp *t, struct conn *conn);

/* --fd: a connection that somebody else made. */
void tcp_inherit(struct tcp *t, struct conn *conn);

/* --- tcp_listen.c --- */
/* Listens as the config says. Returns 0, or the exit status after a line. */
int tcp_listen(struct tcp *t);
/* A listening socket on one address: its descriptor, or -1 after a line. */
int tcp_listen_on(struct tcp *t, const struct sky_addr *a, int family);
/* Accepts one connection that waits. Returns 1, 0 if there is none (or no
 * descriptor for it: t->starved), or -1 when the listener is of no more use. */
int tcp_accept(struct tcp *t, struct conn *conn);
/* With -v: what has changed in the accept queue. */
void tcp_tell_queue(struct tcp *t);

/* --- conn.c --- */
void conn_init(struct conn *conn, int fd, const struct sky_addr *local, const struct sky_addr *peer);
/* Makes data the next to be sent; it must stay where it is. */
void conn_put(struct tcp *t, struct conn *conn, const void *data, size_t len);
/* Sends what can be sent. Returns 1 when nothing is left, 0 if it must wait, or
 * a negative errno, which conn keeps. */
int conn_flush(struct tcp *t, struct conn *conn);
/* One byte of urgent data. */
int conn_urgent(struct tcp *t, struct conn *conn, unsigned char value);
/* Reads the byte that came as urgent data (POLLPRI). */
void conn_take_urgent(struct tcp *t, struct conn *conn);
/* Reads once into t->in, at most c->read_size. Returns bytes, 0 at the peer's
 * FIN (conn->fin_got), -EAGAIN, or what ended the connection (conn->err). */
ssize_t conn_read(struct tcp *t, struct conn *conn);
/* When -x or -y (a read, a write that takes so long) ends it, at the earliest;
 * conn_expire() does that when the time has come. reading: the read counts. */
uint64_t conn_deadline(const struct tcp *t, const struct conn *conn, bool reading);
void conn_expire(struct tcp *t, struct conn *conn, bool reading);
/* Nothing more will be sent. */
void conn_half_close(struct tcp *t, struct conn *conn);
/* The pause before it, the close itself, and how the connection ended. */
void conn_close(struct tcp *t, struct conn *conn);
/* How it ended, in words and as a record; once. */
void conn_tell(struct tcp *t, struct conn *conn);

/* --- roles --- */
void tcp_source(struct tcp *t, struct conn *conn);	/* -i */
/* Standard input to the connection, and what comes to standard output; a server
 * also accepts, with --all for ever. conn NULL: a server that waits for its
 * first one. */
void tcp_talk(struct tcp *t, struct conn *conn);
void tcp_fork(struct tcp *t);				/* -F */
int tcp_backlog_test(struct tcp *t);

#endif
