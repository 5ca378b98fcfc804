/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * said.c - who said what about a destination, and which of it is news.
 *
 * One reporter that repeats itself means another datagram; two that say the
 * same mean one. So a row counts the largest of: what any one reporter told,
 * and the datagrams that were told apart.
 */
#include "fate/book.h"

static uint8_t
type_of(const struct sky_fate *f)
{
	return f->have & SKY_HAVE_ICMP ? f->icmp_type : 0;
}

static uint8_t
code_of(const struct sky_fate *f)
{
	return f->have & SKY_HAVE_ICMP ? f->icmp_code : 0;
}

/* This host tells its own doings in different ways: the send call by an errno,
 * the error queue as an ICMP error from one of its addresses. */
static bool
is_plain(enum sky_what what, const struct sky_fate *f)
{
	return sky_fate_class(what) == SKY_CLASS_LOCAL || f->origin == SKY_ORIGIN_LOCAL;
}

static bool
same(const struct said *s, uint32_t dest, enum sky_what what, const struct sky_fate *f)
{
	const struct sky_fate *last = &s->row.last;

	if (s->row.dest != dest || s->row.what != what)
		return false;
	if (is_plain(what, f) || is_plain(what, last))
		return is_plain(what, f) == is_plain(what, last);
	if ((last->have ^ f->have) & SKY_HAVE_BY)
		return false;
	if (f->have & SKY_HAVE_BY && !sky_addr_same_host(&last->by, &f->by))
		return false;
	return type_of(last) == type_of(f) && code_of(last) == code_of(f);
}

static uint32_t
hash(uint32_t dest, enum sky_what what, const struct sky_fate *f)
{
	uint64_t h = (uint64_t)dest << 8 | (uint64_t)what;
	struct sky_addr by = f->by;

	if (!is_plain(what, f)) {
		sky_addr_set_port(&by, 0);
		h = h << 16 | (uint64_t)type_of(f) << 8 | code_of(f);
		if (f->have & SKY_HAVE_BY)
			h ^= (uint64_t)sky_addr_hash(&by) << 24;
	}
	return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);
}

void
sky_said_keep(struct said *s, const struct sky_fate *f)
{
	s->row.last = *f;
	s->row.last.quote = s->row.last.ext = NULL;
	s->row.last.quote_len = s->row.last.ext_len = 0;
}

struct said *
sky_said_get(struct book *b, const struct dest *d, enum sky_what what, const struct sky_fate *f)
{
	uint32_t dest = sky_dest_index(b, d);
	uint32_t *head = &b->said_heads[hash(dest, what, f) & b->said_mask];
	uint32_t i = *head;
	struct said *s;

	if (dest == b->max_dests)
		return NULL;
	while (i && !same(&b->said[i - 1], dest, what, f))
		i = b->said[i - 1].chain_next;
	if (i == 0) {
		if (b->n_said == b->max_said)
			return NULL;
		s = &b->said[b->n_said++];
		s->row.dest = dest;
		s->row.what = (uint8_t)what;
		s->chain_next = *head;
		i = *head = b->n_said;
		sky_said_keep(s, f);
	}
	return &b->said[i - 1];
}

static uint64_t
raise(struct said *s, uint64_t to)
{
	uint64_t more = to > s->row.count ? to - s->row.count : 0;

	s->row.count += more;
	return more;
}

uint64_t
sky_said_more(struct said *s, enum sky_evidence e, uint64_t n)
{
	s->told[e] += n;
	return raise(s, s->told[e]);
}

uint64_t
sky_said_exact(struct said *s, enum sky_evidence e, bool fresh)
{
	if (fresh) {
		s->told[e]++;
		s->exact++;
		return raise(s, s->exact > s->told[e] ? s->exact : s->told[e]) > 0;
	}
	/* A reporter may repeat itself about one datagram; that is no event. */
	if (s->told[e] < s->row.count)
		s->told[e]++;
	return 0;
}
