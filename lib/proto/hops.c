/* SPDX-License-Identifier: BSD-2-Clause */
/* hops.c - see hops.h. */
#include "proto/hops.h"

#include <string.h>

#define TOKEN INT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define GAP_MOST (4 * SECOND)		/* no slower than this, whatever is lost */
enum {
	STREAK = 8,			/* answers in a row that double the rate */
	SOBER = 64,			/* more of them, once too much was asked */
	NODES_EACH = 2,
};

static uint32_t
slots(uint32_t room)
{
	uint32_t n = 16;

	while (n < room && n < UINT32_C(1) << 30)
		n *= 2;
	return n;
}

size_t
sky_hops_size(uint32_t room)
{
	return room * sizeof(struct sky_iface) +
	    (size_t)room * NODES_EACH * sizeof(struct sky_node) +
	    slots(room) * sizeof(uint32_t);
}

void
sky_hops_init(struct sky_hops *h, void *memory, uint32_t room, uint32_t rate, uint32_t burst)
{
	memset(h, 0, sizeof(*h));
	h->iface = memory;
	h->node = (void *)(h->iface + room);
	h->table = (void *)(h->node + (size_t)room * NODES_EACH);
	h->room = room;
	h->mask = slots(room) - 1;
	h->burst = burst ? burst : 1;
	h->gap_least = rate ? SECOND / rate : 0;
	h->debtor = SKY_HOPS_NONE;
	memset(h->table, 0xff, slots(room) * sizeof(uint32_t));
}

static uint32_t
look(const struct sky_hops *h, const struct sky_addr *a, uint32_t hash)
{
	uint32_t i = h->table[hash & h->mask];

	while (i != SKY_HOPS_NONE && !sky_addr_same_host(&h->iface[i].addr, a))
		i = h->iface[i].next;
	return i;
}

uint32_t
sky_hops_iface(struct sky_hops *h, const struct sky_addr *a)
{
	uint32_t hash = sky_addr_hash(a), i = look(h, a, hash);
	struct sky_iface *f;

	if (i != SKY_HOPS_NONE)
		return i;
	if (h->ifaces == h->room) {
		h->full++;
		return SKY_HOPS_NONE;
	}
	i = h->ifaces++;
	f = &h->iface[i];
	memset(f, 0, sizeof(*f));
	f->addr = *a;
	f->node = SKY_HOPS_NONE;
	f->tokens = (int64_t)h->burst * TOKEN;
	f->gap = h->gap_least > SECOND ? h->gap_least : SECOND;
	f->next = h->table[hash & h->mask];
	h->table[hash & h->mask] = i;
	return i;
}

static uint32_t
look_node(const struct sky_hops *h, uint32_t iface, uint8_t ttl)
{
	uint32_t n = h->iface[iface].node;

	while (n != SKY_HOPS_NONE && h->node[n].ttl != ttl)
		n = h->node[n].next;
	return n;
}

uint32_t
sky_hops_find(const struct sky_hops *h, const struct sky_addr *a, uint8_t ttl)
{
	uint32_t i = look(h, a, sky_addr_hash(a));

	return i == SKY_HOPS_NONE ? i : look_node(h, i, ttl);
}

uint32_t
sky_hops_node(struct sky_hops *h, const struct sky_addr *a, uint8_t ttl)
{
	uint32_t i = sky_hops_iface(h, a), n;

	if (i == SKY_HOPS_NONE)
		return i;
	n = look_node(h, i, ttl);
	if (n != SKY_HOPS_NONE)
		return n;
	if (h->nodes == h->room * NODES_EACH) {
		h->full++;
		return SKY_HOPS_NONE;
	}
	n = h->nodes++;
	h->node[n] = (struct sky_node){ .iface = i, .parent = SKY_HOPS_ROOT,
	    .next = h->iface[i].node, .ttl = ttl };
	h->iface[i].node = n;
	return n;
}

static void
refill(const struct sky_hops *h, struct sky_iface *f, uint64_t now)
{
	uint64_t past = now > f->last ? now - f->last : 0;
	int64_t most = (int64_t)h->burst * TOKEN;

	f->last = now;
	if (past > f->gap * h->burst * 2 && f->tokens >= 0) {
		f->tokens = most;
		return;
	}
	if (past > 3600 * SECOND)
		past = 3600 * SECOND;
	f->tokens += (int64_t)((double)past / (double)f->gap * TOKEN);
	if (f->tokens > most)
		f->tokens = most;
}

static void
deny(struct sky_hops *h, uint32_t i)
{
	struct sky_iface *f = &h->iface[i];
	uint64_t debt = ++f->denied * f->gap;

	if (debt < h->debt_ns && i != h->debtor)
		return;
	h->debt_ns = debt;
	h->debtor = i;
}

uint64_t
sky_hops_take(struct sky_hops *h, uint32_t i, uint64_t now, uint64_t patience)
{
	struct sky_iface *f;
	uint64_t wait = 0;

	if (i >= h->ifaces || !h->gap_least)
		return 0;
	f = &h->iface[i];
	refill(h, f, now);
	if (f->tokens < TOKEN)
		wait = (uint64_t)((double)(TOKEN - f->tokens) / TOKEN * (double)f->gap) + 1;
	if (wait > patience) {
		deny(h, i);
		return UINT64_MAX;
	}
	f->tokens -= TOKEN;
	f->asked++;
	return wait;
}

bool
sky_hops_try(struct sky_hops *h, uint32_t i, uint64_t now)
{
	if (i >= h->ifaces || !h->gap_least)
		return true;
	refill(h, &h->iface[i], now);
	if (h->iface[i].tokens < TOKEN)
		return false;
	h->iface[i].tokens -= TOKEN;
	h->iface[i].asked++;
	return true;
}

void
sky_hops_give(struct sky_hops *h, uint32_t i)
{
	if (i >= h->ifaces)
		return;
	h->iface[i].tokens += TOKEN;
	h->iface[i].asked--;
}

/* However many come, the debt stays below what is waited for. */
void
sky_hops_charge(struct sky_hops *h, uint32_t i, uint64_t now)
{
	struct sky_iface *f;

	if (i >= h->ifaces || !h->gap_least)
		return;
	f = &h->iface[i];
	f->asked++;
	refill(h, f, now);
	if (f->tokens > -2 * (int64_t)h->burst * TOKEN)
		f->tokens -= TOKEN;
}

void
sky_hops_answered(struct sky_hops *h, uint32_t i)
{
	struct sky_iface *f;

	if (i >= h->ifaces)
		return;
	f = &h->iface[i];
	f->answered++;
	/* A full bucket would have answered at any rate. */
	if (!h->gap_least || f->tokens > 2 * TOKEN || ++f->streak < STREAK)
		return;
	f->streak = 0;
	f->gap /= 2;
	if (f->gap < h->gap_least)
		f->gap = h->gap_least;
}

void
sky_hops_lost(struct sky_hops *h, uint32_t i)
{
	struct sky_iface *f;

	if (i >= h->ifaces)
		return;
	f = &h->iface[i];
	f->lost++;
	f->streak = -SOBER;
	f->gap *= 2;
	if (f->gap > GAP_MOST)
		f->gap = GAP_MOST;
}
