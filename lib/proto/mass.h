/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mass.h - the paths to a great many targets.
 *
 * Targets are taken in the order of a keyed permutation (perm.h), a window of
 * them at a time. For each: one probe of full size that no TTL ends tells
 * whether it is there, the path MTU (errors that say "too big" are followed as
 * they come) and, by the TTL of the answer, how far it is; then the routers are
 * asked from the far end backwards until one is met whose way is known from
 * another target (Doubletree; FlashRoute: Huang and others, 2020). How far is
 * checked by a probe, once for each last router. No router is made to send more
 * than its budget (hops.h): what may not be asked is told from what its
 * neighbours' way was, and marked as that.
 *
 * What a probe is about stands in the probe (massmark.h); of a target that is
 * done nothing is kept but what others share. So memory is the window and the
 * routers met, however many targets there are, and however many answers come.
 *
 * Pure: the caller sends, waits and knows the time. Times are ns of one clock
 * that does not go back. All memory is the caller's, nothing is allocated.
 */
#ifndef SKY_PROTO_MASS_H
#define SKY_PROTO_MASS_H

#include "proto/hop.h"
#include "proto/hops.h"
#include "proto/massmark.h"
#include "proto/targets.h"

#define SKY_MASS_HOPS 60	/* the largest max_ttl */
#define SKY_MASS_FAR 64		/* TTL of a probe that none is to end */

struct sky_mass_conf {
	const struct sky_targets *targets;	/* sealed; stays as it is */
	uint64_t seed;
	uint64_t shard, shards;		/* this one of 0 .. shards - 1 */
	const uint8_t *done;		/* bit per place in the shard: leave it out; or NULL */
	uint32_t window;		/* targets at a time, 1 to 2^24 */
	uint32_t routers;		/* interfaces remembered, 16 to 2^24 */
	uint32_t rate;			/* probes per second; 0: as fast as asked */
	uint32_t hop_rate;		/* answers per second of one router at most; 0: no
					 * budget at all: only where the routers are yours */
	uint32_t hop_burst;		/* answers at once of a router that was not asked yet */
	uint16_t mtu;			/* bytes of the largest probe; 0: no path MTU wanted */
	uint16_t mtu6;			/* the same for IPv6; 0: as mtu */
	uint8_t max_ttl;		/* 1 to SKY_MASS_HOPS */
	uint8_t split;			/* where to begin for a target of unknown distance */
	uint8_t gap;			/* silent hops in a row after which one stops */
	uint8_t tries;			/* of each question, 1 to 8 */
	bool every_hop;			/* ask all hops of each target: share nothing */
	uint64_t patience_ns;		/* the longest wait for a router's budget */
	uint64_t wait_ns;		/* for an answer, before any came; 0: 1 s */
};

struct sky_mass_probe {
	struct sky_addr dst;		/* port 0 */
	struct sky_massmark mark;	/* TTL and length too */
};

struct sky_mass_answer {
	struct sky_massmark mark;	/* position SKY_MASSMARK_NONE: too short a quote */
	struct sky_addr dst;		/* where the probe was going, as quoted */
	struct sky_addr by;		/* who said so; LOCAL: the target */
	uint64_t at;
	uint32_t mtu;			/* TOO_BIG, LOCAL with EMSGSIZE */
	int32_t err;			/* LOCAL: positive errno */
	uint8_t what;			/* enum sky_hop_what */
	uint8_t type, code;
	uint8_t ttl;			/* with which the answer came; 0 not known */
};

enum sky_mass_how {
	SKY_MASS_SILENT,		/* asked, and nobody said anything */
	SKY_MASS_MEASURED,		/* on the way to this target */
	SKY_MASS_SHARED,		/* measured on the way to another, whose way joins
					 * the hop behind it */
	SKY_MASS_ASSUMED,		/* the neighbours' hop: its router's budget was spent */
};

enum sky_mass_flag {
	SKY_MASS_CHECKED = 1u << 0,	/* the distance: by a probe, or its last router's */
	SKY_MASS_BLACK_HOLE = 1u << 1,	/* pmtu: larger ones vanish without a word */
	SKY_MASS_LIED = 1u << 2,	/* a router told an MTU that cannot be */
	SKY_MASS_SHORT = 1u << 3,	/* some answer was matched by its address only */
};

struct sky_mass_hop {
	struct sky_addr by;		/* unspecified: silent */
	uint32_t rtt_us;		/* MEASURED only */
	uint8_t ttl, how;
};

struct sky_mass_result {
	uint64_t position;		/* in the permuted order of all targets */
	struct sky_addr dst;
	struct sky_addr by;		/* who said what the end is */
	struct sky_addr mtu_by;		/* whose link set the MTU; unspecified: not told */
	uint32_t rtt_us;
	uint32_t probes;		/* that this target took */
	uint16_t pmtu;			/* largest size that got through; 0 none known */
	uint16_t pmtu_below;		/* smallest that did not; pmtu + 1 when exact, 0
					 * none: pmtu is the largest that was tried */
	int32_t err;			/* LOCAL */
	uint8_t end;			/* enum sky_hop_what: REACHED, UNREACHABLE, LOCAL,
					 * EXCEEDED (a loop); NOTHING: silent */
	uint8_t type, code;		/* of UNREACHABLE */
	uint8_t distance;		/* of a REACHED target; 0 not known */
	uint8_t flags;
	uint8_t hops;
	struct sky_mass_hop hop[SKY_MASS_HOPS];
};

/* Counters only grow. */
struct sky_mass_stats {
	uint64_t all, left_out;		/* of this shard; done earlier */
	uint64_t begun, done;		/* targets */
	uint64_t reached, unreachable, silent, local;	/* of those done, by end */
	uint64_t with_mtu;
	uint64_t probes, far, answers;
	uint64_t strays;		/* answers about nothing that is open */
	uint64_t repeats;		/* answers that were there already */
	uint64_t hops[4];		/* of those done, by enum sky_mass_how */
	uint64_t denied;		/* questions that no budget was left for */
	uint64_t rtt_max_us;
};

struct sky_mass;

/* Bytes of memory that init wants. */
size_t sky_mass_size(const struct sky_mass_conf *c);
/* An engine in memory of that size, aligned for uint64_t; NULL if a value of the
 * conf is out of its bounds or size too small. Nothing is to be released. */
struct sky_mass *sky_mass_init(void *memory, size_t size, const struct sky_mass_conf *c);

/* The next probe to send at once: 1, and it counts as sent. 0: none now; come
 * again at *deadline, or after an answer or a result taken. *deadline is
 * UINT64_MAX when only those help. */
int sky_mass_next(struct sky_mass *m, uint64_t now, struct sky_mass_probe *p,
    uint64_t *deadline);
void sky_mass_answer(struct sky_mass *m, const struct sky_mass_answer *a, uint64_t now);
/* A target that is done, in no order; false: none now. Its place in the window
 * is free then. */
bool sky_mass_result(struct sky_mass *m, struct sky_mass_result *out);
/* All results were taken, and there are no more. */
bool sky_mass_over(const struct sky_mass *m);
/* Begins no more targets; those begun go on. */
void sky_mass_stop(struct sky_mass *m);

const struct sky_mass_stats *sky_mass_stats(const struct sky_mass *m);
/* Routers met, with their budgets: hops->iface[0 .. ifaces). */
const struct sky_hops *sky_mass_hops(const struct sky_mass *m);
/* How much longer at least, if every question that was denied were asked at the
 * rate that its router seems to allow, ns. */
uint64_t sky_mass_debt(const struct sky_mass *m);

#endif
