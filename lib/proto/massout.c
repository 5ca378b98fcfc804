/* SPDX-License-Identifier: BSD-2-Clause */
/* massout.c - what is kept of a target for others, and what is told; see massin.h. */
#include "proto/massin.h"

#include <string.h>

/* The last router: before the target, or the last that said anything. */
static unsigned
top_of(const struct sky_mass *m, const struct mass_slot *s)
{
	unsigned t = m->conf.max_ttl;

	if (s->end == SKY_HOP_REACHED && s->distance)
		return s->distance - 1u;
	while (t && mass_hop(m, s, t)->how == SKY_MASS_SILENT)
		t--;
	return t;
}

/* From here on the way of this target is known to all. No node that it owns may
 * be left without: others wait for it. */
void
sky_mass_out_root(struct sky_mass *m, struct mass_slot *s)
{
	uint32_t before = s->join ? mass_hop(m, s, s->join)->node : SKY_HOPS_ROOT;
	bool guess = s->join && s->assumed;
	unsigned top = top_of(m, s);

	for (unsigned t = s->join + 1u; t <= m->conf.max_ttl; t++) {
		const struct mass_hop *h = mass_hop(m, s, t);
		struct sky_node *n;

		if (h->how == SKY_MASS_SILENT || h->node == SKY_HOPS_NONE)
			continue;
		n = &m->hops.node[h->node];
		if (!(n->flags & SKY_NODE_ROOTED)) {
			n->parent = before;
			n->flags |= SKY_NODE_ROOTED | (guess ? SKY_NODE_GUESS : 0);
			n->owner = 0;
		}
		guess = h->how == SKY_MASS_ASSUMED;
		before = h->node;
	}
	if (s->edge != SKY_HOPS_NONE)
		m->hops.node[s->edge].flags &= (uint8_t)~SKY_NODE_LOOK;
	if (top || s->distance)
		sky_near_told(&m->near, &s->dst, 0, s->distance ? s->distance : top + 1);
}

static void
put_hop(struct sky_mass_result *r, const struct sky_addr *by, unsigned ttl, uint32_t rtt_us,
    uint8_t how)
{
	struct sky_mass_hop *h = &r->hop[ttl - 1];

	h->by = *by;
	h->rtt_us = rtt_us;
	h->how = how;
}

/* Down from where the way joins another's. TTLs fall from node to node. */
static void
put_joined(const struct sky_mass *m, const struct mass_slot *s, struct sky_mass_result *r)
{
	const struct sky_node *n = &m->hops.node[mass_hop(m, s, s->join)->node];
	uint8_t how = s->assumed ? SKY_MASS_ASSUMED : SKY_MASS_SHARED;

	while (n->parent < m->hops.nodes) {
		const struct sky_node *p = &m->hops.node[n->parent];

		if (n->flags & SKY_NODE_GUESS)
			how = SKY_MASS_ASSUMED;
		if (p->ttl >= n->ttl)
			return;
		put_hop(r, &m->hops.iface[p->iface].addr, p->ttl, 0, how);
		n = p;
	}
}

static void
put_addr(const struct sky_mass *m, uint32_t iface, struct sky_addr *out)
{
	if (iface < m->hops.ifaces)
		*out = m->hops.iface[iface].addr;
}

static void
put_mtu(const struct sky_mass *m, const struct mass_slot *s, struct sky_mass_result *r)
{
	if (!mass_mtu(m, s))
		return;
	if (s->end == SKY_HOP_REACHED)
		r->pmtu = s->lo;
	if (s->hi <= mass_mtu(m, s))
		r->pmtu_below = s->hi;
	put_addr(m, s->mtu_by, &r->mtu_by);
}

void
sky_mass_out_result(const struct sky_mass *m, const struct mass_slot *s, struct sky_mass_result *r)
{
	memset(r, 0, offsetof(struct sky_mass_result, hop));
	r->position = s->position;
	r->dst = s->dst;
	if (s->end == SKY_HOP_REACHED)
		r->by = s->dst;
	put_addr(m, s->by, &r->by);
	put_mtu(m, s, r);
	r->rtt_us = s->rtt_us;
	r->probes = s->probes;
	r->err = s->err;
	r->end = s->end;
	r->type = s->type;
	r->code = s->code;
	r->distance = s->end == SKY_HOP_REACHED ? s->distance : 0;
	r->flags = s->flags;
	r->hops = (uint8_t)top_of(m, s);
	for (unsigned t = 1; t <= r->hops; t++) {
		const struct mass_hop *h = mass_hop(m, s, t);

		memset(&r->hop[t - 1], 0, sizeof(r->hop[0]));
		r->hop[t - 1].ttl = (uint8_t)t;
		if (h->how != SKY_MASS_SILENT)
			put_hop(r, &h->by, t, h->rtt_us, h->how);
	}
	if (s->join && s->join <= r->hops)
		put_joined(m, s, r);
}
