/* SPDX-License-Identifier: BSD-2-Clause */
/* pmtuend.c - what is proven, and what is said of it. */
#include "proto/pmtu.h"

#include <string.h>

/* A path that loses one of L packets loses n of one size in a row once in L to
 * the n: the more it loses, the more are asked for. */
uint32_t
sky_pmtu_need(const struct pmtu *p)
{
	if (!p->good_lost)
		return p->confirm;
	if (p->good_lost * 10 <= p->good)
		return p->confirm + 1;
	return p->confirm + 2 + p->good_lost * 5 / p->good;
}

static bool
told_since(const struct pmtu *p, const struct pmtu_suspect *s)
{
	return s->told && s->told_sent >= p->low_sent;
}

bool
sky_pmtu_failed(const struct pmtu *p)
{
	const struct pmtu_suspect *s = pmtu_bound(p);

	if (!p->low || !s || s->size != p->low + 1)
		return false;
	return told_since(p, s) || s->fresh >= sky_pmtu_need(p);
}

bool
sky_pmtu_proven(const struct pmtu *p)
{
	const struct pmtu_suspect *s = pmtu_bound(p);

	if (p->low && p->low >= p->top)
		return true;
	return sky_pmtu_failed(p) && p->cover > (told_since(p, s) ? s->told_sent : s->lost_sent);
}

void
sky_pmtu_finish(struct pmtu *p, uint64_t now)
{
	if (p->doubt)
		p->low = 0;		/* nothing came through any more */
	p->done = true;
	p->doubt = false;
	p->raise_at = SKY_MTU_NEVER;
	if (p->raise_ns && p->raise_ns < SKY_MTU_NEVER - now)
		p->raise_at = now + p->raise_ns;
}

static enum sky_mtu_state
state(const struct pmtu *p)
{
	if (p->done)
		return SKY_MTU_COMPLETE;
	if (p->doubt)
		return SKY_MTU_HOLE;
	return p->low ? SKY_MTU_SEARCH : SKY_MTU_BASE;
}

static void
judge(const struct pmtu *p, struct sky_mtu_result *out)
{
	const struct pmtu_suspect *s = pmtu_bound(p);

	out->certainty = SKY_MTU_EXACT;
	if (!p->low || !sky_pmtu_proven(p)) {
		out->certainty = p->low ? SKY_MTU_AT_MOST : SKY_MTU_UNKNOWN;
		out->reason = p->low ? SKY_MTU_UNFINISHED : SKY_MTU_NO_ANSWER;
	} else if (p->low >= p->top) {
		out->reason = SKY_MTU_INTERFACE;
	} else {
		out->reason = s->told || p->hint == p->low ? SKY_MTU_TOLD : SKY_MTU_BLACK_HOLE;
	}
	if (s && s->told) {
		out->by = s->by;
		out->told_mtu = s->mtu;
	} else if (p->low && p->hint == p->low) {
		out->by = p->hint_by;
		out->told_mtu = p->hint;
	}
}

/* The largest size that could fit: one loss or two rule nothing out. */
static uint32_t
most(const struct pmtu *p)
{
	for (uint32_t i = 0; i < p->suspects; i++)
		if (p->suspect[i].told || p->suspect[i].lost >= sky_pmtu_need(p))
			return p->suspect[i].size - 1;
	return p->top;
}

void
sky_mtu_result(const struct sky_mtu *handle, struct sky_mtu_result *out)
{
	const struct pmtu *p = (const struct pmtu *)handle->opaque;

	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->state = (uint8_t)state(p);
	judge(p, out);
	out->mtu = p->low;
	out->most = most(p);
	out->packets = p->packets;
	out->rounds = p->rounds;
	out->total_packets = p->total;
	out->told = p->told;
	out->lies = p->lies;
	out->unvouched = p->unvouched;
	out->lost = p->good_lost;
	out->changes = p->changes;
}
