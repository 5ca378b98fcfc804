/* SPDX-License-Identifier: BSD-2-Clause */
/* inet.c - see inet.h. */
#include "inet.h"

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

enum { TELLS, MUTE, LIES_ZERO, LIES_LARGE };

static uint64_t
scramble(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static unsigned
dice(struct inet *n, unsigned sides)
{
	n->rng = scramble(n->rng);
	return (unsigned)((n->rng >> 33) % sides);
}

/* What is fixed about a thing, whenever it is asked. */
static unsigned
trait(const struct inet *n, uint64_t what, uint64_t which, unsigned sides)
{
	return (unsigned)(scramble(n->c.seed ^ scramble(what << 40 ^ which)) % sides);
}

static void
limit(struct inet *n, struct inet_router *r)
{
	unsigned d = dice(n, 1000);

	if (d < n->c.unlimited)
		return;
	r->burst = d < n->c.unlimited + n->c.fast ? 10 : 6;
	r->rate = d < n->c.unlimited + n->c.fast ? 100 : 1;
	r->tokens = r->burst;
}

/* One hop, perhaps of several routers side by side. Returns the first. */
static uint32_t
add_hop(struct inet *n, bool may_branch)
{
	uint32_t first = n->routers;
	uint8_t width = may_branch && dice(n, 1000) < n->c.branched ? 2 + dice(n, 3) : 1;
	bool silent = dice(n, 1000) < n->c.silent_routers;

	for (unsigned i = 0; i < width; i++) {
		struct inet_router *r = &n->router[n->routers];

		*r = (struct inet_router){ .addr = 0x64000000 + n->routers, .mtu = 1500,
		    .width = width, .silent = silent };
		limit(n, r);
		n->routers++;
	}
	return first;
}

static void
narrow(struct inet *n, uint32_t first)
{
	static const uint16_t sizes[] = { 1492, 1480, 1460, 1420, 1400, 1280, 1006 };
	unsigned d = dice(n, 1000);
	uint8_t manner;

	if (d >= n->c.small + n->c.holes + n->c.liars)
		return;
	manner = d < n->c.small ? TELLS : d < n->c.small + n->c.holes ? MUTE :
	    dice(n, 2) ? LIES_ZERO : LIES_LARGE;
	for (unsigned i = 0; i < n->router[first].width; i++) {
		n->router[first + i].mtu = sizes[d % 7];
		n->router[first + i].manner = manner;
	}
}

/* A way is a trunk of 3, a region's 2 to 4, a provider's 2 to 6, a /24's 1 or 2. */
struct branch {
	uint32_t hop[INET_HOPS];
	unsigned len;
};

static void
extend(struct inet *n, struct branch *to, const struct branch *from, unsigned hops, bool wide)
{
	*to = *from;
	for (unsigned i = 0; i < hops; i++)
		to->hop[to->len++] = add_hop(n, wide);
}

enum { PER_PROVIDER = 24, PER_REGION = 40 };

void
inet_make(struct inet *n, const struct inet_conf *c)
{
	struct branch trunk = { .len = 0 }, region = trunk, provider = trunk, end;

	memset(n, 0, sizeof(*n));
	n->c = *c;
	n->rng = c->seed;
	n->nets = (c->targets + INET_NEAR - 1) / INET_NEAR;
	n->router = calloc(n->nets * 4 + 1000, sizeof(*n->router));
	n->way = calloc(n->nets, sizeof(*n->way));
	n->len = calloc(n->nets, 1);
	n->crook = calloc(n->nets, 1);
	extend(n, &trunk, &trunk, 3, false);
	for (uint32_t i = 0; i < n->nets; i++) {
		if (i % (PER_PROVIDER * PER_REGION) == 0)
			extend(n, &region, &trunk, 2 + dice(n, 3), true);
		if (i % PER_PROVIDER == 0)
			extend(n, &provider, &region, 2 + dice(n, 5), true);
		extend(n, &end, &provider, 1 + dice(n, 2), false);
		narrow(n, end.hop[end.len - 1]);
		memcpy(n->way[i], end.hop, sizeof(end.hop));
		n->len[i] = (uint8_t)end.len;
		n->crook[i] = dice(n, 1000) < c->crooked ? 1 + (uint8_t)dice(n, 2) : 0;
	}
}

void
inet_free(struct inet *n)
{
	free(n->router);
	free(n->way);
	free(n->len);
	free(n->crook);
}

uint32_t
inet_host(const struct inet *n, uint32_t i)
{
	return 0x0b000000 + i / INET_NEAR * 256 + 1 + i % INET_NEAR * 9;
}

uint32_t
inet_number(const struct inet *n, uint32_t addr)
{
	return (addr - 0x0b000000) / 256 * INET_NEAR + (addr % 256 - 1) / 9;
}

static struct inet_router *
router_at(const struct inet *n, uint32_t i, unsigned hop)
{
	struct inet_router *r = &n->router[n->way[i / INET_NEAR][hop]];

	return r->width > 1 ? r + trait(n, 1, i, r->width) : r;
}

unsigned
inet_path(const struct inet *n, uint32_t i, uint32_t hop[INET_HOPS])
{
	unsigned len = n->len[i / INET_NEAR];

	for (unsigned k = 0; k < len; k++)
		hop[k] = router_at(n, i, k)->silent ? 0 : router_at(n, i, k)->addr;
	return len;
}

bool
inet_beside(const struct inet *n, uint32_t i, unsigned hop, uint32_t addr)
{
	const struct inet_router *r = &n->router[n->way[i / INET_NEAR][hop]];

	return hop < n->len[i / INET_NEAR] && addr >= r->addr && addr < r->addr + r->width;
}

bool
inet_branched(const struct inet *n, uint32_t i)
{
	for (unsigned k = 0; k < n->len[i / INET_NEAR]; k++)
		if (router_at(n, i, k)->width > 1)
			return true;
	return false;
}

static bool
filtered(const struct inet *n, uint32_t i)
{
	return trait(n, 2, i, 1000) < n->c.filtered;
}

bool
inet_answers(const struct inet *n, uint32_t i)
{
	return trait(n, 3, i, 1000) >= n->c.silent_hosts && !filtered(n, i);
}

unsigned
inet_mtu(const struct inet *n, uint32_t i, bool *hole, bool *liar)
{
	unsigned mtu = 1500;

	*hole = *liar = false;
	for (unsigned k = 0; k < n->len[i / INET_NEAR]; k++) {
		const struct inet_router *r = router_at(n, i, k);

		*hole |= r->mtu < 1500 && r->manner == MUTE;
		*liar |= r->mtu < 1500 && r->manner > MUTE;
		mtu = r->mtu < mtu ? r->mtu : mtu;
	}
	return mtu;
}

static bool
may_answer(struct inet_router *r, uint64_t now)
{
	r->asked++;
	if (!r->rate)
		return true;
	r->tokens += (double)(now - r->last) * r->rate / 1e9;
	r->last = now;
	if (r->tokens > r->burst)
		r->tokens = r->burst;
	if (r->tokens < 1) {
		r->refused++;
		return false;
	}
	r->tokens -= 1;
	return true;
}

static void
say(struct inet *n, uint32_t i, struct inet_answer *a, enum inet_what what, unsigned hop)
{
	static const uint8_t first[] = { 64, 64, 255, 128 };
	unsigned back = hop + (hop == n->len[i / INET_NEAR] ? n->crook[i / INET_NEAR] : 0);

	a->what = what;
	a->rtt = hop * 6 * MS + MS + dice(n, 3) * MS;
	a->ttl = (uint8_t)(first[trait(n, 4, i, 4)] - back);
}

static void
on_router(struct inet *n, uint64_t now, uint32_t i, unsigned hop, enum inet_what what,
    struct inet_answer *a)
{
	struct inet_router *r = router_at(n, i, hop);

	if (r->silent || !may_answer(r, now))
		return;
	say(n, i, a, what, hop);
	a->by = r->addr;
}

/* The router before the small link says so; these messages are not limited. */
static bool
stopped(struct inet *n, uint32_t i, unsigned hop, unsigned len, struct inet_answer *a)
{
	const struct inet_router *r = router_at(n, i, hop);

	if (len <= r->mtu)
		return false;
	if (r->manner == MUTE || hop == 0)
		return true;
	say(n, i, a, INET_TOO_BIG, hop - 1);
	a->by = router_at(n, i, hop - 1)->addr;
	a->mtu = r->manner == LIES_ZERO ? 0 : r->manner == LIES_LARGE ? 1500 : r->mtu;
	return true;
}

void
inet_probe(struct inet *n, uint64_t now, uint32_t i, unsigned ttl, unsigned len,
    struct inet_answer *a)
{
	unsigned hops = n->len[i / INET_NEAR], k;

	memset(a, 0, sizeof(*a));
	n->probes++;
	n->bytes += len;
	if (n->c.loss && dice(n, 1000) < 2 * n->c.loss)
		return;
	for (k = 0; k < hops && k + 1 < ttl; k++)
		if (stopped(n, i, k, len, a))
			return;
	if (ttl <= hops) {
		if (!stopped(n, i, ttl - 1, len, a))
			on_router(n, now, i, ttl - 1, INET_EXCEEDED, a);
	} else if (filtered(n, i)) {
		on_router(n, now, i, hops - 1, INET_FILTERED, a);
	} else if (inet_answers(n, i)) {
		say(n, i, a, INET_REACHED, hops);
		a->by = inet_host(n, i);
	}
}
