/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure_tell.c - what was measured, as lines and as JSON; see measure.h.
 */
#include "measure.h"

#include "cli/out.h"

#include <inttypes.h>

static const struct {
	const char *text, *word;
} directions[] = {
	[SKY_WAY_OUT] = { "there", "out" },
	[SKY_WAY_BACK] = { "back", "back" },
	[SKY_WAY_ROUND] = { "both", "round" },
};

/* Where it was lost, for people. */
static const char *const places[SKY_LOSSES] = {
	[SKY_LOST_HOST] = "never left the sending host",
	[SKY_LOST_NETWORK] = "in the network",
	[SKY_LOST_QUEUE] = "at the receiver's full queue",
	[SKY_LOST_UNREAD] = "unread when the receiver closed",
	[SKY_LOST_UNEXPLAINED] = "unexplained",
};

#define NOT_TOLD "not told by peer"

/* Below zero where the clocks of the two ends differ. */
static const char *
delay_text(int64_t ns, char *buf, size_t size)
{
	buf[0] = '-';
	out_duration(ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, buf + 1, size - 1);
	return ns < 0 ? buf : buf + 1;
}

static void
tell_delays(struct out *o, const struct sky_way *w, const char *what)
{
	char min[32], median[32], p99[32], max[32], jitter[32];

	if (!(w->told & SKY_WAY_DELAY)) {
		out_line(o, "  %s " NOT_TOLD, what);
		return;
	}
	out_line(o, "  %s min %s, median %s, p99 %s, max %s; jitter %s%s", what,
	    delay_text(w->delay_min, min, sizeof(min)),
	    delay_text(w->delay_median, median, sizeof(median)),
	    delay_text(w->delay_p99, p99, sizeof(p99)),
	    delay_text(w->delay_max, max, sizeof(max)), out_duration(w->jitter, jitter,
	    sizeof(jitter)), w->delay_min < 0 ? " (the two clocks differ)" : "");
}

static void
tell_losses(struct out *o, enum sky_direction d, const struct sky_way *w)
{
	int i;

	for (i = 0; i < SKY_LOSSES; i++) {
		if (w->told & 1u << i)
			out_line(o, "  %8" PRIu64 "  lost %s", w->lost[i],
			    d == SKY_WAY_ROUND && i == SKY_LOST_UNEXPLAINED ?
			    "there or back, unexplained" : places[i]);
		else if (d != SKY_WAY_ROUND)
			out_line(o, "         -  lost %s: " NOT_TOLD, places[i]);
	}
}

static void
tell_counts(struct out *o, enum sky_direction d, const struct sky_way *w)
{
	char sent[48] = "sent " NOT_TOLD;

	if (w->told & SKY_WAY_SENT)
		snprintf(sent, sizeof(sent), "%" PRIu64 " sent", w->sent);
	if (w->told & SKY_WAY_RECEIVED)
		out_line(o, "%-5s  %s, %" PRIu64 " received, %" PRIu64 " duplicated, %" PRIu64
		    " reordered, %" PRIu64 " late, %" PRIu64 " corrupted", directions[d].text,
		    sent, w->received, w->duplicated, w->reordered, w->late, w->corrupted);
	else
		out_line(o, "%-5s  %s, received " NOT_TOLD, directions[d].text, sent);
}

void
measure_tell(struct out *o, enum sky_direction d, const struct sky_way *w, bool one_way)
{
	if (d != SKY_WAY_OUT && one_way)
		return;
	if (d == SKY_WAY_ROUND && !(w->told & 1u << SKY_LOST_UNEXPLAINED)) {
		tell_delays(o, w, "round trip");
		return;
	}
	tell_counts(o, d, w);
	tell_losses(o, d, w);
	tell_delays(o, w, d == SKY_WAY_ROUND ? "round trip" : "delay");
}

static void
json_received(struct out *o, const struct sky_way *w)
{
	if (!(w->told & SKY_WAY_RECEIVED))
		return;
	out_u64(o, "received", w->received);
	out_u64(o, "bytes", w->bytes);
	out_u64(o, "duplicated", w->duplicated);
	out_u64(o, "reordered", w->reordered);
	out_u64(o, "late", w->late);
	out_u64(o, "corrupted", w->corrupted);
}

static void
json_delays(struct out *o, const struct sky_way *w)
{
	if (!(w->told & SKY_WAY_DELAY))
		return;
	out_open_object(o, "delay_ns");
	out_u64(o, "count", w->delays);
	out_i64(o, "min", w->delay_min);
	out_i64(o, "median", w->delay_median);
	out_i64(o, "p99", w->delay_p99);
	out_i64(o, "max", w->delay_max);
	out_close_object(o);
	out_u64(o, "jitter_ns", w->jitter);
}

/* What the peer did not tell is absent, never 0. */
void
measure_json(struct out *o, enum sky_direction d, const struct sky_way *w)
{
	int i;

	out_open_object(o, NULL);
	out_str(o, "direction", directions[d].word);
	if (w->told & SKY_WAY_SENT)
		out_u64(o, "sent", w->sent);
	json_received(o, w);
	json_delays(o, w);
	out_open_object(o, "loss");
	for (i = 0; i < SKY_LOSSES; i++)
		if (w->told & 1u << i)
			out_u64(o, sky_loss_word((enum sky_loss)i), w->lost[i]);
	out_close_object(o);
	out_close_object(o);
}

bool
measure_is_bad(const struct sky_way *w)
{
	uint64_t sum = w->corrupted;
	int i;

	for (i = 0; i < SKY_LOSSES; i++)
		sum += w->lost[i];
	return sum != 0;
}

/* "11.2 Mbit/s", three digits. */
static const char *
rate_text(uint64_t bytes, uint64_t ns, char *buf, size_t size)
{
	static const char *const units[] = { "bit/s", "kbit/s", "Mbit/s", "Gbit/s" };
	double rate = ns ? (double)bytes * 8e9 / (double)ns : 0;
	unsigned i = 0;

	while (i < 3 && rate >= 1000) {
		rate /= 1000;
		i++;
	}
	snprintf(buf, size, "%.*f %s", rate >= 100 ? 0 : rate >= 10 ? 1 : 2, rate, units[i]);
	return buf;
}

void
measure_tell_interval(struct out *o, const struct measure_interval *i, uint64_t time_ns)
{
	char rate[32], jitter[32], sent[64] = "";

	if (i->sends)
		snprintf(sent, sizeof(sent), "%" PRIu64 " sent, %" PRIu64 " refused, ", i->sent,
		    i->refused);
	out_line(o, "%6.2f-%.2f s  %s%" PRIu64 " received, %s, jitter %s", (double)i->start / 1e9,
	    (double)i->end / 1e9, sent, i->received,
	    rate_text(i->bytes, i->end - i->start, rate, sizeof(rate)),
	    out_duration(i->jitter, jitter, sizeof(jitter)));
	out_begin(o, "interval", time_ns);
	out_u64(o, "start_ns", i->start);
	out_u64(o, "end_ns", i->end);
	if (i->sends) {
		out_u64(o, "sent", i->sent);
		out_u64(o, "refused", i->refused);
	}
	out_u64(o, "received", i->received);
	out_u64(o, "bytes", i->bytes);
	out_u64(o, "jitter_ns", i->jitter);
	out_end(o);
}
