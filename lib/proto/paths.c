/* SPDX-License-Identifier: BSD-2-Clause */
/* paths.c - probes that go out, answers that come in, and buckets. */
#include "proto/pathsin.h"

#include <errno.h>
#include <string.h>

#define WINDOW 8			/* probes that may change places */
#define LOCAL_MANY 3			/* probes that this host did not send: the end */

static uint64_t
or_default(uint64_t given, uint64_t by_default)
{
	return given ? given : by_default;
}

int
sky_paths_init(struct sky_paths *p, const struct sky_paths_conf *c)
{
	struct sky_rto_conf rto = { .size = sizeof(rto) };
	struct sky_paths_conf *o = &p->conf;

	memset(p, 0, sizeof(*p));
	if (!c || c->size != sizeof(*c))
		return -EINVAL;
	*o = *c;
	o->len = or_default(c->len, 60);
	o->floor = or_default(c->floor, 68);
	o->packets = or_default(c->packets, 600);
	o->flows = or_default(c->flows, SKY_PATHS_FLOWS);
	o->max = or_default(c->max, 30);
	o->gap = or_default(c->gap, 5);
	o->burst = or_default(c->burst, 6);
	o->flying = or_default(c->flying, 64);
	o->percent = or_default(c->percent, 95);
	o->refill_ns = or_default(c->refill_ns, 1000000000);
	if (o->packets > SKY_PATHS_PACKETS || o->flows > SKY_PATHS_FLOWS || o->percent > 99 ||
	    o->max >= SKY_PATHS_HOPS || (o->full && (o->full > 65535 || o->floor > o->full ||
	    o->len > o->full)) || o->len > 65535)
		return -EINVAL;
	for (unsigned k = 1; k <= SKY_PATHS_WIDE; k++)
		p->need[k] = sky_paths_need(k, o->percent);
	p->nodes = 1;				/* the source; is and ttl are 0 */
	p->hop[0].width = 1;
	p->next = 1;
	p->dirty = true;
	rto.initial_ns = or_default(c->wait_ns, 1000000000);
	rto.min_ns = or_default(c->min_wait_ns, 8000000);
	return sky_rto_init(&p->rto, &rto);
}

/* --- nodes --- */

static void
reopen(struct sky_paths *p, unsigned ttl)
{
	for (unsigned f = 0; f < p->flows; f++)
		if (p->cell[f][ttl].is == CELL_SILENT)
			p->cell[f][ttl] = (struct paths_cell){ .silent = 1,
			    .is = p->hop[ttl].asked_late ? CELL_LIMITED : CELL_NEW };
}

/* A node for what answered at this TTL. A hop that was thought silent and is not
 * gives its place to the first that answers. */
static uint16_t
node_at(struct sky_paths *p, unsigned ttl, const struct sky_addr *by, unsigned is)
{
	uint16_t i = p->nodes, host = by ? sky_paths_host_of(p, by) : PATHS_NONE;

	for (i = 1; i < p->nodes; i++)
		if (p->node[i].ttl == ttl && p->node[i].host == host)
			return i;
	if (by && p->silent[ttl] && p->hop[ttl].width == 1) {
		i = p->silent[ttl];
		p->silent[ttl] = 0;
		p->hop[ttl].width = 0;
		reopen(p, ttl);
	} else if (i == SKY_PATHS_NODES || (by && host == PATHS_NONE)) {
		p->cut = true;
		return PATHS_NONE;
	} else {
		p->nodes++;
	}
	p->node[i] = (struct sky_paths_node){ .host = host, .ttl = ttl, .is = is };
	if (by)
		p->node[i].by = *by;
	else
		p->silent[ttl] = i;
	if (!p->hop[ttl].width++)
		p->hop[ttl].one = i;
	return i;
}

/* Nobody is there after all. */
static void
forget(struct sky_paths *p, unsigned node)
{
	struct paths_hop *hop = &p->hop[p->node[node].ttl];
	unsigned ttl = p->node[node].ttl;

	p->node[node].ttl = PATHS_GONE;
	hop->width--;
	for (unsigned i = 1; i < p->nodes; i++)
		if (p->node[i].ttl == ttl)
			hop->one = i;
}

unsigned
sky_paths_ends(const struct sky_paths *p, unsigned flow)
{
	for (unsigned h = 1; h < p->far; h++) {
		const struct paths_cell *c = &p->cell[flow][h];

		if (c->is == CELL_SEEN && paths_terminal(&p->node[c->node]))
			return h;
	}
	return 0;
}

/* --- answers --- */

static enum sky_paths_is
what_is(const struct sky_paths *p, const struct sky_hop_answer *a)
{
	if (a->what == SKY_HOP_EXCEEDED)
		return SKY_PATHS_ROUTER;
	if (a->what == SKY_HOP_REACHED || sky_addr_same_host(&a->by, &p->conf.dst))
		return SKY_PATHS_END;
	return SKY_PATHS_STOP;
}

static void
repeat(struct sky_paths *p, const struct paths_probe *b, uint16_t node)
{
	struct paths_hop *h = &p->hop[b->ttl];

	if (b->kind == PATHS_AGAIN || b->kind == PATHS_CONTROL)
		h->again++;
	if (p->cell[b->flow][b->ttl].node != node)
		h->astray++;
}

void
sky_paths_forget(struct sky_paths *p, unsigned flow, unsigned ttl)
{
	unsigned node = p->cell[flow][ttl].node;

	p->cell[flow][ttl] = (struct paths_cell){ .is = CELL_NEW };
	for (unsigned f = 0; f < p->flows; f++)
		if (p->cell[f][ttl].is == CELL_SEEN && p->cell[f][ttl].node == node)
			return;
	forget(p, node);
}

/* The destination is nearer for this flow than it was thought to be. */
static void
nearer(struct sky_paths *p, unsigned flow, unsigned end)
{
	for (unsigned h = end + 1; h < p->far; h++) {
		const struct paths_cell *c = &p->cell[flow][h];

		if (c->is == CELL_SEEN && p->node[c->node].is == SKY_PATHS_END)
			sky_paths_forget(p, flow, h);
	}
}

static void
met(struct sky_paths *p, const struct paths_probe *b, const struct sky_hop_answer *a, uint64_t rtt)
{
	struct paths_cell *c = &p->cell[b->flow][b->ttl];
	unsigned end = sky_paths_ends(p, b->flow);
	struct sky_paths_node *n;
	uint16_t i;

	if (end && end < b->ttl)
		return;
	i = node_at(p, b->ttl, &a->by, what_is(p, a));
	if (i == PATHS_NONE)
		return;
	n = &p->node[i];
	p->hop[b->ttl].dry = 0;
	if (n->is == SKY_PATHS_STOP) {
		n->type = a->type;
		n->code = a->code;
	}
	if (!n->rtt_ns || rtt < n->rtt_ns)
		n->rtt_ns = rtt;
	if (c->is == CELL_SEEN)
		repeat(p, b, i);
	else
		*c = (struct paths_cell){ .node = i, .is = CELL_SEEN };
	if (b->ttl > p->top)
		p->top = b->ttl;
	if (n->is == SKY_PATHS_END) {
		p->reached = true;
		nearer(p, b->flow, b->ttl);
	}
	if (paths_terminal(n) && (!p->bound[b->flow] || b->ttl < p->bound[b->flow]))
		p->bound[b->flow] = b->ttl;
}

/* Where the destination is, if its reply came as many hops as the probe went. */
static void
guess(struct sky_paths *p, const struct sky_hop_answer *a)
{
	static const uint8_t begins[] = { 32, 64, 128, 255 };

	p->reached = true;
	for (unsigned i = 0; i < sizeof(begins); i++)
		if (a->ttl && a->ttl <= begins[i]) {
			p->guess = begins[i] - a->ttl + 1;
			break;
		}
	if (p->guess > p->conf.max)
		p->guess = 0;
}

static bool
local(struct sky_paths *p, struct paths_probe *b, const struct sky_hop_answer *a)
{
	b->is = PATHS_LOST;
	p->flying--;
	p->hop[b->ttl % SKY_PATHS_HOPS].controls -= b->kind == PATHS_CONTROL;
	if (b->kind == PATHS_FULL && a->err == EMSGSIZE) {
		sky_paths_size_answer(p, b, a);
		return true;
	}
	if (b->kind == PATHS_FULL)
		sky_paths_size_lost(p, b - p->probe);
	else if (p->cell[b->flow][b->ttl].is == CELL_FLYING)
		p->cell[b->flow][b->ttl].is = CELL_NEW;
	p->err = a->err;
	if (++p->unsent >= LOCAL_MANY && !p->answers)
		p->done = true;
	return true;
}

/* Who calls the small packets of the hops too big as well lets nothing pass: there
 * the flow ends. Of large ones that is said to their size alone. */
static bool
take(struct sky_paths *p, struct paths_probe *b, const struct sky_hop_answer *a, uint64_t at)
{
	bool free_of_charge = a->what == SKY_HOP_TOO_BIG && b->kind == PATHS_FULL;

	if (b->is == PATHS_FLYING) {
		p->flying--;
		p->hop[b->ttl % SKY_PATHS_HOPS].controls -= b->kind == PATHS_CONTROL;
	}
	b->is = PATHS_ANSWERED;
	b->host = free_of_charge ? PATHS_NONE : sky_paths_host_of(p, &a->by);
	if (at > b->sent)
		sky_rto_sample(&p->rto, at - b->sent, 1, true);
	if (b->host != PATHS_NONE)
		sky_paths_count_answer(p, b->host);
	if (!free_of_charge && b->ttl < SKY_PATHS_FAR)
		met(p, b, a, at > b->sent ? at - b->sent : 0);
	else if (a->what == SKY_HOP_REACHED)
		guess(p, a);
	if (b->kind == PATHS_FULL)
		sky_paths_size_answer(p, b, a);
	return true;
}

bool
sky_paths_answer(struct sky_paths *p, uint64_t now, const struct sky_hop_answer *a)
{
	struct paths_probe *b = a->id && a->id < p->next ? &p->probe[a->id] : NULL;

	p->shorts += a->trust == SKY_TRUST_SHORT;
	p->strays += a->trust == SKY_TRUST_MISMATCH;
	if (!b || b->is == PATHS_ANSWERED || a->what == SKY_HOP_NOTHING || p->done)
		return false;
	p->last = a->at ? a->at : now;
	p->dirty = true;
	if (a->what == SKY_HOP_LOCAL)
		return b->is == PATHS_FLYING && local(p, b, a);
	p->answers++;
	return take(p, b, a, p->last);
}

/* --- what stays unanswered --- */

static unsigned
silences(const struct sky_paths *p, unsigned ttl)
{
	unsigned n = 0;

	for (unsigned f = 0; f < p->flows; f++)
		n += p->cell[f][ttl].silent;
	return n;
}

void
sky_paths_silent(struct sky_paths *p, unsigned flow, unsigned ttl)
{
	if (node_at(p, ttl, NULL, SKY_PATHS_SILENT) != PATHS_NONE)
		p->cell[flow][ttl].is = CELL_SILENT;
}

/* Nobody at all answers there: no need to ask with each flow. */
static void
hop_silent(struct sky_paths *p, unsigned ttl)
{
	if (node_at(p, ttl, NULL, SKY_PATHS_SILENT) == PATHS_NONE)
		return;
	for (unsigned f = 0; f < p->flows; f++)
		if (p->cell[f][ttl].silent && p->cell[f][ttl].is == CELL_NEW)
			p->cell[f][ttl].is = CELL_SILENT;
}

static void
cell_lost(struct sky_paths *p, uint32_t id)
{
	const struct paths_probe *b = &p->probe[id];
	struct paths_cell *c = &p->cell[b->flow][b->ttl];

	if (c->is != CELL_FLYING)
		return;
	p->hop[b->ttl].dry++;
	if (sky_paths_excused(p, id)) {
		c->is = CELL_LIMITED;
		p->limited++;
		return;
	}
	c->is = CELL_NEW;
	c->silent++;
	p->lost++;
	if (p->hop[b->ttl].width == (p->silent[b->ttl] ? 1 : 0)) {
		if ((silences(p, b->ttl) >= PATHS_TRIES && b->ttl < p->top) || c->silent >= 3)
			hop_silent(p, b->ttl);
	}
}

static uint64_t
due(const struct sky_paths *p, const struct paths_probe *b)
{
	uint64_t wait = sky_rto_value(&p->rto);

	return b->sent + wait + wait / 8;
}

static void
expire(struct sky_paths *p, uint64_t now)
{
	for (uint32_t id = 1; p->flying && id < p->next; id++) {
		struct paths_probe *b = &p->probe[id];

		if (b->is != PATHS_FLYING || due(p, b) > now)
			continue;
		b->is = PATHS_LOST;
		p->flying--;
		p->dirty = true;
		p->hop[b->ttl % SKY_PATHS_HOPS].controls -= b->kind == PATHS_CONTROL;
		if (b->kind == PATHS_AGAIN)
			p->hop[b->ttl].credit = PATHS_CREDIT;
		if (b->kind == PATHS_CELL)
			cell_lost(p, id);
		else if (b->kind == PATHS_CONTROL || b->kind == PATHS_AGAIN)
			sky_paths_learn_bucket(p, b);
		else if (b->kind == PATHS_FULL)
			sky_paths_size_lost(p, id);
	}
}

/* --- what goes out --- */

bool
sky_paths_push(struct sky_paths *p, uint8_t kind, unsigned flow, unsigned ttl, unsigned len)
{
	if (p->queued == SKY_PATHS_QUEUE || flow >= p->conf.flows)
		return false;
	if (flow >= p->flows)
		p->flows = flow + 1;
	if (ttl < SKY_PATHS_FAR && ttl >= p->far)
		p->far = ttl + 1;
	if (kind == PATHS_CELL)
		p->cell[flow][ttl].is = CELL_FLYING;
	p->queue[p->queued].kind = kind;
	p->queue[p->queued].flow = flow;
	p->queue[p->queued].len = len;
	p->queue[p->queued++].ttl = ttl;
	return true;
}

/* Not quite in order: a balancer that deals packets out in turn must not find the
 * same flows at the same turn at each hop. */
static void
shuffle(struct sky_paths *p)
{
	uint64_t x = (uint64_t)p->next * 0x9e3779b97f4a7c15;

	for (unsigned i = 0; i < p->queued; i++) {
		unsigned window = i / WINDOW * WINDOW, k;

		x ^= x >> 29;
		x *= 0xbf58476d1ce4e5b9;
		k = window + (unsigned)((x >> 33) % (i - window + 1));
		p->queue[SKY_PATHS_QUEUE] = p->queue[k];
		p->queue[k] = p->queue[i];
		p->queue[i] = p->queue[SKY_PATHS_QUEUE];
	}
}

static void
put(struct sky_paths *p, uint64_t now, struct sky_hop_probe *out)
{
	struct paths_probe *b = &p->probe[p->next];

	*b = (struct paths_probe){ .sent = now, .flow = p->queue[p->queue_at].flow,
	    .len = p->queue[p->queue_at].len, .ttl = p->queue[p->queue_at].ttl,
	    .kind = p->queue[p->queue_at].kind, .is = PATHS_FLYING, .host = PATHS_NONE };
	*out = (struct sky_hop_probe){ .id = p->next++, .len = b->len, .flow = b->flow,
	    .ttl = b->ttl };
	p->queue_at++;
	p->flying++;
	if (!p->began)
		p->began = now;
}

static void
think(struct sky_paths *p, uint64_t now)
{
	if (p->wake && p->wake <= now) {
		p->wake = 0;
		p->dirty = true;
	}
	if (!p->dirty || p->queue_at < p->queued)
		return;
	p->dirty = false;
	p->wake = 0;
	p->queued = p->queue_at = 0;
	p->last = now;
	sky_paths_plan(p, now);
	shuffle(p);
}

enum sky_paths_kind
sky_paths_poll(struct sky_paths *p, uint64_t now, struct sky_hop_probe *out)
{
	expire(p, now);
	think(p, now);
	if (p->next > p->conf.packets) {
		p->cut = p->cut || p->queue_at < p->queued || p->wake;
		p->queued = p->queue_at = 0;
		p->wake = 0;
	}
	if (p->done || (p->queue_at == p->queued && !p->flying && !p->wake)) {
		p->ended = p->ended ? p->ended : now;
		p->done = true;
		return SKY_PATHS_DONE;
	}
	if (p->queue_at == p->queued || p->flying >= p->conf.flying)
		return SKY_PATHS_WAIT;
	put(p, now, out);
	return SKY_PATHS_SEND;
}

uint64_t
sky_paths_deadline(const struct sky_paths *p)
{
	uint64_t first = p->wake ? p->wake : SKY_PATHS_NEVER;

	if (p->done)
		return SKY_PATHS_NEVER;
	if (p->dirty || (p->queue_at < p->queued && p->flying < p->conf.flying))
		return 0;
	for (uint32_t id = 1; id < p->next; id++)
		if (p->probe[id].is == PATHS_FLYING && due(p, &p->probe[id]) < first)
			first = due(p, &p->probe[id]);
	return first;
}

void
sky_paths_stop(struct sky_paths *p, uint64_t now)
{
	if (p->done)
		return;
	p->stop = SKY_PATHS_INTERRUPTED;
	p->ended = now;
	p->done = true;
}
