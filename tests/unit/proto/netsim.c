/* SPDX-License-Identifier: BSD-2-Clause */
/* netsim.c - what becomes of packets in a simulated network. */
#include "netsim.h"

#include <errno.h>
#include <string.h>

unsigned
net_roll(struct net *n, unsigned below)
{
	n->random ^= n->random << 13;
	n->random ^= n->random >> 17;
	n->random ^= n->random << 5;
	return below ? n->random % below : 0;
}

void
net_chain(struct net *n, unsigned hops, uint32_t mtu, bool six, uint32_t seed)
{
	memset(n, 0, sizeof(*n));
	n->random = seed * 2654435761u + 12345;
	for (unsigned i = 0; i < 8; i++)
		net_roll(n, 2);
	n->six = six;
	n->device = mtu;
	n->way.hops = hops;
	n->burst = 6;
	n->refill = six ? 100 * NET_MS : 1000 * NET_MS;
	for (unsigned i = 1; i <= hops; i++) {
		n->way.node[i].mtu = mtu;
		n->way.node[i].delay = i == 1 ? NET_MS * 41 / 4 : NET_MS / 1000;
	}
}

struct sky_addr
net_addr(const struct net *n, const struct net_way *w, unsigned node, unsigned flow)
{
	const struct net_node *x = &w->node[node];
	unsigned which = x->alias ? x->alias : node;
	unsigned width = w->node[which].width;
	uint32_t low = (w == &n->later ? 0x10000u : 0) + which * 256 + (width ? flow % width : 0);
	struct sky_addr a;

	memset(&a, 0, sizeof(a));
	if (n->six) {
		a.u.in6.sin6_family = AF_INET6;
		a.u.in6.sin6_addr.s6_addr[0] = 0xfd;
		for (unsigned i = 0; i < 4; i++)
			a.u.in6.sin6_addr.s6_addr[15 - i] = (uint8_t)(low >> (8 * i));
	} else {
		a.u.in.sin_family = AF_INET;
		a.u.in.sin_addr.s_addr = htonl(0x0a000000u + low);
	}
	if (node == w->hops && w == &n->later)
		return net_addr(n, &n->way, n->way.hops, 0);
	return a;
}

uint32_t
net_mtu(const struct net_way *w)
{
	uint32_t least = UINT32_MAX;

	for (unsigned i = 1; i <= w->hops; i++)
		least = w->node[i].mtu < least ? w->node[i].mtu : least;
	return least;
}

unsigned
net_limit(const struct net_way *w)
{
	unsigned i = 1;

	while (w->node[i].mtu != net_mtu(w))
		i++;
	return i;
}

/* One error, if the bucket has one. */
static bool
bucket(struct net *n, struct net_way *w, unsigned node, uint64_t now)
{
	struct net_node *x = &w->node[w->node[node].alias ? w->node[node].alias : node];

	if (!n->burst)
		return true;
	if (!x->filled)
		x->tokens = n->burst;
	else if (now > x->filled)
		x->tokens += (double)(now - x->filled) / (double)n->refill;
	if (now > x->filled)
		x->filled = now;
	if (x->tokens > n->burst)
		x->tokens = n->burst;
	if (x->tokens < 1)
		return false;
	x->tokens -= 1;
	return true;
}

static void
put(struct net *n, uint64_t at, const struct sky_hop_answer *a)
{
	unsigned copies = 1 + (net_roll(n, 1000) < n->twice);

	while (copies--) {
		if (net_roll(n, 1000) < n->loss_back || n->count == NET_NEWS)
			continue;
		n->news[n->count].at = at + (n->jitter ? net_roll(n, (unsigned)(n->jitter / 1000)) *
		    UINT64_C(1000) : 0);
		n->news[n->count].a = *a;
		n->news[n->count].a.at = n->news[n->count].at;
		n->count++;
	}
}

static void
answer(struct net *n, struct net_way *w, unsigned node, uint64_t now, uint64_t took,
    const struct sky_hop_probe *p, struct sky_hop_answer a)
{
	const struct net_node *x = &w->node[node];
	unsigned start = x->start_ttl ? x->start_ttl : 64;

	a.id = x->eight ? 0 : p->id;
	a.trust = x->eight ? SKY_TRUST_SHORT : SKY_TRUST_MATCHED;
	a.by = net_addr(n, w, node, n->spray ? net_roll(n, 16) : p->flow);
	a.ttl = (uint8_t)(start - (node - 1) - x->back_hops);
	put(n, now + 2 * took + x->back, &a);
}

static uint32_t
tells(struct net *n, enum net_ptb how, uint32_t mtu, uint32_t len)
{
	switch (how) {
	case NET_SAME: return len;
	case NET_LARGER: return len + 1 + net_roll(n, 500);
	case NET_SMALLER: return mtu > 300 ? mtu - 1 - net_roll(n, 150) : mtu - 1;
	case NET_LESS_BY_ONE: return len - 1;
	case NET_SIXTY: return 60;
	default: return how == NET_ZERO ? 0 : mtu;
	}
}

static void
too_big(struct net *n, struct net_way *w, unsigned node, uint64_t now, uint64_t took,
    const struct sky_hop_probe *p)
{
	struct sky_hop_answer a = { .what = SKY_HOP_TOO_BIG, .type = n->six ? 2 : 3,
	    .code = n->six ? 0 : 4 };

	if (!node || w->node[node].ptb == NET_MUTE)
		return;
	a.mtu = tells(n, w->node[node].ptb, w->node[node + 1].mtu, p->len);
	answer(n, w, node, now, took, p, a);
}

static void
ends(struct net *n, struct net_way *w, unsigned node, uint64_t now, uint64_t took,
    const struct sky_hop_probe *p)
{
	struct sky_hop_answer a = { .what = SKY_HOP_EXCEEDED, .type = n->six ? 3 : 11 };
	const struct net_node *x = &w->node[node];

	if (node == w->hops && !x->refuses) {
		a.what = SKY_HOP_REACHED;
		a.type = n->six ? 1 : 3;
		a.code = n->six ? 4 : 3;
	} else if (x->refuses && (x->refuses_all || p->ttl > node || node == w->hops)) {
		a.what = SKY_HOP_UNREACHABLE;
		a.type = n->six ? 1 : 3;
		a.code = x->refuses;
	}
	if (!x->silent && bucket(n, w, node, now + took))
		answer(n, w, node, now, took, p, a);
}

static void
travel(struct net *n, uint64_t now, const struct sky_hop_probe *p)
{
	struct net_way *w = n->change_at && now >= n->change_at ? &n->later : &n->way;
	uint64_t took = 0;

	for (unsigned i = 1; i <= w->hops; i++) {
		if (p->len > w->node[i].mtu) {
			too_big(n, w, i - 1, now, took, p);
			return;
		}
		took += w->node[i].delay;
		if (i == w->hops || i == p->ttl || w->node[i].refuses) {
			ends(n, w, i, now, took, p);
			return;
		}
	}
}

static void
forged(struct net *n, uint64_t now)
{
	struct sky_hop_answer a = { .what = (uint8_t)(1 + net_roll(n, 4)),
	    .trust = SKY_TRUST_MISMATCH, .mtu = net_roll(n, 1600), .type = 3, .ttl = 60 };

	a.by.u.in.sin_family = AF_INET;
	a.by.u.in.sin_addr.s_addr = htonl(0xc6336401u);
	put(n, now + NET_MS, &a);
}

void
net_send(struct net *n, uint64_t now, const struct sky_hop_probe *p)
{
	struct sky_hop_answer local = { .id = p->id, .what = SKY_HOP_LOCAL, .at = now };

	if (p->len > n->device || n->local < n->local_fails) {
		local.err = p->len > n->device ? EMSGSIZE : n->local_err;
		local.mtu = p->len > n->device ? n->device : 0;
		n->local++;
		n->news[n->count].at = now;
		n->news[n->count++].a = local;
		return;
	}
	n->sent++;
	if (p->len > n->highest)
		n->highest = p->len;
	if (net_roll(n, 1000) < n->forge)
		forged(n, now);
	if (net_roll(n, 1000) >= n->loss_there)
		travel(n, now, p);
}

static unsigned
first(const struct net *n)
{
	unsigned best = 0;

	for (unsigned i = 1; i < n->count; i++)
		if (n->news[i].at < n->news[best].at)
			best = i;
	return best;
}

uint64_t
net_next(const struct net *n)
{
	return n->count ? n->news[first(n)].at : UINT64_MAX;
}

struct sky_hop_answer
net_take(struct net *n)
{
	unsigned i = first(n);
	struct sky_hop_answer a = n->news[i].a;

	memmove(&n->news[i], &n->news[i + 1], (--n->count - i) * sizeof(n->news[0]));
	return a;
}
