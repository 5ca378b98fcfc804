/* SPDX-License-Identifier: BSD-2-Clause */
/* back.c - see back.h. */
#include "proto/back.h"

#include <errno.h>
#include <string.h>

#define GRID 8				/* fragments are cut to multiples of it */
#define CLASHES 3			/* a larger one whole, a smaller one not: give up */

int
sky_back_init(struct sky_back *b, const struct sky_back_conf *c)
{
	struct sky_rto_conf rto = { .size = sizeof(rto), .min_ns = 4000000 };
	struct sky_back_conf *o = &b->conf;

	memset(b, 0, sizeof(*b));
	if (!c || c->size != sizeof(*c))
		return -EINVAL;
	*o = *c;
	o->high = c->high ? c->high : 1500;
	o->small = c->small ? c->small : 64;
	o->packets = c->packets ? c->packets : 40;
	o->tries = c->tries ? c->tries : 3;
	o->ttl = c->ttl ? c->ttl : 64;
	rto.initial_ns = c->wait_ns ? c->wait_ns : 1000000000;
	if (o->small > o->high || o->high > 65535 || o->packets >= SKY_BACK_PROBES)
		return -EINVAL;
	b->next = 1;
	if (sky_rto_init(&b->rto, &rto) < 0)
		return -EINVAL;
	/* As if measured some times: a single one would be doubted for long. */
	for (unsigned i = 0; c->rtt_ns && i < 14; i++)
		sky_rto_sample(&b->rto, c->rtt_ns, 1, true);
	return 0;
}

static void
ask(struct sky_back *b, uint32_t len)
{
	if (b->queued < sizeof(b->queue) / sizeof(b->queue[0]) && len <= b->conf.high)
		b->queue[b->queued++] = len;
}

static void
finish(struct sky_back *b, uint64_t now, enum sky_back_how how)
{
	b->done = true;
	b->r.ended = now;
	b->r.how = how;
}

/* --- which sizes --- */

/* Between what comes whole and what does not: two thirds, or the rest, and the byte
 * that nothing but the way of cutting speaks for. */
static void
split(struct sky_back *b, uint64_t now)
{
	uint32_t high = b->cell && b->cell < b->high ? b->cell : b->high;
	uint32_t open = high - b->low - 1;

	if (!open && high == b->high) {
		finish(b, now, SKY_BACK_FRAGMENTS);
		return;
	}
	if (open > 2) {
		ask(b, b->low + (open + 1 + 2) / 3);
		ask(b, b->low + (2 * (open + 1) + 2) / 3);
		return;
	}
	for (uint32_t len = b->low + 1; len < high; len++)
		ask(b, len);
	if (high != b->high && b->low + 2 >= high)
		ask(b, high);
}

/* Large answers vanish, small ones come. */
static void
begin_search(struct sky_back *b)
{
	struct sky_mtu_conf c = { .size = sizeof(c), .floor = b->conf.small, .base = b->low,
	    .high = b->conf.high, .batch = 4, .packets = b->conf.packets,
	    .rto = { .size = sizeof(c.rto), .min_ns = 4000000,
	    .initial_ns = sky_rto_value(&b->rto) } };

	b->searching = sky_mtu_init(&b->search, &c) == 0;
}

static void
first(struct sky_back *b, uint64_t now)
{
	if (b->tries >= b->conf.tries && b->small_came) {
		b->low = b->conf.small;
		begin_search(b);
		return;
	}
	if (b->tries >= b->conf.tries) {
		finish(b, now, SKY_BACK_NOTHING);
		return;
	}
	b->tries++;
	ask(b, b->conf.high);
	if (!b->small_came && (!b->rto.samples || b->tries > 2))
		ask(b, b->conf.small);
}

static void
plan(struct sky_back *b, uint64_t now)
{
	uint32_t low = b->low;

	if (low >= b->conf.high) {
		finish(b, now, SKY_BACK_WHOLE);
		return;
	}
	if (!b->high) {
		first(b, now);
		return;
	}
	if (b->tries++ > b->conf.tries || b->clash > CLASHES) {
		finish(b, now, SKY_BACK_FRAGMENTS);
		return;
	}
	split(b, now);
}

/* --- out --- */

static void
put(struct sky_back *b, uint64_t now, uint32_t len, uint32_t seq, struct sky_hop_probe *out)
{
	b->probe[b->next] = (struct back_probe){ .sent = now, .len = len, .seq = seq,
	    .flying = true };
	*out = (struct sky_hop_probe){ .id = b->next++, .len = len, .ttl = b->conf.ttl };
	b->flying++;
	b->r.packets++;
	if (!b->r.began)
		b->r.began = now;
}

static uint64_t
due(const struct sky_back *b, const struct back_probe *p)
{
	uint64_t wait = sky_rto_value(&b->rto);

	return p->sent + wait + wait / 16;
}

static void
lost(struct sky_back *b, uint64_t now, const struct back_probe *p)
{
	b->r.lost++;
	if (p->seq)
		sky_mtu_lost(&b->search, now, p->seq);
}

static void
expire(struct sky_back *b, uint64_t now)
{
	for (uint32_t id = 1; b->flying && id < b->next; id++) {
		struct back_probe *p = &b->probe[id];

		if (!p->flying || due(b, p) > now)
			continue;
		p->flying = false;
		b->flying--;
		lost(b, now, p);
	}
}

static enum sky_back_kind
search(struct sky_back *b, uint64_t now, struct sky_hop_probe *out)
{
	struct sky_mtu_probe p;
	enum sky_mtu_kind kind = sky_mtu_poll(&b->search, now, &p);
	struct sky_mtu_result r;

	if (kind == SKY_MTU_SEND && b->next < SKY_BACK_PROBES) {
		put(b, now, p.size, p.seq, out);
		return SKY_BACK_SEND;
	}
	if (kind == SKY_MTU_WAIT)
		return SKY_BACK_WAIT;
	sky_mtu_result(&b->search, &r);
	b->r.mtu = r.mtu;
	b->r.most = r.most;
	finish(b, now, r.mtu ? SKY_BACK_LOST : SKY_BACK_NOTHING);
	return SKY_BACK_DONE;
}

enum sky_back_kind
sky_back_poll(struct sky_back *b, uint64_t now, struct sky_hop_probe *out)
{
	expire(b, now);
	/* The small one is no news while a large one may come. */
	if (!b->done && !b->searching && !b->queued && !b->flying)
		plan(b, now);
	if (b->done)
		return SKY_BACK_DONE;
	if (b->searching)
		return search(b, now, out);
	if (b->queued && b->next > b->conf.packets) {
		finish(b, now, b->high ? SKY_BACK_FRAGMENTS : SKY_BACK_NOTHING);
		return SKY_BACK_DONE;
	}
	if (!b->queued)
		return SKY_BACK_WAIT;
	put(b, now, b->queue[0], 0, out);
	memmove(b->queue, b->queue + 1, --b->queued * sizeof(b->queue[0]));
	return SKY_BACK_SEND;
}

uint64_t
sky_back_deadline(const struct sky_back *b)
{
	uint64_t first_due = SKY_BACK_NEVER;

	if (b->done)
		return SKY_BACK_NEVER;
	if (b->queued || (!b->flying && !b->searching))
		return 0;
	for (uint32_t id = 1; id < b->next; id++)
		if (b->probe[id].flying && due(b, &b->probe[id]) < first_due)
			first_due = due(b, &b->probe[id]);
	if (b->searching && sky_mtu_deadline(&b->search) < first_due)
		first_due = sky_mtu_deadline(&b->search);
	return first_due;
}

/* --- in --- */

/* What is known no longer fits together: the path changed, or there are several. */
static void
clash(struct sky_back *b)
{
	b->clash++;
	b->low = b->cell = b->high = 0;
	b->tries = 0;
}

static void
whole(struct sky_back *b, uint32_t len)
{
	if (len <= b->low)
		return;
	b->low = len;
	b->tries = 0;
	if (b->cell && len >= b->cell)
		b->cell = 0;			/* they are not cut as large as fits */
	if (b->high && b->low >= b->high)
		clash(b);
}

static void
cut(struct sky_back *b, uint32_t len, uint32_t fragment)
{
	if (len < b->high || !b->high) {
		b->high = len;
		b->tries = 0;
	}
	if (b->low < b->conf.small)
		b->low = b->conf.small;
	if (fragment > b->low) {
		b->low = fragment;
		b->cell = fragment + GRID < len ? fragment + GRID : 0;
	}
	if (b->low >= b->high)
		clash(b);
	b->searching = false;
}

static void
refused(struct sky_back *b, uint64_t now, const struct sky_hop_answer *a)
{
	b->r.type = a->type;
	b->r.code = a->code;
	b->r.by = a->by;
	b->r.err = a->err;
	finish(b, now, a->what == SKY_HOP_LOCAL ? SKY_BACK_LOCAL : SKY_BACK_REFUSED);
}

static void
echoed(struct sky_back *b, uint64_t now, struct back_probe *p, const struct sky_hop_answer *a)
{
	if (now > p->sent)
		sky_rto_sample(&b->rto, now - p->sent, 1, true);
	b->small_came = true;
	if (a->fragsize && a->fragsize < p->len) {
		cut(b, p->len, a->fragsize);
		return;
	}
	if (p->seq)
		sky_mtu_acked(&b->search, now, p->seq);
	/* The small one is sent to be heard of, not for its size. */
	if (p->len > b->conf.small)
		whole(b, p->len);
}

void
sky_back_answer(struct sky_back *b, uint64_t now, const struct sky_hop_answer *a)
{
	struct back_probe *p = a->id && a->id < b->next ? &b->probe[a->id] : NULL;
	uint64_t at = a->at ? a->at : now;

	if (!p || b->done || a->what == SKY_HOP_NOTHING)
		return;
	if (p->flying) {
		p->flying = false;
		b->flying--;
	}
	if (a->what == SKY_HOP_LOCAL && (a->err == ENOBUFS || a->err == EAGAIN))
		lost(b, now, p);
	else if (a->what == SKY_HOP_REACHED && a->reply_len)
		echoed(b, at, p, a);
	else if (a->what == SKY_HOP_REACHED || a->what == SKY_HOP_UNREACHABLE ||
	    a->what == SKY_HOP_LOCAL)
		refused(b, at, a);
	/* Too big, or out of hops: IPv6 learns its MTU and sends fragments next time. */
}

void
sky_back_stop(struct sky_back *b, uint64_t now)
{
	if (b->done)
		return;
	finish(b, now, b->high ? SKY_BACK_FRAGMENTS : SKY_BACK_NOTHING);
	b->r.interrupted = true;
}

void
sky_back_result(const struct sky_back *b, struct sky_back_result *out)
{
	*out = b->r;
	if (out->how == SKY_BACK_WHOLE) {
		out->mtu = out->most = b->low;
	} else if (out->how == SKY_BACK_FRAGMENTS) {
		out->mtu = b->low;
		out->most = b->high - 1;
	}
}
