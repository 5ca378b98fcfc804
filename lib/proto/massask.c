/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * massask.c - may this question be asked now, later, or not at all; see massin.h.
 */
#include "proto/massin.h"

static void
nap(struct sky_mass *m, struct mass_slot *s, uint64_t now)
{
	sky_mass_sleep(m, s, now + sky_mass_wait(m) / 4);
}

/* Met a router from which another is just finding the way. */
static bool
still_parked(struct sky_mass *m, struct mass_slot *s, uint64_t now)
{
	struct sky_node *n = &m->hops.node[mass_hop(m, s, s->ttl)->node];

	if (n->flags & SKY_NODE_ROOTED)
		sky_mass_way_join(m, s, false);
	else
		nap(m, s, now);
	return true;
}

/* One target behind each last router shows that distances are right there. */
static bool
edge_known(struct sky_mass *m, struct mass_slot *s, uint64_t now)
{
	uint32_t i = mass_hop(m, s, s->distance - 1u)->node;
	struct sky_node *n;

	if (i >= m->hops.nodes || s->edge == i)
		return false;
	n = &m->hops.node[i];
	if (n->flags & SKY_NODE_EDGE) {
		s->flags |= SKY_MASS_CHECKED;
		sky_mass_finish(m, s);
		return true;
	}
	if (n->flags & SKY_NODE_LOOK) {
		nap(m, s, now);
		return true;
	}
	n->flags |= SKY_NODE_LOOK;
	s->edge = i;
	return false;
}

static void
assume(struct sky_mass *m, struct mass_slot *s)
{
	struct mass_hop *h = mass_hop(m, s, s->ttl);

	h->node = s->guess;
	h->by = m->hops.iface[m->hops.node[s->guess].iface].addr;
	h->how = SKY_MASS_ASSUMED;
}

/* The budget is spent. What is only to be confirmed is told as the neighbours
 * have it; where nobody knows it, the path ends. */
static void
denied(struct sky_mass *m, struct mass_slot *s)
{
	m->stats.denied++;
	if (s->phase != MASS_AT_BACK) {
		sky_mass_way_leave(m, s, 0);
		sky_mass_finish(m, s);
		return;
	}
	assume(m, s);
	if (m->conf.every_hop)
		sky_mass_way_nearer(m, s);
	else
		sky_mass_way_join(m, s, true);
}

/* Waited as long as one may for a budget that is perhaps not meant? */
static bool
rested(const struct sky_mass *m, const struct mass_slot *s, uint64_t now)
{
	return s->napping && now - s->napping >= m->conf.patience_ns / 2;
}

static uint64_t
patience_left(const struct sky_mass *m, const struct mass_slot *s, uint64_t now)
{
	uint64_t spent = s->napping ? now - s->napping : 0;

	return spent < m->conf.patience_ns ? m->conf.patience_ns - spent : 0;
}

/* Who will answer is not sure. If the one that may has no budget, others first:
 * some answers later it is sure. */
static bool
dared(struct sky_mass *m, struct mass_slot *s, uint32_t iface, uint64_t now)
{
	if (sky_hops_try(&m->hops, iface, now))
		return true;
	if (!s->napping)
		s->napping = now;
	if (rested(m, s, now)) {
		s->guess = SKY_HOPS_NONE;
		return true;
	}
	sky_near_back(&m->near, s->cell);
	s->cell = SKY_NEAR_FREE;
	nap(m, s, now);
	return false;
}

/* May the router that is likely to answer be asked? */
static bool
allowed(struct sky_mass *m, struct mass_slot *s, uint64_t now)
{
	enum sky_near_say say;
	const struct sky_node *n;
	uint64_t wait;

	if (s->promised) {
		s->promised = false;
		return true;
	}
	say = sky_near_ask(&m->near, &s->dst, s->ttl, &s->guess, &s->cell);
	if (say == SKY_NEAR_HOLD) {
		nap(m, s, now);
		return false;
	}
	if (s->guess >= m->hops.nodes)
		return true;
	n = &m->hops.node[s->guess];
	if (say == SKY_NEAR_GO || (say == SKY_NEAR_LIKELY && !rested(m, s, now)))
		return dared(m, s, n->iface, now);
	if (s->phase == MASS_AT_BACK && !(n->flags & SKY_NODE_ROOTED)) {
		bool others = n->owner && n->owner != (uint32_t)(s - m->slot) + 1;

		if (!others && sky_hops_try(&m->hops, n->iface, now))
			return true;
		nap(m, s, now);		/* nothing yet that could be joined or assumed */
		return false;
	}
	wait = sky_hops_take(&m->hops, n->iface, now, patience_left(m, s, now));
	if (wait == UINT64_MAX) {
		denied(m, s);
		return false;
	}
	s->promised = wait > 0;
	if (wait)
		sky_mass_sleep(m, s, now + wait);
	return !wait;
}

/* The TTL of every_hop that comes next: each target begins at another, so that
 * no router is asked by all at the same time. */
static bool
pick(const struct sky_mass *m, struct mass_slot *s)
{
	uint64_t start = s->position * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	for (unsigned i = 0; i < s->top; i++) {
		unsigned t = (unsigned)((start + i) % s->top) + 1;

		if (s->asked >> t & 1)
			continue;
		s->ttl = (uint8_t)t;
		s->asked |= UINT64_C(1) << t;
		return true;
	}
	return false;
}

bool
sky_mass_way_ask(struct sky_mass *m, struct mass_slot *s, uint64_t now)
{
	bool again = s->promised;

	if (s->parked && still_parked(m, s, now))
		return false;
	if (s->phase == MASS_AT_EDGE && !again && edge_known(m, s, now))
		return false;
	if (s->phase == MASS_AT_ALL && !pick(m, s)) {
		s->waiting = true;
		sky_mass_sleep(m, s, now + sky_mass_wait(m));
		return false;
	}
	if (!m->hops.gap_least)
		return true;
	return allowed(m, s, now);
}
