/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hops.h - the routers that were met, how they hang together, and how often
 * each may be asked.
 *
 * A node is an interface at a distance; its parent is the node met before it on
 * the way. A node is rooted when the way from it to here is known: whoever meets
 * a rooted node need not ask on. The ways to many targets so become one tree
 * that is asked for once (Doubletree: Donnet and others, 2005).
 *
 * Each interface has a budget of errors that it will be made to send: a bucket
 * of the usual size (Linux: 6, and one more each second), whose rate grows while
 * everything is answered, up to a bound, and shrinks when something is not.
 *
 * All memory is the caller's and of fixed size. When it is full nothing new is
 * remembered, and more is asked than need be. Pure.
 */
#ifndef SKY_PROTO_HOPS_H
#define SKY_PROTO_HOPS_H

#include <sockeye/addr.h>

#define SKY_HOPS_NONE UINT32_MAX	/* no node; no interface */
#define SKY_HOPS_SILENT (UINT32_MAX - 1) /* asked, and nobody answered */
#define SKY_HOPS_ROOT (UINT32_MAX - 2)	/* parent: this host; nodes are below it */

enum sky_node_flag {
	SKY_NODE_ROOTED = 1u << 0,
	SKY_NODE_GUESS = 1u << 1,	/* parent: not measured, its neighbours have it */
	SKY_NODE_EDGE = 1u << 2,	/* a target was found right behind it */
	SKY_NODE_DOUBT = 1u << 3,	/* one was not, where its distance said so */
	SKY_NODE_LOOK = 1u << 4,	/* somebody is just finding out about the edge */
};

struct sky_node {
	uint32_t iface, parent;
	uint32_t next;		/* of the same interface */
	uint32_t owner;		/* who is finding out what is before it; 0 nobody */
	uint8_t ttl;
	uint8_t flags;
};

struct sky_iface {
	struct sky_addr addr;
	uint32_t next;		/* with the same hash */
	uint32_t node;
	uint64_t last;		/* when tokens was true */
	int64_t tokens;		/* millionths of an answer; below 0: promised */
	uint64_t gap;		/* ns from one answer to the next */
	uint32_t asked, answered, lost;	/* asked: of it, as far as is known */
	uint32_t denied;	/* not asked for want of budget */
	int32_t streak;		/* answered in a row; begins below 0 after a loss */
};

struct sky_hops {
	struct sky_iface *iface;
	struct sky_node *node;
	uint32_t *table;	/* of interfaces, by hash */
	uint32_t room, ifaces, nodes, mask;
	uint64_t gap_least;	/* 0: no budget at all */
	uint32_t burst;
	uint64_t full;		/* how often something could not be remembered */
	uint64_t debt_ns;	/* the longest that one interface would need for what
				 * it was not asked */
	uint32_t debtor;	/* which; SKY_HOPS_NONE */
};

/* Bytes for `room` interfaces, and nodes twice as many. */
size_t sky_hops_size(uint32_t room);
/* memory: sky_hops_size() bytes, aligned for uint64_t. rate: answers per second
 * at most, 0 for no budget. */
void sky_hops_init(struct sky_hops *h, void *memory, uint32_t room, uint32_t rate, uint32_t burst);

/* Finds or adds. SKY_HOPS_NONE when it is neither there nor room for it. */
uint32_t sky_hops_iface(struct sky_hops *h, const struct sky_addr *a);
uint32_t sky_hops_node(struct sky_hops *h, const struct sky_addr *a, uint8_t ttl);
/* The same interface at this TTL; only finds. */
uint32_t sky_hops_find(const struct sky_hops *h, const struct sky_addr *a, uint8_t ttl);

/* Takes one answer out of an interface's budget. Returns how long the question
 * must wait, 0 for not at all; UINT64_MAX, and nothing is taken, if that were
 * more than patience. */
uint64_t sky_hops_take(struct sky_hops *h, uint32_t iface, uint64_t now, uint64_t patience);
/* Takes one if it is there now. */
bool sky_hops_try(struct sky_hops *h, uint32_t iface, uint64_t now);
/* It was another who answered, or nobody had to: gives it back. */
void sky_hops_give(struct sky_hops *h, uint32_t iface);
/* An answer that nobody had reckoned with. */
void sky_hops_charge(struct sky_hops *h, uint32_t iface, uint64_t now);
void sky_hops_answered(struct sky_hops *h, uint32_t iface);
void sky_hops_lost(struct sky_hops *h, uint32_t iface);

#endif
