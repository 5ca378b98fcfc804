/* SPDX-License-Identifier: BSD-2-Clause */
/* ledgersum.c - a ledger's room, and reading it; see ledger.h and book.h. */
#include "fate/book.h"

#include <errno.h>
#include <string.h>

static const struct book *
book_of(const struct sky_ledger *l)
{
	return (const struct book *)l->opaque;
}

/* Buckets of a hash table for so many: a power of two. */
static uint32_t
buckets(unsigned n)
{
	uint32_t size = 1;

	while (size < n && size < 1u << 31)
		size *= 2;
	return size;
}

size_t
sky_ledger_room(unsigned dests, unsigned rows, unsigned recent)
{
	size_t heads = 2 * (size_t)buckets(dests) + buckets(rows) + buckets(recent);

	return ((size_t)dests + 1) * sizeof(struct dest) + rows * sizeof(struct said) +
	    recent * sizeof(struct held) + SKY_WHATS * sizeof(uint64_t[SKY_EVIDENCES]) +
	    heads * sizeof(uint32_t);
}

/* Cuts the next n bytes off the room. */
static void *
cut(char **room, size_t n)
{
	char *piece = *room;

	*room += n;
	return piece;
}

int
sky_ledger_init(struct sky_ledger *l, void *room, size_t size,
    unsigned dests, unsigned rows, unsigned recent)
{
	struct book *b = (struct book *)l->opaque;
	char *at = room;

	if (size < sky_ledger_room(dests, rows, recent) || !room)
		return -EINVAL;
	memset(l, 0, sizeof *l);
	memset(room, 0, sky_ledger_room(dests, rows, recent));
	b->max_dests = dests;
	b->max_said = rows;
	b->max_held = recent;
	b->dest_mask = buckets(dests) - 1;
	b->said_mask = buckets(rows) - 1;
	b->held_mask = buckets(recent) - 1;
	/* What needs the wider alignment comes first. */
	b->dests = cut(&at, ((size_t)dests + 1) * sizeof *b->dests);
	b->said = cut(&at, rows * sizeof *b->said);
	b->held = cut(&at, recent * sizeof *b->held);
	b->lost_told = cut(&at, SKY_WHATS * sizeof *b->lost_told);
	b->dest_heads = cut(&at, buckets(dests) * sizeof(uint32_t));
	b->host_heads = cut(&at, buckets(dests) * sizeof(uint32_t));
	b->said_heads = cut(&at, buckets(rows) * sizeof(uint32_t));
	b->held_heads = cut(&at, buckets(recent) * sizeof(uint32_t));
	return 0;
}

uint64_t
sky_ledger_open(const struct sky_ledger *l)
{
	return book_of(l)->open;
}

uint64_t
sky_ledger_overflow(const struct sky_ledger *l)
{
	return book_of(l)->overflow;
}

unsigned
sky_ledger_dests(const struct sky_ledger *l)
{
	return book_of(l)->n_dests;
}

unsigned
sky_ledger_rows(const struct sky_ledger *l)
{
	return book_of(l)->n_said;
}

int
sky_ledger_dest(const struct sky_ledger *l, unsigned i, struct sky_ledger_dest *out)
{
	const struct book *b = book_of(l);

	if (i >= b->n_dests)
		return -ENOENT;
	*out = b->dests[i].sums;
	if (out->rtts)
		out->rtt_mean_ns = b->dests[i].rtt_sum_ns / out->rtts;
	return 0;
}

int
sky_ledger_row(const struct sky_ledger *l, unsigned i, struct sky_ledger_row *out)
{
	const struct book *b = book_of(l);

	if (i >= b->n_said)
		return -ENOENT;
	*out = b->said[i].row;
	return 0;
}

static void
add(struct sky_ledger_dest *sum, const struct sky_ledger_dest *d)
{
	sum->sent += d->sent;
	sum->received += d->received;
	for (unsigned i = 0; i < SKY_WHATS; i++) {
		sum->counts[i] += d->counts[i];
		sum->lost[i] += d->lost[i];
	}
	if (d->rtts && (sum->rtts == 0 || d->rtt_min_ns < sum->rtt_min_ns))
		sum->rtt_min_ns = d->rtt_min_ns;
	if (d->rtt_max_ns > sum->rtt_max_ns)
		sum->rtt_max_ns = d->rtt_max_ns;
	sum->rtts += d->rtts;
}

void
sky_ledger_total(const struct sky_ledger *l, struct sky_ledger_dest *out)
{
	const struct book *b = book_of(l);
	uint64_t rtt_sum_ns = 0;

	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < b->n_dests; i++) {
		add(out, &b->dests[i].sums);
		rtt_sum_ns += b->dests[i].rtt_sum_ns;
	}
	add(out, &b->dests[b->max_dests].sums);
	rtt_sum_ns += b->dests[b->max_dests].rtt_sum_ns;
	if (out->rtts)
		out->rtt_mean_ns = rtt_sum_ns / out->rtts;
}
