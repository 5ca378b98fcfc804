/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracemtu.c - which sizes to send where.
 *
 * The search of sockeye/pmtu.h knows one far end, which answers or does not. Here
 * every hop can answer for the links before it, and each answer has a price: so
 * sizes are spread over the hops behind the limit, largest first, so that what a
 * bucket has left goes to the one that counts. What is shared is the tables.
 *
 * A limit is a size, the ceiling, that came to one place and not to the next. If
 * a router said so, one answer is proof. If not, it is proven when that size was
 * lost m times where a smaller one, sent later, was answered.
 */
#include "proto/tracebook.h"
#include "proto/pmtu.h"

#include <string.h>

#define ROUND 14	/* sizes at once */
#define USUAL 1280	/* of these most are tried first */
#define FLIGHT 10	/* hops at once */
#define KEEP 2		/* answers of the end that are kept for the proof */
#define TRIES 6		/* of one size in one place, at most */

/* --- what is known --- */

/* Probes known to fit, and how many of them were lost. */
uint32_t
sky_trace_chance(const struct trace *t, uint32_t *of)
{
	uint32_t lost = 0;

	*of = 0;
	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];
		uint32_t place = trace_place(t, b->ttl);

		if (!sky_trace_answers(t, place) || b->len > t->carry[place])
			continue;
		lost += b->is == TRACE_LOST;
		*of += b->is == TRACE_LOST || b->is == TRACE_CAME;
	}
	return lost;
}

uint32_t
sky_trace_need(const struct trace *t)
{
	uint32_t of, lost = sky_trace_chance(t, &of);

	if (!lost)
		return t->conf.confirm;
	return t->conf.confirm + (lost * 8 <= of ? 2 : 3);
}

/* One at a time, or nearly. */
static bool
serial(const struct trace *t)
{
	return t->alone || t->conf.flying < 5;
}

/* Something that fits and left right behind it was answered: by the same place;
 * or, if that was not asked, by another. If it was not, a bucket was empty, or the
 * path was down, and nothing is proven. */
static bool
has_control(const struct trace *t, uint32_t i, bool same)
{
	const struct trace_probe *b = &t->probe[i];
	uint32_t place = trace_place(t, b->ttl);
	bool other = false;

	for (uint32_t j = i + 1; j < t->probes; j++) {
		const struct trace_probe *c = &t->probe[j];

		if (c->sent > b->sent + t->conf.refill_ns / 4 + (serial(t) ? 8 : 1) * t->rtt)
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
	    b->len > t->carry[place] && has_control(t, i, false);
}

static uint32_t
proven_losses(const struct trace *t, uint32_t len, uint32_t from)
{
	uint32_t n = 0;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		n += t->probe[i].is == TRACE_LOST && t->probe[i].len == len &&
		    trace_place(t, t->probe[i].ttl) >= from && has_control(t, i, true);
	return n;
}

/* How many of this size were sent to this place. */
static uint32_t
sent(const struct trace *t, uint32_t len, uint32_t place)
{
	uint32_t n = 0;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		n += t->probe[i].len == len && t->probe[i].is != TRACE_UNSENT &&
		    trace_place(t, t->probe[i].ttl) == place;
	return n;
}

static bool
lost_at(const struct trace *t, uint32_t len, uint32_t place)
{
	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		if (t->probe[i].is == TRACE_LOST && t->probe[i].len >= len &&
		    trace_place(t, t->probe[i].ttl) == place)
			return true;
	return false;
}

static uint32_t
end_place(const struct trace *t)
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
static bool
may_answer(const struct trace *t, uint32_t place)
{
	if (sky_trace_answers(t, place))
		return true;
	return place < t->guess && !t->dist && place <= t->horizon && !sky_trace_settled(t, place);
}

static unsigned
next_hopeful(const struct trace *t, uint32_t after, uint32_t end)
{
	for (uint32_t p = after + 1; p < end && p <= t->horizon; p++)
		if (may_answer(t, p) && trace_place(t, p) == p)
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
	l->end = end_place(t);
	l->low = l->end ? t->carry[l->end] : 0;
	l->ceiling = t->top_mtu + 1;
	find_ceiling(t, l, &teller);
	if (!l->end)
		return;
	l->behind = l->end;
	if (l->refused) {
		l->before = sky_trace_teller_hop(t, teller);
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
		    proven_losses(t, l->ceiling, l->before + 1) >= sky_trace_need(t);
}

/* --- what a router told --- */

/* It refused what it had said would pass. */
static bool
liar(const struct trace *t, unsigned teller)
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
	uint32_t least = 0, beyond, hop = sky_trace_teller_hop(t, teller);
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
	if (*told >= least || liar(t, teller))
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

static unsigned
ttl_of(const struct trace *t, uint32_t place)
{
	return place == TRACE_END ? t->conf.far : place;
}

/* The smallest that was told, is credible and not yet tried, and the byte after
 * it. Sent as far as possible, whoever answers there. */
static bool
follow(struct trace *t)
{
	uint32_t hint = UINT32_MAX, refused = UINT32_MAX;
	uint32_t place = t->end_silent && !t->end_answers ? end_place(t) : TRACE_END;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_REFUSED)
			continue;
		refused = b->len < refused ? b->len : refused;
		if (b->told >= t->conf.floor && b->told < hint && !liar(t, b->by))
			hint = b->told;
	}
	if (hint >= refused || !place || hint <= t->carry[place] || sent(t, hint, place))
		return false;
	sky_trace_ask(t, ttl_of(t, place), hint, false);
	if (hint + 1 < refused && !sent(t, hint + 1, TRACE_END))
		sky_trace_ask(t, ttl_of(t, place), hint + 1, false);
	return true;
}

/* --- searching --- */

static bool
waits(const struct trace *t, const struct trace_limit *l)
{
	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		if (t->probe[i].is == TRACE_FLYING && !t->probe[i].hop &&
		    t->probe[i].len <= l->ceiling)
			return true;
	return false;
}

/* Known to answer, but not lately: its bucket is emptier than thought. When to
 * ask again; 0: now. */
static uint64_t
dry_until(const struct trace *t, uint32_t place)
{
	uint64_t last = 0;
	uint32_t lost = 0;

	for (uint32_t i = t->probes; i > 0; i--) {
		const struct trace_probe *b = &t->probe[i - 1];

		if (trace_place(t, b->ttl) != place || b->len > t->carry[place])
			continue;
		if (b->is == TRACE_CAME)
			break;
		if (b->is == TRACE_LOST && !lost++)
			last = b->sent;
	}
	return lost >= 2 && last + t->conf.refill_ns > t->now ? last + t->conf.refill_ns : 0;
}

static bool
dry(const struct trace *t, uint32_t place)
{
	return dry_until(t, place) != 0;
}

/* May it be asked now? If not, it will be. */
static bool
ready(struct trace *t, uint32_t place)
{
	uint64_t until = dry_until(t, place);

	if (!sky_trace_room(t, place))
		until = sky_trace_refill(t, place);
	if (until)
		sky_trace_wake(t, until);
	return !until;
}

static uint32_t
room(const struct trace *t, uint32_t place, const struct trace_limit *l)
{
	uint32_t n = sky_trace_room(t, place), keep = 0;

	if (!may_answer(t, place) || trace_place(t, place) != place)
		return 0;
	if (place != l->end && (dry(t, place) || t->hop[place].short_quote))
		return 0;
	if (place == l->end && l->behind < l->end)
		keep = KEEP;
	return n > keep ? n - keep : 0;
}

struct witness {
	uint32_t count, room;
	uint32_t place[64], left[64];
};

static void
add_witness(const struct trace *t, const struct trace_limit *l, struct witness *w, uint32_t place)
{
	uint32_t n = room(t, place, l);

	if (!n || w->count == 64)
		return;
	w->left[w->count] = n;
	w->place[w->count++] = place;
	w->room += n;
}

static void
find_witnesses(struct trace *t, const struct trace_limit *l, struct witness *w)
{
	memset(w, 0, sizeof(*w));
	for (uint32_t p = l->behind; p < l->end && p <= t->horizon; p++)
		add_witness(t, l, w, p);
	add_witness(t, l, w, l->end);
	if (!w->count)
		sky_trace_wake(t, sky_trace_refill(t, l->end));
}

static bool
told_nothing(const struct trace *t, const struct trace_limit *l)
{
	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		if (t->probe[i].is == TRACE_REFUSED && t->probe[i].len == l->ceiling)
			return !t->probe[i].told;
	return false;
}

/* Where a search often ends. */
static bool
likely(uint32_t size)
{
	return sky_pmtu_common(size + 1) == size;
}

/* Of those that are common: most of them near the ceiling, for that is where
 * tunnels are, and the others spread evenly. */
static uint32_t
choose_common(const struct trace *t, const struct trace_limit *l, uint32_t low, uint32_t n,
    uint32_t *out)
{
	bool old = l->refused && told_nothing(t, l);
	uint32_t (*table)(uint32_t) = old ? sky_mtu_plateau : sky_pmtu_common;
	uint32_t rung[64], rungs = 0, near = 0, count = 0;

	for (uint32_t s = table(l->ceiling); s > low && s >= t->conf.floor && rungs < 64; s = table(s)) {
		near += s > USUAL;
		rung[rungs++] = s;
	}
	if (n >= rungs)
		near = rungs;
	else if (near && rungs - near > 2 && n > 4)
		n -= 2;
	else
		near = rungs;
	n = n < near ? n : near;
	for (uint32_t i = 0; i < n; i++)
		out[count++] = n == near ? rung[i] : rung[(i + 1) * near / (n + 1)];
	if (near < rungs) {
		out[count++] = rung[near];
		out[count++] = rung[(near + rungs) / 2];
	}
	return count;
}

static uint32_t
add_size(uint32_t *size, uint32_t count, uint32_t s)
{
	uint32_t i = 0;

	while (i < count && size[i] > s)
		i++;
	if (i < count && size[i] == s)
		return count;
	memmove(&size[i + 1], &size[i], (count - i) * sizeof(*size));
	size[i] = s;
	return count + 1;
}

/* n of those between low and ceiling, largest first. */
static uint32_t
choose(const struct trace *t, const struct trace_limit *l, uint32_t low, uint32_t n, uint32_t *out)
{
	uint32_t count = choose_common(t, l, low, n, out), gap, from, more = 0;

	from = count ? out[0] : low;
	gap = l->ceiling - from;
	if (!count && likely(low))
		n = n / 2 + 1;
	if (!count || (low >= USUAL && count + 2 < n))
		more = n - count < gap - 1 ? n - count : gap - 1;
	for (uint32_t i = 1; i <= more; i++)
		count = add_size(out, count, from + (uint32_t)((uint64_t)i * gap / (more + 1)));
	if (likely(low) && sky_pmtu_common(l->ceiling) <= low)
		count = add_size(out, count, low + 1);
	return count;
}

/* Where a proof is cheapest: behind the limit, or where more is left. */
static uint32_t
best(const struct trace *t, const struct trace_limit *l, const struct witness *w)
{
	uint32_t k = 0;

	if (sky_trace_answers(t, l->behind) && !dry(t, l->behind) && sky_trace_room(t, l->behind) > 2)
		return l->behind;
	for (uint32_t i = 1; i < w->count; i++)
		if (w->left[i] > w->left[k])
			k = i;
	return w->place[k];
}

/* The byte after a likely size again, and that size where it counts: so that a
 * search that ends there needs no round more. Then something that is answered,
 * to compare with. */
static void
prove_early(struct trace *t, const struct trace_limit *l, uint32_t low, const struct witness *w)
{
	uint32_t at = best(t, l, w), n = sky_trace_need(t) - 1;
	bool early = likely(low) && sky_pmtu_common(l->ceiling) <= low && w->room > 4;

	if (early && !l->refused && w->room > 9)
		while (n--)
			sky_trace_ask(t, ttl_of(t, at), low + 1, false);
	if (early && t->carry[l->end] < low && sky_trace_room(t, l->end))
		sky_trace_ask(t, ttl_of(t, l->end), low, false);
	if (!l->refused && w->room > 4)
		sky_trace_ask(t, ttl_of(t, at), low, false);
}

/* A ceiling of one loss may be chance. */
static uint32_t
lost_of(const struct trace *t, uint32_t len)
{
	uint32_t n = 0;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		n += t->probe[i].is == TRACE_LOST && t->probe[i].len == len;
	return n;
}

/* How many sizes at once: each that fits costs an answer. */
static uint32_t
how_many(const struct trace *t, const struct trace_limit *l, uint32_t low, uint32_t room)
{
	uint32_t n = l->refused ? room : room * 3 / 4, limit = t->alone ? 1 : t->conf.flying;

	if (n > ROUND)
		n = ROUND;
	if (l->refused && n > ROUND / 2 - 1)
		n = ROUND / 2 - 1;
	if (sky_pmtu_common(l->ceiling) <= low && n > 1 + room / 2)
		n = 1 + room / 2;
	if (n > limit)
		n = limit;
	return n ? n : 1;
}

static void
search(struct trace *t, const struct trace_limit *l, uint32_t low)
{
	uint32_t size[ROUND + 4], n, at = 0;
	struct witness w;

	find_witnesses(t, l, &w);
	if (!w.count)
		return;
	n = choose(t, l, low, how_many(t, l, low, w.room), size);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = at++ % w.count;

		for (uint32_t j = 0; j < w.count && !w.left[k]; j++)
			k = at++ % w.count;
		w.left[k] -= w.left[k] > 0;
		sky_trace_ask(t, size[i] == low + 1 ? ttl_of(t, best(t, l, &w)) :
		    ttl_of(t, w.place[k]), size[i], false);
	}
	if (serial(t))
		return;
	if (n > 1 && !l->refused && lost_of(t, l->ceiling) < 2)
		sky_trace_ask(t, ttl_of(t, best(t, l, &w)), l->ceiling, false);
	prove_early(t, l, low, &w);
}

/* Can it tell whether the ceiling vanishes before it? */
static bool
can_locate(const struct trace *t, const struct trace_limit *l, uint32_t place)
{
	if (!sky_trace_settled(t, place))
		return true;
	return sky_trace_answers(t, place) && trace_place(t, place) == place &&
	    !t->hop[place].short_quote && !lost_at(t, l->ceiling, place);
}

/* The ceiling vanished on the way to the end: at which hop? All that can be are
 * asked, or some of many. */
static bool
locate(struct trace *t, const struct trace_limit *l)
{
	uint32_t until = l->before + 1, n = 0, step;

	if (l->behind == l->end || lost_at(t, l->ceiling, l->behind))
		return true;
	while (until < l->end && until <= t->horizon && !lost_at(t, l->ceiling, until))
		n += can_locate(t, l, until++);
	step = n > FLIGHT ? n / (FLIGHT - 1) : 1;
	n = 0;
	for (uint32_t p = l->before + 1; p < until; p++)
		if (can_locate(t, l, p) && n++ % step == 0)
			sky_trace_ask(t, p, l->ceiling, false);
	if (!t->queued)
		return true;
	if (sent(t, l->ceiling, l->end) < 2)
		sky_trace_ask(t, ttl_of(t, l->end), l->ceiling, false);
	return false;
}

/* low came to the place behind the limit, low + 1 seems not to: prove both, and
 * that low comes to the end. On a path that loses, one more loss is awaited
 * before the others are asked for. */
static void
prove(struct trace *t, const struct trace_limit *l, uint32_t low)
{
	uint32_t n = 0, have, of, need = sky_trace_need(t), at = l->end;
	struct witness w;

	if (!l->refused) {
		have = proven_losses(t, l->ceiling, l->before + 1);
		n = have < need ? need - have : 0;
		if (n > 1 && lost_of(t, l->ceiling) < 2 && sky_trace_chance(t, &of))
			n = 1;
	}
	if (l->refused && t->carry[l->end] >= low)
		n = 1;			/* is it still refused? */
	if (sent(t, low, l->end) + sent(t, l->ceiling, l->end) >= 3 * TRIES) {
		t->mtu_done = true;
		return;
	}
	find_witnesses(t, l, &w);
	if (n && w.count)
		at = best(t, l, &w);
	if ((at == l->end || t->carry[l->end] < low) && !ready(t, l->end))
		return;
	for (uint32_t i = 0; i < n; i++)
		sky_trace_ask(t, ttl_of(t, at), l->ceiling, false);
	if (n && at != l->end)
		sky_trace_ask(t, at, low, false);
	if ((n && at == l->end) || t->carry[l->end] < low)
		sky_trace_ask(t, ttl_of(t, l->end), low, false);
}

/* This place, or another one that can tell the same, if it has nothing left. */
static uint32_t
elsewhere(struct trace *t, const struct trace_limit *l, uint32_t place)
{
	struct witness w;

	if (sky_trace_room(t, place) && !dry(t, place))
		return place;
	find_witnesses(t, l, &w);
	return w.count ? best(t, l, &w) : place;
}

/* Something was lost and nothing was answered since that it could be compared
 * with: once more, with a small one behind it. */
static bool
unclear(struct trace *t, const struct trace_limit *l)
{
	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];
		uint32_t place = trace_place(t, b->ttl);

		if (b->is != TRACE_LOST || b->hop || b->len <= t->carry[place] ||
		    b->len >= l->ceiling || place < l->behind || place > l->end ||
		    !sky_trace_answers(t, place) || has_control(t, i, false))
			continue;
		if (sent(t, t->hop_len, place) >= 3 * TRIES)
			continue;
		if (b->len > t->carry[l->behind])
			place = elsewhere(t, l, place);
		if (!ready(t, place))
			return true;
		if (sent(t, b->len, place) < TRIES)
			sky_trace_ask(t, ttl_of(t, place), b->len, false);
		sky_trace_ask(t, ttl_of(t, place), t->hop_len, false);
		return true;
	}
	return false;
}

static void
whole(struct trace *t, const struct trace_limit *l)
{
	if (sent(t, t->top_mtu, l->end) >= TRIES) {
		t->mtu_done = true;
		return;
	}
	if (!ready(t, l->end))
		return;
	sky_trace_ask(t, ttl_of(t, l->end), t->top_mtu, false);
	sky_trace_ask(t, ttl_of(t, l->end), t->hop_len, false);
}

static void
next_step(struct trace *t, const struct trace_limit *l)
{
	uint32_t low = t->carry[l->behind], least = t->conf.len;

	if (least > t->conf.floor)
		least = t->conf.floor;
	if (low >= l->ceiling)		/* only what is after the last that answers */
		low = l->ceiling - 1;
	if (low < least)
		low = least - 1;	/* nothing shorter can be sent */
	if (l->ceiling <= least) {
		t->mtu_done = true;
		return;
	}
	if (unclear(t, l))
		return;
	if (l->ceiling > t->top_mtu)
		whole(t, l);
	else if (!l->refused && !locate(t, l))
		return;
	else if (low + 1 >= l->ceiling)
		prove(t, l, low);
	else
		search(t, l, low);
}

void
sky_trace_plan_mtu(struct trace *t)
{
	struct trace_limit l;
	bool tried = false;

	if (t->mtu_done || (t->alone && !t->hops_done))
		return;
	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		tried = tried || (!t->probe[i].hop && t->probe[i].is != TRACE_UNSENT);
	if (!tried) {
		sky_trace_ask(t, t->conf.far, t->top_mtu, false);
		return;
	}
	if (follow(t) || (serial(t) && !t->hops_done))
		return;
	sky_trace_limit(t, &l);
	if (!l.end || t->changes > TRACE_CHANGES) {
		t->mtu_done = t->hops_done;
		return;
	}
	if (waits(t, &l))
		return;
	if (l.certain)
		t->mtu_done = t->hops_done || l.end == TRACE_END;
	else
		next_step(t, &l);
}
