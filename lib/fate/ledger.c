/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger.c - what was sent and what became of it; see ledger.h and book.h. */
#include "fate/book.h"

#include <errno.h>

static struct book *
book_of(struct sky_ledger *l)
{
	return (struct book *)l->opaque;
}

/* Counts n as sent and open. Returns where, the rest if there is no room. */
static struct dest *
post(struct book *b, const struct sky_addr *dst, uint64_t n)
{
	struct dest *d = sky_dest_get(b, dst);

	d->sums.sent += n;
	d->sums.counts[SKY_SENT] += n;
	b->open += n;
	return d;
}

static int
room_for(struct book *b, const struct dest *d, uint64_t n)
{
	if (d != sky_dest_rest(b))
		return 0;
	b->overflow += n;
	return -ENOSPC;
}

int
sky_ledger_sent_many(struct sky_ledger *l, const struct sky_addr *dst,
    uint64_t seq, uint64_t n, uint64_t time_ns)
{
	struct book *b = book_of(l);
	struct dest *d = post(b, dst, n);
	uint64_t i = n > b->max_held ? n - b->max_held : 0;

	for (; i < n; i++)
		sky_held_add(b, d, SKY_SENT, seq + i, time_ns);
	return room_for(b, d, n);
}

int
sky_ledger_sent(struct sky_ledger *l, const struct sky_addr *dst, uint64_t seq, uint64_t time_ns)
{
	return sky_ledger_sent_many(l, dst, seq, 1, time_ns);
}

int
sky_ledger_heard(struct sky_ledger *l, const struct sky_addr *src, uint64_t n)
{
	struct book *b = book_of(l);
	struct dest *d = sky_dest_get(b, src);

	d->sums.received += n;
	return room_for(b, d, n);
}

static enum sky_evidence
evidence_of(const struct sky_fate *f)
{
	return f->evidence < SKY_EVIDENCES ? f->evidence : SKY_BY_NOBODY;
}

/* f is about one datagram, and says which. */
static bool
names_one(const struct sky_fate *f)
{
	return f->have & SKY_HAVE_SEQ && f->count <= 1;
}

/* Fills in what the ledger knows of the datagram that f is about. */
static void
tell_apart(struct sky_fate *f, const struct held *h)
{
	if (!(f->have & SKY_HAVE_SEQ))
		f->seq = h->seq;
	f->have |= SKY_HAVE_SEQ;
	if (f->what != SKY_ANSWERED || f->have & SKY_HAVE_RTT)
		return;
	if (f->have & SKY_HAVE_TIME && f->time_ns >= h->time_ns) {
		f->rtt_ns = f->time_ns - h->time_ns;
		f->have |= SKY_HAVE_RTT;
	}
}

static void
measure(struct dest *d, const struct sky_fate *f)
{
	struct sky_ledger_dest *s = &d->sums;

	if (f->what != SKY_ANSWERED || !(f->have & SKY_HAVE_RTT))
		return;
	if (s->rtts == 0 || f->rtt_ns < s->rtt_min_ns)
		s->rtt_min_ns = f->rtt_ns;
	if (f->rtt_ns > s->rtt_max_ns)
		s->rtt_max_ns = f->rtt_ns;
	s->rtts++;
	d->rtt_sum_ns += f->rtt_ns;
}

/* News about one datagram that is held. */
static void
settle_one(struct book *b, struct held *h, struct sky_fate *f)
{
	struct dest *d = &b->dests[h->dest];

	tell_apart(f, h);
	if (sky_fate_beats(f->what, h->final)) {
		d->sums.counts[SKY_LATE] += h->final == SKY_SILENT;
		sky_held_move(b, h, f->what);
		measure(d, f);
	} else if (f->what == SKY_ANSWERED) {
		d->sums.counts[SKY_DUPLICATED]++;
	}
}

/* A first reply although every datagram has a verdict: one was wrong. */
static uint64_t
overrule(struct book *b, struct dest *d, bool loose, struct held **last)
{
	for (unsigned from = SKY_SILENT + 1; from < SKY_WHATS; from++)
		if (sky_fate_class(from) != SKY_CLASS_NOTE && d->sums.counts[from] &&
		    sky_held_move_oldest(b, d, from, SKY_ANSWERED, 1, loose, last))
			return 1;
	return 0;
}

/* News about n datagrams of d, nobody knows which; loose if f has a seq that is
 * not held any more, so that none of the held ones can be meant. */
static void
settle_oldest(struct book *b, struct dest *d, struct sky_fate *f, uint64_t n)
{
	static const uint8_t order[] = {
		SKY_SENT, SKY_SILENT, SKY_QUENCHED, SKY_REASSEMBLY_TIMEOUT,
	};
	bool loose = names_one(f);
	bool first = f->what == SKY_ANSWERED && d->sums.counts[SKY_ANSWERED] == 0;
	struct held *last = NULL;
	uint64_t left = n;

	for (size_t i = 0; i < sizeof order && left; i++) {
		uint64_t done = 0;

		if (sky_fate_beats(f->what, order[i]))
			done = sky_held_move_oldest(b, d, order[i], f->what, left, loose, &last);
		d->sums.counts[SKY_LATE] += order[i] == SKY_SILENT ? done : 0;
		left -= done;
	}
	if (left == n && first)
		left -= overrule(b, d, loose, &last);
	if (last && f->count <= 1)
		tell_apart(f, last);
	if (left < n)
		measure(d, f);
	d->sums.counts[f->what == SKY_ANSWERED ? SKY_DUPLICATED : SKY_STRAY] += left;
}

static void
apply(struct book *b, struct dest *d, struct held *h, enum sky_what what,
    struct sky_fate *f, uint64_t news)
{
	if (news == 0)
		return;
	if (what == SKY_ANSWERED)
		d->sums.received += news;
	if (sky_fate_class(what) == SKY_CLASS_NOTE)
		d->sums.counts[what] += news;
	else if (h)
		settle_one(b, h, f);
	else
		settle_oldest(b, d, f, news);
}

/* True if this reporter's event about h is one that nobody told of it yet. Each
 * reply is an event; an error is one however often it comes. */
static bool
is_fresh(struct held *h, enum sky_what what, enum sky_evidence e)
{
	bool seen = h->seen >> what & 1;
	uint8_t most = 0;

	h->seen |= 1u << what;
	if (what != SKY_ANSWERED)
		return !seen;
	for (unsigned i = 0; i < SKY_EVIDENCES; i++)
		if (h->answers[i] > most)
			most = h->answers[i];
	if (h->answers[e] < UINT8_MAX)
		h->answers[e]++;
	return h->answers[e] > most;
}

/* One of d's own fates, or h's if the datagram is held. */
static int
enter(struct book *b, struct dest *d, struct held *h, enum sky_what what,
    struct sky_fate *f, uint64_t n)
{
	enum sky_evidence e = evidence_of(f);
	struct said *s = sky_said_get(b, d, what, f);
	bool fresh = !h || is_fresh(h, what, e);
	uint64_t news = fresh ? n : 0;

	if (s)
		news = h ? sky_said_exact(s, e, fresh) : sky_said_more(s, e, n);
	apply(b, d, h, what, f, news);
	if (s)
		sky_said_keep(s, f);
	else
		b->overflow += news;
	return !s && news ? -ENOSPC : news > 0;
}

/* The call refused it: it never was in the queue of open ones. */
static int
enter_call(struct book *b, struct sky_fate *f, uint64_t n)
{
	struct dest *d = post(b, &f->dst, n);
	struct held *h = NULL;
	struct said *s;
	uint64_t news;

	if (names_one(f))
		h = sky_held_add(b, d, SKY_SENT, f->seq, f->time_ns);
	if (h)
		return enter(b, d, h, f->what, f, 1);
	s = sky_said_get(b, d, f->what, f);
	news = s ? sky_said_more(s, SKY_BY_CALL, n) : n;
	sky_dest_recount(b, d, SKY_SENT, f->what, news);
	if (s)
		sky_said_keep(s, f);
	else
		b->overflow += n;
	return s ? news > 0 : -ENOSPC;
}

static bool
is_call(const struct sky_fate *f)
{
	if (f->evidence != SKY_BY_CALL || f->trust == SKY_TRUST_MISMATCH)
		return false;
	if (f->origin == SKY_ORIGIN_ICMP || f->origin == SKY_ORIGIN_ICMP6)
		return false;
	return sky_fate_class(f->what) == SKY_CLASS_LOCAL || f->what == SKY_TOO_BIG;
}

/* Of no destination that is known. */
static int
enter_total(struct book *b, const struct sky_fate *f, uint64_t n)
{
	struct sky_ledger_dest *s = &sky_dest_rest(b)->sums;
	uint64_t *told = &b->lost_told[f->what][evidence_of(f)];
	bool news;

	if (sky_fate_class(f->what) == SKY_CLASS_NOTE) {
		s->counts[f->what] += n;
		return 1;
	}
	if (f->have & SKY_HAVE_DST || sky_fate_class(f->what) != SKY_CLASS_LOCAL) {
		s->counts[SKY_STRAY] += n;
		return 1;
	}
	*told += n;
	news = *told > s->lost[f->what];
	if (news)
		s->lost[f->what] = *told;
	return news;
}

/* The deadline of one, or of n, has passed: no event, so it has no row. */
static int
enter_silence(struct book *b, struct dest *d, struct held *h, struct sky_fate *f, uint64_t n)
{
	struct held *last = NULL;
	bool loose = names_one(f);
	uint64_t done;

	if (h) {
		if (!sky_fate_beats(SKY_SILENT, h->final))
			return 0;
		sky_held_move(b, h, SKY_SILENT);
		return 1;
	}
	done = sky_held_move_oldest(b, d, SKY_SENT, SKY_SILENT, n, loose, &last);
	if (last && f->count <= 1)
		tell_apart(f, last);
	return done > 0;
}

int
sky_ledger_take(struct sky_ledger *l, struct sky_fate *f)
{
	struct book *b = book_of(l);
	uint64_t n = f->count ? f->count : 1;
	struct held *h = NULL;
	struct dest *d;

	if (f->what == SKY_NOTHING || f->what == SKY_SENT || f->what >= SKY_WHATS)
		return 0;
	if (!(f->have & SKY_HAVE_DST))
		return enter_total(b, f, n);
	if (is_call(f))
		return enter_call(b, f, n);
	d = sky_dest_match(b, &f->dst);
	if (!d && sky_dest_rest(b)->sums.sent)
		d = sky_dest_rest(b);
	if (!d)
		return enter_total(b, f, n);
	if (f->trust == SKY_TRUST_MISMATCH)
		return enter(b, d, NULL, SKY_STRAY, f, n);
	if (names_one(f))
		h = sky_held_find(b, d, f->seq);
	if (f->what == SKY_SILENT)
		return enter_silence(b, d, h, f, n);
	return enter(b, d, h, f->what, f, n);
}

void
sky_ledger_close(struct sky_ledger *l, bool answer_expected)
{
	struct book *b = book_of(l);
	struct held *h;

	if (!answer_expected)
		return;
	for (uint32_t i = 0; i < b->max_held; i++) { /* the oldest first */
		h = &b->held[((uint64_t)b->at + i) % b->max_held];
		if (h->final == SKY_SENT)
			sky_held_move(b, h, SKY_SILENT);
	}
	for (uint32_t i = 0; i <= b->max_dests; i++)
		sky_dest_recount(b, &b->dests[i], SKY_SENT, SKY_SILENT,
		    b->dests[i].sums.counts[SKY_SENT]);
}
