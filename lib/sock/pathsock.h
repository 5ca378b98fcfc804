/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pathsock.h - the sockets that send the probes of a path and hear the answers.
 *
 * Opened for one destination and one method. A probe is sent with its TTL and
 * whole length, never in fragments unless asked, whatever the kernel has cached
 * about the path; its answer is found by the tag in what comes back (hopin.h), on
 * the error queue, as a reply, or with `raw` on a raw ICMP socket. What each
 * method needs and cannot know:
 *
 *	UDP	nothing; one 5-tuple for each flow
 *	ICMP	a ping socket, else a raw one (CAP_NET_RAW); flows are identifiers
 *	TCP	nothing; a SYN of the kernel's length from a new port for each probe, so
 *		no MTU, no flows, and `len` is ignored; heard for 950 ms, before the
 *		kernel would repeat it; a service that listens sees a connection that is
 *		reset at once
 *	raw	CAP_NET_RAW; quoted TTL, length and addresses are known
 *
 * Nothing is allocated and nothing waits. Returns are 0 or a negative errno.
 */
#ifndef SKY_SOCK_PATHSOCK_H
#define SKY_SOCK_PATHSOCK_H

#include "proto/hopin.h"

#define SKY_PATHSOCK_FLOWS 512		/* at most so many */
#define SKY_PATHSOCK_SYNS 64		/* TCP: at most so many under way */
#define SKY_PATHSOCK_BATCH 64
#define SKY_PATHSOCK_ROUTERS 8		/* of a source route */

enum sky_pathsock_method { SKY_PATHSOCK_UDP, SKY_PATHSOCK_ICMP, SKY_PATHSOCK_TCP };

/* What is 0, NULL or unspecified takes the default. */
struct sky_pathsock_conf {
	struct sky_addr dst;		/* with the port, if the method has any */
	struct sky_addr src;		/* with the port of flow 0; that of flow n is n more */
	const char *device;		/* leave by this interface only */
	uint8_t method;			/* enum sky_pathsock_method */
	bool raw;			/* raw ICMP socket beside it; not with TCP */
	bool fragment;			/* may be fragmented, here and on the way */
	bool broadcast;			/* let the destination be one */
	bool direct;			/* to hosts on the link only (SO_DONTROUTE) */
	bool have_tos;
	uint8_t tos;
	uint32_t label;			/* IPv6 flow label of flow 0; flow n has n more */
	uint64_t key[2];		/* of the tags; 0, 0: random */
	unsigned routers;		/* IPv4: to go by, before dst */
	struct sky_addr router[SKY_PATHSOCK_ROUTERS];
};

struct sky_pathsock_way {
	int fd;				/* -1: none */
	uint16_t flow;
	uint16_t port;			/* its own, or the ICMP identifier */
	uint32_t id;			/* TCP: of the probe */
	uint64_t sent;			/* TCP: when, ns of sky_clock_steady() */
};

struct sky_pathsock {
	struct sky_pathsock_conf conf;
	struct sky_hopin sent;		/* its src.port is that of the flow at work */
	int family;
	unsigned carries;
	int wait;			/* epoll descriptor over all the others */
	int raw;			/* raw ICMP receiver, or -1 */
	bool ping_raw;			/* ICMP by a raw socket */
	uint32_t device_mtu;		/* largest packet that can leave */
	uint32_t cached_mtu;		/* what the kernel believes of the path; 0: nothing */
	uint64_t packets, bytes;	/* that the kernel took */
	uint64_t strays;		/* arrived and were nobody's; dropped */
	int route_err;			/* what the routing table said: positive errno, or 0 */
	unsigned ways;			/* of way[] that are used: flows, or TCP slots */
	struct sky_pathsock_way way[SKY_PATHSOCK_FLOWS];
	unsigned fails;			/* local failures, to be collected */
	struct sky_hop_answer fail[SKY_PATHSOCK_BATCH];
};

/* Opens flow 0. -EACCES or -EPERM: the method is not allowed to this user;
 * -EADDRNOTAVAIL: src is not ours; -ENODEV: no such device; -EDESTADDRREQ: dst is
 * a group or broadcast address and `broadcast` was not given; -EADDRINUSE;
 * -EAFNOSUPPORT. Nothing is left open then. That there is no route is no error
 * here: it is what sends say. */
int sky_pathsock_open(struct sky_pathsock *s, const struct sky_pathsock_conf *c);
void sky_pathsock_close(struct sky_pathsock *s);

/* Sends. Returns how many were taken, in order; the others are to be offered again
 * after the next collect (a buffer is full; SYNs are under way). What did not leave
 * for a reason of its own is taken, and told by collect as LOCAL. */
unsigned sky_pathsock_send(struct sky_pathsock *s, const struct sky_hop_probe *p, unsigned n);

/* Up to n answers, 0 if there are none now. Times are ns of sky_clock_steady(), from
 * the kernel's receive time stamps. */
unsigned sky_pathsock_collect(struct sky_pathsock *s, struct sky_hop_answer *a, unsigned n);

/* To poll for input; true if collect has something although it shows none. */
static inline int
sky_pathsock_fd(const struct sky_pathsock *s)
{
	return s->wait;
}

static inline bool
sky_pathsock_ready(const struct sky_pathsock *s)
{
	return s->fails > 0;
}

/* The least length of a probe that has room for a tag. */
uint32_t sky_pathsock_least(const struct sky_pathsock *s);

/* --- for pathsock*.c alone --- */
int sky_pathsock_udp(struct sky_pathsock *s, struct sky_pathsock_way *w);
struct sky_pathsock_way *sky_pathsock_flow(struct sky_pathsock *s, uint16_t flow, int *err);
void sky_pathsock_failed(struct sky_pathsock *s, uint32_t id, int err);
unsigned sky_pathsock_dial(struct sky_pathsock *s, const struct sky_hop_probe *p, unsigned n);
unsigned sky_pathsock_dialled(struct sky_pathsock *s, struct sky_pathsock_way *w,
    struct sky_hop_answer *a, unsigned n);
void sky_pathsock_tend(struct sky_pathsock *s);
int sky_pathsock_options(struct sky_pathsock *s, int fd);
/* When something came, by its time stamp (0: none). */
uint64_t sky_pathsock_when(uint64_t stamp);
unsigned sky_pathsock_errors(struct sky_pathsock *s, struct sky_pathsock_way *w,
    struct sky_hop_answer *a, unsigned n);
uint32_t sky_pathsock_heads(const struct sky_pathsock *s);

#endif
