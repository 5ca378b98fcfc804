/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track.c - one direction at its receiver; see track.h.
 */
#include "proto/track.h"

#include <string.h>

static const char *const words[SKY_LOSSES] = {
	[SKY_LOST_HOST] = "host",
	[SKY_LOST_NETWORK] = "network",
	[SKY_LOST_QUEUE] = "receiver-queue",
	[SKY_LOST_UNREAD] = "unread",
	[SKY_LOST_UNEXPLAINED] = "unexplained",
};

const char *
sky_loss_word(enum sky_loss l)
{
	return l < SKY_LOSSES ? words[l] : "nothing";
}

void
sky_track_init(struct sky_track *t, uint32_t drops)
{
	memset(t, 0, sizeof(*t));
	t->drops = drops;
}

void
sky_track_other(struct sky_track *t, uint32_t drops)
{
	t->span_drops += drops - t->drops;
	t->drops = drops;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What is certain of a gap's missing numbers, and what stays open. Of d drops
 * up to `others` may have been datagrams of no number: at least d - others are
 * ours. More are missing than were dropped: at least these the network lost. */
struct verdict {
	uint64_t network, queue, unexplained, loose;
};

static struct verdict
judge(const struct sky_gap *g, uint64_t others)
{
	struct verdict v = { 0, 0, 0, 0 };
	uint64_t missing = g->missing - least(g->missing, g->corrupted);

	if (missing > g->drops)
		v.network = missing - g->drops;
	if (!g->mixed && g->drops > others)
		v.queue = least(missing, g->drops - others);
	v.unexplained = missing - v.network - v.queue;
	if (!g->mixed && g->drops > missing + others)
		v.loose = g->drops - missing - others;
	return v;
}

static void
settle(struct sky_track *t, const struct sky_gap *g)
{
	struct verdict v = judge(g, 0);

	t->network += v.network;
	t->queue += v.queue;
	t->unexplained += v.unexplained;
	t->loose += v.loose;
}

static unsigned
gap_at(const struct sky_track *t, unsigned i)
{
	return (t->gap_first + i) % SKY_TRACK_GAPS;
}

static struct sky_gap
span(const struct sky_track *t, uint64_t up_to, uint32_t drops)
{
	struct sky_gap g = {
		.first = t->next,
		.last = up_to - 1,
		.missing = up_to - t->next,
		.drops = t->span_drops + (drops - t->drops),
		.corrupted = t->span_corrupted,
		.mixed = t->span_mixed,
	};

	return g;
}

/* Ends the span before number seq: nothing to note, or a gap. */
static void
close_span(struct sky_track *t, uint64_t seq, uint32_t drops)
{
	struct sky_gap g = span(t, seq, drops);

	t->span_drops = t->span_corrupted = 0;
	t->span_mixed = false;
	if (!g.missing && !g.drops)
		return;
	if (!g.missing) {
		settle(t, &g);
		return;
	}
	if (t->gaps == SKY_TRACK_GAPS) {
		settle(t, &t->gap[gap_at(t, 0)]);
		t->gap_first = (t->gap_first + 1) % SKY_TRACK_GAPS;
		t->gaps--;
	}
	t->gap[gap_at(t, t->gaps++)] = g;
}

static bool
seen(const struct sky_track *t, uint64_t seq)
{
	unsigned at = seq % SKY_TRACK_WINDOW;

	return t->seen[at / 8] & 1u << at % 8;
}

static void
mark(struct sky_track *t, uint64_t seq, bool yes)
{
	unsigned at = seq % SKY_TRACK_WINDOW;

	if (yes)
		t->seen[at / 8] |= (uint8_t)(1u << at % 8);
	else
		t->seen[at / 8] &= (uint8_t)~(1u << at % 8);
}

static void
advance(struct sky_track *t, uint64_t seq)
{
	uint64_t i;

	if (seq - t->next >= SKY_TRACK_WINDOW)
		memset(t->seen, 0, sizeof(t->seen));
	else
		for (i = t->next; i < seq; i++)
			mark(t, i, false);
	t->next = seq + 1;
}

/* A number that was skipped came after all. False: its gap is settled. */
static bool
fill(struct sky_track *t, uint64_t seq)
{
	unsigned i;

	for (i = t->gaps; i-- > 0; ) {
		struct sky_gap *g = &t->gap[gap_at(t, i)];

		if (seq < g->first || seq > g->last)
			continue;
		if (g->missing)
			g->missing--;
		return true;
	}
	return false;
}

/* It was counted as lost: the count is put right. */
static void
uncount(struct sky_track *t)
{
	uint64_t *const from[] = { &t->network, &t->unexplained, &t->queue };
	unsigned i;

	for (i = 0; i < 3; i++)
		if (*from[i]) {
			--*from[i];
			return;
		}
}

static void
count(struct sky_track *t, size_t len, bool unread)
{
	if (unread) {
		t->unread++;
		return;
	}
	t->received++;
	t->bytes += len;
}

enum sky_track_kind
sky_track_take(struct sky_track *t, uint32_t seq32, size_t len, uint32_t drops, bool unread)
{
	int64_t ahead = (int32_t)(seq32 - (uint32_t)t->next);
	uint64_t seq = t->next + (uint64_t)ahead;
	bool known = true;

	if (ahead >= 0) {
		close_span(t, seq, drops);
		t->drops = drops;
		advance(t, seq);
		mark(t, seq, true);
		count(t, len, unread);
		return SKY_TRACK_NEW;
	}
	sky_track_other(t, drops);
	if (-ahead > SKY_TRACK_WINDOW || (uint64_t)-ahead > t->next) {
		t->late++;
		return SKY_TRACK_LATE;
	}
	if (seen(t, seq)) {
		t->duplicated++;
		return SKY_TRACK_COPY;
	}
	mark(t, seq, true);
	t->reordered++;
	known = fill(t, seq);
	if (!known) {
		t->late++;
		uncount(t);
	}
	count(t, len, unread);
	return SKY_TRACK_NEW;
}

void
sky_track_delay(struct sky_track *t, int64_t ns)
{
	uint64_t d = ns > t->transit ? (uint64_t)ns - (uint64_t)t->transit :
	    (uint64_t)t->transit - (uint64_t)ns;

	sky_hist_add(&t->delay, ns);
	if (t->have_transit)
		t->jitter16 += d - ((t->jitter16 + 8) >> 4);
	t->transit = ns;
	t->have_transit = true;
}

void
sky_track_corrupted(struct sky_track *t, uint32_t drops)
{
	sky_track_other(t, drops);
	t->span_corrupted++;
	t->corrupted++;
}

void
sky_track_mixed(struct sky_track *t)
{
	t->span_mixed = true;
}

uint64_t
sky_track_missing(const struct sky_track *t, uint64_t sent)
{
	uint64_t came = t->received + t->unread;

	return sent > came ? sent - came : 0;
}

static void
add(struct verdict *sum, struct verdict v)
{
	sum->network += v.network;
	sum->queue += v.queue;
	sum->unexplained += v.unexplained;
	sum->loose += v.loose;
}

static struct verdict
total(const struct sky_track *t, uint64_t sent, uint32_t drops, uint32_t others)
{
	struct verdict v = { t->network, t->queue, t->unexplained, t->loose };
	struct sky_gap tail = span(t, sent > t->next ? sent : t->next, drops);
	uint64_t open;
	unsigned i;

	for (i = 0; i < t->gaps; i++)
		add(&v, judge(&t->gap[gap_at(t, i)], 0));
	add(&v, judge(&tail, others));
	/* Drops that fit no gap may be of numbers that reordering put elsewhere. */
	open = least(v.loose, v.network);
	v.network -= open;
	v.unexplained += open;
	return v;
}

void
sky_track_way(const struct sky_track *t, uint64_t sent, uint32_t drops, uint32_t others,
    struct sky_way *out)
{
	struct verdict v = total(t, sent, drops, others);

	out->told |= SKY_WAY_RECEIVED | 1u << SKY_LOST_NETWORK | 1u << SKY_LOST_QUEUE |
	    1u << SKY_LOST_UNREAD | 1u << SKY_LOST_UNEXPLAINED;
	out->received = t->received;
	out->bytes = t->bytes;
	out->duplicated = t->duplicated;
	out->reordered = t->reordered;
	out->late = t->late;
	out->corrupted = t->corrupted;
	out->lost[SKY_LOST_NETWORK] = v.network;
	out->lost[SKY_LOST_QUEUE] = v.queue;
	out->lost[SKY_LOST_UNREAD] = t->unread;
	out->lost[SKY_LOST_UNEXPLAINED] = v.unexplained;
	if (!t->delay.n)
		return;
	out->told |= SKY_WAY_DELAY;
	out->delays = t->delay.n;
	out->delay_min = t->delay.min;
	out->delay_max = t->delay.max;
	out->delay_median = sky_hist_quantile(&t->delay, 1, 2);
	out->delay_p99 = sky_hist_quantile(&t->delay, 99, 100);
	out->jitter = t->jitter16 >> 4;
}
