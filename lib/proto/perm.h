/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perm.h - the numbers below n in an order that a seed decides, one at a time.
 *
 * A keyed permutation of 0 .. n-1 without a table: any place can be asked for
 * by itself, and the place of any number. Who knows the seed can repeat the
 * order; neighbours are spread over all of it, so that no network is asked many
 * things in a row. A Feistel network over the smallest even number of bits,
 * walked along its cycles until the result is below n; fewer than four steps on
 * average. It spreads; it is no cipher. Pure.
 */
#ifndef SKY_PROTO_PERM_H
#define SKY_PROTO_PERM_H

#include <stdint.h>

#define SKY_PERM_MAX (UINT64_C(1) << 62)	/* the largest n */

struct sky_perm {
	uint64_t n;
	uint64_t key[4];
	uint64_t mask;		/* of half a number */
	unsigned half;		/* bits of it */
};

/* n from 1 to SKY_PERM_MAX. */
void sky_perm_init(struct sky_perm *p, uint64_t n, uint64_t seed);
/* What stands at a place below n; distinct for distinct places. */
uint64_t sky_perm_at(const struct sky_perm *p, uint64_t place);
/* The place where a number below n stands. */
uint64_t sky_perm_place(const struct sky_perm *p, uint64_t number);

/* Places of shard i of k are i, i + k, i + 2k, ...: how many of n there are. */
uint64_t sky_perm_share(uint64_t n, uint64_t i, uint64_t k);

#endif
