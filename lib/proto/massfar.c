/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * massfar.c - the far end of a target: whether it is there, how far, and the
 * largest packet that gets there; see massin.h.
 */
#include "proto/massin.h"

#include <errno.h>

enum { FAR_MOST = 14 };	/* probes at one target's far end */

/* Where links of this world stop, the largest first. */
static const uint16_t plateaus[] = {
	9000, 4352, 2002, 1500, 1492, 1480, 1472, 1460, 1454, 1452, 1440, 1420, 1400, 1380,
	1372, 1360, 1350, 1300, 1280, 1006, 576, 508, 296, 68,
};

static uint16_t
small(const struct mass_slot *s)
{
	return sky_addr_family(&s->dst) == AF_INET6 ? 80 : 60;
}

static void
ask(struct sky_mass *m, struct mass_slot *s, uint16_t len)
{
	s->len = len;
	s->tries = 0;
	s->far++;
	sky_mass_ready(m, s);
}

void
sky_mass_far_begin(struct sky_mass *m, struct mass_slot *s)
{
	s->phase = MASS_AT_FAR;
	s->hi = mass_mtu(m, s) ? mass_mtu(m, s) + 1 : 0;
	ask(m, s, mass_mtu(m, s) ? mass_mtu(m, s) : small(s));
}

/* Of the plateaus between what passed and what did not, the middle one; without
 * any, half way, as long as someone says no: silence is too dear for that. */
static uint16_t
between(const struct mass_slot *s)
{
	uint16_t lo = s->lo < small(s) ? small(s) - 1 : s->lo;
	unsigned first = 0, n = 0;

	for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < s->hi && plateaus[i] > lo) {
			first = n ? first : i;
			n++;
		}
	if (n)
		return plateaus[first + n / 2];
	if (s->flags & SKY_MASS_BLACK_HOLE || s->hi <= lo + 1)
		return 0;
	return (uint16_t)((lo + s->hi) / 2);
}

/* The size to try next, 0 if there is nothing more to learn. */
static uint16_t
choose(const struct sky_mass *m, const struct mass_slot *s)
{
	if (!mass_mtu(m, s) || s->hi <= s->lo + 1 || s->far >= FAR_MOST)
		return 0;
	if (s->claimed || s->hi == mass_mtu(m, s) + 1)
		return s->hi - 1;
	return between(s);
}

static void
go_on(struct sky_mass *m, struct mass_slot *s)
{
	uint16_t len = choose(m, s);

	if (len)
		ask(m, s, len);
	else
		sky_mass_way_begin(m, s);
}

/* How many hops away, from the TTL that is left of one of the usual ones; right
 * if the way back is as long as the way there. */
static uint8_t
distance(const struct sky_mass *m, uint8_t ttl)
{
	unsigned d = (ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl + 1u;

	return ttl && d <= m->conf.max_ttl ? (uint8_t)d : 0;
}

static void
reached(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	if (s->end != SKY_HOP_REACHED) {
		s->end = SKY_HOP_REACHED;
		s->rtt_us = (uint32_t)(a->at / 1000) - a->mark.sent_us;
		if (!sky_addr_same_host(&a->by, &s->dst))
			s->by = sky_hops_iface(&m->hops, &a->by);
		s->type = a->type;
		s->code = a->code;
	}
	if (!s->distance && s->phase == MASS_AT_FAR)
		s->distance = distance(m, a->ttl);
	if (a->mark.len <= s->lo)
		return;
	s->lo = a->mark.len;
	if (s->lo >= s->hi) {		/* it was loss, or the way has changed */
		s->hi = mass_mtu(m, s) + 1;
		s->flags &= (uint8_t)~SKY_MASS_BLACK_HOLE;
	}
}

/* A router says how large packets may be. It is believed as far as it can be
 * true, and then tried. */
static void
limited(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	uint32_t least = sky_addr_family(&s->dst) == AF_INET6 ? 1280 : 68;
	bool true_it_may_be = a->mtu >= least && a->mtu < a->mark.len && a->mtu > s->lo;

	if (a->mark.len <= s->lo || (a->mark.len >= s->hi && s->hi <= mass_mtu(m, s)))
		return;			/* late: not true any more, or known */
	s->mtu_by = sky_hops_iface(&m->hops, &a->by);
	s->claimed = true_it_may_be;
	s->hi = true_it_may_be ? (uint16_t)(a->mtu + 1) : a->mark.len;
	if (!true_it_may_be)
		s->flags |= SKY_MASS_LIED;
}

static void
local(struct mass_slot *s, const struct sky_mass_answer *a)
{
	if (a->err == EMSGSIZE && a->mtu >= 68 && a->mtu < a->mark.len && a->mtu > s->lo) {
		s->hi = (uint16_t)(a->mtu + 1);
		s->claimed = true;
		return;
	}
	s->end = SKY_HOP_LOCAL;
	s->err = a->err;
}

static void
told(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	if (s->end != SKY_HOP_NOTHING)
		return;
	s->end = a->what;
	s->type = a->type;
	s->code = a->code;
	s->by = sky_hops_iface(&m->hops, &a->by);
	s->start = a->what == SKY_HOP_UNREACHABLE ? distance(m, a->ttl) : 0;
}

void
sky_mass_far_answer(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	bool asked = s->phase == MASS_AT_FAR && s->waiting && a->mark.len == s->len;

	if (a->what == SKY_HOP_REACHED)
		reached(m, s, a);
	else if (s->phase != MASS_AT_FAR)
		m->stats.repeats++;
	else if (a->what == SKY_HOP_TOO_BIG)
		limited(m, s, a);
	else if (a->what == SKY_HOP_LOCAL)
		local(s, a);
	else
		told(m, s, a);
	if (!asked)
		return;
	s->waiting = false;
	if (a->what == SKY_HOP_REACHED || a->what == SKY_HOP_TOO_BIG ||
	    s->end == SKY_HOP_NOTHING)
		go_on(m, s);
	else
		sky_mass_way_begin(m, s);
}

/* Large ones may vanish where small ones do not. Nobody who ever answered is
 * given up before `tries`; what was never heard of gets one more, small. */
void
sky_mass_far_silence(struct sky_mass *m, struct mass_slot *s)
{
	s->tries++;
	if (s->end == SKY_HOP_NOTHING) {
		if (s->len > small(s))
			ask(m, s, small(s));
		else if (s->tries + (mass_mtu(m, s) ? 1 : 0) < m->conf.tries)
			sky_mass_ready(m, s);
		else
			sky_mass_way_begin(m, s);
		return;
	}
	if (s->tries < m->conf.tries) {
		sky_mass_ready(m, s);
		return;
	}
	s->claimed = false;
	if (s->len > s->lo) {		/* else another answer came, late */
		s->hi = s->len;
		s->flags |= SKY_MASS_BLACK_HOLE;
	}
	go_on(m, s);
}
