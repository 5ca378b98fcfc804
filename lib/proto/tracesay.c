/* SPDX-License-Identifier: BSD-2-Clause */
/* tracesay.c - what is known, for those who print it. */
#include "proto/tracebook.h"

#include <errno.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define QUEUE_LEAST 10000000	/* ns; less is the hosts' own doing */

static const struct trace *
inside(const struct sky_trace *t)
{
	return (const struct trace *)t->opaque;
}

/* The last TTL that has a line. */
static unsigned
last_line(const struct trace *t)
{
	return t->dist ? t->dist : t->horizon;
}

/* --- who limits --- */

/* The hop of a router that says "too big": by its address; else it is silent
 * otherwise, and the only silent one where it can be. 0: not known. */
static unsigned
hop_of_teller(const struct trace *t, unsigned teller)
{
	unsigned hop = t->teller_hop[teller], found = 0, below = 256;
	uint32_t len = UINT32_MAX;

	for (uint32_t i = 0; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_REFUSED || b->by != teller)
			continue;
		below = b->ttl < below ? b->ttl : below;
		len = b->len < len ? b->len : len;
	}
	if (hop || len == UINT32_MAX)
		return hop;
	for (unsigned ttl = t->conf.first; ttl < below && ttl < last_line(t); ttl++) {
		if (t->hop[ttl].addrs || t->carry[ttl + 1] >= len)
			continue;
		if (found)
			return 0;
		found = ttl;
	}
	return found;
}

static int
teller_at(const struct trace *t, unsigned ttl)
{
	for (unsigned i = 0; i < t->tellers; i++)
		if (hop_of_teller(t, i) == ttl)
			return (int)i;
	return -1;
}

/* --- one hop --- */

static void
say_tries(const struct trace *t, unsigned ttl, struct sky_trace_hop *out)
{
	for (uint32_t i = 0; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];
		struct sky_trace_try *o = &out->try[out->tries];

		if (b->is == TRACE_UNSENT || trace_place(t, b->ttl) != trace_place(t, ttl))
			continue;
		out->asked += b->is != TRACE_REFUSED && b->is != TRACE_FLYING &&
		    b->len <= t->carry[trace_place(t, ttl)];
		out->answered += b->is == TRACE_CAME;
		if (!b->hop || b->ttl != ttl || out->tries == SKY_TRACE_TRIES)
			continue;
		out->tries++;
		o->id = i + 1;
		o->lost = b->is == TRACE_LOST;
		if (b->is != TRACE_CAME)
			continue;
		o->rtt_ns = b->at - b->sent;
		o->by = b->by;
		o->what = b->what;
		o->type = b->type;
		o->code = b->code;
		o->ttl = b->reply_ttl;
	}
}

static enum sky_trace_state
state_of(const struct trace *t, unsigned ttl, const struct sky_trace_hop *h)
{
	if (h->addrs)
		return SKY_TRACE_ANSWERED;
	if (!h->tries)
		return SKY_TRACE_UNSENT;
	return t->done || sky_trace_settled(t, ttl) ? SKY_TRACE_SILENT : SKY_TRACE_ASKED;
}

/* One of several that left together, and fit. */
static bool
in_burst(const struct trace *t, const struct trace_probe *b, uint32_t place, uint64_t since)
{
	return trace_place(t, b->ttl) == place && b->len <= t->carry[place] &&
	    (b->is == TRACE_CAME || b->is == TRACE_LOST) &&
	    b->sent < since + t->conf.refill_ns / 2;
}

/* Each answer of a burst took longer than the one before it, much longer in the
 * end: they wait behind each other for a slow line, and others still do. */
struct queue {
	uint64_t first, last;		/* round trips */
	bool broken;
};

static void
queue_add(struct queue *q, uint64_t rtt)
{
	q->first = q->first ? q->first : rtt;
	q->broken |= rtt < q->last;
	q->last = rtt;
}

static bool
queue_grows(const struct queue *q)
{
	uint64_t most = q->first / 4 > QUEUE_LEAST ? q->first / 4 : QUEUE_LEAST;

	return !q->broken && q->last - q->first > most;
}

/* Of those that left together since probe[from] the first came and the others,
 * at least three, did not. Returns how many came, or 0. */
static uint32_t
ran_out(const struct trace *t, uint32_t place, uint32_t from, uint64_t *last)
{
	struct queue q = { 0, 0, false };
	uint32_t came = 0, lost = 0;

	for (uint32_t i = from; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (!in_burst(t, b, place, t->probe[from].sent))
			continue;
		if (b->is == TRACE_CAME && lost)
			return 0;
		if (b->is == TRACE_CAME)
			queue_add(&q, b->at - b->sent);
		came += b->is == TRACE_CAME;
		lost += b->is == TRACE_LOST;
		*last = b->sent;
	}
	return lost >= 3 && !queue_grows(&q) ? came : 0;
}

static void
say_limit(const struct trace *t, unsigned ttl, struct sky_trace_hop *out)
{
	uint32_t place = trace_place(t, ttl), i = 0;
	uint64_t last = 0;

	while (i < t->probes && trace_place(t, t->probe[i].ttl) != place)
		i++;
	if (i == t->probes)
		return;
	out->limit_burst = ran_out(t, place, i, &last);
	out->limited = out->limit_burst > 0;
	for (; out->limited && i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_CAME || b->sent <= last || trace_place(t, b->ttl) != place)
			continue;
		out->limit_ns = b->sent - last;
		return;
	}
}

/* The first hop asked was the end: it may be nearer. */
static bool
began_behind(const struct trace *t)
{
	return t->dist && t->dist == t->conf.first && t->conf.first > 1;
}

static void
say_back(const struct trace *t, struct sky_trace_hop *out)
{
	unsigned ttl = out->reply_ttl, start = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;

	if (!ttl)
		return;
	out->back = (uint8_t)(start - ttl + 1);
	out->asymmetric = out->back != out->ttl && !(out->ttl == t->dist && began_behind(t));
}

static void
say_mtu(const struct trace *t, unsigned ttl, struct sky_trace_hop *out)
{
	const struct trace_limit *l = &t->limit;
	int teller = teller_at(t, ttl);

	out->passed = t->carry[trace_place(t, ttl)];
	if (teller >= 0) {
		out->judged = (uint8_t)sky_trace_judge(t, (unsigned)teller, &out->told);
		out->teller = t->teller[teller];
		out->drop_from = out->passed;
		out->drop_to = out->judged == SKY_TRACE_TOLD_TRUE ? out->told
		    : t->carry[ttl + 1];
	}
	if (t->conf.no_mtu)
		return;
	if (!l->certain || l->refused || l->low >= t->top_mtu || l->before != ttl)
		return;
	out->hole = true;
	out->drop_from = out->passed;
	out->drop_to = l->low;
}

/* Somebody says "too big", and at which hop may still come out. */
static bool
unlocated(const struct trace *t)
{
	for (unsigned i = 0; i < t->tellers; i++)
		if (!t->teller_hop[i])
			return true;
	return false;
}

/* Nothing that is still to come can change the line: who is there and what the
 * link after it carries is known. */
static bool
is_final(const struct trace *t, unsigned ttl, const struct sky_trace_hop *h)
{
	const struct trace_limit *l = &t->limit;

	if (t->done)
		return true;
	if (!sky_trace_settled(t, ttl) || (ttl > t->top && !t->dist))
		return false;
	if (h->state == SKY_TRACE_SILENT && (!t->mtu_done || unlocated(t)))
		return false;		/* it may prove to be who says "too big" */
	if (t->mtu_done || trace_place(t, ttl) == TRACE_END)
		return t->mtu_done;
	if (h->judged != SKY_TRACE_TOLD_NOTHING && h->judged != SKY_TRACE_TOLD_TRUE)
		return false;
	if (!l->refused && l->ceiling <= t->top_mtu && l->before == ttl)
		return false;		/* a black hole is after it, it seems */
	return t->carry[ttl + 1] >= l->ceiling - 1;
}

int
sky_trace_hop(const struct sky_trace *handle, unsigned ttl, struct sky_trace_hop *out)
{
	const struct trace *t = inside(handle);
	const struct trace_hop *h;

	memset(out, 0, sizeof(*out));
	if (ttl < t->conf.first || ttl > last_line(t))
		return -ENOENT;
	h = &t->hop[ttl];
	out->ttl = (uint8_t)ttl;
	out->end = trace_place(t, ttl) == TRACE_END;
	out->addrs = h->addrs;
	memcpy(out->addr, h->addr, sizeof(out->addr));
	out->labels = h->labels;
	memcpy(out->label, h->label, sizeof(out->label));
	out->what = h->what;
	out->type = h->type;
	out->code = h->code;
	out->reply_ttl = h->reply_ttl;
	out->short_quote = h->short_quote;
	out->rewritten = h->rewritten;
	out->duplicates = h->duplicates;
	out->serial = h->serial;
	say_tries(t, ttl, out);
	out->state = (uint8_t)state_of(t, ttl, out);
	say_back(t, out);
	say_mtu(t, ttl, out);
	say_limit(t, ttl, out);
	out->final = is_final(t, ttl, out);
	return 0;
}

unsigned
sky_trace_next(struct sky_trace *handle)
{
	struct trace *t = (struct trace *)handle->opaque;
	struct sky_trace_hop h;

	if (t->next < t->conf.first || t->next > last_line(t))
		return 0;
	if (sky_trace_hop(handle, t->next, &h) < 0 || !h.final)
		return 0;
	return t->next++;
}

/* --- the path --- */

static void
say_who(const struct trace *t, const struct trace_limit *l, struct sky_trace_path *out)
{
	unsigned behind = l->behind == TRACE_END ? last_line(t) : l->behind;

	if (l->ceiling > t->top_mtu) {
		out->limit = SKY_TRACE_BY_DEVICE;
		return;
	}
	if (!l->refused) {
		out->limit = SKY_TRACE_BY_HOLE;
		out->set_by_hop = (uint8_t)l->before;
		out->set_by_last = (uint8_t)(behind > l->before ? behind - 1 : l->before);
		if (l->before && t->hop[l->before].addrs)
			out->set_by = t->hop[l->before].addr[0];
		return;
	}
	out->limit = SKY_TRACE_BY_ROUTER;
	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_REFUSED || b->len != l->ceiling)
			continue;
		out->set_by = t->teller[b->by];
		out->set_by_hop = out->set_by_last = (uint8_t)hop_of_teller(t, b->by);
	}
}

/* The largest that could come through: one loss or two rule nothing out. */
static uint32_t
most(const struct trace *t, const struct trace_limit *l)
{
	uint32_t n = t->top_mtu;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++)
		if (t->probe[i].is == TRACE_REFUSED && t->probe[i].len <= n)
			n = t->probe[i].len - 1;
	if (l->certain && l->low < n)
		n = l->low;
	return n > l->low ? n : l->low;
}

static void
say_path_mtu(const struct trace *t, struct sky_trace_path *out)
{
	const struct trace_limit *l = &t->limit;

	out->mtu_most = t->top_mtu;
	if (t->conf.no_mtu)
		return;
	if (!l->end || !l->low)
		return;
	out->mtu = l->low;
	out->mtu_most = most(t, l);
	out->mtu_hop = (uint8_t)(l->end == TRACE_END ? last_line(t) : l->end);
	out->certainty = l->end != TRACE_END ? SKY_TRACE_MTU_BOUNDED
	    : l->certain && t->changes <= TRACE_CHANGES ? SKY_TRACE_MTU_EXACT
	    : SKY_TRACE_MTU_AT_LEAST;
	if (l->certain || l->refused)
		say_who(t, l, out);
}

void
sky_trace_path(const struct sky_trace *handle, struct sky_trace_path *out)
{
	const struct trace *t = inside(handle);
	memset(out, 0, sizeof(*out));
	out->stop = t->done ? t->stop : SKY_TRACE_RUNNING;
	out->reached = t->reached;
	out->capped = t->capped;
	out->changed = t->changes || t->flips;
	out->type = t->type;
	out->code = t->code;
	out->err = t->err;
	out->by = t->by;
	out->first = t->conf.first;
	out->hops = (uint8_t)(last_line(t) >= t->conf.first ? last_line(t) - t->conf.first + 1 : 0);
	out->last = t->dist ? t->dist : t->top;
	out->distance = began_behind(t) ? 0 : t->dist;
	say_path_mtu(t, out);
	out->device_mtu = t->top_mtu;
	out->cached_mtu = t->conf.cached_mtu;
	out->packets = t->packets;
	out->answers = t->answers;
	out->bytes = t->bytes;
	out->rounds = t->rounds;
	out->began = t->began;
	out->ended = t->done ? t->ended : t->now;
	out->rtt_ns = t->rtt;
	out->forged = t->forged;
	out->shorts = t->shorts;
	out->duplicates = t->duplicates;
	out->late = t->late;
	out->lost = t->fit_lost;
	out->serial = t->serial;
}

/* --- words --- */

static const char *const stop_word[] = {
	"running", "reached", "unreachable", "gap", "max", "loop", "refuses", "cap", "local",
	"interrupted",
};
static const char *const certainty_word[] = { "none", "exact", "at least", "bounded" };
static const char *const limit_word[] = { "nobody", "device", "router", "black hole" };
static const char *const told_word[] = {
	"nothing", "true", "unchecked", "zero", "too large", "too small", "below the floor",
};

const char *
sky_trace_stop_word(enum sky_trace_stop s)
{
	return (unsigned)s < COUNT(stop_word) ? stop_word[s] : "?";
}

const char *
sky_trace_certainty_word(enum sky_trace_certainty c)
{
	return (unsigned)c < COUNT(certainty_word) ? certainty_word[c] : "?";
}

const char *
sky_trace_limit_word(enum sky_trace_limit l)
{
	return (unsigned)l < COUNT(limit_word) ? limit_word[l] : "?";
}

const char *
sky_trace_told_word(enum sky_trace_told w)
{
	return (unsigned)w < COUNT(told_word) ? told_word[w] : "?";
}
