/* SPDX-License-Identifier: BSD-2-Clause */
/* perm.c - see perm.h. */
#include "proto/perm.h"

enum { ROUNDS = 4 };

/* The finaliser of splitmix64: every bit of x moves about half of the others. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void
sky_perm_init(struct sky_perm *p, uint64_t n, uint64_t seed)
{
	unsigned bits = 2;

	while (bits < 62 && n > UINT64_C(1) << bits)
		bits += 2;
	p->n = n;
	p->half = bits / 2;
	p->mask = (UINT64_C(1) << p->half) - 1;
	for (int i = 0; i < ROUNDS; i++)
		p->key[i] = mix(seed + (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t
forth(const struct sky_perm *p, uint64_t x)
{
	uint64_t left = x >> p->half, right = x & p->mask, was;

	for (int i = 0; i < ROUNDS; i++) {
		was = right;
		right = left ^ (mix(right ^ p->key[i]) & p->mask);
		left = was;
	}
	return left << p->half | right;
}

static uint64_t
back(const struct sky_perm *p, uint64_t x)
{
	uint64_t left = x >> p->half, right = x & p->mask, was;

	for (int i = ROUNDS; i-- > 0; ) {
		was = left;
		left = right ^ (mix(left ^ p->key[i]) & p->mask);
		right = was;
	}
	return left << p->half | right;
}

/* Ends: a cycle that is entered from below n comes back below n. */
uint64_t
sky_perm_at(const struct sky_perm *p, uint64_t place)
{
	do
		place = forth(p, place);
	while (place >= p->n);
	return place;
}

uint64_t
sky_perm_place(const struct sky_perm *p, uint64_t number)
{
	do
		number = back(p, number);
	while (number >= p->n);
	return number;
}

uint64_t
sky_perm_share(uint64_t n, uint64_t i, uint64_t k)
{
	return i < n ? (n - i - 1) / k + 1 : 0;
}
