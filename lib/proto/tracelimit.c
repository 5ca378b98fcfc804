/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracelimit.c - what is known of the sizes that come through.
 *
 * A limit is a size, the ceiling, that came to one place and not to the next. If
 * a router said so, one answer is proof. If not, it is proven when that size was
 * lost m times where a smaller one, sent right behind it, was answered.
 */
#include "proto/tracebook.h"

#include <string.h>

uint32_t
sky_trace_need(const struct trace *t)
{
	if (!t->fit_lost)
		return t->conf.confirm;
	return t->conf.confirm + (t->fit_lost * 8 <= t->fit ? 2 : 3);
}

/* One at a time, or nearly. */
bool
sky_trace_serial(const struct trace *t)
{
	return t->alone || t->conf.flying < 5;
}

/* How much later "right behind" may be: no bucket fills in between. */
static uint64_t
behind(const struct trace *t, bool same)
{
	if (sky_trace_serial(t))
		return t->conf.refill_ns / 4 + 8 * t->rtt;
	return same ? t->conf.refill_ns / 16 : t->conf.refill_ns / 4 + t->rtt;
}

/* Something that fits and left right behind it was answered: by the same place;
 * or, if that was not asked, by another. If it was not, a bucket was empty, or the
 * path was down, and nothing is proven. */
bool
sky_trace_control(const struct trace *t, uint32_t i, bool same)
{
	const struct trace_probe *b = &t->probe[i];
	uint32_t place = trace_place(t, b->ttl);
	uint64_t until = b->sent + behind(t, same);
	bool other = false;

	for (uint32_t j = i + 1; j < t->probes; j++) {
		const struct trace_probe *c = &t->probe[j];

		if (c->sent > until)
			break;
		if (c->len >= b->len || c->len > t->carry[trace_place(t, c->ttl)])
			continue;
		if (trace_place(t, c->ttl) == place && c->is != TRACE_FLYING)
			return c->is == TRACE_CAME;
		if (c->is == TRACE_CAME && (c->reach >= place ||
		    (!c->hop && b->len > t->carry[trace_place(t, c->ttl)])))
			other = true;
	}
	return other && !same;
}

static bool
suspect(const struct trace *t, uint32_t i, uint32_t end)
{
	const struct trace_probe *b = &t->probe[i];
	uint32_t place = trace_place(t, b->ttl);

	return b->is == TRACE_LOST && place <= end && sky_trace_answers(t, place) &&
	    b->len > t->carry[place] && sky_trace_control(t, i, false);
}

uint32_t
sky_trace_proven(const struct trace *t, uint32_t len, uint32_t from)
{
	uint32_t n = 0;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		n += t->probe[i].is == TRACE_LOST && t->probe[i].len == len &&
		    trace_place(t, t->probe[i].ttl) >= from && sky_trace_control(t, i, true);
	return n;
}

/* How many of this size were sent to this place. */
uint32_t
sky_trace_count(const struct trace *t, uint32_t len, uint32_t place)
{
	uint32_t n = 0;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		n += t->probe[i].len == len && t->probe[i].is != TRACE_UNSENT &&
		    trace_place(t, t->probe[i].ttl) == place;
	return n;
}

bool
sky_trace_lost_at(const struct trace *t, uint32_t len, uint32_t place)
{
	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		if (t->probe[i].is == TRACE_LOST && t->probe[i].len >= len &&
		    trace_place(t, t->probe[i].ttl) == place)
			return true;
	return false;
}

uint32_t
sky_trace_end_place(const struct trace *t)
{
	if (t->end_answers)
		return TRACE_END;
	return t->end_silent || t->hops_done ? t->top : 0;
}

static unsigned
next_answering(const struct trace *t, uint32_t after, uint32_t end)
{
	for (uint32_t p = after + 1; p < end && p <= t->horizon; p++)
		if (sky_trace_answers(t, p) && trace_place(t, p) == p && !t->hop[p].short_quote)
			return p;
	return end;
}

/* Or it was asked just now, is on the way, and most routers do. */
bool
sky_trace_hopeful(const struct trace *t, uint32_t place)
{
	if (sky_trace_answers(t, place))
		return true;
	return place < t->guess && !t->dist && place <= t->horizon && !sky_trace_settled(t, place);
}

static unsigned
next_hopeful(const struct trace *t, uint32_t after, uint32_t end)
{
	for (uint32_t p = after + 1; p < end && p <= t->horizon; p++)
		if (sky_trace_hopeful(t, p) && trace_place(t, p) == p)
			return p;
	return end;
}

static void
find_ceiling(const struct trace *t, struct trace_limit *l, unsigned *teller)
{
	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];
		bool refused = b->is == TRACE_REFUSED;

		if (b->len > l->ceiling || (b->len == l->ceiling && (l->refused || !refused)))
			continue;
		if (!refused && (b->len <= l->low || !suspect(t, i, l->end)))
			continue;
		l->ceiling = b->len;
		l->refused = refused;
		*teller = b->by;
	}
	if (l->refused && l->low >= l->ceiling)
		l->low = l->ceiling - 1;	/* a router after the last that answers */
}

/* More came through than that router told: it errs, or the path has changed
 * since. Then the refusal must be no older than what came through. */
static bool
refused_since(const struct trace *t, const struct trace_limit *l)
{
	uint64_t passed = 0;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		if (t->probe[i].is == TRACE_CAME && t->probe[i].reach >= l->end &&
		    t->probe[i].len == l->low)
			passed = t->probe[i].sent;
	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is == TRACE_REFUSED && b->len == l->ceiling &&
		    (b->sent >= passed || (!t->changes &&
		    (b->told < t->conf.floor || b->told >= l->low))))
			return true;
	}
	return false;
}

void
sky_trace_limit(const struct trace *t, struct trace_limit *l)
{
	unsigned teller = 0;

	memset(l, 0, sizeof(*l));
	l->end = sky_trace_end_place(t);
	l->low = l->end ? t->carry[l->end] : 0;
	l->ceiling = t->top_mtu + 1;
	find_ceiling(t, l, &teller);
	if (!l->end)
		return;
	l->behind = l->end;
	if (l->refused) {
		l->before = t->teller_hop[teller];
		if (l->before && l->before < l->end)
			l->behind = next_hopeful(t, l->before, l->end);
	} else if (l->ceiling <= t->top_mtu) {
		while (l->before < l->end && t->carry[l->before + 1] >= l->ceiling)
			l->before++;
		l->behind = next_answering(t, l->before, l->end);
	}
	l->certain = l->low >= t->top_mtu;
	if (l->ceiling == l->low + 1 && l->ceiling <= t->top_mtu)
		l->certain = l->refused ? refused_since(t, l) :
		    sky_trace_proven(t, l->ceiling, l->before + 1) >= sky_trace_need(t);
}

/* --- what a router told --- */

/* It refused what it had said would pass. */
bool
sky_trace_liar(const struct trace *t, unsigned teller)
{
	uint32_t least = UINT32_MAX, told = 0;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_REFUSED || b->by != teller)
			continue;
		least = b->len < least ? b->len : least;
		told = b->told > told ? b->told : told;
	}
	return told >= least;
}

enum sky_trace_told
sky_trace_judge(const struct trace *t, unsigned teller, uint32_t *told)
{
	uint32_t least = 0, beyond, hop = t->teller_hop[teller];
	bool any = false;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_REFUSED || b->by != teller)
			continue;
		if (!any || b->len <= least) {
			least = b->len;
			*told = b->told;
		}
		any = true;
	}
	if (!any)
		return SKY_TRACE_TOLD_NOTHING;
	if (!*told)
		return SKY_TRACE_TOLD_ZERO;
	if (*told >= least || sky_trace_liar(t, teller))
		return SKY_TRACE_TOLD_LARGE;
	if (*told < t->conf.floor)
		return SKY_TRACE_TOLD_FLOOR;
	beyond = t->carry[hop ? hop + 1 : TRACE_END];
	if (beyond > *told)
		return SKY_TRACE_TOLD_SMALL;
	if (beyond == *told && least == *told + 1)
		return SKY_TRACE_TOLD_TRUE;
	return SKY_TRACE_TOLD_UNCHECKED;
}
