/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsplan.c - which flow to send where: the trail, retries, node control. */
#include "proto/pathsin.h"

#include <string.h>

#define AHEAD 2				/* TTLs of flow 0 beyond the last that answered */
#define FLIGHT 4			/* flows of the first look at a hop */
#define FIRST_AT_END 2			/* of these at the destination */
#define KEPT 2				/* errors of a lone router kept for witnesses */
#define KEPT_AT_END 3			/* and of the destination, for large packets */
#define FRESH 16			/* new flows at once, at most */
#define DRY 8				/* flows that nobody of a hop answers: nobody will; */
#define DRY_SHARED 3			/* if no bucket is empty they share one */
#define THRIFTY 40			/* packets; then one hop at a time */
#define FRESH_LEAST 3
#define STUCK 3				/* rounds of them that bring a router nothing */

unsigned
sky_paths_enough(const struct sky_paths *p, unsigned nexts)
{
	nexts = nexts ? nexts : 1;
	return p->need[nexts < SKY_PATHS_WIDE ? nexts : SKY_PATHS_WIDE];
}

bool
sky_paths_through(const struct sky_paths *p, unsigned flow, unsigned ttl, unsigned node)
{
	const struct paths_cell *c = &p->cell[flow][ttl];

	if (ttl == 0)
		return node == 0;
	if (c->is == CELL_SEEN)
		return c->node == node;
	if (c->is == CELL_SILENT)
		return p->silent[ttl] == node;
	return p->hop[ttl].width == 1 && p->hop[ttl].one == node;
}

void
sky_paths_parents(const struct sky_paths *p, unsigned ttl, uint16_t *parent)
{
	bool several[SKY_PATHS_NODES] = { false };

	memset(parent, 0xff, sizeof(*parent) * SKY_PATHS_NODES);
	for (unsigned f = 0; ttl > 0 && f < p->flows; f++) {
		const struct paths_cell *from = &p->cell[f][ttl - 1], *to = &p->cell[f][ttl];

		if (from->is != CELL_SEEN || to->is != CELL_SEEN)
			continue;
		if (parent[to->node] != PATHS_NONE && parent[to->node] != from->node)
			several[to->node] = true;
		parent[to->node] = from->node;
	}
	for (unsigned i = 0; i < SKY_PATHS_NODES; i++)
		if (several[i])
			parent[i] = PATHS_NONE;
}

/* A flow that nobody saw at the node's hop, but after it, where only flows of that
 * node come. */
static bool
by_elimination(const struct sky_paths *p, unsigned flow, unsigned node, const uint16_t *parent)
{
	unsigned ttl = p->node[node].ttl;
	const struct paths_cell *to = &p->cell[flow][ttl + 1];

	return !paths_known(&p->cell[flow][ttl]) && to->is == CELL_SEEN && parent[to->node] == node;
}

struct paths_look
sky_paths_look(const struct sky_paths *p, unsigned node, const uint16_t *parent)
{
	bool seen[SKY_PATHS_NODES] = { false };
	struct paths_look l = { 0, 0, 0 };
	unsigned ttl = p->node[node].ttl + 1, at;

	for (unsigned f = 0; f < p->flows; f++) {
		const struct paths_cell *c = &p->cell[f][ttl];

		if (!sky_paths_through(p, f, ttl - 1, node) && !by_elimination(p, f, node, parent))
			continue;
		l.flying += c->is == CELL_FLYING;
		l.draws += paths_known(c) || c->is == CELL_LIMITED;
		at = c->is == CELL_SEEN ? c->node : p->silent[ttl];
		if (!paths_known(c) || seen[at])
			continue;
		seen[at] = true;
		l.nexts++;
	}
	return l;
}

/* --- the trail of flow 0, and the first look at each hop --- */

/* Silent TTLs of flow 0 after the last that anything answered. */
static unsigned
quiet(const struct sky_paths *p)
{
	unsigned n = 0;

	while (p->top + n < p->conf.max && p->cell[0][p->top + n + 1].is == CELL_SILENT)
		n++;
	return n;
}

/* Where flow 0 went last it had been two times, some hops before. */
static bool
loops(const struct sky_paths *p)
{
	const struct paths_cell *last = &p->cell[0][p->top];
	unsigned times = 0, first = p->top;

	if (!p->top || last->is != CELL_SEEN || paths_terminal(&p->node[last->node]))
		return false;
	for (unsigned h = p->top; h > 0; h--) {
		const struct paths_cell *c = &p->cell[0][h];

		if (c->is != CELL_SEEN || p->node[c->node].host != p->node[last->node].host)
			continue;
		times++;
		first = h;
	}
	return times >= 3 && p->top - first >= 4;
}

static unsigned
horizon(struct sky_paths *p)
{
	unsigned far = p->top + AHEAD + quiet(p), gap = p->top + p->conf.gap;

	if (p->guess && (p->top >= p->guess || p->cell[0][p->guess].is == CELL_SILENT) &&
	    !p->bound[0])
		p->guess = 0;			/* it is further, after all */
	if (p->guess && p->guess >= p->top)
		return p->guess;
	far = far < gap ? far : gap;
	return far < p->conf.max ? far : p->conf.max;
}

bool
sky_paths_ask(struct sky_paths *p, unsigned flow, unsigned ttl)
{
	unsigned end = p->bound[flow];

	if (p->cell[flow][ttl].is != CELL_NEW || (end && end < ttl))
		return false;
	return sky_paths_push(p, PATHS_CELL, flow, ttl, p->conf.len);
}

static bool
has_end(const struct sky_paths *p, unsigned ttl)
{
	for (unsigned i = 1; i < p->nodes; i++)
		if (p->node[i].ttl == ttl && paths_terminal(&p->node[i]))
			return true;
	return false;
}

static void
plan_trail(struct sky_paths *p)
{
	unsigned far = horizon(p), end = p->bound[0], flows;

	far = end && end < far ? end : far;
	for (unsigned h = 1; h <= far; h++) {
		if (paths_dead(p, h))
			continue;
		sky_paths_ask(p, 0, h);
		flows = has_end(p, h) || h == p->guess ? FIRST_AT_END : FLIGHT;
		for (unsigned f = 1; f < flows && (h == 1 || h <= p->top || h <= p->guess); f++)
			sky_paths_ask(p, f, h);
	}
}

/* What is lost is sent again; with the last try goes a control, a flow that was
 * answered there, and only if that is answered as well the flow's place is silent. */
static void
retry(struct sky_paths *p, unsigned flow, unsigned ttl)
{
	struct paths_cell *c = &p->cell[flow][ttl];
	struct paths_hop *hop = &p->hop[ttl];

	if (c->silent >= PATHS_TRIES) {
		if (!hop->controls)
			sky_paths_silent(p, flow, ttl);
		return;
	}
	if (!sky_paths_ask(p, flow, ttl) || c->silent < PATHS_TRIES - 1 || hop->controls)
		return;
	for (unsigned g = 0; g < p->flows; g++)
		if (p->cell[g][ttl].is == CELL_SEEN &&
		    sky_paths_push(p, PATHS_CONTROL, g, ttl, p->conf.len)) {
			hop->controls++;
			return;
		}
}

static void
plan_retries(struct sky_paths *p)
{
	for (unsigned h = 1; h < p->far; h++)
		for (unsigned f = 0; f < p->flows && !paths_dead(p, h); f++)
			if (p->cell[f][h].is == CELL_NEW && p->cell[f][h].silent)
				retry(p, f, h);
}

/* --- node control --- */

static bool
settled(const struct sky_paths *p, unsigned ttl)
{
	uint16_t parent[SKY_PATHS_NODES];

	sky_paths_parents(p, ttl + 1, parent);
	for (unsigned i = 0; i < p->nodes; i++) {
		struct paths_look l;

		if (p->node[i].ttl != ttl || paths_terminal(&p->node[i]))
			continue;
		l = sky_paths_look(p, i, parent);
		if (l.draws < sky_paths_enough(p, l.nexts))
			return false;
	}
	return true;
}

static bool
all_stuck(const struct sky_paths *p, unsigned ttl)
{
	for (unsigned i = 1; i < p->nodes; i++)
		if (p->node[i].ttl == ttl && p->node[i].stuck < STUCK && p->node[i].lack)
			return false;
	return true;
}

/* How many to hold back of those that the rule asks for. */
static unsigned
kept(const struct sky_paths *p, unsigned ttl)
{
	if (p->conf.full && !p->sized && has_end(p, ttl))
		return p->hop[ttl - 1].width > 1 ? sky_paths_enough(p, 1) - 1 : KEPT_AT_END;
	if (p->hop[ttl].width == 1 && p->hop[ttl + 1].width > 1 && !settled(p, ttl) &&
	    !all_stuck(p, ttl + 1))
		return KEPT;
	return 0;
}

/* Would it show a link that no flow has shown yet? */
static bool
witness(const struct sky_paths *p, unsigned flow, unsigned ttl, const uint16_t *after)
{
	const struct paths_cell *c = &p->cell[flow][ttl + 1];

	return c->is == CELL_SEEN && !after[c->node];
}

/* A flow that is asked for at one of several routers will be asked for at the next
 * hop as well, for node control; better in the same round trip. */
static bool
ask_along(struct sky_paths *p, unsigned flow, unsigned ttl)
{
	bool asked = sky_paths_ask(p, flow, ttl);

	while (p->hop[ttl].width > 1 && p->hop[++ttl].width && ttl <= p->conf.max && !paths_dead(p, ttl) &&
	    p->hop[ttl].dry < DRY && !(has_end(p, ttl) && !p->sized))
		sky_paths_ask(p, flow, ttl);
	return asked;
}

/* Sends up to n flows of this node to the next hop. Returns how many are missing. */
static unsigned
give(struct sky_paths *p, unsigned node, unsigned n, const uint16_t *after)
{
	unsigned ttl = p->node[node].ttl + 1;

	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned f = 0; f < p->flows && n > 0; f++) {
			if (!sky_paths_through(p, f, ttl - 1, node))
				continue;
			if (pass == 0 && !witness(p, f, ttl, after))
				continue;
			n -= ask_along(p, f, ttl);
		}
	return n;
}

/* For each node of hop ttl + 1, how many flows were seen there and at ttl. */
static void
links_after(const struct sky_paths *p, unsigned ttl, uint16_t *after)
{
	memset(after, 0, sizeof(*after) * SKY_PATHS_NODES);
	for (unsigned f = 0; f < p->flows; f++)
		if (p->cell[f][ttl].is == CELL_SEEN && p->cell[f][ttl + 1].is == CELL_SEEN)
			after[p->cell[f][ttl + 1].node]++;
}

/* Nobody of this hop answers any more. */
static bool
dry(const struct sky_paths *p, unsigned ttl, uint64_t now)
{
	if (p->hop[ttl].dry < DRY_SHARED || p->hop[ttl].dry >= DRY)
		return p->hop[ttl].dry >= DRY;
	for (unsigned i = 1; i < p->nodes; i++)
		if (p->node[i].ttl == ttl && p->node[i].is != SKY_PATHS_SILENT &&
		    !sky_paths_tokens(p, p->node[i].host, now))
			return false;
	return true;
}

/* Can more flows be seen to go through this node? It says so itself, or those do
 * that only it leads to. */
static bool
can_show(const struct sky_paths *p, unsigned node, const uint16_t *parent, uint64_t now)
{
	const struct sky_paths_node *n = &p->node[node];

	if (n->is == SKY_PATHS_SILENT || p->hop[n->ttl].width == 1 ||
	    (!dry(p, n->ttl, now) && sky_paths_tokens(p, n->host, now)))
		return true;
	for (unsigned i = 1; i < p->nodes && !dry(p, n->ttl + 1, now); i++)
		if (p->node[i].ttl == n->ttl + 1 && parent[i] == node &&
		    p->node[i].is != SKY_PATHS_SILENT && sky_paths_tokens(p, p->node[i].host, now))
			return true;
	return false;
}

/* A balancer's flows: as many as the rule wants, and as each next hop will need.
 * Where every flow passes, one more than the rule wants costs one packet. */
static unsigned
aim(const struct sky_paths *p, unsigned ttl, unsigned nexts)
{
	unsigned rule = sky_paths_enough(p, nexts), each = nexts * sky_paths_enough(p, 1);

	if (nexts > 1 && each > rule)
		return each;
	return rule + (p->hop[ttl].width == 1);
}

/* Returns the largest number of flows that one node of the hop before still lacks. */
static unsigned
plan_nodes(struct sky_paths *p, unsigned ttl, bool first, uint64_t now)
{
	uint16_t parent[SKY_PATHS_NODES], after[SKY_PATHS_NODES];
	unsigned most = 0, keep = kept(p, ttl), want, lack;

	sky_paths_parents(p, ttl, parent);
	links_after(p, ttl, after);
	for (unsigned i = 0; i < p->nodes; i++) {
		struct paths_look l;

		if (p->node[i].ttl != ttl - 1 || paths_terminal(&p->node[i]))
			continue;
		l = sky_paths_look(p, i, parent);
		want = sky_paths_enough(p, l.nexts) - (keep < sky_paths_enough(p, l.nexts) ? keep : 0);
		if (l.draws + l.flying >= want || (first && (l.nexts || l.flying)))
			continue;
		want = first ? 1 : want - l.draws - l.flying;
		if (!first && !keep && aim(p, ttl - 1, l.nexts) > l.draws + l.flying)
			want = aim(p, ttl - 1, l.nexts) - l.draws - l.flying;
		lack = give(p, i, want, after);
		if (p->node[i].stuck >= STUCK || !can_show(p, i, parent, now))
			lack = 0;
		p->node[i].lack = lack > 0;
		most = lack > most ? lack : most;
	}
	return most;
}

static bool
flying_at(const struct sky_paths *p, unsigned ttl)
{
	for (unsigned f = 0; f < p->flows; f++)
		if (p->cell[f][ttl].is == CELL_FLYING)
			return true;
	return false;
}

static bool
untouched(const struct sky_paths *p, unsigned flow, unsigned from, unsigned to)
{
	for (unsigned h = from; h <= to; h++)
		if (p->cell[flow][h].is != CELL_NEW)
			return false;
	return true;
}

/* Fresh flows go out again for those that lack them: did the last ones help? */
static void
count_stuck(struct sky_paths *p, unsigned ttl)
{
	uint16_t parent[SKY_PATHS_NODES];

	sky_paths_parents(p, ttl, parent);
	for (unsigned i = 0; i < p->nodes; i++) {
		struct sky_paths_node *n = &p->node[i];
		unsigned draws;

		if (n->ttl != ttl - 1 || !n->lack)
			continue;
		draws = sky_paths_look(p, i, parent).draws;
		n->stuck = draws > n->before ? 0 : n->stuck + 1;
		n->before = draws;
	}
}

/* New flows for hop ttl, through every hop since the last that has one router. */
static void
plan_fresh(struct sky_paths *p, unsigned ttl, unsigned n)
{
	unsigned from = ttl;

	while (from > 1 && p->hop[from - 1].width > 1)
		from--;
	for (unsigned h = from; h <= ttl; h++)
		if (flying_at(p, h))
			return;
	count_stuck(p, ttl);
	n *= p->hop[ttl - 1].width;
	n = n < FRESH ? n > FRESH_LEAST ? n : FRESH_LEAST : FRESH;
	for (unsigned f = 0; f < p->conf.flows && n > 0; f++) {
		if (!untouched(p, f, from, ttl))
			continue;
		for (unsigned h = from; h <= ttl; h++)
			if (!paths_dead(p, h) && p->hop[h].dry < DRY && h < ttl)
				sky_paths_ask(p, f, h);
		if (p->next < THRIFTY || ttl == from)
			ask_along(p, f, ttl);
		n--;
	}
	p->cut = p->cut || n > 0;
}

static void
plan_hops(struct sky_paths *p, uint64_t now)
{
	for (unsigned h = 1; h <= p->conf.max && p->hop[h - 1].width; h++) {
		unsigned lack;

		if ((paths_dead(p, h) && h > p->top) || !p->hop[h].width)
			continue;
		plan_nodes(p, h, true, now);
		lack = plan_nodes(p, h, false, now);
		if (lack)
			plan_fresh(p, h, lack);
	}
}

/* The destination, seen at this hop by a flow that was not seen at the one before,
 * where the destination is as well: it may have been there already. */
static void
prune(struct sky_paths *p)
{
	for (unsigned h = 2; h < p->far; h++)
		for (unsigned f = 0; f < p->flows && has_end(p, h - 1); f++) {
			const struct paths_cell *c = &p->cell[f][h];

			if (c->is == CELL_SEEN && p->node[c->node].is == SKY_PATHS_END &&
			    !paths_known(&p->cell[f][h - 1])) {
				sky_paths_forget(p, f, h);
				p->cell[f][h].is = CELL_LIMITED;
			}
		}
}

void
sky_paths_plan(struct sky_paths *p, uint64_t now)
{
	bool looking = false;

	if (!p->reached && !p->looped && loops(p)) {
		p->looped = true;
		p->conf.max = p->top;
	}
	prune(p);
	plan_retries(p);
	plan_trail(p);
	plan_hops(p, now);
	for (unsigned h = 1; h < p->far && !looking; h++)
		looking = flying_at(p, h);
	if (sky_paths_size_plan(p, now, !looking && p->top))
		return;
	if (looking)
		return;
	plan_hops(p, now);
	if (!p->queued)
		sky_paths_doubts(p, now);
	if (!p->queued && !p->wake)
		sky_paths_second(p, now);
}
