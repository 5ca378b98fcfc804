/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cycle.h - the hops of a known path, asked again and again: loss that is loss.
 *
 * Routers limit how many errors they send to one host (Linux: 6, then one a
 * second), so that a quick series of probes is unanswered for a reason that has
 * nothing to do with the path. From the pattern of the answers this engine infers
 * each router's bucket: runs of silence with single answers at equal distances are
 * a bucket being filled; unanswered probes that vanish when fewer are sent are one,
 * too; what stays the same is loss. From then on that router is asked no
 * more often than it answers. An unanswered probe is
 *
 *	lost	sent when an answer was due
 *	limited	sent to a bucket that was empty
 *	open	not decided (yet): a silence that has not ended, or shows no pattern
 *
 * Loss is lost of those that an answer was due to (fair + lost), with the interval
 * of 95 % after Wilson (1927); its upper end counts the open ones as lost.
 *
 * Pure: no clock, no system call, no allocation. Times are ns. The loop is that of
 * trace.h, without an end if conf.cycles is 0.
 */
#ifndef SKY_PROTO_CYCLE_H
#define SKY_PROTO_CYCLE_H

#include "proto/hop.h"
#include <sockeye/rto.h>

#define SKY_CYCLE_HOPS 64
#define SKY_CYCLE_PROBES 8192		/* under way or remembered */
#define SKY_CYCLE_NEVER UINT64_MAX

struct sky_cycle_known {
	struct sky_addr by;		/* who answered before; unspecified: not known */
	uint8_t ttl;
	uint16_t spent;			/* errors that it gave in the last seconds */
};

/* A member that is 0 takes the default. */
struct sky_cycle_conf {
	uint32_t size;			/* sizeof(struct sky_cycle_conf) */
	uint32_t hops;			/* of hop[] */
	uint32_t cycles;		/* 0: without end */
	uint32_t len;			/* of a probe; 60 */
	uint32_t first_id;		/* 1 */
	uint64_t interval_ns;		/* 1 s */
	uint64_t wait_ns;		/* for an answer while no round trip is known; 1 s */
	struct sky_cycle_known hop[SKY_CYCLE_HOPS];
};

enum sky_cycle_mode {
	SKY_CYCLE_FREE,			/* once each interval */
	SKY_CYCLE_METER,		/* silent: finding out why, once each interval */
	SKY_CYCLE_TRIAL,		/* more slowly: does it answer all of these? */
	SKY_CYCLE_SPACED,		/* as often as it answers */
};

struct sky_cycle_hop {
	struct sky_addr by;		/* who answered last */
	uint8_t ttl, mode;		/* enum sky_cycle_mode */
	bool end;			/* the destination */
	bool limited_rate;		/* it has a bucket: burst, period_ns */
	uint32_t burst;			/* errors at once, as seen; 0: not seen */
	uint64_t period_ns;		/* then one each */
	uint64_t spacing_ns;		/* of the probes sent there now */
	uint64_t sent, answered, lost, limited, open, fair, pending;
	uint32_t changes;		/* of who answers */
	double loss, loss_low, loss_high;	/* shares; 0, 0, 1 while nothing is known */
	uint64_t rtt_last, rtt_min, rtt_mean, rtt_max, jitter;	/* ns; 0: none. jitter: mean
					 * of the differences of successive ones */
};

/* --- inside --- */
enum cycle_out { CYCLE_NONE, CYCLE_PENDING, CYCLE_ANSWERED, CYCLE_SILENT, CYCLE_UNSENT };

struct cycle_probe {
	uint64_t sent;
	uint32_t id, next;		/* next: of the same hop, 0 none */
	uint8_t hop, out;
	bool judged;
};

struct cycle_hop {
	struct sky_cycle_hop h;
	struct sky_rto rto;
	uint64_t next_at, rtt_sum, jitter_sum, rtt_count;
	uint64_t run, meter_open, meter_answered, fast_sent, fast_silent, long_runs;
	uint64_t last_answer, busy, no_trial;	/* sent times of answered; answers since idle */
	uint64_t at_once;		/* of these, before the first silence */
	uint64_t gap[2];
	uint32_t gaps, in_row, oldest, newest;
	uint32_t spent;
	uint64_t last_sent, regime;	/* of the last probe; those to it are of before */
	uint64_t before_spacing;
	uint8_t before_mode;
	double fast_p, odds;
};

struct sky_cycle {
	struct sky_cycle_conf conf;
	uint64_t began, end;
	uint32_t next;
	bool started, stopped, done;
	struct cycle_hop hop[SKY_CYCLE_HOPS];
	struct cycle_probe probe[SKY_CYCLE_PROBES];
};

enum sky_cycle_kind { SKY_CYCLE_WAIT, SKY_CYCLE_SEND, SKY_CYCLE_DONE };

/* Returns 0, or -EINVAL: no hops, too many, or one without a TTL. */
int sky_cycle_init(struct sky_cycle *c, const struct sky_cycle_conf *conf);
enum sky_cycle_kind sky_cycle_poll(struct sky_cycle *c, uint64_t now, struct sky_hop_probe *out);
uint64_t sky_cycle_deadline(const struct sky_cycle *c);
void sky_cycle_answer(struct sky_cycle *c, uint64_t now, const struct sky_hop_answer *a);
/* No more probes; the next poll says DONE. */
void sky_cycle_stop(struct sky_cycle *c, uint64_t now);

/* The i-th of conf.hop[]. Returns 0 or -ENOENT. */
int sky_cycle_hop(const struct sky_cycle *c, unsigned i, struct sky_cycle_hop *out);
/* Whole intervals that have begun. */
uint64_t sky_cycle_count(const struct sky_cycle *c, uint64_t now);

/* Wilson's interval of 95 % for bad of n; 0 .. 1 if n is 0. */
void sky_cycle_wilson(uint64_t bad, uint64_t n, double *low, double *high);

const char *sky_cycle_mode_word(enum sky_cycle_mode m);

#endif
