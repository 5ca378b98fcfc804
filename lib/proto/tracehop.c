/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracehop.c - which TTLs to ask, and when the path has ended.
 *
 * Two probes go to the far end at once; what the answer's TTL says about the
 * distance is a guess, so the hop before the end must have answered as a router
 * and the next as the end. Without such an answer a few TTLs are asked beyond the
 * last that answered: no more, because each TTL beyond the end costs one of the
 * errors that the destination has to give.
 */
#include "proto/tracebook.h"

/* The far end is not called silent sooner: it may be much further away than the
 * last router that answers. */
#define FAR_PATIENCE UINT64_C(200000000)
#define FEW 3

/* Is anybody there? Who answered another question is, too. */
static bool
came(const struct trace *t, unsigned ttl)
{
	const struct trace_hop *h = &t->hop[ttl];

	return h->came || (h->addrs && h->sent && !h->flying);
}

bool
sky_trace_answers(const struct trace *t, uint32_t place)
{
	return place == TRACE_END ? t->end_answers : t->hop[place].addrs > 0;
}

/* More are asked for once a loss by chance was seen. */
uint32_t
sky_trace_tries(const struct trace *t)
{
	uint32_t n = t->conf.tries + (t->fit_lost ? 2u : 0);

	return n > t->conf.probes ? n : t->conf.probes;
}

/* Far beyond the last that answers, where nobody answers, one is enough. */
static uint32_t
tries_at(const struct trace *t, unsigned ttl)
{
	bool beyond = t->end_silent && !t->end_answers && ttl > t->top + t->conf.ahead;

	return beyond ? t->conf.probes : sky_trace_tries(t);
}

bool
sky_trace_settled(const struct trace *t, unsigned ttl)
{
	const struct trace_hop *h = &t->hop[ttl];

	if (ttl < t->next)
		return true;		/* its line is out */
	if (!h->sent || h->flying)
		return false;
	return h->sent >= (came(t, ttl) ? t->conf.probes : tries_at(t, ttl));
}

/* --- what to ask --- */

/* The hops do not get further away: the end should have answered with them. */
static bool
flat(const struct trace *t)
{
	uint64_t least = UINT64_MAX;

	for (unsigned ttl = t->conf.first; ttl <= t->top; ttl++)
		if (t->hop[ttl].rtt && t->hop[ttl].rtt < least)
			least = t->hop[ttl].rtt;
	return t->top >= t->conf.first + 2 && t->rtt <= least / 2 * 3;
}

/* Once more as soon as TTLs beyond the first few are asked without knowing how
 * far it is: the answer spares the end what would be asked too far. */
static void
ask_far(struct trace *t)
{
	const struct trace_hop *h = &t->hop[t->conf.far];
	bool soon = h->sent == 1 && t->horizon >= t->conf.first + t->conf.ahead &&
	    flat(t);

	if (t->end_answers || t->far_is_hop || t->conf.far <= t->horizon || (h->flying && !soon))
		return;
	if (h->sent < sky_trace_tries(t))
		sky_trace_ask(t, t->conf.far, t->hop_len, true);
}

/* Round trips are asked for as long as the search for the MTU keeps its share. */
static void
ask_more(struct trace *t, unsigned ttl, uint32_t n)
{
	uint32_t place = trace_place(t, ttl), room = sky_trace_room(t, place);
	uint32_t keep = t->mtu_done ? 0 : place == TRACE_END ? 3 : 1;

	if (keep >= t->conf.burst)
		keep = t->conf.burst - 1u;
	if (room <= keep) {
		sky_trace_wake(t, sky_trace_refill(t, place));
		return;
	}
	while (n-- && room-- > keep)
		sky_trace_ask(t, ttl, t->hop_len, true);
}

/* Of a few silent hops each is asked twice at once: two losses by chance are not
 * so rare, and it takes no longer. */
static void
ask_again(struct trace *t, unsigned ttl)
{
	unsigned silent = 0;

	for (unsigned i = t->conf.first; i <= t->top; i++)
		silent += !came(t, i) && !t->hop[i].flying;
	sky_trace_ask(t, ttl, t->hop_len, true);
	if (ttl < t->top && silent <= FEW && t->hop[ttl].sent < SKY_TRACE_TRIES && !t->alone)
		sky_trace_ask(t, ttl, t->hop_len, true);
}

static void
ask_hop(struct trace *t, unsigned ttl)
{
	const struct trace_hop *h = &t->hop[ttl];

	if (ttl < t->next)
		return;			/* its line is out */
	if (!h->sent)
		sky_trace_ask(t, ttl, t->hop_len, true);
	else if (came(t, ttl) && h->sent < t->conf.probes)
		ask_more(t, ttl, t->conf.probes - h->sent);
	else if (!came(t, ttl) && !h->flying && h->sent < tries_at(t, ttl))
		ask_again(t, ttl);
}

/* Answers that do not say to what: when nothing flies, one hop is asked again. */
static void
ask_one(struct trace *t)
{
	unsigned before = t->queued;

	for (uint32_t i = 0; i < t->probes; i++)
		if (t->probe[i].is == TRACE_FLYING)
			return;
	for (unsigned ttl = t->conf.first; ttl <= t->horizon && t->queued == before; ttl++)
		ask_hop(t, ttl);
	if (t->queued > before)
		t->queued = before + 1;
}

/* --- how far --- */

static unsigned
times_seen(const struct trace *t, const struct sky_addr *a, unsigned *span)
{
	unsigned n = 0, first = 0;

	*span = 0;
	for (unsigned ttl = 1; ttl <= t->horizon; ttl++) {
		if (!t->hop[ttl].addrs || !sky_addr_same_host(&t->hop[ttl].addr[0], a))
			continue;
		if (!n++)
			first = ttl;
		*span = ttl - first;
	}
	return n;
}

static bool
loops(const struct trace *t)
{
	unsigned span;

	if (!t->top || t->dist)
		return false;
	return times_seen(t, &t->hop[t->top].addr[0], &span) >= 3 && span >= 4;
}

/* Every hop from..to was asked, and none answers or still may. */
static bool
all_silent(const struct trace *t, unsigned from, unsigned to)
{
	for (unsigned ttl = from; ttl <= to; ttl++) {
		const struct trace_hop *h = &t->hop[ttl];

		if (!h->sent || h->flying || came(t, ttl))
			return false;
	}
	return true;
}

static unsigned
base(const struct trace *t)
{
	return t->top >= t->conf.first ? t->top : t->conf.first - 1u;
}

/* The answer that tells the distance often comes together with the hops'. */
static bool
worth_waiting(struct trace *t)
{
	uint64_t until = t->top_at + t->hop[t->top].rtt / 4;

	if (!t->top || t->end_answers || t->now >= until)
		return false;
	sky_trace_wake(t, until);
	return true;
}

/* Behind the last that answers there is silence. If the end does answer, what is
 * asked too far costs its errors: few at a time, and not before all was tried. */
static unsigned
silent_to(struct trace *t, unsigned from, unsigned want)
{
	unsigned last = from + t->conf.gap;

	if (!t->end_answers) {
		t->end_silent = true;
		return last > want ? last : want;
	}
	for (unsigned ttl = from + 1; ttl <= t->horizon; ttl++)
		if (!sky_trace_settled(t, ttl))
			return want;
	if (t->guess > from)
		last = t->guess + t->conf.gap;
	return t->horizon + t->conf.ahead < last ? t->horizon + t->conf.ahead : last;
}

static void
grow(struct trace *t)
{
	unsigned from = base(t), want = from + t->conf.ahead;

	if (t->dist) {
		t->horizon = t->dist;
		return;
	}
	if (loops(t))
		return;
	if (t->guess)
		want = t->guess > t->top ? t->guess : t->top + t->conf.ahead;
	if (t->horizon > from && all_silent(t, from + 1, t->horizon)) {
		want = silent_to(t, from, want);
	} else if (!t->guess && want > t->horizon && t->horizon && worth_waiting(t)) {
		return;
	}
	if (want > t->conf.max)
		want = t->conf.max;
	if (want <= t->horizon)
		return;
	t->horizon = (uint8_t)want;
	sky_trace_find_top(t);		/* `far` may have been one of them */
	sky_trace_far_is_end(t);
}

/* --- the end --- */

static bool
all_settled(const struct trace *t)
{
	for (unsigned ttl = t->conf.first; ttl <= t->horizon; ttl++)
		if (!sky_trace_settled(t, ttl))
			return false;
	return true;
}

static void
over(struct trace *t, enum sky_trace_stop why)
{
	t->hops_done = true;
	t->alone = false;		/* until it happens again */
	if (t->stop == SKY_TRACE_RUNNING)
		t->stop = (uint8_t)why;
}

/* Is the far end silent, or only slow? */
static bool
far_silent(struct trace *t)
{
	uint64_t ns = 4 * t->rtt > FAR_PATIENCE ? 4 * t->rtt : FAR_PATIENCE;
	uint64_t until = t->far_sent + (ns < t->conf.max_wait_ns ? ns : t->conf.max_wait_ns);

	if (t->end_answers || t->far_is_hop)
		return true;
	t->end_silent = true;
	if (t->now < until)
		sky_trace_wake(t, until);
	return t->now >= until;
}

static void
conclude(struct trace *t)
{
	enum sky_trace_stop why = SKY_TRACE_GAP;

	if (t->dist) {
		over(t, t->reached ? SKY_TRACE_REACHED : SKY_TRACE_UNREACHABLE);
		return;
	}
	if (loops(t))
		why = SKY_TRACE_LOOP;
	else if (t->horizon < t->conf.max && t->horizon < base(t) + t->conf.gap)
		return;			/* not asked yet: worth_waiting */
	else if (t->horizon < base(t) + t->conf.gap)
		why = SKY_TRACE_MAX;
	else if (t->end_answers)
		why = t->reached ? SKY_TRACE_REACHED : SKY_TRACE_UNREACHABLE;
	if (far_silent(t))
		over(t, why);
}

void
sky_trace_plan_hops(struct trace *t)
{
	unsigned before = t->queued;

	if (t->hops_done)
		return;
	grow(t);
	if (!t->dist || !t->end_answers)
		ask_far(t);
	for (unsigned ttl = t->conf.first; ttl <= t->horizon; ttl++)
		if (!t->alone || !t->hop[ttl].sent)
			ask_hop(t, ttl);
	if (t->alone && t->queued == before)
		ask_one(t);
	if (t->queued == before && all_settled(t))
		conclude(t);
}
