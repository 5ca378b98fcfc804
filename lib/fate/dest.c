/* SPDX-License-Identifier: BSD-2-Clause */
/* dest.c - the destinations of a ledger; see book.h. */
#include "fate/book.h"

/* A host with a thousand ports must not make an error without a port slow. */
#define HOST_PROBES 16

static uint32_t
host_hash(const struct sky_addr *dst)
{
	struct sky_addr host = *dst;

	sky_addr_set_port(&host, 0);
	return sky_addr_hash(&host);
}

struct dest *
sky_dest_rest(struct book *b)
{
	return &b->dests[b->max_dests];
}

uint32_t
sky_dest_index(const struct book *b, const struct dest *d)
{
	return (uint32_t)(d - b->dests);
}

struct dest *
sky_dest_find(struct book *b, const struct sky_addr *dst)
{
	uint32_t i = b->dest_heads[sky_addr_hash(dst) & b->dest_mask];

	while (i && !sky_addr_equal(&b->dests[i - 1].sums.dst, dst))
		i = b->dests[i - 1].chain_next;
	return i ? &b->dests[i - 1] : NULL;
}

struct dest *
sky_dest_match(struct book *b, const struct sky_addr *dst)
{
	struct dest *found = sky_dest_find(b, dst), *d;
	uint32_t i;

	if (found || sky_addr_port(dst) != 0)
		return found;
	i = b->host_heads[host_hash(dst) & b->dest_mask];
	for (int probes = 0; i && probes < HOST_PROBES; i = d->host_next, probes++) {
		d = &b->dests[i - 1];
		if (!sky_addr_same_host(&d->sums.dst, dst))
			continue;
		if (d->sums.counts[SKY_SENT])
			return d;
		if (!found)
			found = d;
	}
	return found;
}

static struct dest *
make(struct book *b, const struct sky_addr *dst)
{
	uint32_t *head = &b->dest_heads[sky_addr_hash(dst) & b->dest_mask];
	uint32_t *host = &b->host_heads[host_hash(dst) & b->dest_mask];
	struct dest *d = &b->dests[b->n_dests++];

	d->sums.dst = *dst;
	d->chain_next = *head;
	d->host_next = *host;
	*head = *host = b->n_dests;
	return d;
}

struct dest *
sky_dest_get(struct book *b, const struct sky_addr *dst)
{
	struct dest *d = sky_dest_find(b, dst);

	if (d)
		return d;
	return b->n_dests < b->max_dests ? make(b, dst) : sky_dest_rest(b);
}

void
sky_dest_recount(struct book *b, struct dest *d, enum sky_what from, enum sky_what to, uint64_t n)
{
	d->sums.counts[from] -= n;
	d->sums.counts[to] += n;
	if (from == SKY_SENT)
		b->open -= n;
	if (to == SKY_SENT)
		b->open += n;
}
