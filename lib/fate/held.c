/* SPDX-License-Identifier: BSD-2-Clause */
/* held.c - the datagrams that a ledger can tell apart; see book.h. */
#include "fate/book.h"

static uint32_t *
bucket(struct book *b, uint32_t dest, uint64_t seq)
{
	uint64_t h = (seq ^ (uint64_t)dest << 40) * 0x9e3779b97f4a7c15u;

	return &b->held_heads[(h >> 32) & b->held_mask];
}

static uint32_t
index_of(const struct book *b, const struct held *h)
{
	return (uint32_t)(h - b->held) + 1;
}

static struct list *
list_of(struct book *b, const struct held *h)
{
	return &b->dests[h->dest].lists[h->final];
}

static void
append(struct book *b, struct held *h)
{
	struct list *l = list_of(b, h);
	uint32_t i = index_of(b, h);

	h->prev = l->tail;
	h->next = 0;
	if (l->tail)
		b->held[l->tail - 1].next = i;
	else
		l->head = i;
	l->tail = i;
	l->length++;
}

static void
take_out(struct book *b, struct held *h)
{
	struct list *l = list_of(b, h);

	if (h->prev)
		b->held[h->prev - 1].next = h->next;
	else
		l->head = h->next;
	if (h->next)
		b->held[h->next - 1].prev = h->prev;
	else
		l->tail = h->prev;
	l->length--;
}

static void
chain(struct book *b, struct held *h)
{
	uint32_t *head = bucket(b, h->dest, h->seq);

	h->chain_prev = 0;
	h->chain_next = *head;
	if (*head)
		b->held[*head - 1].chain_prev = index_of(b, h);
	*head = index_of(b, h);
}

static void
unchain(struct book *b, struct held *h)
{
	if (h->chain_prev)
		b->held[h->chain_prev - 1].chain_next = h->chain_next;
	else
		*bucket(b, h->dest, h->seq) = h->chain_next;
	if (h->chain_next)
		b->held[h->chain_next - 1].chain_prev = h->chain_prev;
}

struct held *
sky_held_add(struct book *b, struct dest *d, enum sky_what what, uint64_t seq, uint64_t time_ns)
{
	struct held *h;

	if (b->max_held == 0 || d == sky_dest_rest(b))
		return NULL;
	h = &b->held[b->at];
	b->at = b->at + 1 < b->max_held ? b->at + 1 : 0;
	if (h->final != SKY_NOTHING) {
		take_out(b, h);
		unchain(b, h);
	}
	*h = (struct held){ .seq = seq, .time_ns = time_ns, .final = (uint8_t)what };
	h->dest = sky_dest_index(b, d);
	append(b, h);
	chain(b, h);
	return h;
}

struct held *
sky_held_find(struct book *b, const struct dest *d, uint64_t seq)
{
	uint32_t dest = sky_dest_index(b, d);
	uint32_t i = *bucket(b, dest, seq);

	while (i && (b->held[i - 1].seq != seq || b->held[i - 1].dest != dest))
		i = b->held[i - 1].chain_next;
	return i ? &b->held[i - 1] : NULL;
}

void
sky_held_move(struct book *b, struct held *h, enum sky_what to)
{
	sky_dest_recount(b, &b->dests[h->dest], h->final, to, 1);
	take_out(b, h);
	h->final = (uint8_t)to;
	append(b, h);
}

uint64_t
sky_held_move_oldest(struct book *b, struct dest *d, enum sky_what from, enum sky_what to,
    uint64_t n, bool loose, struct held **last)
{
	const struct list *l = &d->lists[from];
	uint64_t older = d->sums.counts[from] - l->length;
	uint64_t done = older < n ? older : n;

	sky_dest_recount(b, d, from, to, done);
	if (loose)
		return done;
	for (; done < n && l->head; done++) {
		*last = &b->held[l->head - 1];
		sky_held_move(b, *last, to);
	}
	return done;
}
