/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracemtu.c - which sizes to send where.
 *
 * The search of sockeye/pmtu.h knows one far end, which answers or does not. Here
 * every hop can answer for the links before it, and each answer has a price: so
 * sizes are spread over the hops behind the limit, largest first, so that what a
 * bucket has left goes to the one that counts. What is shared is the tables.
 */
#include "proto/tracebook.h"
#include "proto/pmtu.h"

#include <string.h>

#define ROUND 14	/* sizes at once */
#define USUAL 1280	/* of these most are tried first */
#define FLIGHT 10	/* hops at once */
#define KEEP 2		/* answers of the end that are kept for the proof */
#define TRIES 6		/* of one size in one place, at most */

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
	uint32_t place = t->end_answers ? TRACE_END : t->far_is_hop ? t->conf.far :
	    t->end_silent ? sky_trace_end_place(t) : TRACE_END;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_REFUSED)
			continue;
		refused = b->len < refused ? b->len : refused;
		if (b->told >= t->conf.floor && b->told < hint && !sky_trace_liar(t, b->by))
			hint = b->told;
	}
	if (hint >= refused || !place || hint <= t->carry[place] || sky_trace_count(t, hint, place))
		return false;
	sky_trace_ask(t, ttl_of(t, place), hint, false);
	if (hint + 1 < refused && !sky_trace_count(t, hint + 1, place))
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

	if (!sky_trace_hopeful(t, place) || trace_place(t, place) != place)
		return 0;
	if (place != l->end && (dry(t, place) || t->hop[place].short_quote))
		return 0;
	if (place == l->end && l->behind < l->end && t->conf.burst > KEEP)
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

/* The byte after a size that is likely, or all that is left, again, and that size
 * where it counts: so that a search that ends there needs no round more. Then
 * something that is answered, to compare with. */
static void
prove_early(struct trace *t, const struct trace_limit *l, uint32_t low, uint32_t room, uint32_t at)
{
	uint32_t n = sky_trace_need(t) - 1;
	bool last = l->ceiling == low + 2;
	bool early = last || (likely(low) && sky_pmtu_common(l->ceiling) <= low);

	if (early && !l->refused && room > (last ? 4 : 6))
		while (n--)
			sky_trace_ask(t, ttl_of(t, at), low + 1, false);
	if (early && room > 4 && t->carry[l->end] < low &&
	    sky_trace_room(t, l->end) > (last && l->refused ? KEEP : 0))
		sky_trace_ask(t, ttl_of(t, l->end), low, false);
	if (!l->refused && room > 4)
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
	uint32_t size[ROUND + 4], n, at, next = 0;
	struct witness w;

	find_witnesses(t, l, &w);
	if (!w.count)
		return;
	at = l->refused && l->ceiling == low + 2 && sky_trace_room(t, l->end) ? l->end
	    : best(t, l, &w);
	n = choose(t, l, low, how_many(t, l, low, w.room), size);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = next++ % w.count;

		for (uint32_t j = 0; j < w.count && !w.left[k]; j++)
			k = next++ % w.count;
		w.left[k] -= w.left[k] > 0;
		sky_trace_ask(t, ttl_of(t, size[i] == low + 1 ? at : w.place[k]), size[i], false);
	}
	if (sky_trace_serial(t))
		return;
	if (n > 1 && !l->refused && lost_of(t, l->ceiling) < 2)
		sky_trace_ask(t, ttl_of(t, at), l->ceiling, false);
	prove_early(t, l, low, w.room, at);
}

/* Can it tell whether the ceiling vanishes before it? */
static bool
can_locate(const struct trace *t, const struct trace_limit *l, uint32_t place)
{
	if (!sky_trace_settled(t, place))
		return true;
	return sky_trace_answers(t, place) && trace_place(t, place) == place &&
	    !t->hop[place].short_quote && !sky_trace_lost_at(t, l->ceiling, place);
}

/* The ceiling vanished on the way to the end: at which hop? All that can be are
 * asked, or some of many. */
static bool
locate(struct trace *t, const struct trace_limit *l)
{
	uint32_t until = l->before + 1, n = 0, step;

	if (l->behind == l->end || sky_trace_lost_at(t, l->ceiling, l->behind))
		return true;
	while (until < l->end && until <= t->horizon && !sky_trace_lost_at(t, l->ceiling, until))
		n += can_locate(t, l, until++);
	step = n > FLIGHT ? n / (FLIGHT - 1) : 1;
	n = 0;
	for (uint32_t p = l->before + 1; p < until; p++)
		if (can_locate(t, l, p) && n++ % step == 0)
			sky_trace_ask(t, p, l->ceiling, false);
	if (!t->queued)
		return true;
	if (sky_trace_count(t, l->ceiling, l->end) < 2)
		sky_trace_ask(t, ttl_of(t, l->end), l->ceiling, false);
	return false;
}

/* low came to the place behind the limit, low + 1 seems not to: prove both, and
 * that low comes to the end. On a path that loses, one more loss is awaited
 * before the others are asked for. */
static void
prove(struct trace *t, const struct trace_limit *l, uint32_t low)
{
	uint32_t n = 0, have, need = sky_trace_need(t), at = l->end;
	struct witness w;

	if (!l->refused) {
		have = sky_trace_proven(t, l->ceiling, l->before + 1);
		n = have < need ? need - have : 0;
		if (n > 1 && lost_of(t, l->ceiling) < 2 && t->fit_lost)
			n = 1;
	}
	if (l->refused && t->carry[l->end] >= low)
		n = 1;			/* is it still refused? */
	if (sky_trace_count(t, low, l->end) + sky_trace_count(t, l->ceiling, l->end) >= 3 * TRIES) {
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
		    !sky_trace_answers(t, place) || sky_trace_control(t, i, false))
			continue;
		if (sky_trace_count(t, t->hop_len, place) >= 3 * TRIES)
			continue;
		if (b->len > t->carry[l->behind])
			place = elsewhere(t, l, place);
		if (!ready(t, place))
			return true;
		if (sky_trace_count(t, b->len, place) < TRIES)
			sky_trace_ask(t, ttl_of(t, place), b->len, false);
		sky_trace_ask(t, ttl_of(t, place), t->hop_len, false);
		return true;
	}
	return false;
}

/* Only the end can tell, and has few answers: that the ceiling was not lost by
 * chance is made sure before they are spent on a search. */
static void
again(struct trace *t, const struct trace_limit *l)
{
	if (!ready(t, l->end))
		return;
	sky_trace_ask(t, ttl_of(t, l->end), l->ceiling, false);
	sky_trace_ask(t, ttl_of(t, l->end), l->ceiling, false);
}

static void
whole(struct trace *t, const struct trace_limit *l)
{
	if (sky_trace_count(t, t->top_mtu, l->end) >= TRIES) {
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
	else if (!l->refused && l->behind == l->end &&
	    lost_of(t, l->ceiling) < sky_trace_need(t))
		again(t, l);
	else if (low + 1 >= l->ceiling)
		prove(t, l, low);
	else
		search(t, l, low);
}

void
sky_trace_plan_mtu(struct trace *t)
{
	struct trace_limit *l = &t->limit;
	bool tried = false;

	if (t->mtu_done || (t->alone && !t->hops_done))
		return;
	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		tried = tried || (!t->probe[i].hop && t->probe[i].is != TRACE_UNSENT);
	if (!tried) {
		sky_trace_ask(t, t->conf.far, t->top_mtu, false);
		return;
	}
	if (follow(t) || (sky_trace_serial(t) && !t->hops_done))
		return;
	sky_trace_limit(t, l);
	if (!l->end || t->changes > TRACE_CHANGES) {
		t->mtu_done = t->hops_done;
		return;
	}
	if (waits(t, l))
		return;
	if (l->certain)
		t->mtu_done = t->hops_done || l->end == TRACE_END;
	else
		next_step(t, l);
}
