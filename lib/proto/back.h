/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * back.h - the MTU of the way back, from the sizes of the fragments that arrive.
 *
 * A large request that may be fragmented goes to an echo. Where its answer is too
 * big for a link of the way back it comes in fragments, cut as large as fits but to
 * multiples of 8 bytes: the largest says the MTU to within 8 bytes. Within these,
 * answers that come whole or do not say the byte, in two steps of two. An echo that
 * forbids fragments (IPv6 always does) loses its first answer to a router that
 * tells it so; it is asked again. Where fragments never come and large answers
 * vanish, the size is searched as in <sockeye/pmtu.h>; then it is not known which
 * of the two ways is to blame.
 *
 * Pure: no clock, no system call, no allocation. Sizes are bytes of the whole IP
 * packet, times ns. The loop is that of trace.h.
 */
#ifndef SKY_PROTO_BACK_H
#define SKY_PROTO_BACK_H

#include "proto/hop.h"
#include <sockeye/pmtu.h>

#define SKY_BACK_PROBES 160
#define SKY_BACK_NEVER UINT64_MAX

/* A member that is 0 takes the default. */
struct sky_back_conf {
	uint32_t size;			/* sizeof(struct sky_back_conf) */
	uint32_t high;			/* of the first request: the interface's MTU; 1500 */
	uint32_t small;			/* of a request that everything carries; 64, IPv6: 80 */
	uint32_t packets;		/* at most; 40, at most SKY_BACK_PROBES - 1 */
	uint32_t tries;			/* of one size, unanswered; 3 */
	uint64_t rtt_ns;		/* a round trip as measured before; 0: not known, then
					 * a small request goes with the first large one */
	uint64_t wait_ns;		/* while no round trip is known; 1 s */
	uint8_t ttl;			/* of the requests; 64 */
};

enum sky_back_how {
	SKY_BACK_NOTHING,		/* no answer at all */
	SKY_BACK_WHOLE,			/* all that can be asked for comes back whole: at least
					 * mtu */
	SKY_BACK_FRAGMENTS,		/* measured by fragments: exact if mtu == most */
	SKY_BACK_LOST,			/* larger answers vanish: that way or this */
	SKY_BACK_REFUSED,		/* there is no echo: by, type, code of the error */
	SKY_BACK_LOCAL,			/* this host does not send: err */
};

struct sky_back_result {
	uint8_t how;			/* enum sky_back_how */
	uint8_t type, code;
	int32_t err;
	struct sky_addr by;
	uint32_t mtu, most;		/* the MTU is mtu .. most */
	uint32_t packets, lost;
	uint64_t began, ended;
	bool interrupted;
};

/* --- inside --- */
struct back_probe {
	uint64_t sent;
	uint32_t len, seq;		/* seq: of the search, if it asked */
	bool flying;
};

struct sky_back {
	struct sky_back_conf conf;
	struct sky_rto rto;
	struct sky_mtu search;
	struct sky_back_result r;
	uint32_t next, flying, low, high, cell, clash;	/* comes whole, does not, does not
					 * if fragments are cut as large as fits */
	uint32_t tries, queued, queue[8];
	bool searching, done, small_came;
	struct back_probe probe[SKY_BACK_PROBES];
};

enum sky_back_kind { SKY_BACK_WAIT, SKY_BACK_SEND, SKY_BACK_DONE };

/* Returns 0, or -EINVAL: small <= high <= 65535 does not hold, or packets is too large. */
int sky_back_init(struct sky_back *b, const struct sky_back_conf *c);
/* SEND: out is to be sent now, and may be fragmented. */
enum sky_back_kind sky_back_poll(struct sky_back *b, uint64_t now, struct sky_hop_probe *out);
uint64_t sky_back_deadline(const struct sky_back *b);
void sky_back_answer(struct sky_back *b, uint64_t now, const struct sky_hop_answer *a);
void sky_back_stop(struct sky_back *b, uint64_t now);
void sky_back_result(const struct sky_back *b, struct sky_back_result *out);

#endif
