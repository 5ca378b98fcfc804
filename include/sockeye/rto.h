/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rto.h - how long to wait before sending again (RFC 6298).
 *
 * One struct sky_rto for each peer (or path): tell it what round trips took
 * and when a timer ran out, ask it how long the next timer is. Pure: no clock,
 * no system call, no allocation; every time is a number of nanoseconds.
 *
 * The rules are those of RFC 6298 with datagrams for segments. Its section
 * (5.7), about the handshake of TCP, has no counterpart here.
 */
#ifndef SOCKEYE_RTO_H
#define SOCKEYE_RTO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A member that is 0 takes the default. */
struct sky_rto_conf {
	uint32_t size;			/* sizeof(struct sky_rto_conf) */
	uint32_t reserved;
	uint64_t initial_ns;		/* before the first sample; 1 s (2.1) */
	uint64_t min_ns;		/* 1 s (2.4): less is for networks you own */
	uint64_t max_ns;		/* 60 s, the least that (2.5) allows */
	uint64_t granularity_ns;	/* G, of the caller's clock; 1 ms (section 4) */
};

/* Members are for reading; the functions write them. */
struct sky_rto {
	uint64_t srtt_ns, rttvar_ns;	/* mean something while samples is not 0 */
	uint64_t rto_ns;
	uint64_t min_ns, max_ns, granularity_ns;
	uint32_t samples;		/* taken since the last clearing */
	uint32_t backoffs;		/* in a row; a sample ends it */
};

/* So many backoffs in a row clear SRTT and RTTVAR, as section 5 (its last
 * paragraph) allows: they are likely of another path. */
#define SKY_RTO_CLEAR 4

/* c may be NULL. An initial value outside of min .. max is moved to the nearer
 * of them. Returns 0, or -EINVAL if min is more than max or the size is wrong. */
int sky_rto_init(struct sky_rto *r, const struct sky_rto_conf *c);

/* A round trip took rtt_ns (2.2, 2.3). sent: how often that request had been
 * sent when the reply came. told_apart: the reply says which copy it answers,
 * by a time stamp, a number or an id of its own, and rtt_ns is that copy's.
 * Without it the round trip of a request that was sent more than once is not
 * used (section 3, Karn's algorithm). Returns true if it was. */
bool sky_rto_sample(struct sky_rto *r, uint64_t rtt_ns, unsigned sent, bool told_apart);

/* The timer ran out: the value is doubled, up to the maximum (5.5), and stays
 * so until there is a new sample (section 5). */
void sky_rto_backoff(struct sky_rto *r);

/* The timeout to set for what is sent now, ns. */
uint64_t sky_rto_value(const struct sky_rto *r);

#ifdef __cplusplus
}
#endif
#endif
