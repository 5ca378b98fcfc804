/* SPDX-License-Identifier: BSD-2-Clause */
/* near.c - see near.h. */
#include "proto/near.h"

#include "proto/hops.h"

#include <string.h>

enum {
	LEVELS = 8,
	SURE = 3,		/* agreements from which a wide prefix is believed */
	FIRM = 16,		/* from which it stands for those who were not asked */
	AGREE_MOST = 32,
};

/* Bits of prefix, the narrowest first. */
static const uint8_t bits4[LEVELS] = { 24, 22, 20, 18, 16, 12, 8, 0 };
static const uint8_t bits6[LEVELS] = { 48, 44, 40, 36, 32, 28, 24, 0 };

size_t
sky_near_size(uint32_t cells)
{
	return cells * sizeof(struct sky_near_cell);
}

void
sky_near_init(struct sky_near *n, void *memory, uint32_t cells, uint32_t ahead)
{
	n->cell = memory;
	n->mask = cells - 1;
	n->ahead = ahead;
	for (uint32_t i = 0; i < cells; i++)
		n->cell[i] = (struct sky_near_cell){ .node = SKY_HOPS_NONE };
}

static uint64_t
high_bits(const struct sky_addr *a)
{
	const uint8_t *p = a->u.in6.sin6_addr.s6_addr;
	uint64_t v = 0;

	if (sky_addr_family(a) != AF_INET6)
		return (uint64_t)ntohl(a->u.in.sin_addr.s_addr) << 32;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t
hash(const struct sky_addr *a, unsigned level, uint8_t ttl)
{
	bool v6 = sky_addr_family(a) == AF_INET6;
	unsigned bits = v6 ? bits6[level] : bits4[level];
	uint64_t x = bits ? high_bits(a) >> (64 - bits) : 0;

	x ^= (uint64_t)ttl << 56 | (uint64_t)level << 52 | (uint64_t)v6 << 51;
	x *= UINT64_C(0x9e3779b97f4a7c15);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 29;
}

/* The cell, or NULL if another prefix has its place. */
static struct sky_near_cell *
look(const struct sky_near *n, const struct sky_addr *a, unsigned level, uint8_t ttl)
{
	uint64_t x = hash(a, level, ttl);
	struct sky_near_cell *c = &n->cell[x & n->mask];

	return c->tag == (uint32_t)(x >> 32 | 1) ? c : NULL;
}

/* The same; takes the place if who has it is not in use. */
static struct sky_near_cell *
claim(const struct sky_near *n, const struct sky_addr *a, unsigned level, uint8_t ttl)
{
	uint64_t x = hash(a, level, ttl);
	struct sky_near_cell *c = &n->cell[x & n->mask];

	if (c->tag == (uint32_t)(x >> 32 | 1))
		return c;
	if (c->flight || c->agree) {
		if (c->agree)
			c->agree--;
		return NULL;
	}
	*c = (struct sky_near_cell){ .tag = (uint32_t)(x >> 32 | 1), .node = SKY_HOPS_NONE };
	return c;
}

static enum sky_near_say
go_ahead(struct sky_near *n, struct sky_near_cell *c, uint32_t *cell)
{
	*cell = SKY_NEAR_FREE;
	if (!c)
		return SKY_NEAR_GO;
	if (c->flight >= n->ahead)
		return SKY_NEAR_HOLD;
	c->flight++;
	*cell = (uint32_t)(c - n->cell);
	return SKY_NEAR_GO;
}

/* The narrowest prefix is believed at once, a wider one when its members agree or
 * those of one wider still do. Else those of the next narrower one go ahead in
 * their turn; where nothing is known at all, those of the widest do. */
enum sky_near_say
sky_near_ask(struct sky_near *n, const struct sky_addr *a, uint8_t ttl, uint32_t *node,
    uint32_t *cell)
{
	struct sky_near_cell *c;
	unsigned level, first = LEVELS;

	*node = SKY_HOPS_NONE;
	*cell = SKY_NEAR_FREE;
	for (level = 0; level < LEVELS; level++) {
		c = look(n, a, level, ttl);
		if (!c || c->node == SKY_HOPS_NONE)
			continue;
		if (first == LEVELS) {
			first = level;
			*node = c->node;
		}
		if (level && c->agree < SURE)
			continue;
		if (*node == SKY_HOPS_SILENT)
			return go_ahead(n, claim(n, a, 0, ttl), cell);
		return !first || c->agree >= FIRM ? SKY_NEAR_KNOWN : SKY_NEAR_LIKELY;
	}
	return go_ahead(n, claim(n, a, first ? first - 1 : 0, ttl), cell);
}

void
sky_near_back(struct sky_near *n, uint32_t cell)
{
	if (cell <= n->mask && n->cell[cell].flight)
		n->cell[cell].flight--;
}

void
sky_near_told(struct sky_near *n, const struct sky_addr *a, uint8_t ttl, uint32_t node)
{
	struct sky_near_cell *c;

	for (unsigned level = 0; level < LEVELS; level++) {
		c = claim(n, a, level, ttl);
		if (!c || (node == SKY_HOPS_SILENT && c->node < SKY_HOPS_SILENT))
			continue;	/* who answered once is not silent but busy */
		if (c->node != node)
			c->agree = 0;
		else if (c->agree < AGREE_MOST)
			c->agree++;
		c->node = node;
	}
}

uint32_t
sky_near_last(const struct sky_near *n, const struct sky_addr *a, uint8_t ttl)
{
	for (unsigned level = 0; level < LEVELS; level++) {
		const struct sky_near_cell *c = look(n, a, level, ttl);

		if (c && c->node != SKY_HOPS_NONE)
			return c->node;
	}
	return SKY_HOPS_NONE;
}
