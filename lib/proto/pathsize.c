/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsize.c - one packet of full size for each branch, and smaller ones as told. */
#include "proto/pathsin.h"

#include <sockeye/pmtu.h>
#include <string.h>

#define TRIES 3				/* of one size, unanswered: it vanishes */
#define TRIES_BLIND 2			/* while it is not known where the end is */
#define REFUSALS 12
#define EXCUSES 2			/* then it waits, if there is patience */
#define SAFE 1280			/* what is tried when nobody says why */

struct cover {
	uint8_t link[SKY_PATHS_NODES][SKY_PATHS_NODES / 8];
	bool node[SKY_PATHS_NODES];
};

/* How much that is in no branch yet this flow has; marks it if told to. */
static unsigned
covers(const struct sky_paths *p, struct cover *c, unsigned flow, bool mark)
{
	unsigned n = 0, last = 0;

	for (unsigned h = 1; h < p->far; h++) {
		const struct paths_cell *at = &p->cell[flow][h];
		unsigned to = at->node, bit = 1u << to % 8;

		if (at->is != CELL_SEEN || paths_terminal(&p->node[to])) {
			last = 0;
			continue;
		}
		n += !c->node[to] + (last && !(c->link[last][to / 8] & bit));
		if (mark) {
			c->node[to] = true;
			c->link[last][to / 8] |= bit;
		}
		last = to;
	}
	return n;
}

static void
add(struct sky_paths *p, unsigned flow)
{
	p->branch[p->branches++] = (struct paths_branch){ .flow = flow, .size = p->conf.full };
}

static unsigned
last_seen(const struct sky_paths *p, unsigned flow)
{
	unsigned last = 0;

	for (unsigned h = 1; h < p->far; h++)
		if (p->cell[flow][h].is == CELL_SEEN)
			last = h;
	return last;
}

/* If it was not asked at the destination, but at the hop before, where everybody
 * else got to the destination next. */
unsigned
sky_paths_size_end(const struct sky_paths *p, unsigned flow)
{
	unsigned end = sky_paths_ends(p, flow), last = last_seen(p, flow);

	if (end || last + 1 >= SKY_PATHS_HOPS || p->hop[last + 1].width != 1 ||
	    p->node[p->hop[last + 1].one].is != SKY_PATHS_END)
		return end;
	return last + 1;
}

/* Its way is known, or there is no other one, up to the end. */
static bool
complete(const struct sky_paths *p, unsigned flow)
{
	unsigned end = sky_paths_size_end(p, flow);

	if (!end)
		return !p->reached && last_seen(p, flow) == p->top;
	for (unsigned h = 1; h < end; h++)
		if (p->cell[flow][h].is != CELL_SEEN && p->hop[h].width != 1)
			return false;
	return true;
}

static void
choose(struct sky_paths *p)
{
	struct cover c;

	memset(&c, 0, sizeof(c));
	for (unsigned i = 0; i < p->branches; i++)
		covers(p, &c, p->branch[i].flow, true);
	while (p->branches < SKY_PATHS_BRANCHES) {
		unsigned best = 0, most = 0;

		for (unsigned f = 1; f < p->flows; f++) {
			unsigned n = complete(p, f) ? covers(p, &c, f, false) : 0;

			best = n > most ? f : best;
			most = n > most ? n : most;
		}
		if (!most)
			break;
		covers(p, &c, best, true);
		add(p, best);
	}
	p->chosen = true;
}

static void
settle(struct paths_branch *b, unsigned is)
{
	b->is = is;
	b->done = true;
}

static unsigned
ends_at_host(const struct sky_paths *p, const struct paths_branch *b)
{
	for (unsigned i = 1; i < p->nodes; i++)
		if (p->node[i].is != SKY_PATHS_SILENT && p->node[i].ttl != PATHS_GONE &&
		    (p->reached ? p->node[i].is == SKY_PATHS_END : p->node[i].ttl == b->end))
			return p->node[i].host;
	return PATHS_NONE;
}

/* Its end has no error to give now. Returns true if it is worth waiting. */
static bool
starve(struct sky_paths *p, struct paths_branch *b, uint64_t now)
{
	unsigned host = ends_at_host(p, b);

	if (host != PATHS_NONE && b->excuses < EXCUSES && sky_paths_tokens(p, host, now)) {
		b->starved = false;
		return false;
	}
	b->excuses = 0;
	if (host != PATHS_NONE && sky_paths_wait(p, host, now))
		return true;
	settle(b, SKY_PATHS_SIZE_OPEN);
	return true;
}

static bool
step(struct sky_paths *p, struct paths_branch *b, uint64_t now)
{
	if (b->done || b->busy)
		return b->busy && !b->done;
	if (p->chosen && !b->end) {
		b->end = sky_paths_size_end(p, b->flow);
		b->end = b->end || p->reached ? b->end : last_seen(p, b->flow);
		b->tries = b->end ? 0 : b->tries;
	}
	if (!b->end && b->tries >= TRIES_BLIND)
		return false;
	if (b->starved && starve(p, b, now))
		return !b->done;
	b->busy = sky_paths_push(p, PATHS_FULL, b->flow, b->end ? b->end : SKY_PATHS_FAR, b->size);
	return true;
}

bool
sky_paths_size_plan(struct sky_paths *p, uint64_t now, bool may_choose)
{
	bool any = false;

	if (!p->conf.full) {
		p->sized = true;
		return false;
	}
	if (!p->branches)
		add(p, 0);
	if (may_choose || p->reached)
		choose(p);
	for (unsigned i = 0; i < p->branches; i++)
		any = step(p, &p->branch[i], now) || any;
	p->sized = p->chosen && !any && (may_choose || p->branches > 1);
	return any;
}

/* --- what came of it --- */

static void
came(struct paths_branch *b, unsigned len)
{
	if (len > b->low)
		b->low = len;
	if (len < b->size)
		return;
	if (!b->above)
		settle(b, SKY_PATHS_SIZE_DEVICE);
	else if (b->hole)
		settle(b, SKY_PATHS_SIZE_HOLE);
	else if (b->told)
		settle(b, SKY_PATHS_SIZE_TOLD);
	else
		settle(b, SKY_PATHS_SIZE_RANGE);
}

static void
smaller(struct paths_branch *b, unsigned size, unsigned is)
{
	if (size <= b->low || !size || b->refusals > REFUSALS)
		settle(b, is);
	b->size = size;
	b->tries = 0;
}

static void
refused(const struct sky_paths *p, struct paths_branch *b, unsigned len,
    const struct sky_hop_answer *a)
{
	if (len > b->size)
		return;				/* old news */
	b->above = len;
	b->by = a->by;
	b->refusals++;
	b->told = a->mtu < len && a->mtu >= p->conf.floor && a->mtu > b->low;
	b->hole = false;
	smaller(b, b->told ? a->mtu : sky_mtu_plateau(len), SKY_PATHS_SIZE_RANGE);
}

static struct paths_branch *
branch_of(struct sky_paths *p, unsigned flow)
{
	for (unsigned i = 0; i < p->branches; i++)
		if (p->branch[i].flow == flow)
			return &p->branch[i];
	return NULL;
}

void
sky_paths_size_answer(struct sky_paths *p, const struct paths_probe *probe,
    const struct sky_hop_answer *a)
{
	struct paths_branch *b = branch_of(p, probe->flow);

	if (!b)
		return;
	b->busy = b->busy && probe->len != b->size;
	if (b->done && probe->len <= b->low)
		return;
	if (a->what == SKY_HOP_TOO_BIG || a->what == SKY_HOP_LOCAL)
		refused(p, b, probe->len, a);
	else if (a->what != SKY_HOP_EXCEEDED || (probe->ttl < SKY_PATHS_FAR && !p->reached))
		came(b, probe->len);
	else if (probe->ttl < SKY_PATHS_FAR)
		b->end = SKY_PATHS_FAR;		/* its way is longer than it was thought */
	else
		settle(b, SKY_PATHS_SIZE_NONE);
}

void
sky_paths_size_lost(struct sky_paths *p, uint32_t id)
{
	const struct paths_probe *probe = &p->probe[id];
	struct paths_branch *b = branch_of(p, probe->flow);

	if (!b || b->done || probe->len != b->size)
		return;
	b->busy = false;
	if (sky_paths_excused(p, id)) {
		b->starved = true;
		b->excuses++;
		p->limited++;
		return;
	}
	p->lost++;
	if (++b->tries < TRIES || !b->end)
		return;
	b->above = b->size;
	if (b->hole || b->size <= SAFE) {
		settle(b, b->low ? SKY_PATHS_SIZE_HOLE : SKY_PATHS_SIZE_NONE);
		return;
	}
	b->hole = true;
	smaller(b, SAFE, SKY_PATHS_SIZE_HOLE);
}
