/* SPDX-License-Identifier: BSD-2-Clause */
/* cycle_say.c - repeats as a table and as records; see cycle.h. */
#include "cycle.h"
#include "names.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 30, LINE = 512 };

static void
time_text(uint64_t ns, char *buf, size_t size)
{
	char text[24];

	snprintf(buf, size, "%9s", ns ? out_duration(ns, text, sizeof(text)) : "-");
}

static void
remarks(const struct sky_cycle_hop *h, char *buf, size_t size)
{
	char each[24];

	buf[0] = '\0';
	if (!h->answered)
		snprintf(buf, size, "  silent");
	else if (h->limited_rate && h->burst)
		snprintf(buf, size, "  rate limited: %u, then one in %s", h->burst,
		    out_duration(h->period_ns, each, sizeof(each)));
	else if (h->limited_rate)
		snprintf(buf, size, "  rate limited: one in %s",
		    out_duration(h->period_ns, each, sizeof(each)));
	if (h->changes)
		snprintf(buf + strlen(buf), size - strlen(buf), "  changed %u times", h->changes);
}

static void
hop_line(struct run *r, const struct sky_cycle_hop *h)
{
	char who[SAY_WHO] = "*", last[24], min[24], mean[24], max[24], jitter[24], more[128];
	char loss[48] = "-";

	if (sky_addr_family(&h->by))
		say_who(r, &h->by, who, sizeof(who));
	if (h->fair + h->lost + h->open && h->answered)
		snprintf(loss, sizeof(loss), "%.1f %% (%.1f to %.1f)", 100 * h->loss,
		    100 * h->loss_low, 100 * h->loss_high);
	time_text(h->rtt_last, last, sizeof(last));
	time_text(h->rtt_min, min, sizeof(min));
	time_text(h->rtt_mean, mean, sizeof(mean));
	time_text(h->rtt_max, max, sizeof(max));
	time_text(h->jitter, jitter, sizeof(jitter));
	remarks(h, more, sizeof(more));
	out_line(&r->out, "%3u  %-*s %-21s %6llu %6llu %5llu %5llu %5llu %s %s %s %s %s%s", h->ttl,
	    WIDE, who, loss, (unsigned long long)h->sent, (unsigned long long)h->answered,
	    (unsigned long long)h->lost, (unsigned long long)h->limited,
	    (unsigned long long)(h->open + h->pending), last, min, mean, max, jitter, more);
}

void
cycle_table(struct run *r, const struct sky_cycle *c)
{
	unsigned long long n = sky_cycle_count(c, run_now());
	struct sky_cycle_hop h;
	char host[SKY_ADDRSTRLEN], each[24];

	out_line(&r->out, "repeats to %s (%s), %llu %s of %s", r->o->host,
	    sky_addr_format_host(&r->dst, host, sizeof(host)), n, n == 1 ? "cycle" : "cycles",
	    out_duration(c->conf.interval_ns, each, sizeof(each)));
	out_line(&r->out, "hop  %-*s %-21s %6s %6s %5s %5s %5s %9s %9s %9s %9s %9s", WIDE, "who",
	    "loss (95 % within)", "sent", "answrd", "lost", "limit", "open", "last", "least",
	    "mean", "most", "jitter");
	for (unsigned i = 0; sky_cycle_hop(c, i, &h) == 0; i++)
		hop_line(r, &h);
}

void
cycle_progress(struct run *r, const struct sky_cycle *c)
{
	struct sky_cycle_hop h, worst = { 0 };

	for (unsigned i = 0; sky_cycle_hop(c, i, &h) == 0; i++)
		if (h.answered && h.loss > worst.loss)
			worst = h;
	if (worst.ttl)
		out_progress(&r->out, "%llu cycles, worst hop %u: %.1f %% lost",
		    (unsigned long long)sky_cycle_count(c, run_now()), worst.ttl,
		    100 * worst.loss);
	else
		out_progress(&r->out, "%llu cycles, no loss",
		    (unsigned long long)sky_cycle_count(c, run_now()));
}

static uint64_t
ppm(double share)
{
	return (uint64_t)(share * 1e6 + 0.5);
}

static void
times(struct out *o, const struct sky_cycle_hop *h)
{
	if (!h->rtt_min)
		return;
	out_open_object(o, "rtt_ns");
	out_u64(o, "last", h->rtt_last);
	out_u64(o, "min", h->rtt_min);
	out_u64(o, "mean", h->rtt_mean);
	out_u64(o, "max", h->rtt_max);
	out_u64(o, "jitter", h->jitter);
	out_close_object(o);
}

static void
members(struct run *r, const struct sky_cycle_hop *h)
{
	struct out *o = &r->out;
	const char *name = names_of(r->names, &h->by);

	if (sky_addr_family(&h->by))
		out_addr(o, "by", NULL, &h->by);
	if (sky_addr_family(&h->by) && name)
		out_str(o, "name", name);
	out_u64(o, "hop", h->ttl);
	if (h->end)
		out_bool(o, "end", true);
	out_u64(o, "sent", h->sent);
	out_u64(o, "answered", h->answered);
	out_u64(o, "lost", h->lost);
	out_u64(o, "limited", h->limited);
	out_u64(o, "open", h->open + h->pending);
	out_u64(o, "fair", h->fair);
	if (h->fair + h->lost) {
		out_u64(o, "loss_ppm", ppm(h->loss));
		out_u64(o, "loss_low_ppm", ppm(h->loss_low));
		out_u64(o, "loss_high_ppm", ppm(h->loss_high));
	}
	out_str(o, "pace", sky_cycle_mode_word((enum sky_cycle_mode)h->mode));
	out_u64(o, "spacing_ns", h->spacing_ns);
	if (h->limited_rate) {
		if (h->burst)
			out_u64(o, "limit_burst", h->burst);
		out_u64(o, "limit_ns", h->period_ns);
	}
	if (h->changes)
		out_u64(o, "changes", h->changes);
	times(o, h);
}

void
cycle_records(struct run *r, const struct sky_cycle *c)
{
	struct sky_cycle_hop h;

	for (unsigned i = 0; sky_cycle_hop(c, i, &h) == 0; i++) {
		out_begin(&r->out, "cycle", run_wall());
		members(r, &h);
		out_end(&r->out);
	}
}

void
cycle_end(struct run *r, const struct sky_cycle *c, const struct sky_trace_path *found,
    bool reached)
{
	struct out *o = &r->out;
	struct sky_cycle_hop h;

	if (!r->o->document)
		cycle_records(r, c);
	out_begin(o, "cycles", run_wall());
	out_addr(o, "dst", "dport", &r->dst);
	out_str(o, "host", r->o->host);
	out_bool(o, "reached", reached);
	out_str(o, "stop", sky_trace_stop_word(r->signal ? SKY_TRACE_INTERRUPTED : found->stop));
	if (found->stop == SKY_TRACE_LOCAL && strerrorname_np(found->err))
		out_str(o, "errno", strerrorname_np(found->err));
	out_u64(o, "cycles", sky_cycle_count(c, run_now()));
	out_u64(o, "interval_ns", c->conf.interval_ns);
	out_u64(o, "took_ns", run_now() - r->began);
	if (r->o->document) {
		out_open_array(o, "hops");
		for (unsigned i = 0; sky_cycle_hop(c, i, &h) == 0; i++) {
			out_open_object(o, NULL);
			members(r, &h);
			out_close_object(o);
		}
		out_close_array(o);
	}
	out_end(o);
}
