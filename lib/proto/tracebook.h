/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracebook.h - inside the engine of trace.h.
 *
 * What is known is the list of probes and what became of each; everything else is
 * asked of it anew whenever something has changed, so an answer that comes late
 * mends what was concluded without it. A place is where an answer comes from: the
 * TTL of a hop, or TRACE_END for whoever answers at the far end. trace.c is the
 * outside, tracein.c takes answers in, tracelimit.c weighs them, tracehop.c and
 * tracemtu.c decide what to send for the hops and for the MTU, tracesay.c tells.
 */
#ifndef SKY_PROTO_TRACEBOOK_H
#define SKY_PROTO_TRACEBOOK_H

#include "proto/trace.h"

#define TRACE_PROBES 1024
#define TRACE_TELLERS 16	/* routers that say "too big" */
#define TRACE_QUEUE 64
#define TRACE_END 256		/* a place */
#define TRACE_CHANGES 4		/* more often, and the path is not waited for */

enum trace_is {
	TRACE_FLYING,
	TRACE_LOST,		/* waited for long enough; may still come */
	TRACE_CAME,		/* answered from where it should end */
	TRACE_REFUSED,		/* too big, or no way on */
	TRACE_UNSENT,
};

struct trace_probe {
	uint64_t sent, at;
	uint32_t len;
	uint32_t told;		/* REFUSED: the MTU, true or not */
	uint16_t reach;		/* the place it is known to have come to; 0: not known */
	uint8_t ttl;
	uint8_t is, what, type, code;
	uint8_t reply_ttl;
	uint8_t by;		/* index of the hop's addr[], or of teller[] */
	bool hop;		/* asks who is there, not for the size */
};

struct trace_hop {
	struct sky_addr addr[SKY_TRACE_ADDRS];
	struct sky_hop_label label[SKY_HOP_LABELS];
	uint64_t tat;		/* its bucket is full again then */
	uint64_t rtt;		/* longest */
	uint64_t serial;
	uint32_t duplicates;
	uint32_t sent, flying, came;	/* probes that ask who is there */
	uint8_t addrs, labels, what, type, code, reply_ttl;
	bool short_quote, rewritten;
};

struct trace_ask {
	uint32_t len;
	uint8_t ttl;
	bool hop;
};

/* What is known of the size. */
struct trace_limit {
	uint32_t end;		/* the place sizes are proven to; 0: not known yet */
	uint32_t low;		/* came there */
	uint32_t ceiling;	/* the smallest that did not, as it seems */
	bool refused;		/* somebody said so */
	bool certain;		/* ceiling is low + 1, or low is the device's, proven */
	unsigned before;	/* the last place the ceiling came to */
	unsigned behind;	/* the first after it that can tell */
};

struct trace {
	struct sky_trace_conf conf;
	uint64_t began, ended, now, wake, paused_until;
	uint64_t rtt;		/* longest */
	uint64_t top_at;	/* when the hop `top` answered */
	uint64_t last_at;	/* when anybody did */
	uint64_t bytes, serial;
	uint64_t far_sent;	/* the first probe meant for the end */
	uint32_t probes, epoch;	/* those before epoch say nothing about sizes */
	uint32_t packets, answers, rounds, forged, shorts, duplicates, late;
	uint32_t top_mtu;	/* of this host */
	uint32_t idle;		/* plans in a row without anything to send or in flight */
	uint32_t retries;	/* local refusals for lack of room */
	uint32_t changes, flips;
	uint8_t top;		/* the highest hop that answered */
	uint8_t dist;		/* the end answers at this TTL; 0: not known */
	uint8_t guess;		/* as the end's TTL has it */
	uint8_t horizon;	/* TTLs up to here are asked */
	uint8_t next;		/* hop to come out next */
	uint8_t tellers;
	uint8_t stop;		/* enum sky_trace_stop */
	uint8_t type, code;
	int32_t err;
	bool news;		/* since it was planned */
	bool started, done, hops_done, mtu_done, end_answers, reached, capped;
	bool far_is_hop;	/* the path is longer than far */
	bool alone;		/* an answer did not say to what */
	bool end_silent;	/* as it seems */
	uint32_t dist_id;	/* the probe that told dist */
	uint32_t hop_len;	/* of a hop probe */
	uint32_t carry[258];	/* largest size that came to this place or further */
	uint64_t rtt_from[258];	/* longest to this place or further; 0: not known */
	uint32_t fit, fit_lost;	/* probes known to fit; those of them that were lost */
	struct sky_addr by;
	struct sky_addr teller[TRACE_TELLERS];
	uint8_t teller_hop[TRACE_TELLERS];	/* 0: not known */
	struct trace_limit limit;	/* as of the last review */
	uint32_t queued, queue_at;
	struct trace_ask queue[TRACE_QUEUE];
	struct trace_hop hop[257];	/* by place; [0] is not used */
	struct trace_probe probe[TRACE_PROBES];
};

static inline uint32_t
trace_place(const struct trace *t, uint32_t ttl)
{
	if (ttl == t->conf.far && !t->far_is_hop)
		return TRACE_END;
	return t->dist && ttl >= t->dist ? TRACE_END : ttl;
}

/* trace.c */
void sky_trace_ask(struct trace *t, unsigned ttl, uint32_t len, bool hop);
void sky_trace_wake(struct trace *t, uint64_t at);
void sky_trace_end(struct trace *t, enum sky_trace_stop why);

/* tracein.c */
uint64_t sky_trace_due(const struct trace *t, const struct trace_probe *b);
/* Returns true if anything did. */
bool sky_trace_expire(struct trace *t);
/* Works out again who told what, and what came how far. */
void sky_trace_review(struct trace *t);
void sky_trace_far_is_end(struct trace *t);
void sky_trace_find_top(struct trace *t);
/* How many errors may be asked of a place now; when there will be one more. */
uint32_t sky_trace_room(const struct trace *t, uint32_t place);
uint64_t sky_trace_refill(const struct trace *t, uint32_t place);
void sky_trace_take(struct trace *t, unsigned ttl, bool give_back);

/* tracehop.c */
void sky_trace_plan_hops(struct trace *t);
bool sky_trace_settled(const struct trace *t, unsigned ttl);
uint32_t sky_trace_tries(const struct trace *t);
bool sky_trace_answers(const struct trace *t, uint32_t place);

/* tracelimit.c */
void sky_trace_limit(const struct trace *t, struct trace_limit *l);
uint32_t sky_trace_end_place(const struct trace *t);
/* Losses that make a limit; those of this size that count, at this place or
 * further. */
uint32_t sky_trace_need(const struct trace *t);
uint32_t sky_trace_proven(const struct trace *t, uint32_t len, uint32_t from);
/* Was the loss of probe[i] compared with something? same: at the same place. */
bool sky_trace_control(const struct trace *t, uint32_t i, bool same);
/* How many of this size were sent to this place; was this size, or more, lost. */
uint32_t sky_trace_count(const struct trace *t, uint32_t len, uint32_t place);
bool sky_trace_lost_at(const struct trace *t, uint32_t len, uint32_t place);
bool sky_trace_hopeful(const struct trace *t, uint32_t place);
bool sky_trace_serial(const struct trace *t);
/* What teller[] said: is it worth anything, and the last of it. */
bool sky_trace_liar(const struct trace *t, unsigned teller);
enum sky_trace_told sky_trace_judge(const struct trace *t, unsigned teller, uint32_t *told);

/* tracemtu.c */
void sky_trace_plan_mtu(struct trace *t);

#endif
