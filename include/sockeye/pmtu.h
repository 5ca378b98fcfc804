/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmtu.h - the largest packet that a path carries, found by probing.
 *
 * For programs that send their own probes: any datagram of a given size that may
 * not be fragmented and is answered. Says which size to send next, and is told
 * what became of it. Errors of routers (RFC 1191, 8201) are followed as soon as
 * they come, but each is checked; where they never come, sizes are searched
 * (RFC 8899), several in flight. A size counts as too big only if it was refused
 * or lost again and again while a packet known to fit, sent no earlier, came
 * through: so loss is not taken for a limit. Ends always: with the MTU to the
 * byte, a range, or nothing, and who set it.
 *
 * Pure: no clock, no system call, no allocation. Sizes are bytes of the whole IP
 * packet; times are ns of any clock that does not go back. The loop:
 *
 *	while ((kind = sky_mtu_poll(&p, now(), &probe)) != SKY_MTU_DONE) {
 *		if (kind == SKY_MTU_SEND) {
 *			send_probe(probe.seq, probe.size);
 *			continue;
 *		}
 *		wait_until(sky_mtu_deadline(&p));
 *		while (answers(&seq))
 *			sky_mtu_acked(&p, now(), seq);
 *		while (errors(&fate, &seq))
 *			sky_mtu_hint(&p, now(), seq, &fate);
 *	}
 *	sky_mtu_result(&p, &result);
 *
 * A program that goes on sending keeps calling it: the search is then repeated
 * at the deadline (raise_ns), and after a black hole.
 */
#ifndef SOCKEYE_PMTU_H
#define SOCKEYE_PMTU_H

#include <sockeye/fate.h>
#include <sockeye/rto.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKY_MTU_BATCH 32	/* probes sent at once, at most */
#define SKY_MTU_NEVER UINT64_MAX	/* no deadline */

struct sky_mtu {
	uint64_t opaque[640];
};

/* A member that is 0 takes the default. */
struct sky_mtu_conf {
	uint32_t size;			/* sizeof(struct sky_mtu_conf) */
	uint32_t floor;			/* no path carries less: 68; IPv6: say 1280 */
	uint32_t base;			/* confirmed first; 1280, or high if that is less */
	uint32_t high;			/* the interface's MTU; 65535 */
	uint32_t batch;			/* probes sent at once; 4 */
	uint32_t confirm;		/* losses that make a limit on a path that seems not
					 * to lose; more are asked for if it does; 4 */
	uint32_t packets;		/* of one search, at most; 100 */
	uint32_t silent;		/* give up when so many rounds in a row brought no
					 * answer; 4 */
	uint32_t hole;			/* data lost in a row that make a black hole likely; 6 */
	uint32_t reserved;
	uint64_t raise_ns;		/* search again so long after an end; 0: never. RFC
					 * 8899 (5.1.1) says 600 s */
	struct sky_rto_conf rto;	/* how long to wait; size 0: RFC 6298's values */
};

enum sky_mtu_kind {
	SKY_MTU_WAIT,			/* nothing to send before the deadline */
	SKY_MTU_SEND,
	SKY_MTU_DONE,			/* the result is there; news may reopen the search */
};

struct sky_mtu_probe {
	uint64_t timeout_ns;		/* it counts as lost no later than this after now */
	uint32_t seq;			/* from 1; put it into the probe */
	uint32_t size;			/* bytes of IP packet */
};

enum sky_mtu_state {
	SKY_MTU_BASE,			/* no size is confirmed yet */
	SKY_MTU_SEARCH,
	SKY_MTU_COMPLETE,
	SKY_MTU_HOLE,			/* what was known to fit seems lost: being checked */
};

enum sky_mtu_certainty {
	SKY_MTU_UNKNOWN,		/* nothing was answered */
	SKY_MTU_AT_MOST,		/* mtu came through; the limit is in mtu .. most */
	SKY_MTU_EXACT,			/* mtu came through and mtu + 1 does not */
};

/* What is known of the limit. */
enum sky_mtu_reason {
	SKY_MTU_UNFINISHED,		/* packets or patience ran out first */
	SKY_MTU_INTERFACE,		/* this host's own */
	SKY_MTU_TOLD,			/* by a router: `by` */
	SKY_MTU_BLACK_HOLE,		/* mtu + 1 vanishes and nobody says so */
	SKY_MTU_NO_ANSWER,		/* not even the base came through */
};

/* How a hint was taken. */
enum sky_mtu_heed {
	SKY_MTU_FOLLOWED,		/* its MTU is being checked */
	SKY_MTU_OLD_FORMAT,		/* tells no MTU (before RFC 1191): the probe was
					 * refused; RFC 1191's table, then the byte */
	SKY_MTU_LIE_LARGE,		/* not less than what was refused: the probe was
					 * refused, the number is ignored */
	SKY_MTU_LIE_SMALL,		/* below the floor, or below what came through: same */
	SKY_MTU_OLD_NEWS,		/* about a size that is already settled */
	SKY_MTU_UNVOUCHED,		/* not a too-big with SKY_TRUST_MATCHED: ignored */
};

struct sky_mtu_result {
	uint32_t size;			/* sizeof, set by the filler */
	uint8_t state, certainty, reason;	/* the enums above */
	uint8_t reserved;
	uint32_t mtu;			/* the largest that came through; 0: none did */
	uint32_t most;			/* the largest that could */
	uint32_t packets, rounds;	/* of this search; rounds: about round trips */
	uint64_t total_packets;		/* since init */
	uint32_t told, lies, unvouched;	/* hints: believed to refuse, with a false number
					 * (also counted in told), not believed */
	uint32_t lost;			/* probes of sizes that fit, lost all the same */
	uint32_t changes;		/* times that the path began to carry less */
	struct sky_addr by;		/* TOLD: who */
	uint32_t told_mtu;		/* TOLD: the number in it, true or not */
};

/* Returns 0, or -EINVAL unless floor <= base <= high, all of them at most 65535. */
int sky_mtu_init(struct sky_mtu *p, const struct sky_mtu_conf *c);

/* What is due; takes lost probes into account. SEND: out is to be sent now. */
enum sky_mtu_kind sky_mtu_poll(struct sky_mtu *p, uint64_t now, struct sky_mtu_probe *out);
/* When to poll next if nothing comes; after DONE, when the search is repeated. */
uint64_t sky_mtu_deadline(const struct sky_mtu *p);

/* What became of probe seq. Return 0, or -ENOENT for a number that was never
 * given out or is long forgotten; twice or late is no error.
 * acked: its answer came. lost: the caller knows, before the deadline. unsent: it
 * did not leave, for a reason other than its size. local: it did not leave for
 * its size (EMSGSIZE); mtu is the interface's, 0 if not known. */
int sky_mtu_acked(struct sky_mtu *p, uint64_t now, uint32_t seq);
int sky_mtu_lost(struct sky_mtu *p, uint64_t now, uint32_t seq);
int sky_mtu_unsent(struct sky_mtu *p, uint64_t now, uint32_t seq);
int sky_mtu_local(struct sky_mtu *p, uint64_t now, uint32_t seq, uint32_t mtu);
/* A router refused it: its trust decides (sky_fate_vouch). */
enum sky_mtu_heed sky_mtu_hint(struct sky_mtu *p, uint64_t now, uint32_t seq,
    const struct sky_fate *f);

/* For senders: a packet of the program's own, of size bytes, was delivered or
 * lost. Large ones lost in a row while small ones pass make the state
 * SKY_MTU_HOLE and start a check (RFC 8899, 4.3). */
void sky_mtu_data(struct sky_mtu *p, uint64_t now, uint32_t size, bool delivered);
/* What a sender should use now: what is proven; the base while in doubt. */
uint32_t sky_mtu_size(const struct sky_mtu *p);
/* Search again now: the route changed, say. Keeps what came through. */
void sky_mtu_again(struct sky_mtu *p, uint64_t now);

void sky_mtu_result(const struct sky_mtu *p, struct sky_mtu_result *out);

/* The table of RFC 1191, section 7, with 552 and others that were met since: the
 * largest size in it below this one, 0 if there is none. */
uint32_t sky_mtu_plateau(uint32_t below);

#ifdef __cplusplus
}
#endif
#endif
