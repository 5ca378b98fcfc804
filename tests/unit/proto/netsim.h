/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netsim.h - a simulated network of routers between a host and a destination.
 *
 * Says what becomes of a packet with a TTL and a size: which node answers what,
 * when, with which TTL on arrival, and whether its bucket of errors is empty.
 * Shares no code with what is tested with it but the struct that answers come
 * in. Node i is the i-th router, node `hops` the destination; link i leads to
 * node i. Times are ns of a clock of its own.
 */
#ifndef TEST_PROTO_NETSIM_H
#define TEST_PROTO_NETSIM_H

#include <proto/hop.h>

#define NET_HOPS 64
#define NET_NEWS 1024
#define NET_MS UINT64_C(1000000)

enum net_ptb {
	NET_TELLS, NET_MUTE, NET_ZERO, NET_SAME, NET_LARGER, NET_SMALLER, NET_LESS_BY_ONE, NET_SIXTY,
	NET_PTBS
};

struct net_node {
	uint32_t mtu;			/* of the link to it */
	uint64_t delay;			/* of that link, each way */
	uint64_t back;			/* more, on its own way back */
	unsigned back_hops;		/* more, too */
	unsigned alias;			/* its address and bucket are that node's; 0: own */
	unsigned width;			/* so many routers share the place, by flow; 0: 1 */
	unsigned start_ttl;		/* of what it sends; 0: 64 */
	enum net_ptb ptb;		/* about the link after it */
	bool silent;			/* no time exceeded, no port unreachable */
	bool eight;			/* quotes eight bytes */
	uint8_t refuses;		/* code of the unreachable it sends for all it
					 * should forward; the destination: for all.
					 * 0: none */
	bool refuses_all;		/* and for what ends there */
	/* state */
	double tokens;
	uint64_t filled;
};

struct net_way {
	unsigned hops;			/* TTL of the destination */
	struct net_node node[NET_HOPS + 1];
};

struct net_news {
	uint64_t at;
	struct sky_hop_answer a;
};

struct net {
	uint32_t random;
	bool six;
	struct net_way way, later;	/* later: from change_at on */
	uint64_t change_at;		/* 0: never */
	uint32_t device;		/* MTU of this host */
	uint64_t jitter;		/* of the whole way, at most */
	unsigned loss_there, loss_back;	/* of 1000 */
	bool spray;			/* widths are by packet, not by flow */
	unsigned twice, forge;		/* of 1000 */
	unsigned burst;			/* errors at once; 0: no limit */
	uint64_t refill;
	int32_t local_err;		/* what the first local_fails sends give */
	unsigned local_fails;
	unsigned sent, local;
	uint32_t highest;
	unsigned count;
	struct net_news news[NET_NEWS];
};

unsigned net_roll(struct net *n, unsigned below);
/* hops routers and the destination, each link of that MTU, 10.25 ms to the first
 * node, 1 us each further; buckets of 6, one a second (IPv6: 10). */
void net_chain(struct net *n, unsigned hops, uint32_t mtu, bool six, uint32_t seed);
struct sky_addr net_addr(const struct net *n, const struct net_way *w, unsigned node,
    unsigned flow);
void net_send(struct net *n, uint64_t now, const struct sky_hop_probe *p);
uint64_t net_next(const struct net *n);		/* UINT64_MAX: none */
struct sky_hop_answer net_take(struct net *n);
uint32_t net_mtu(const struct net_way *w);	/* the truth */
/* The link that limits it: the first of that MTU. */
unsigned net_limit(const struct net_way *w);

#endif
