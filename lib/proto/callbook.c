/* SPDX-License-Identifier: BSD-2-Clause */
/* callbook.c - requests in the caller's memory; see callbook.h. */
#include "proto/callbook.h"

#include "base/sip.h"

static uint32_t
index_of(const struct call *c, const struct req *r)
{
	return (uint32_t)(r - c->reqs) + 1;
}

static struct req *
at(const struct call *c, uint32_t i)
{
	return i ? &c->reqs[i - 1] : NULL;
}

/* --- the heap: c->heap[0 .. n_open - 1] --- */

static void
put(struct call *c, uint32_t place, uint32_t i)
{
	c->heap[place] = i;
	c->reqs[i - 1].place = place;
}

static uint64_t
due_at(const struct call *c, uint32_t place)
{
	return c->reqs[c->heap[place] - 1].due;
}

static void
sift_up(struct call *c, uint32_t place)
{
	uint32_t i = c->heap[place], up;

	for (; place; place = up) {
		up = (place - 1) / 2;
		if (due_at(c, up) <= c->reqs[i - 1].due)
			break;
		put(c, place, c->heap[up]);
	}
	put(c, place, i);
}

static void
sift_down(struct call *c, uint32_t place)
{
	uint32_t i = c->heap[place], down;

	for (;;) {
		down = 2 * place + 1;
		if (down + 1 < c->n_open && due_at(c, down + 1) < due_at(c, down))
			down++;
		if (down >= c->n_open || due_at(c, down) >= c->reqs[i - 1].due)
			break;
		put(c, place, c->heap[down]);
		place = down;
	}
	put(c, place, i);
}

static void
leave_heap(struct call *c, struct req *r)
{
	uint32_t last = c->heap[--c->n_open];

	if (last == index_of(c, r))
		return;
	put(c, r->place, last);
	sift_up(c, r->place);
	sift_down(c, at(c, last)->place);
}

struct req *
sky_callbook_due(const struct call *c)
{
	return c->n_open ? at(c, c->heap[0]) : NULL;
}

void
sky_callbook_set_due(struct call *c, struct req *r, uint64_t due)
{
	r->due = due;
	sift_up(c, r->place);
	sift_down(c, r->place);
}

/* --- the hash table; ids are as good as random --- */

struct req *
sky_callbook_find(const struct call *c, uint64_t id)
{
	struct req *r = at(c, c->heads[id & c->mask]);

	while (r && r->id != id)
		r = at(c, r->chain);
	return r;
}

static void
unchain(struct call *c, const struct req *r)
{
	uint32_t *link = &c->heads[r->id & c->mask];

	while (*link != index_of(c, r))
		link = &at(c, *link)->chain;
	*link = r->chain;
}

static uint64_t
new_id(struct call *c)
{
	uint64_t id;

	do {
		c->count++;
		id = sky_sip_hash(c->key, &c->count, sizeof(c->count));
	} while (sky_callbook_find(c, id));
	return id;
}

struct req *
sky_callbook_take(struct call *c, uint64_t now)
{
	struct req *r = at(c, c->free);

	if (!r)
		return NULL;
	c->free = r->next;
	*r = (struct req){ .id = new_id(c), .state = REQ_OPEN, .started = now, .due = now };
	r->chain = c->heads[r->id & c->mask];
	c->heads[r->id & c->mask] = index_of(c, r);
	put(c, c->n_open++, index_of(c, r));
	sift_up(c, c->n_open - 1);
	return r;
}

/* --- the list of ended ones --- */

struct req *
sky_callbook_oldest(const struct call *c)
{
	return at(c, c->ended);
}

void
sky_callbook_end(struct call *c, struct req *r, uint64_t forget_at)
{
	leave_heap(c, r);
	r->state = REQ_ENDED;
	r->due = forget_at;
	r->next = 0;
	if (c->ended)
		at(c, c->ended_last)->next = index_of(c, r);
	else
		c->ended = index_of(c, r);
	c->ended_last = index_of(c, r);
}

void
sky_callbook_free_oldest(struct call *c)
{
	struct req *r = at(c, c->ended);

	c->ended = r->next;
	c->awaited -= r->awaited;
	c->peers[r->peer].requests--;
	unchain(c, r);
	r->state = REQ_FREE;
	r->next = c->free;
	c->free = index_of(c, r);
}

/* --- peers --- */

struct peer *
sky_callbook_peer(const struct call *c, const struct sky_addr *dst)
{
	uint32_t i;

	for (i = 0; i < c->n_peers; i++)
		if (sky_addr_equal(&c->peers[i].dst, dst))
			return &c->peers[i];
	return NULL;
}

/* A place that was never used, else the one longest unused; the shared one if
 * requests refer to all. */
static struct peer *
new_peer(struct call *c, const struct sky_addr *dst)
{
	struct peer *p = &c->peers[c->max_peers];
	uint32_t i;

	if (c->n_peers < c->max_peers) {
		p = &c->peers[c->n_peers++];
	} else {
		for (i = 0; i < c->n_peers; i++)
			if (!c->peers[i].requests &&
			    (p == &c->peers[c->max_peers] || c->peers[i].used < p->used))
				p = &c->peers[i];
		if (p == &c->peers[c->max_peers])
			return p;
	}
	*p = (struct peer){ .dst = *dst, .rto = c->fresh };
	return p;
}

void
sky_callbook_refer(struct call *c, struct req *r)
{
	struct peer *p = sky_callbook_peer(c, &r->dst);

	if (!p)
		p = new_peer(c, &r->dst);
	p->used = ++c->uses;
	p->requests++;
	r->peer = (uint32_t)(p - c->peers);
}
