/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsend.c - the judgement: nodes, links, kinds of balancers, chances. */
#include "proto/pathsin.h"

#include <errno.h>

#define PAIRS 9				/* that do not mix: by packet they would, 99.6 % */
#define REPEATS 7			/* of flows in their places: they keep to them, 99 % */

/* --- does a flow keep to its place? --- */

static uint16_t
root(uint16_t *up, uint16_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

/* Flows seen at two neighbouring hops make pairs of nodes. Packets that are spread
 * one by one would pair everybody with everybody; sets that do not mix are flows. */
static void
pair(struct sky_paths *p, unsigned ttl)
{
	uint16_t up[SKY_PATHS_NODES];
	bool paired[SKY_PATHS_NODES] = { false };
	struct paths_hop *h = &p->hop[ttl];

	h->pairs = h->parts = 0;
	for (unsigned i = 0; i < SKY_PATHS_NODES; i++)
		up[i] = i;
	for (unsigned f = 0; f < p->flows; f++) {
		const struct paths_cell *a = &p->cell[f][ttl], *b = &p->cell[f][ttl + 1];

		if (a->is != CELL_SEEN || b->is != CELL_SEEN)
			continue;
		h->pairs++;
		paired[a->node] = paired[b->node] = true;
		up[root(up, a->node)] = root(up, b->node);
	}
	for (unsigned i = 1; i < p->nodes; i++)
		h->parts += paired[i] && root(up, i) == i;
}

void
sky_paths_pair(struct sky_paths *p)
{
	for (unsigned h = 1; h + 1 < p->far; h++)
		pair(p, h);
}

static bool
apart(const struct sky_paths *p, unsigned ttl)
{
	return p->hop[ttl].width > 1 && p->hop[ttl + 1].width > 1 && p->hop[ttl].parts > 1 &&
	    p->hop[ttl].pairs >= PAIRS;
}

/* At this hop, or at one before it in the same diamond. */
static bool
strays(const struct sky_paths *p, unsigned ttl)
{
	for (; ttl > 0 && p->hop[ttl].width > 1; ttl--)
		if (p->hop[ttl].astray)
			return true;
	return false;
}

enum paths_stable
sky_paths_stable(const struct sky_paths *p, unsigned ttl)
{
	if (strays(p, ttl))
		return PATHS_UNSTABLE;
	if (p->hop[ttl].width < 2 || p->hop[ttl].again >= REPEATS || apart(p, ttl) ||
	    (ttl > 1 && apart(p, ttl - 1)))
		return PATHS_STABLE;
	return PATHS_OPEN;
}

/* --- nodes and links --- */

/* The first hop where a flow strayed has its balancer before it. */
static unsigned
spread(const struct sky_paths *p, unsigned node, unsigned nexts)
{
	unsigned ttl = p->node[node].ttl + 1, before = ttl - 1;

	if (nexts < 2)
		return SKY_PATHS_ONE;
	if (before && sky_paths_stable(p, before) == PATHS_UNSTABLE)
		return SKY_PATHS_BY_EITHER;
	return sky_paths_stable(p, ttl) == PATHS_UNSTABLE ? SKY_PATHS_BY_PACKET :
	    sky_paths_stable(p, ttl) == PATHS_STABLE ? SKY_PATHS_BY_FLOW : SKY_PATHS_BY_EITHER;
}

static unsigned
order(struct sky_paths *p)
{
	unsigned n = 0;

	for (unsigned h = 0; h == 0 || h < p->far; h++)
		for (unsigned i = 0; i < p->nodes; i++)
			if (p->node[i].ttl == h) {
				p->rank[i] = n;
				p->order[n++] = i;
			}
	return n;
}

static bool
looked_beyond(const struct sky_paths *p, const struct sky_paths_node *n)
{
	return !paths_terminal(n) && n->ttl < p->conf.max && p->hop[n->ttl + 1].width &&
	    n->ttl < p->top;
}

static void
fill(const struct sky_paths *p, unsigned node, struct sky_paths_node *out)
{
	uint16_t parent[SKY_PATHS_NODES];
	struct paths_look l;

	*out = p->node[node];
	out->settled = true;
	for (unsigned f = 0; node && f < p->flows; f++)
		out->flows += paths_known(&p->cell[f][out->ttl]) &&
		    sky_paths_through(p, f, out->ttl, node);
	if (out->host < p->hosts && out->is != SKY_PATHS_SILENT && node) {
		out->answers = p->host[out->host].answers;
		out->limited = p->host[out->host].limited;
	}
	if (!looked_beyond(p, out))
		return;
	sky_paths_parents(p, out->ttl + 1, parent);
	l = sky_paths_look(p, node, parent);
	out->nexts = l.nexts;
	out->draws = l.draws;
	out->spread = spread(p, node, l.nexts);
	out->settled = l.draws >= sky_paths_enough(p, l.nexts);
	out->miss = sky_paths_missed(l.nexts ? l.nexts : 1, l.draws);
}

int
sky_paths_node(const struct sky_paths *p, unsigned i, struct sky_paths_node *out)
{
	if (i >= p->shown)
		return -ENOENT;
	fill(p, p->order[i], out);
	return 0;
}

/* Of two packets of one flow one was seen here, the other at the next hop. If the
 * flow keeps to its place at either of them, one packet would have been at both. */
static bool
sure(const struct sky_paths *p, unsigned ttl)
{
	return p->hop[ttl].width == 1 || p->hop[ttl + 1].width == 1 ||
	    sky_paths_stable(p, ttl) == PATHS_STABLE ||
	    sky_paths_stable(p, ttl + 1) == PATHS_STABLE;
}

static void
link_up(struct sky_paths *p, unsigned from, unsigned to, unsigned ttl)
{
	struct sky_paths_link *l;

	for (unsigned i = 0; i < p->links; i++)
		if (p->link[i].from == from && p->link[i].to == to) {
			p->link[i].flows++;
			return;
		}
	if (p->links == SKY_PATHS_LINKS) {
		p->cut = true;
		return;
	}
	l = &p->link[p->links++];
	*l = (struct sky_paths_link){ .from = from, .to = to, .flows = 1, .sure = sure(p, ttl) };
}

/* A flow seen at two neighbouring hops; the silent of a hop are one place. */
static void
link_all(struct sky_paths *p)
{
	p->links = 0;
	for (unsigned h = 0; h + 1 < p->far; h++)
		for (unsigned f = 0; f < p->flows; f++) {
			const struct paths_cell *a = &p->cell[f][h], *b = &p->cell[f][h + 1];
			unsigned from = a->is == CELL_SEEN ? a->node : p->silent[h];
			unsigned to = b->is == CELL_SEEN ? b->node : p->silent[h + 1];

			if ((h == 0 || paths_known(a)) && paths_known(b))
				link_up(p, h ? p->rank[from] : 0, p->rank[to], h);
		}
}

int
sky_paths_link(const struct sky_paths *p, unsigned i, struct sky_paths_link *out)
{
	if (i >= p->links)
		return -ENOENT;
	*out = p->link[i];
	return 0;
}

/* --- branches --- */

static void
way(const struct sky_paths *p, unsigned flow, struct sky_paths_branch *out)
{
	unsigned end = sky_paths_size_end(p, flow);

	end = end ? end : p->top;
	for (unsigned h = 1; h <= end; h++) {
		const struct paths_cell *c = &p->cell[flow][h];
		unsigned at = PATHS_NONE;

		if (c->is == CELL_SEEN)
			at = c->node;
		else if (c->is == CELL_SILENT)
			at = p->silent[h];
		else if (p->hop[h].width == 1)
			at = p->hop[h].one;
		if (at != PATHS_NONE && out->by_hop == 0 && p->node[at].is != SKY_PATHS_SILENT &&
		    sky_addr_family(&out->by) != AF_UNSPEC &&
		    sky_addr_same_host(&p->node[at].by, &out->by))
			out->by_hop = h;
		if (at != PATHS_NONE && h == end)
			out->whole = p->node[at].is == SKY_PATHS_END;
		out->node[out->hops++] = at == PATHS_NONE ? at : p->rank[at];
	}
}

int
sky_paths_branch(const struct sky_paths *p, unsigned i, struct sky_paths_branch *out)
{
	const struct paths_branch *b = &p->branch[i];

	if (i >= p->branches)
		return -ENOENT;
	*out = (struct sky_paths_branch){ .flow = b->flow, .size = b->is, .mtu = b->low,
	    .by = b->by, .most = b->above ? b->above - 1 : p->conf.full };
	if (!b->done)
		out->size = SKY_PATHS_SIZE_OPEN;
	way(p, b->flow, out);
	return 0;
}

/* --- the whole --- */

static bool
ended(const struct sky_paths *p)
{
	for (unsigned i = 1; i < p->nodes; i++)
		if (p->node[i].is == SKY_PATHS_END && p->node[i].ttl != PATHS_GONE)
			return true;
	return false;
}

/* Who lets nothing pass. */
static const struct sky_paths_node *
last_word(const struct sky_paths *p)
{
	for (unsigned i = 1; i < p->nodes; i++)
		if (p->node[i].is == SKY_PATHS_STOP && p->node[i].ttl != PATHS_GONE)
			return &p->node[i];
	return NULL;
}

static bool
too_big(const struct sky_paths_node *n)
{
	if (sky_addr_family(&n->by) == AF_INET6)
		return n->type == 2;
	return n->type == 3 && n->code == 4;
}

static unsigned
why(const struct sky_paths *p)
{
	unsigned stop = p->looped ? SKY_PATHS_LOOP : SKY_PATHS_GAP;

	if (!p->done)
		return SKY_PATHS_RUNNING;
	if (p->stop == SKY_PATHS_INTERRUPTED)
		return p->stop;
	if (p->unsent && !p->answers)
		return SKY_PATHS_LOCAL;
	if (last_word(p))
		stop = too_big(last_word(p)) ? SKY_PATHS_REFUSES : SKY_PATHS_UNREACHABLE;
	if (ended(p))
		return SKY_PATHS_REACHED;
	if (p->next > p->conf.packets)
		return SKY_PATHS_CAP;
	return stop == SKY_PATHS_GAP && p->top == p->conf.max ? SKY_PATHS_MAX : stop;
}

void
sky_paths_result(struct sky_paths *p, struct sky_paths_result *out)
{
	struct sky_paths_node n;

	*out = (struct sky_paths_result){ .stop = why(p), .reached = ended(p),
	    .complete = !p->cut && !p->err,
	    .err = p->err, .branches = p->branches, .flows = p->flows,
	    .packets = p->next - 1, .answers = p->answers, .strays = p->strays,
	    .shorts = p->shorts, .limited = p->limited, .lost = p->lost, .began = p->began,
	    .ended = p->ended };
	if (out->stop == SKY_PATHS_UNREACHABLE || out->stop == SKY_PATHS_REFUSES)
		out->by = last_word(p)->by;
	sky_paths_pair(p);
	for (unsigned i = 0; i < p->nodes; i++) {
		if (p->node[i].ttl == PATHS_GONE)
			continue;
		fill(p, i, &n);
		out->complete = out->complete && n.settled;
		out->miss += n.miss;
		out->rtt_ns = n.rtt_ns > out->rtt_ns ? n.rtt_ns : out->rtt_ns;
		if (p->hop[n.ttl].width > out->widest)
			out->widest = p->hop[n.ttl].width;
	}
	out->miss = out->miss < 1 ? out->miss : 1;
	out->nodes = p->shown = order(p);
	link_all(p);
	out->links = p->links;
}

const char *
sky_paths_stop_word(enum sky_paths_stop s)
{
	static const char *const words[] = { "running", "reached", "unreachable", "gap", "max",
	    "cap", "local", "interrupted", "loop", "refuses" };

	return (unsigned)s < sizeof(words) / sizeof(words[0]) ? words[s] : "?";
}

const char *
sky_paths_spread_word(enum sky_paths_spread s)
{
	static const char *const words[] = { "one", "flow", "packet", "flow-or-packet" };

	return (unsigned)s < sizeof(words) / sizeof(words[0]) ? words[s] : "?";
}

const char *
sky_paths_size_word(enum sky_paths_size s)
{
	static const char *const words[] = { "none", "device", "told", "range", "hole", "open" };

	return (unsigned)s < sizeof(words) / sizeof(words[0]) ? words[s] : "?";
}
