/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.h - one run of a service: listeners, clients, book-keeping.
 *
 * One loop watches every descriptor; each watched thing says what to call. No
 * error of a client ends it. What was learnt goes into the ledger, as lines for
 * people, and as JSON.
 */
#ifndef SOCK_SERVE_H
#define SOCK_SERVE_H

#include "opts.h"
#include "request_peer.h"
#include "service.h"

#include "cli/out.h"

#include <sockeye/ledger.h>
#include <sockeye/tcp.h>
#include <sockeye/udp.h>

#include <pthread.h>
#include <sys/types.h>

#define SERVE_BATCH 64
#define SERVE_LISTENERS 17	/* the operand and 16 of --listen */

struct serve;

/* What the loop watches: the first member of what it belongs to. */
struct watch {
	void (*ready)(struct serve *s, struct watch *w, uint32_t events);
	int fd;
};

struct serve_udp {
	struct watch watch;
	struct sky_udp u;
	uint64_t room[SKY_UDP_ROOM(64) / sizeof(uint64_t)];
	struct sky_addr local;
	uint64_t drops_seen;
	uint64_t news_at;		/* when errors and drops were last asked for */
	bool due;			/* something came since */
	bool alone;			/* datagrams come one by one: asked for so */
	uint64_t batch_at;		/* when the last one was read */
};

struct serve_tcp {
	struct watch watch;
	struct sky_addr local;
};

/* One connection, from accept to its end. */
struct client {
	struct client *next, *prev;	/* in the list of its way to serve */
	int fd;
	int err;			/* what ended it, 0: the peer, or its service */
	bool lost;			/* some of its answer could not be delivered */
	bool stopped;			/* by our own end */
	uint64_t in, out;		/* bytes */
	struct sky_addr peer, local;
};

/* How connections are served. Each start takes the descriptor over and ends
 * with serve_ended(), now or later, in the thread of the loop. */
struct way {
	int (*open)(struct serve *s);			/* 0 or -errno; or NULL */
	void (*start)(struct serve *s, const struct client *who);
	void (*close)(struct serve *s);			/* ends all; or NULL */
};
extern const struct way way_events, way_iterative, way_fork, way_threads, way_exec;

struct serve_threads {
	struct watch watch;		/* an eventfd: somebody is done */
	pthread_mutex_t lock;
	struct client *running, *done;
	bool stopping;
};

struct serve {
	const struct config *c;
	const struct way *way;
	const struct service *service;
	struct out out;
	struct sky_ledger ledger;
	void *ledger_room;
	int epoll;
	struct watch sig;
	int signal;			/* the one that came, or 0 */
	bool done;			/* nothing is left to serve */
	struct serve_udp *udp[SERVE_LISTENERS];
	unsigned udps;
	struct serve_tcp tcp[SERVE_LISTENERS];
	unsigned tcps;
	bool paused;			/* nobody is accepted */
	bool starved;			/* and that for want of descriptors or memory */
	bool said_starved;
	uint64_t starvations;
	uint64_t clients, most, served;	/* now, at once, in all; bytes below */
	uint64_t tcp_in, tcp_out, resets, lost;
	struct client *events;		/* of the event-driven way */
	uint64_t rest_bytes;		/* answers that wait for slow clients */
	struct watch child;		/* SIGCHLD */
	struct client *children;
	int reports[2];			/* a pipe, from them */
	pid_t pid;			/* ours, for children to see whether we are there */
	struct serve_threads threads;
	uint64_t files;			/* the limit on descriptors we began with */
	uint64_t seq;			/* of the next answer */
	uint32_t chance;
	uint64_t received, bytes;	/* datagrams */
	struct request_peer requests;	/* of clients with --request */
	uint64_t unanswered;		/* from ports that answer everything */
	unsigned char *buffers;		/* SERVE_BATCH of a datagram's size */
	struct sky_msg in[SERVE_BATCH], answer[SERVE_BATCH];
	unsigned char once[SERVE_BATCH][SERVICE_ONCE];
};

/* Opens everything. Returns NULL after saying why; *status is the exit status. */
struct serve *serve_open(const struct config *c, int *status);
/* Serves until a signal comes. */
void serve_run(struct serve *s);
/* The summary. Returns the exit status; frees s. */
int serve_close(struct serve *s);

/* --- for the parts --- */
int serve_watch(struct serve *s, struct watch *w, int fd, uint32_t events);
/* A number by chance, for answers. */
uint32_t serve_chance(struct serve *s);
uint64_t serve_now(void);	/* CLOCK_REALTIME ns */
/* Opens and watches one UDP listener. Returns 0 or a negative errno. */
int serve_udp_open(struct serve *s, const struct sky_addr *at);
void serve_udp_close(struct serve_udp *l);

/* --- TCP --- */
int serve_tcp_open(struct serve *s, const struct sky_addr *at);
/* The inherited socket: one that listens, or the only client there will be. */
int serve_tcp_adopt(struct serve *s);
void serve_tcp_close(struct serve *s);
/* A client has gone: it is told and counted, and others may come. */
void serve_ended(struct serve *s, const struct client *who);
/* Accepts again, if there is room for it. */
void serve_resume(struct serve *s);
/* One client from its begin to its end, or until stop (a descriptor, or -1)
 * becomes readable. Closes who->fd. */
void session_run(struct client *who, const struct config *c, int stop);

/* With --spin: asks all listeners some times. */
void serve_udp_spin(struct serve *s);
/* Asks for news where they are due. Returns ms until it wants to be called again,
 * or -1. */
int serve_udp_look(struct serve *s);
/* Fates that wait, and what found no room. */
void serve_udp_news(struct serve *s, struct serve_udp *l);
/* A fate of class local that a call or counter told. */
void serve_tell(struct serve *s, struct sky_fate *f);

/* What the echo service does to datagrams of our own programs before they go
 * back: each is asked in turn until one says that the datagram, changed in
 * place, is its answer (in->len may shrink). See serve_udp.c. */
typedef bool serve_hook(struct serve *s, struct sky_msg *in);

#endif
