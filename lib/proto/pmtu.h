/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmtu.h - inside the search of <sockeye/pmtu.h>.
 *
 * What is known is two things: low, the largest size that came through, and the
 * suspects, sizes above it that were refused or lost, smallest first. The limit
 * is sought between low and the smallest suspect; an answer to any size clears
 * all suspects up to it, so that a loss taken for a limit is mended. Three files:
 * pmtu.c takes news in, pmtuplan.c says what to send next, pmtuend.c judges.
 */
#ifndef SKY_PROTO_PMTU_H
#define SKY_PROTO_PMTU_H

#include <sockeye/pmtu.h>

#define PMTU_PROBES 64		/* remembered */
#define PMTU_SUSPECTS 24

enum pmtu_is {
	PMTU_FREE,
	PMTU_FLYING,
	PMTU_TIMED_OUT,		/* nothing sent since has come through: proves nothing yet */
	PMTU_SETTLED,
};

struct pmtu_probe {
	uint64_t sent, due;
	uint32_t seq, size;
	uint32_t is;			/* enum pmtu_is */
	uint32_t acked;
};

struct pmtu_suspect {
	uint64_t lost_sent, told_sent;	/* the latest probe that was */
	uint32_t size, lost, told, mtu;
	uint32_t fresh;			/* lost, sent no earlier than low */
	struct sky_addr by;
};

struct pmtu {
	struct sky_rto rto;
	uint64_t raise_ns, raise_at;
	uint64_t low_sent;		/* the first probe of size low that came through */
	uint64_t cover, alive, dead;	/* latest sent time of: a probe of size low that came
					 * through, any that did, one of low that did not;
					 * plus 1, so that 0 is never */
	uint64_t last_rtt, total;
	uint32_t floor, base, top, local_top, batch, confirm, cap, silent, hole;
	uint32_t low, low_seq;		/* low_seq: numbers from here were sent knowing it */
	uint32_t contra, contra_told;	/* evidence that low no longer fits */
	uint32_t hint, checked;		/* a told MTU; the size whose next byte was tried */
	uint32_t next_seq, epoch;	/* answers to numbers before epoch prove nothing */
	uint32_t packets, rounds, idle;
	uint32_t good, good_lost;	/* probes that fit: all, and those lost */
	uint32_t told, lies, unvouched, changes;
	uint32_t data_lost;
	bool old_format, answered, done, doubt, tried_top, data_small;
	struct sky_addr hint_by;
	uint32_t queued, queue_at, queue[SKY_MTU_BATCH];
	uint32_t suspects;
	struct pmtu_suspect suspect[PMTU_SUSPECTS];
	struct pmtu_probe probe[PMTU_PROBES];
};

/* The smallest suspect, or NULL. */
static inline const struct pmtu_suspect *
pmtu_bound(const struct pmtu *p)
{
	return p->suspects ? &p->suspect[0] : NULL;
}

/* The smallest size that is thought too big. */
static inline uint32_t
pmtu_ceiling(const struct pmtu *p)
{
	return p->suspects ? p->suspect[0].size : p->top + 1;
}

/* pmtuplan.c: fills the queue, or ends the search. */
void sky_pmtu_plan(struct pmtu *p, uint64_t now);
void sky_pmtu_plan_hint(struct pmtu *p);
/* The largest size below this one that is common as an MTU; 0: none. */
uint32_t sky_pmtu_common(uint32_t below);
uint64_t sky_pmtu_due(const struct pmtu *p, const struct pmtu_probe *b);

/* pmtuend.c */
uint32_t sky_pmtu_need(const struct pmtu *p);	/* losses that make a limit */
/* The byte above low has failed often enough since low came through. */
bool sky_pmtu_failed(const struct pmtu *p);
/* And low came through again, sent no earlier: they differ in size alone. */
bool sky_pmtu_proven(const struct pmtu *p);
void sky_pmtu_finish(struct pmtu *p, uint64_t now);

#endif
