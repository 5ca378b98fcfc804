/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hist.c - times counted in bounded memory; see hist.h.
 */
#include "proto/hist.h"

#define SUB_BITS 6
#define SUB (1u << SUB_BITS)
#define FAR INT64_C(10000000000)	/* clocks that differ by this do differ */

static unsigned
step_of(uint64_t v)
{
	unsigned top, step;

	if (v < SUB)
		return (unsigned)v;
	top = 63 - (unsigned)__builtin_clzll(v);
	step = (top - SUB_BITS + 1) * SUB + (unsigned)((v >> (top - SUB_BITS)) & (SUB - 1));
	return step < SKY_HIST_STEPS ? step : SKY_HIST_STEPS - 1;
}

/* The middle of a step. */
static int64_t
value_of(unsigned step)
{
	unsigned shift;
	uint64_t low;

	if (step < 2 * SUB)
		return step;
	shift = step / SUB - 1;
	low = (uint64_t)(SUB + step % SUB) << shift;
	return (int64_t)(low + (UINT64_C(1) << shift) / 2);
}

void
sky_hist_add(struct sky_hist *h, int64_t ns)
{
	uint64_t away;
	uint32_t *row;

	if (!h->n)
		h->base = ns > -FAR && ns < FAR ? 0 : ns;
	if (!h->n || ns < h->min)
		h->min = ns;
	if (!h->n || ns > h->max)
		h->max = ns;
	h->n++;
	row = ns < h->base ? h->below : h->above;
	away = ns < h->base ? (uint64_t)h->base - (uint64_t)ns : (uint64_t)ns - (uint64_t)h->base;
	row[step_of(away)]++;
}

static int64_t
within(const struct sky_hist *h, int64_t away)
{
	int64_t ns = (int64_t)((uint64_t)h->base + (uint64_t)away);

	return ns < h->min ? h->min : ns > h->max ? h->max : ns;
}

int64_t
sky_hist_quantile(const struct sky_hist *h, unsigned part, unsigned whole)
{
	uint64_t rank = h->n / whole * part + (h->n % whole * part + whole - 1) / whole;
	uint64_t seen = 0;
	unsigned i;

	if (!h->n)
		return 0;
	for (i = SKY_HIST_STEPS; i-- > 0; ) {
		seen += h->below[i];
		if (h->below[i] && seen >= rank)
			return within(h, -value_of(i));
	}
	for (i = 0; i < SKY_HIST_STEPS; i++) {
		seen += h->above[i];
		if (h->above[i] && seen >= rank)
			return within(h, value_of(i));
	}
	return h->max;
}
