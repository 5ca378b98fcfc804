/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - the hops to a host and the MTU of the path, in a few round trips.
 *
 * Decides which probes to send and what their answers mean; one flow, every hop
 * at once. Each router and the destination are asked for no more errors than
 * their bucket holds (Linux: 6, then one a second); errors that say "too big"
 * are free. MTUs told by routers are followed as soon as they come and believed
 * only when a packet of that size came through and one more byte did not. Where
 * errors never come, sizes are searched and the black hole is located: a size
 * counts as lost only when it was lost again and again while a smaller one, sent
 * later to the same place, was answered. Waits follow the round trips measured.
 * Always ends: packets are capped.
 *
 * Pure: no clock, no system call, no allocation. Times are ns of any clock that
 * does not go back, sizes bytes of the whole IP packet. The loop:
 *
 *	while ((kind = sky_trace_poll(&t, now(), &probe)) != SKY_TRACE_DONE) {
 *		if (kind == SKY_TRACE_SEND) {
 *			send(&probe);		did not leave: an answer, too
 *			continue;
 *		}
 *		wait_until(sky_trace_deadline(&t));
 *		while (receive(&answer))	all that are there, then poll
 *			sky_trace_answer(&t, now(), &answer);
 *		while ((n = sky_trace_next(&t)) > 0)
 *			print_hop(n);
 *	}
 *
 * What it says is of the flow that it sent. IPv4 and IPv6 differ in conf only.
 */
#ifndef SKY_PROTO_TRACE_H
#define SKY_PROTO_TRACE_H

#include "proto/hop.h"

#define SKY_TRACE_NEVER UINT64_MAX	/* no deadline */
#define SKY_TRACE_ADDRS 4		/* kept of those that answer one TTL */
#define SKY_TRACE_TRIES 10		/* probes of one hop of which the fate is kept */

struct sky_trace {
	uint64_t opaque[24576];
};

/* A member that is 0 takes the default. */
struct sky_trace_conf {
	uint32_t size;			/* sizeof(struct sky_trace_conf) */
	uint32_t device_mtu;		/* of the interface; 1500. Nothing larger is sent */
	uint32_t cached_mtu;		/* the kernel's; shown, never obeyed; 0: none */
	uint32_t len;			/* of a hop probe; 60, IPv6: 80 */
	uint32_t floor;			/* no path carries less: 68, IPv6: 1280 */
	uint32_t packets;		/* hard cap; 100, and 2 for each hop after the 24th,
					 * and `probes` - 1 for each hop */
	struct sky_addr dst;		/* the destination; its family counts */
	uint8_t first, max;		/* TTL; 1, 64 */
	uint8_t far;			/* TTL of what is meant for the destination; 64, or
					 * max if that is more. Nothing goes further */
	uint8_t ahead;			/* TTLs sent at once beyond the last that answered
					 * while the distance is not known; 4 */
	uint8_t gap;			/* silent TTLs in a row that end the path; 8 */
	uint8_t probes;			/* of each hop, at most SKY_TRACE_TRIES; 1 */
	uint8_t tries;			/* unanswered probes that make a hop silent; 2, and 2
					 * more on a path that is seen to lose */
	uint8_t burst;			/* errors that one router is asked for at once; 6 */
	uint8_t flying;			/* unanswered probes at a time; 64 */
	uint8_t confirm;		/* losses that make a limit; 3, more on a path that
					 * is seen to lose */
	bool no_mtu;			/* do not search, or: the method cannot tell */
	bool free_end;			/* the end answers without limit: echo replies, TCP */
	bool untagged;			/* answers cannot be told apart: one at a time */
	uint64_t refill_ns;		/* until a router gives one error more; 1 s, IPv6:
					 * 100 ms */
	uint64_t pause_ns;		/* between any two probes; 0 */
	uint64_t wait_ns;		/* for an answer, before any round trip is known; 1 s */
	uint64_t min_wait_ns;		/* afterwards; 8 ms */
	uint64_t max_wait_ns;		/* 3 s */
};

enum sky_trace_kind {
	SKY_TRACE_WAIT,			/* nothing to send before the deadline */
	SKY_TRACE_SEND,
	SKY_TRACE_DONE,
};

/* --- results --- */

enum sky_trace_state {
	SKY_TRACE_UNSENT,
	SKY_TRACE_ASKED,		/* no answer yet */
	SKY_TRACE_ANSWERED,
	SKY_TRACE_SILENT,		/* every probe unanswered */
};

/* What an MTU that a router told is worth. */
enum sky_trace_told {
	SKY_TRACE_TOLD_NOTHING,		/* none was told */
	SKY_TRACE_TOLD_TRUE,		/* that size came further, one byte more did not */
	SKY_TRACE_TOLD_UNCHECKED,
	SKY_TRACE_TOLD_ZERO,		/* as before RFC 1191 */
	SKY_TRACE_TOLD_LARGE,		/* not less than what it refused */
	SKY_TRACE_TOLD_SMALL,		/* a larger one came further */
	SKY_TRACE_TOLD_FLOOR,		/* less than any link may have */
};

struct sky_trace_try {
	uint64_t rtt_ns;		/* 0: not answered (yet) */
	uint32_t id;
	uint8_t by;			/* index in addr[]; if rtt_ns */
	uint8_t what;			/* enum sky_hop_what; NOTHING: lost or in flight */
	uint8_t type, code;
	uint8_t ttl;			/* with which the answer came */
	bool lost;			/* given up */
};

struct sky_trace_hop {
	uint8_t ttl;
	uint8_t state;			/* enum sky_trace_state */
	bool final;			/* nothing below will change */
	bool end;			/* the destination, or whoever answers in its place */
	uint8_t addrs;			/* who answered, in the order they first did */
	uint8_t tries;
	uint8_t reply_ttl;		/* of the last answer; 0: not known */
	uint8_t back;			/* hops of the way back as reply_ttl has it; 0: not
					 * known. Another number than ttl: asymmetric */
	bool asymmetric;
	bool short_quote;		/* answered without saying which probe */
	bool rewritten;			/* see hop.h */
	uint8_t what, type, code;	/* of the answer that says most */
	struct sky_addr addr[SKY_TRACE_ADDRS];
	struct sky_trace_try try[SKY_TRACE_TRIES];	/* in the order they were sent */
	uint8_t labels;
	struct sky_hop_label label[SKY_HOP_LABELS];

	uint32_t passed;		/* the largest that is known to have come here */
	uint32_t drop_from, drop_to;	/* the link after it carries less than those
					 * before: from .. to; 0: it does not, or not known */
	bool hole;			/* and what is larger vanishes there */
	uint32_t told;			/* the MTU it told */
	uint8_t judged;			/* enum sky_trace_told */
	struct sky_addr teller;		/* who told, if judged */

	bool limited;			/* answers run out: rate limited */
	uint32_t limit_burst;		/* errors at once, as seen */
	uint64_t limit_ns;		/* then one each; 0: not seen */
	uint32_t asked, answered;	/* probes of all sizes that should have got an answer
					 * from here, and did */
	uint32_t duplicates;
	uint64_t serial;		/* of the last change */
};

enum sky_trace_stop {
	SKY_TRACE_RUNNING,
	SKY_TRACE_REACHED,
	SKY_TRACE_UNREACHABLE,		/* somebody on the way says so: by, type, code */
	SKY_TRACE_GAP,			/* silence after `last` */
	SKY_TRACE_MAX,			/* the path goes on after conf.max */
	SKY_TRACE_LOOP,			/* the same routers again and again */
	SKY_TRACE_REFUSES,		/* a router calls even the smallest too big: by */
	SKY_TRACE_CAP,			/* packets ran out first */
	SKY_TRACE_LOCAL,		/* this host does not send: err */
	SKY_TRACE_INTERRUPTED,
};

enum sky_trace_certainty {
	SKY_TRACE_MTU_NONE,		/* nothing is known, or not asked for */
	SKY_TRACE_MTU_EXACT,		/* mtu comes to the end and mtu + 1 does not */
	SKY_TRACE_MTU_AT_LEAST,		/* mtu comes to the end, perhaps up to mtu_most */
	SKY_TRACE_MTU_BOUNDED,		/* mtu comes as far as mtu_hop, which is not the end;
					 * mtu_most is as much as could come there */
};

enum sky_trace_limit {
	SKY_TRACE_BY_NOBODY,		/* not known */
	SKY_TRACE_BY_DEVICE,		/* this host's own interface */
	SKY_TRACE_BY_ROUTER,		/* who says so: set_by */
	SKY_TRACE_BY_HOLE,		/* nobody says so: a black hole */
};

struct sky_trace_path {
	uint8_t stop;			/* enum sky_trace_stop */
	bool reached;			/* the destination answered */
	bool capped;			/* conf.packets ended it */
	bool changed;			/* the path, while it was being probed */
	uint8_t type, code;		/* UNREACHABLE */
	int32_t err;			/* LOCAL: positive errno */
	struct sky_addr by;		/* UNREACHABLE, REFUSES; REACHED: who answered */
	uint8_t hops;			/* how many have a line; to sky_trace_hop: first .. */
	uint8_t first;			/* .. first + hops - 1 */
	uint8_t last;			/* the last that answered; 0: none */
	uint8_t distance;		/* TTL that reaches the end; 0: not known */

	uint8_t certainty;		/* enum sky_trace_certainty */
	uint8_t limit;			/* enum sky_trace_limit: what is known of mtu + 1 */
	uint8_t set_by_hop;		/* the link after this hop; 0: this host's (DEVICE) or
					 * not known */
	uint8_t set_by_last;		/* more than set_by_hop: one of the links after them,
					 * for those between do not answer */
	struct sky_addr set_by;		/* ROUTER: the teller; HOLE: the hop, if known */
	uint32_t mtu, mtu_most;
	uint8_t mtu_hop;		/* as far as it was proven */
	uint32_t device_mtu;		/* as given, or learnt since */
	uint32_t cached_mtu;		/* as given */

	uint32_t packets, answers;
	uint64_t bytes;
	uint32_t rounds;		/* times it had to wait for something */
	uint64_t began, ended;		/* ended: now, while it runs */
	uint64_t rtt_ns;		/* the longest round trip */
	uint32_t forged;		/* answers to what was never sent, or quoting it wrong */
	uint32_t shorts;		/* answers that do not say to which probe */
	uint32_t duplicates, late;
	uint32_t lost;			/* probes lost by chance: known to fit, and answered
					 * when sent again */
	uint64_t serial;		/* of the last change of anything */
};

/* Returns 0, or -EINVAL: sizes (len, floor <= device_mtu <= 65535) or TTLs
 * (first <= max) do not fit, probes is too large, or dst has no family. */
int sky_trace_init(struct sky_trace *t, const struct sky_trace_conf *c);

/* What is due now. SEND: out is to be sent at once; it counts as sent at now. */
enum sky_trace_kind sky_trace_poll(struct sky_trace *t, uint64_t now, struct sky_hop_probe *out);
/* When to poll next if nothing comes. 0: at once. */
uint64_t sky_trace_deadline(const struct sky_trace *t);
/* Optional: the probe left at that time rather than at poll's now. */
void sky_trace_sent(struct sky_trace *t, uint32_t id, uint64_t at);
/* An answer, or that a probe did not leave (SKY_HOP_LOCAL: EMSGSIZE teaches the
 * device's MTU; ENOBUFS and EAGAIN are tried again; any other errno is the end).
 * Its `at`, if not 0, is when it came, else now. Returns true if it taught
 * something: false for what was forged, came twice or too late. */
bool sky_trace_answer(struct sky_trace *t, uint64_t now, const struct sky_hop_answer *a);
/* No more probes: the next poll says DONE. */
void sky_trace_stop(struct sky_trace *t, uint64_t now);

/* The next hop, in order from the first, of which the line will not change any
 * more (but for an answer that comes long after it was given up); each once. 0: none yet. All have come out after DONE. */
unsigned sky_trace_next(struct sky_trace *t);
/* What is known of one hop now. Returns 0, or -ENOENT if it has no line: it was
 * not probed or is beyond the end. */
int sky_trace_hop(const struct sky_trace *t, unsigned ttl, struct sky_trace_hop *out);
void sky_trace_path(const struct sky_trace *t, struct sky_trace_path *out);

const char *sky_trace_stop_word(enum sky_trace_stop s);		/* "reached", "gap", ... */
const char *sky_trace_certainty_word(enum sky_trace_certainty c);	/* "exact", ... */
const char *sky_trace_limit_word(enum sky_trace_limit l);	/* "device", "black hole", .. */
const char *sky_trace_told_word(enum sky_trace_told w);		/* "true", "zero", ... */

#endif
