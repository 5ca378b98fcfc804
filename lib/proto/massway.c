/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * massway.c - the routers on the way to a target: backwards until the way is
 * known, forwards where nobody says how far it is; see massin.h.
 */
#include "proto/massin.h"

enum { GAP_NEIGHBOUR = 2 };	/* where a neighbour's way ended, one looks less far */

/* --- where to begin --- */

static void
begin_all(struct sky_mass *m, struct mass_slot *s)
{
	s->phase = MASS_AT_ALL;
	s->top = s->distance ? s->distance - 1 : s->start ? s->start : m->conf.max_ttl;
	if (s->top)
		sky_mass_ready(m, s);
	else
		sky_mass_finish(m, s);
}

static uint8_t
neighbours_end(const struct sky_mass *m, const struct mass_slot *s)
{
	uint32_t d = sky_near_last(&m->near, &s->dst, 0);

	return d > 1 && d <= m->conf.max_ttl ? (uint8_t)(d - 1) : 0;
}

void
sky_mass_way_begin(struct sky_mass *m, struct mass_slot *s)
{
	s->tries = 0;
	s->claimed = false;
	if (s->end == SKY_HOP_LOCAL || s->distance == 1) {
		s->flags |= s->distance == 1 ? SKY_MASS_CHECKED : 0;
		sky_mass_finish(m, s);
		return;
	}
	if (m->conf.every_hop && !m->hops.gap_least) {
		begin_all(m, s);
		return;
	}
	s->gap_most = m->conf.gap;
	if (s->distance) {
		s->start = s->distance - 1;
	} else if (!s->start) {
		s->start = neighbours_end(m, s);
		s->gap_most = s->start ? GAP_NEIGHBOUR : m->conf.gap;
		s->start = s->start ? s->start : m->conf.split;
	}
	s->phase = MASS_AT_BACK;
	s->ttl = s->start;
	sky_mass_ready(m, s);
}

/* --- from one phase to the next --- */

static void
forwards(struct sky_mass *m, struct mass_slot *s, uint8_t from)
{
	if (from > m->conf.max_ttl) {
		sky_mass_finish(m, s);
		return;
	}
	s->phase = MASS_AT_FORE;
	s->ttl = from;
	s->tries = 0;
	s->gap = 0;
	sky_mass_ready(m, s);
}

/* The way back is known. How far the target is may be a guess of its TTL. */
static void
back_ends(struct sky_mass *m, struct mass_slot *s)
{
	s->parked = false;
	s->tries = 0;
	if (s->end == SKY_HOP_UNREACHABLE || s->flags & SKY_MASS_CHECKED) {
		sky_mass_finish(m, s);
	} else if (s->distance) {
		s->phase = MASS_AT_EDGE;
		s->ttl = s->distance;
		sky_mass_ready(m, s);
	} else {
		forwards(m, s, s->start + 1);
	}
}

void
sky_mass_way_nearer(struct sky_mass *m, struct mass_slot *s)
{
	s->tries = 0;
	s->napping = 0;
	if (--s->ttl)
		sky_mass_ready(m, s);
	else
		back_ends(m, s);
}

void
sky_mass_way_leave(struct sky_mass *m, struct mass_slot *s, unsigned flag)
{
	if (s->edge == SKY_HOPS_NONE)
		return;
	m->hops.node[s->edge].flags &= (uint8_t)~SKY_NODE_LOOK;
	m->hops.node[s->edge].flags |= (uint8_t)flag;
	s->edge = SKY_HOPS_NONE;
}

void
sky_mass_way_join(struct sky_mass *m, struct mass_slot *s, bool assumed)
{
	s->join = s->ttl;
	s->assumed = assumed;
	back_ends(m, s);
}

/* --- what comes back --- */

/* Whoever answered pays; whoever was reckoned with and did not, does not. */
static void
settle(struct sky_mass *m, struct mass_slot *s, uint32_t iface, uint64_t now)
{
	uint32_t reckoned = s->guess < m->hops.nodes ? m->hops.node[s->guess].iface : SKY_HOPS_NONE;

	sky_near_back(&m->near, s->cell);
	s->cell = SKY_NEAR_FREE;
	s->guess = SKY_HOPS_NONE;
	if (reckoned != iface) {
		sky_hops_give(&m->hops, reckoned);
		sky_hops_charge(&m->hops, iface, now);
	}
	sky_hops_answered(&m->hops, iface);
}

static void
note_hop(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	struct mass_hop *h = mass_hop(m, s, a->mark.ttl);

	h->by = a->by;
	h->how = SKY_MASS_MEASURED;
	h->rtt_us = (uint32_t)(a->at / 1000) - a->mark.sent_us;
	h->node = sky_hops_node(&m->hops, &a->by, a->mark.ttl);
	if (m->hops.gap_least && h->node != SKY_HOPS_NONE)
		sky_near_told(&m->near, &s->dst, a->mark.ttl, h->node);
}

/* Backwards, somebody was met. */
static void
met(struct sky_mass *m, struct mass_slot *s)
{
	uint32_t i = mass_hop(m, s, s->ttl)->node, me = (uint32_t)(s - m->slot) + 1;
	struct sky_node *n;

	if (s->distance && s->ttl == s->distance - 1 && s->ttl < s->start)
		s->flags |= SKY_MASS_CHECKED;	/* the target itself was met before */
	if (i == SKY_HOPS_NONE || m->conf.every_hop) {
		sky_mass_way_nearer(m, s);
		return;
	}
	n = &m->hops.node[i];
	if (n->flags & SKY_NODE_ROOTED) {
		sky_mass_way_join(m, s, false);
	} else if (n->owner && n->owner != me) {
		s->parked = true;
		sky_mass_ready(m, s);
	} else {
		n->owner = me;
		sky_mass_way_nearer(m, s);
	}
}

/* A loop has no end to look for. */
static bool
seen_before(const struct sky_mass *m, const struct mass_slot *s)
{
	const struct mass_hop *h = mass_hop(m, s, s->ttl);

	for (unsigned t = 1; t < s->ttl; t++)
		if (mass_hop(m, s, t)->how == SKY_MASS_MEASURED &&
		    sky_addr_same_host(&mass_hop(m, s, t)->by, &h->by))
			return true;
	return false;
}

static void
router_said(struct sky_mass *m, struct mass_slot *s)
{
	s->tries = 0;
	switch (s->phase) {
	case MASS_AT_BACK:
		met(m, s);
		break;
	case MASS_AT_EDGE:
		sky_mass_way_leave(m, s, SKY_NODE_DOUBT);
		s->distance = 0;
		s->gap_most = m->conf.gap;
		forwards(m, s, s->ttl + 1);
		break;
	default:
		if (seen_before(m, s))
			sky_mass_finish(m, s);
		else
			forwards(m, s, s->ttl + 1);
	}
}

static void
target_said(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	s->end = SKY_HOP_REACHED;
	if (!s->rtt_us)
		s->rtt_us = (uint32_t)(a->at / 1000) - a->mark.sent_us;
	s->distance = s->ttl;
	if (s->phase == MASS_AT_BACK) {
		if (s->ttl == 1)
			s->flags |= SKY_MASS_CHECKED;
		sky_mass_way_nearer(m, s);
		return;
	}
	s->flags |= SKY_MASS_CHECKED;
	sky_mass_way_leave(m, s, SKY_NODE_EDGE);
	sky_mass_finish(m, s);
}

/* A filter, or a router without a way: it is no hop of this TTL, and further off
 * there is nothing. */
static void
refused(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	if (s->end == SKY_HOP_NOTHING || s->end == SKY_HOP_EXCEEDED) {
		s->end = SKY_HOP_UNREACHABLE;
		s->type = a->type;
		s->code = a->code;
		s->by = sky_hops_iface(&m->hops, &a->by);
	}
	if (s->phase == MASS_AT_BACK) {
		sky_mass_way_nearer(m, s);
		return;
	}
	sky_mass_way_leave(m, s, 0);
	sky_mass_finish(m, s);
}

static void
not_sent(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	s->err = a->err;
	if (s->end == SKY_HOP_NOTHING)
		s->end = SKY_HOP_LOCAL;
	sky_mass_way_leave(m, s, 0);
	sky_mass_finish(m, s);
}

static void
all_said(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	uint64_t bit = UINT64_C(1) << a->mark.ttl, every = (UINT64_C(2) << s->top) - 2;

	if (s->got & bit || !(every & bit)) {
		m->stats.repeats++;
		return;
	}
	s->got |= bit;
	if (a->what == SKY_HOP_EXCEEDED)
		note_hop(m, s, a);
	if (a->what == SKY_HOP_REACHED) {
		s->end = SKY_HOP_REACHED;
		if (!s->distance || a->mark.ttl < s->distance)
			s->distance = a->mark.ttl;
	}
	if (s->got == every)
		sky_mass_finish(m, s);
}

/* Too late for its question: what nobody knew is filled in. */
static void
late(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a)
{
	m->stats.repeats++;
	if (a->what == SKY_HOP_EXCEEDED && a->mark.ttl <= s->start &&
	    mass_hop(m, s, a->mark.ttl)->how == SKY_MASS_SILENT)
		note_hop(m, s, a);
}

void
sky_mass_way_answer(struct sky_mass *m, struct mass_slot *s, const struct sky_mass_answer *a,
    uint64_t now)
{
	uint32_t iface = SKY_HOPS_NONE;

	if (a->what == SKY_HOP_TOO_BIG)
		return;
	if (s->phase == MASS_AT_ALL) {
		all_said(m, s, a);
		return;
	}
	if (!s->waiting || a->mark.ttl != s->ttl || s->phase == MASS_AT_FAR) {
		late(m, s, a);
		return;
	}
	s->waiting = false;
	if (a->what == SKY_HOP_EXCEEDED)
		iface = sky_hops_iface(&m->hops, &a->by);
	settle(m, s, iface, now);
	if (a->what == SKY_HOP_EXCEEDED) {
		note_hop(m, s, a);
		router_said(m, s);
	} else if (a->what == SKY_HOP_REACHED) {
		target_said(m, s, a);
	} else if (a->what == SKY_HOP_LOCAL) {
		not_sent(m, s, a);
	} else {
		refused(m, s, a);
	}
}

/* --- what does not --- */

static void
all_silent(struct sky_mass *m, struct mass_slot *s)
{
	uint64_t every = (UINT64_C(2) << s->top) - 2;

	if (++s->tries >= m->conf.tries || s->got == every) {
		sky_mass_finish(m, s);
		return;
	}
	s->asked = s->got;
	sky_mass_ready(m, s);
}

static void
give_up(struct sky_mass *m, struct mass_slot *s)
{
	s->tries = 0;
	switch (s->phase) {
	case MASS_AT_BACK:
		sky_mass_way_nearer(m, s);
		break;
	case MASS_AT_EDGE:
		sky_mass_way_leave(m, s, 0);
		sky_mass_finish(m, s);
		break;
	default:
		if (++s->gap >= s->gap_most || ++s->ttl > m->conf.max_ttl)
			sky_mass_finish(m, s);
		else
			sky_mass_ready(m, s);
	}
}

void
sky_mass_way_silence(struct sky_mass *m, struct mass_slot *s)
{
	bool silent = s->guess == SKY_HOPS_SILENT;

	if (s->phase == MASS_AT_ALL) {
		all_silent(m, s);
		return;
	}
	sky_near_back(&m->near, s->cell);
	s->cell = SKY_NEAR_FREE;
	if (s->guess < m->hops.nodes)
		sky_hops_lost(&m->hops, m->hops.node[s->guess].iface);
	s->guess = SKY_HOPS_NONE;
	if (++s->tries < m->conf.tries && !silent) {
		sky_mass_ready(m, s);
		return;
	}
	if (s->phase != MASS_AT_EDGE)
		sky_near_told(&m->near, &s->dst, s->ttl, SKY_HOPS_SILENT);
	give_up(m, s);
}
