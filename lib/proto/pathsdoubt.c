/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsdoubt.c - what is in doubt at the end, and worth a packet or a wait: links that
 * no flow has shown, kinds of balancers, hops where nobody answered. */
#include "proto/pathsin.h"

#include <string.h>

#define REPEATS_ASKED 12		/* of flows in their places, at one hop */

/* Asks this flow there as soon as somebody of that hop has an error to give. */
static bool
ask_when(struct sky_paths *p, unsigned flow, unsigned ttl, uint64_t now)
{
	struct paths_cell *c = &p->cell[flow][ttl];
	bool waits = false;

	for (unsigned i = 1; i < p->nodes; i++) {
		if (p->node[i].ttl != ttl || p->node[i].is == SKY_PATHS_SILENT)
			continue;
		if (sky_paths_tokens(p, p->node[i].host, now)) {
			c->is = CELL_NEW;
			return sky_paths_ask(p, flow, ttl);
		}
		waits = sky_paths_wait(p, p->node[i].host, now) || waits;
	}
	return waits;
}

/* A node that no flow was seen to come to from the hop before, or to leave. */
static bool
plan_link(struct sky_paths *p, unsigned node, int step, uint64_t now)
{
	unsigned ttl = p->node[node].ttl, other = ttl + step, best = PATHS_NONE;

	for (unsigned f = 0; f < p->flows; f++) {
		const struct paths_cell *c = &p->cell[f][other];

		if (!sky_paths_through(p, f, ttl, node) || p->cell[f][ttl].is != CELL_SEEN)
			continue;
		if (c->is == CELL_SEEN || c->is == CELL_SILENT || c->is == CELL_FLYING)
			return false;
		best = f;
	}
	return best != PATHS_NONE && ask_when(p, best, other, now);
}

static bool
plan_links(struct sky_paths *p, uint64_t now)
{
	bool any = false;

	for (unsigned i = 1; i < p->nodes; i++) {
		const struct sky_paths_node *n = &p->node[i];

		if (n->is == SKY_PATHS_SILENT || n->ttl == PATHS_GONE)
			continue;
		if (n->ttl > 1 && p->hop[n->ttl - 1].width && !paths_dead(p, n->ttl - 1))
			any = plan_link(p, i, -1, now) || any;
		if (!paths_terminal(n) && p->hop[n->ttl + 1].width && !paths_dead(p, n->ttl + 1))
			any = plan_link(p, i, 1, now) || any;
	}
	return any;
}

/* Would it tell anything: the kind of a balancer, or whether links are sure? */
static bool
matters(const struct sky_paths *p, unsigned ttl)
{
	uint16_t parent[SKY_PATHS_NODES];

	if (p->hop[ttl].width < 2 || sky_paths_stable(p, ttl) != PATHS_OPEN)
		return false;
	if ((p->hop[ttl - 1].width > 1 && sky_paths_stable(p, ttl - 1) == PATHS_OPEN) ||
	    (p->hop[ttl + 1].width > 1 && sky_paths_stable(p, ttl + 1) == PATHS_OPEN))
		return true;
	sky_paths_parents(p, ttl, parent);
	for (unsigned i = 0; i < p->nodes; i++)
		if (p->node[i].ttl == ttl - 1 && sky_paths_look(p, i, parent).nexts > 1)
			return true;
	return false;
}

/* One flow again, where it was: does it keep to it? */
static bool
plan_again(struct sky_paths *p, unsigned ttl, uint64_t now)
{
	struct paths_hop *h = &p->hop[ttl];
	bool waits = false;

	if (h->asked_again >= REPEATS_ASKED || !matters(p, ttl))
		return false;
	for (unsigned f = 0; f < p->flows; f++) {
		const struct paths_cell *c = &p->cell[f][ttl];
		bool tokens = c->is == CELL_SEEN && sky_paths_tokens(p, p->node[c->node].host, now);

		if (c->is != CELL_SEEN)
			continue;
		if (tokens || h->credit < PATHS_CREDIT) {
			h->asked_again++;
			h->credit += !tokens;
			return sky_paths_push(p, PATHS_AGAIN, f, ttl, p->conf.len);
		}
		waits = sky_paths_wait(p, p->node[c->node].host, now) || waits;
	}
	return waits;
}

/* A hop where nobody answered: perhaps somebody else had asked too much before. One
 * flow more, when there must be an error to give. */
static void
plan_late(struct sky_paths *p, unsigned ttl, uint64_t now)
{
	struct paths_cell *c = &p->cell[0][ttl];
	uint64_t at = p->began + p->conf.refill_ns + p->conf.refill_ns / 4;

	if (!paths_dead(p, ttl) || ttl >= p->top || p->hop[ttl].asked_late || c->is != CELL_SILENT)
		return;
	if (p->conf.patience_ns < at - p->began)
		return;
	if (now < at) {
		p->wake = p->wake && p->wake < at ? p->wake : at;
		return;
	}
	p->hop[ttl].asked_late = true;
	sky_paths_push(p, PATHS_AGAIN, 0, ttl, p->conf.len);
}

void
sky_paths_doubts(struct sky_paths *p, uint64_t now)
{
	plan_links(p, now);
	sky_paths_pair(p);
	for (unsigned h = 1; h < p->far; h++)
		plan_late(p, h, now);
	for (unsigned h = 1; h < p->far && !p->conf.stray_unchecked; h++)
		plan_again(p, h, now);
}

/* Nobody answered anything: all buckets may be empty, by whoever asked before. Once
 * more from the beginning, when each has an error to give. */
void
sky_paths_second(struct sky_paths *p, uint64_t now)
{
	if (p->top || p->second || !p->far || p->conf.patience_ns < 2 * p->conf.refill_ns)
		return;
	p->second = true;
	p->nodes = 1;
	p->far = 0;
	memset(p->cell, 0, sizeof(p->cell));
	memset(&p->hop[1], 0, sizeof(p->hop) - sizeof(p->hop[0]));
	memset(p->silent, 0, sizeof(p->silent));
	p->branches = 0;
	p->chosen = p->sized = false;
	p->wake = now + 2 * p->conf.refill_ns;
}
