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
#include "service.h"

#include "cli/out.h"

#include <sockeye/ledger.h>
#include <sockeye/udp.h>

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
};

struct serve {
	const struct config *c;
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
	uint64_t seq;			/* of the next answer */
	uint32_t chance;
	uint64_t received, bytes;	/* datagrams */
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
/* Fates that wait, and what found no room. */
void serve_udp_news(struct serve *s, struct serve_udp *l);
/* A fate of class local that a call or counter told. */
void serve_tell(struct serve *s, struct sky_fate *f);

/* Datagrams that begin with these bytes are answered by others than the
 * service: fill m->data (room of m->cap bytes) and m->len; addresses are set.
 * Returns false to leave it to the service. */
struct serve_hook {
	unsigned char magic[8];
	unsigned magic_len;
	bool (*answer)(const struct sky_msg *in, struct sky_msg *m, uint64_t now_ns);
};
extern const struct serve_hook serve_hooks[];	/* ends with magic_len 0 */

#endif
