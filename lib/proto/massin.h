/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * massin.h - the inside of the engine of mass.h: a target's slot, and the parts.
 *
 * mass.c has the window and the clock, massfar.c the far end of each target,
 * massway.c the way to it, massask.c when a router may be asked, massout.c what is told.
 */
#ifndef SKY_PROTO_MASSIN_H
#define SKY_PROTO_MASSIN_H

#include "proto/mass.h"
#include "proto/near.h"
#include "proto/perm.h"

#define MASS_NO UINT32_MAX		/* no slot, no list */
#define MASS_WHEEL 2048			/* lists of the timer wheel */
#define MASS_LIST_READY MASS_WHEEL	/* has a question to ask */
#define MASS_LIST_OUT (MASS_WHEEL + 1)	/* is done, and not taken yet */
#define MASS_LIST_FREE (MASS_WHEEL + 2)
#define MASS_LISTS (MASS_WHEEL + 3)
#define MASS_TICK (UINT64_C(1) << 20)	/* ns, about a millisecond */

enum mass_phase {
	MASS_FREE,
	MASS_AT_FAR,		/* is it there, how far, how large may packets be */
	MASS_AT_BACK,		/* routers, from the far end on */
	MASS_AT_EDGE,		/* does it stand right behind the last router */
	MASS_AT_FORE,		/* routers further off than where we began */
	MASS_AT_ALL,		/* every_hop, and no budget to keep to */
	MASS_DONE,
};

struct mass_hop {
	struct sky_addr by;
	uint32_t node;		/* SKY_HOPS_NONE: not in the tree, which may be full */
	uint32_t rtt_us;
	uint8_t how;		/* enum sky_mass_how */
};

struct mass_slot {
	uint64_t position;
	uint64_t due;		/* in the wheel until then */
	uint64_t sent_at;
	uint64_t napping;	/* since then, for a budget that may not be meant; 0 */
	struct sky_addr dst;
	uint32_t next, prev;	/* in the list it is in */
	uint32_t list;		/* which; MASS_NO none */
	uint32_t addr_next;	/* with the same hash of address */
	uint32_t guess;		/* node that is to answer, or NONE, SILENT */
	uint32_t cell;		/* of near.h, to be given back */
	uint32_t edge;		/* node whose edge this one is looking at; NONE */
	uint32_t mtu_by;	/* interfaces */
	uint32_t by;
	uint32_t rtt_us;
	uint32_t probes;
	uint64_t asked, got;	/* every_hop: bits of TTLs */
	uint16_t len;		/* of the probe at the far end */
	uint16_t lo, hi;	/* answered; did not get through */
	uint8_t phase;
	uint8_t ttl;		/* asked, or to be asked next */
	uint8_t tries;		/* of this question so far */
	uint8_t start;		/* where the way back began */
	uint8_t top;		/* highest TTL that belongs to the way */
	uint8_t join;		/* where the way is known; 0 not yet */
	uint8_t gap;		/* silent in a row */
	uint8_t gap_most;
	uint8_t far;		/* probes at the far end */
	uint8_t distance;
	uint8_t end, type, code, flags;
	int32_t err;
	bool waiting;		/* for the answer to a question */
	bool promised;		/* the budget for the next question is taken */
	bool assumed;		/* join: not measured */
	bool after;		/* EDGE was not the edge: FORE follows */
	bool parked;		/* until another knows the way from here */
	bool claimed;		/* hi: a router said so, and hi - 1 was not tried yet */
};

struct sky_mass {
	struct sky_mass_conf conf;
	struct sky_mass_stats stats;
	struct sky_perm perm;
	struct sky_hops hops;
	struct sky_near near;
	struct mass_slot *slot;
	struct mass_hop *hop;	/* max_ttl + 1 for each slot */
	uint32_t *by_addr;	/* slots, by hash of address */
	uint32_t addr_mask;
	uint64_t place;		/* in this shard: the next target to begin */
	uint64_t tick;		/* the wheel stands here */
	uint64_t send_at;	/* the rate allows nothing before */
	uint64_t rtt_top_us;	/* the longest of late */
	uint32_t open;		/* slots in use */
	uint32_t head[MASS_LISTS], tail[MASS_LISTS];
	bool stopped;
};

/* --- mass.c --- */
void sky_mass_ready(struct sky_mass *m, struct mass_slot *s);
void sky_mass_sleep(struct sky_mass *m, struct mass_slot *s, uint64_t until);
void sky_mass_finish(struct sky_mass *m, struct mass_slot *s);
/* How long an answer may take. */
uint64_t sky_mass_wait(const struct sky_mass *m);
/* The hop of a slot; ttl up to max_ttl. */
static inline struct mass_hop *
mass_hop(const struct sky_mass *m, const struct mass_slot *s, unsigned ttl)
{
	return &m->hop[(size_t)(s - m->slot) * (m->conf.max_ttl + 1u) + ttl];
}

/* The largest probe for its family; 0: no path MTU is wanted. */
static inline uint16_t
mass_mtu(const struct sky_mass *m, const struct mass_slot *s)
{
	bool v6 = sky_addr_family(&s->dst) == AF_INET6;

	return m->conf.mtu && v6 && m->conf.mtu6 ? m->conf.mtu6 : m->conf.mtu;
}

/* --- massfar.c --- */
void sky_mass_far_begin(struct sky_mass *m, struct mass_slot *s);
void sky_mass_far_answer(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a);
void sky_mass_far_silence(struct sky_mass *m, struct mass_slot *s);

/* --- massway.c --- */
void sky_mass_way_begin(struct sky_mass *m, struct mass_slot *s);
void sky_mass_way_answer(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a,
    uint64_t now);
void sky_mass_way_silence(struct sky_mass *m, struct mass_slot *s);

/* The hop s->ttl is known to all, with those before it. */
void sky_mass_way_join(struct sky_mass *m, struct mass_slot *s, bool assumed);
/* On to the hop before s->ttl. */
void sky_mass_way_nearer(struct sky_mass *m, struct mass_slot *s);
/* Looks no longer at the edge; its node gets this flag. */
void sky_mass_way_leave(struct sky_mass *m, struct mass_slot *s, unsigned flag);

/* --- massask.c --- */
/* True: the question s->ttl may go out now. Else the slot sleeps or has ended. */
bool sky_mass_way_ask(struct sky_mass *m, struct mass_slot *s, uint64_t now);

/* --- massout.c --- */
/* Puts the way of a slot into the tree. */
void sky_mass_out_root(struct sky_mass *m, struct mass_slot *s);
void sky_mass_out_result(const struct sky_mass *m, const struct mass_slot *s,
    struct sky_mass_result *r);

#endif
