/* SPDX-License-Identifier: BSD-2-Clause */
/* tracein.c - what became of the probes. */
#include "proto/tracebook.h"

#include <errno.h>
#include <string.h>

/* What is further away than all that answered is given so much at least. */
#define UNKNOWN_MORE UINT64_C(30000000)
#define FREE 64		/* answers at once of an end that gives them without limit */

/* --- buckets --- */

uint32_t
sky_trace_room(const struct trace *t, uint32_t place)
{
	uint64_t tat = t->hop[place].tat, n = 0;

	if (place == TRACE_END && t->conf.free_end)
		return FREE;
	if (tat > t->now)
		n = (tat - t->now + t->conf.refill_ns - 1) / t->conf.refill_ns;
	return n < t->conf.burst ? t->conf.burst - (uint32_t)n : 0;
}

uint64_t
sky_trace_refill(const struct trace *t, uint32_t place)
{
	uint64_t refill = t->conf.refill_ns, tat = t->hop[place].tat, left;

	left = tat > t->now ? (tat - t->now) % refill : 0;
	return t->now + (left ? left : refill);
}

void
sky_trace_take(struct trace *t, unsigned ttl, bool give_back)
{
	struct trace_hop *h = &t->hop[trace_place(t, ttl)];

	if (give_back) {
		h->tat -= h->tat > t->conf.refill_ns ? t->conf.refill_ns : h->tat;
		return;
	}
	if (h->tat < t->now)
		h->tat = t->now;
	h->tat += t->conf.refill_ns;
}

/* --- waiting --- */

/* Places further away than any that answered may be much further. */
static uint64_t
patience(const struct trace *t, uint32_t place)
{
	uint64_t least = t->conf.min_wait_ns, rtt = t->rtt_from[place], ns;

	if (!t->rtt)
		return t->conf.wait_ns;
	if (!rtt)
		return 2 * t->rtt + least > UNKNOWN_MORE ? 3 * t->rtt + least
		    : t->rtt + UNKNOWN_MORE;
	ns = rtt / 5 * 7;
	return ns > rtt + least ? ns : rtt + least;
}

uint64_t
sky_trace_due(const struct trace *t, const struct trace_probe *b)
{
	uint64_t ns = patience(t, trace_place(t, b->ttl));
	uint32_t before = 0;
	uint64_t due;

	for (const struct trace_probe *o = t->probe; b->hop && o < b; o++)
		before += o->is == TRACE_LOST && o->ttl == b->ttl && o->len == b->len &&
		    o->sent + ns / 2 < b->sent;	/* not its twin */
	ns <<= before < 2 ? 0 : before < 4 ? before - 1 : 3;
	ns = ns < t->conf.max_wait_ns ? ns : t->conf.max_wait_ns;
	due = b->sent + ns;
	if (due < t->last_at + t->conf.min_wait_ns)	/* others are still coming in */
		due = t->last_at + t->conf.min_wait_ns;
	return due < b->sent + 2 * ns ? due : b->sent + 2 * ns;
}

bool
sky_trace_expire(struct trace *t)
{
	bool news = false;

	for (uint32_t i = 0; i < t->probes; i++) {
		struct trace_probe *b = &t->probe[i];

		if (b->is != TRACE_FLYING || sky_trace_due(t, b) > t->now)
			continue;
		b->is = TRACE_LOST;
		news = true;
		if (b->len > t->carry[trace_place(t, b->ttl)])
			sky_trace_take(t, b->ttl, true);
		t->hop[b->ttl].serial = ++t->serial;
	}
	if (news)
		sky_trace_review(t);
	return news;
}

/* --- what is known --- */

static unsigned
teller_hop(const struct trace *t, unsigned teller)
{
	unsigned last = t->dist ? t->dist - 1u : SKY_HOP_MAX;

	for (unsigned ttl = 1; ttl <= last; ttl++)
		for (unsigned i = 0; i < t->hop[ttl].addrs; i++)
			if (sky_addr_same_host(&t->hop[ttl].addr[i], &t->teller[teller]))
				return ttl;
	return 0;
}

static void
carry(struct trace *t, uint32_t i)
{
	struct trace_probe *b = &t->probe[i];

	if (b->is == TRACE_REFUSED)
		b->reach = t->teller_hop[b->by];
	if (i + 1 >= t->epoch && (b->is == TRACE_REFUSED || b->is == TRACE_CAME) &&
	    b->len > t->carry[b->reach])
		t->carry[b->reach] = b->len;
}

static void
tally(struct trace *t, uint32_t i)
{
	const struct trace_probe *b = &t->probe[i];
	struct trace_hop *h = &t->hop[b->ttl];
	uint32_t place = trace_place(t, b->ttl);

	if (b->hop && b->is != TRACE_UNSENT) {
		h->sent++;
		h->flying += b->is == TRACE_FLYING;
		h->came += b->is == TRACE_CAME;
	}
	if (i + 1 < t->epoch || !sky_trace_answers(t, place) || b->len > t->carry[place])
		return;
	t->fit += b->is == TRACE_LOST || b->is == TRACE_CAME;
	t->fit_lost += b->is == TRACE_LOST;
}

void
sky_trace_review(struct trace *t)
{
	for (unsigned i = 0; i < t->tellers; i++)
		t->teller_hop[i] = (uint8_t)teller_hop(t, i);
	memset(t->carry, 0, sizeof(t->carry));
	for (uint32_t i = 0; i < t->probes; i++)
		carry(t, i);
	t->rtt_from[TRACE_END] = t->hop[TRACE_END].rtt;
	for (uint32_t i = TRACE_END; i > 0; i--) {
		if (t->carry[i] > t->carry[i - 1])
			t->carry[i - 1] = t->carry[i];
		t->rtt_from[i - 1] = t->rtt_from[i] > t->hop[i - 1].rtt ? t->rtt_from[i]
		    : t->hop[i - 1].rtt;
	}
	for (uint32_t i = 0; i <= TRACE_END; i++)
		t->hop[i].sent = t->hop[i].flying = t->hop[i].came = 0;
	t->fit = t->fit_lost = 0;
	for (uint32_t i = 0; i < t->probes; i++)
		tally(t, i);
	sky_trace_limit(t, &t->limit);
}

/* What came through contradicts what was refused: one of them is of an earlier
 * path, and so is everything before it. */
static void
doubt(struct trace *t)
{
	uint32_t from = t->epoch;

	for (uint32_t i = t->epoch - 1; i < t->probes; i++) {
		const struct trace_probe *b = &t->probe[i];

		for (uint32_t j = t->epoch - 1; j < t->probes && b->is == TRACE_REFUSED; j++) {
			const struct trace_probe *c = &t->probe[j];
			uint32_t older = i < j ? i : j;

			if (c->is == TRACE_CAME && c->len >= b->len &&
			    c->reach > (b->reach ? b->reach : TRACE_END - 1) && older + 2 > from)
				from = older + 2;
		}
	}
	if (from == t->epoch)
		return;
	t->epoch = from;
	t->changes++;
	sky_trace_review(t);
}

/* --- answers --- */

static unsigned
add_addr(struct trace_hop *h, const struct sky_addr *by)
{
	for (unsigned i = 0; i < h->addrs; i++)
		if (sky_addr_same_host(&h->addr[i], by))
			return i;
	if (h->addrs == SKY_TRACE_ADDRS)
		return SKY_TRACE_ADDRS - 1;
	h->addr[h->addrs] = *by;
	return h->addrs++;
}

static unsigned
add_teller(struct trace *t, const struct sky_addr *by)
{
	for (unsigned i = 0; i < t->tellers; i++)
		if (sky_addr_same_host(&t->teller[i], by))
			return i;
	if (t->tellers == TRACE_TELLERS)
		return TRACE_TELLERS - 1;
	t->teller[t->tellers] = *by;
	return t->tellers++;
}

static void
note_hop(struct trace *t, uint32_t i, struct trace_probe *b, const struct sky_hop_answer *a)
{
	struct trace_hop *h = &t->hop[i];
	uint64_t rtt = b->at - b->sent;

	b->by = (uint8_t)add_addr(h, &a->by);
	if (rtt > h->rtt)
		h->rtt = rtt;
	h->what = a->what;
	h->type = a->type;
	h->code = a->code;
	h->reply_ttl = a->ttl;
	h->short_quote = h->short_quote || !a->id;
	h->rewritten = h->rewritten || a->rewritten;
	if (a->labels) {
		h->labels = a->labels < SKY_HOP_LABELS ? a->labels : SKY_HOP_LABELS;
		memcpy(h->label, a->label, sizeof(h->label));
	}
	h->serial = ++t->serial;
}

/* The highest hop below the end that answered. */
void
sky_trace_find_top(struct trace *t)
{
	unsigned last = t->dist ? t->dist - 1u : t->horizon;

	t->top = 0;
	for (unsigned i = 1; i <= last; i++)
		if (t->hop[i].addrs)
			t->top = (uint8_t)i;
}

static void
flip(struct trace *t, unsigned dist, uint32_t id)
{
	struct trace_hop *end = &t->hop[TRACE_END];

	if (end->tat < t->now)
		end->tat = t->now;
	for (unsigned i = dist; dist && i <= t->horizon; i++) {
		end->tat += t->hop[i].tat > t->now ? t->hop[i].tat - t->now : 0;
		t->hop[i].tat = 0;	/* one bucket: that of the end */
	}
	t->dist = (uint8_t)dist;
	t->dist_id = id;
	sky_trace_find_top(t);
}

/* The last TTL that may be asked was answered by the end before it was known that
 * there is a hop for each below it. */
void
sky_trace_far_is_end(struct trace *t)
{
	if (t->dist || t->horizon != t->conf.far)
		return;
	for (uint32_t i = 0; i < t->probes; i++)
		if (t->probe[i].hop && t->probe[i].ttl == t->conf.far &&
		    t->probe[i].reach == TRACE_END) {
			flip(t, t->conf.far, i + 1);
			return;
		}
}

static void
exceeded(struct trace *t, struct trace_probe *b, const struct sky_hop_answer *a)
{
	uint32_t id = (uint32_t)(b - t->probe) + 1;

	b->reach = b->ttl;
	if (b->ttl == t->conf.far)
		t->far_is_hop = true;
	note_hop(t, b->ttl, b, a);
	if (t->dist && b->ttl >= t->dist && id > t->dist_id && t->flips < TRACE_CHANGES) {
		t->flips++;		/* the path is longer now */
		flip(t, 0, 0);
		t->hops_done = false;
	}
	if (b->ttl > t->top && b->ttl <= t->horizon && (!t->dist || b->ttl < t->dist)) {
		t->top = b->ttl;
		t->top_at = t->now;
	}
}

/* Most hosts begin with 64, 128 or 255. */
static void
guess_distance(struct trace *t, unsigned ttl)
{
	unsigned start = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;

	if (!ttl)
		return;
	t->guess = (uint8_t)(start - ttl + 1 > t->conf.max ? t->conf.max : start - ttl + 1);
}

static void
at_end(struct trace *t, struct trace_probe *b, const struct sky_hop_answer *a)
{
	bool host = a->what == SKY_HOP_REACHED || sky_addr_same_host(&a->by, &t->conf.dst);

	b->reach = TRACE_END;
	t->end_answers = true;
	note_hop(t, TRACE_END, b, a);
	if (b->ttl <= t->conf.max)
		note_hop(t, b->ttl, b, a);
	if (host) {
		t->reached = true;
		guess_distance(t, a->ttl);
	}
	if (host || !t->reached) {
		t->by = a->by;
		t->type = a->type;
		t->code = a->code;
	}
	if ((b->ttl == t->conf.far && !b->hop) || b->ttl > t->conf.max)
		return;
	if (b->ttl == t->conf.far && t->conf.far != t->horizon)
		return;
	if (t->dist && b->ttl >= t->dist)
		return;
	if (b->ttl <= t->top && t->flips++ >= TRACE_CHANGES)
		return;
	flip(t, b->ttl, (uint32_t)(b - t->probe) + 1);
}

static void
refused(struct trace *t, struct trace_probe *b, const struct sky_hop_answer *a)
{
	b->is = TRACE_REFUSED;
	b->told = a->mtu;
	b->by = (uint8_t)add_teller(t, &a->by);
	sky_trace_take(t, b->ttl, true);
	if (!b->hop)
		return;
	if (!t->conf.no_mtu && b->len > t->conf.floor) {
		t->hop_len = t->conf.floor;	/* ask again with less */
		b->hop = false;
		return;
	}
	b->is = TRACE_CAME;
	at_end(t, b, a);
	b->reach = 0;
	if (!t->reached && t->stop == SKY_TRACE_RUNNING)
		t->stop = SKY_TRACE_REFUSES;
}

static void
local(struct trace *t, struct trace_probe *b, const struct sky_hop_answer *a)
{
	bool large = a->err == EMSGSIZE && b->len > t->conf.len;

	b->is = TRACE_UNSENT;
	t->packets--;
	t->bytes -= b->len;
	t->retries++;
	sky_trace_take(t, b->ttl, true);
	if (large) {
		t->top_mtu = a->mtu && a->mtu < b->len ? a->mtu : b->len - 1;
		if (t->top_mtu < t->conf.len)
			t->top_mtu = t->conf.len;
	} else if (a->err == ENOBUFS || a->err == EAGAIN) {
		t->paused_until = t->now + t->conf.min_wait_ns;
	} else {
		t->err = a->err;
		sky_trace_end(t, SKY_TRACE_LOCAL);
	}
}

/* --- answers that do not say to what --- */

static bool
could_be(const struct trace *t, const struct trace_probe *b, const struct sky_hop_answer *a)
{
	if (b->is != TRACE_FLYING)
		return false;
	if (a->what == SKY_HOP_TOO_BIG)
		return b->len > t->hop_len && (a->mtu < b->len || a->mtu > t->top_mtu);
	if (a->what == SKY_HOP_EXCEEDED)
		return trace_place(t, b->ttl) != TRACE_END;
	return true;
}

/* Has this router answered for another TTL? Then it is likely a copy of that. */
static bool
known_elsewhere(const struct trace *t, const struct sky_hop_answer *a, unsigned ttl)
{
	for (unsigned i = 1; i <= t->horizon; i++)
		for (unsigned j = 0; i != ttl && j < t->hop[i].addrs; j++)
			if (sky_addr_same_host(&t->hop[i].addr[j], &a->by))
				return true;
	return false;
}

static struct trace_probe *
only_one(struct trace *t, const struct sky_hop_answer *a)
{
	struct trace_probe *found = NULL;

	for (uint32_t i = 0; i < t->probes; i++) {
		struct trace_probe *b = &t->probe[i];

		if (!could_be(t, b, a))
			continue;
		if (found)
			return NULL;
		found = b;
	}
	if (found && a->what == SKY_HOP_EXCEEDED && known_elsewhere(t, a, found->ttl))
		return NULL;
	return found;
}

static struct trace_probe *
find(struct trace *t, const struct sky_hop_answer *a)
{
	struct trace_probe *b;

	if (a->trust == SKY_TRUST_MISMATCH || a->id > t->probes ||
	    a->what == SKY_HOP_NOTHING || a->what > SKY_HOP_LOCAL) {
		t->forged++;
		return NULL;
	}
	if (a->id)
		return &t->probe[a->id - 1];
	t->shorts++;
	b = only_one(t, a);
	if (!b)
		t->alone = true;
	return b;
}

static void
take_in(struct trace *t, struct trace_probe *b, const struct sky_hop_answer *a)
{
	t->answers++;
	t->last_at = t->now;
	b->is = TRACE_CAME;
	b->what = a->what;
	b->type = a->type;
	b->code = a->code;
	b->reply_ttl = a->ttl;
	if (b->at - b->sent > t->rtt)
		t->rtt = b->at - b->sent;
	if (a->what == SKY_HOP_EXCEEDED)
		exceeded(t, b, a);
	else if (a->what == SKY_HOP_TOO_BIG)
		refused(t, b, a);
	else
		at_end(t, b, a);
	t->hop[b->ttl].serial = ++t->serial;
}

bool
sky_trace_answer(struct sky_trace *handle, uint64_t now, const struct sky_hop_answer *a)
{
	struct trace *t = (struct trace *)handle->opaque;
	struct trace_probe *b;

	if (now > t->now)
		t->now = now;
	if (t->done && a->what != SKY_HOP_LOCAL) {
		t->late++;
		return false;
	}
	b = find(t, a);
	if (!b)
		return false;
	if (b->is != TRACE_FLYING && b->is != TRACE_LOST) {
		t->duplicates++;
		t->hop[b->ttl].duplicates++;
		return false;
	}
	t->late += b->is == TRACE_LOST;
	b->at = a->at > b->sent ? a->at : t->now;
	if (b->at <= b->sent)
		b->at = b->sent + 1;
	if (a->what == SKY_HOP_LOCAL)
		local(t, b, a);
	else
		take_in(t, b, a);
	t->queued = t->queue_at = 0;
	t->news = true;
	sky_trace_review(t);
	doubt(t);
	return true;
}
