/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out_text.c - records and summaries as lines for people; see out.h.
 */
#include "cli/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
wipe_progress(struct out *o)
{
	if (o->progress)
		fputs("\r\033[K", o->text);
	o->progress = false;
}

void
out_line(struct out *o, const char *format, ...)
{
	va_list ap;

	if (!o->text)
		return;
	wipe_progress(o);
	va_start(ap, format);
	vfprintf(o->text, format, ap);
	va_end(ap);
	if (fputc('\n', o->text) == EOF || fflush(o->text) == EOF)
		o->failed = errno;
}

void
out_progress(struct out *o, const char *format, ...)
{
	va_list ap;

	if (!o->terminal)
		return;
	wipe_progress(o);
	va_start(ap, format);
	vfprintf(o->text, format, ap);
	va_end(ap);
	fflush(o->text);
	o->progress = true;
}

char *
out_end_point(const struct sky_addr *a, char *buf, size_t size)
{
	char host[SKY_ADDRSTRLEN];

	if (sky_addr_family(a) != AF_INET)
		return sky_addr_format(a, buf, size);
	if (sky_addr_port(a) == 0)
		return sky_addr_format_host(a, buf, size);
	snprintf(buf, size, "%s.%u", sky_addr_format_host(a, host, sizeof(host)),
	    sky_addr_port(a));
	return buf;
}

char *
out_duration(uint64_t ns, char *buf, size_t size)
{
	static const struct { uint64_t unit; const char *word; } rows[] = {
		{ 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" },
	};
	uint64_t whole;
	size_t i = 0;
	int places;

	while (i < 3 && ns < rows[i].unit)
		i++;
	whole = ns / rows[i].unit;
	places = i == 3 || whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
	snprintf(buf, size, "%.*f %s", places, (double)ns / (double)rows[i].unit, rows[i].word);
	return buf;
}

/* "12:00:01.123", local time. */
static void
clock_text(uint64_t time_ns, char *buf, size_t size)
{
	time_t sec = (time_t)(time_ns / 1000000000);
	unsigned ms = (unsigned)(time_ns / 1000000 % 1000);
	struct tm tm;

	localtime_r(&sec, &tm);
	snprintf(buf, size, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
}

static const char *
colour_of(const struct out *o, enum sky_what what)
{
	if (!o->colour)
		return "";
	if (what == SKY_ANSWERED)
		return "\033[32m";
	return sky_fate_is_bad(what) ? "\033[31m" : "\033[33m";
}

static const char *
colour_off(const struct out *o)
{
	return o->colour ? "\033[m" : "";
}

/* Which end a record is about, and how it stands to it. */
static const struct sky_addr *
end_of(const struct sky_fate *f, const char **how)
{
	*how = "to";
	if (f->what == SKY_DROPPED_RECEIVING || f->what == SKY_UNREAD)
		*how = "at";
	else if (f->what == SKY_TRUNCATED || f->what == SKY_STRAY)
		*how = "from";
	if (f->what == SKY_TRUNCATED && f->have & SKY_HAVE_SRC)
		return &f->src;
	return f->have & SKY_HAVE_DST ? &f->dst : NULL;
}

void
out_fate_line(struct out *o, const struct sky_fate *f)
{
	char when[16], end[SKY_ADDRSTRLEN] = "", what[256];
	const struct sky_addr *a;
	const char *how;

	if (!o->text)
		return;
	clock_text(f->time_ns, when, sizeof(when));
	a = end_of(f, &how);
	if (a && sky_addr_port(a))
		out_end_point(a, end, sizeof(end));
	else if (a)
		sky_addr_format_host(a, end, sizeof(end));
	sky_fate_explain(f, what, sizeof(what));
	out_line(o, "%s %s%s%s: %s%s%s", when, a ? how : "", a ? " " : "", end,
	    colour_of(o, f->what), what, colour_off(o));
}

static void
end_text(bool have, const struct sky_addr *a, char *buf, size_t size)
{
	if (have && sky_addr_port(a))
		out_end_point(a, buf, size);
	else if (have)
		sky_addr_format_host(a, buf, size);
	else
		snprintf(buf, size, "?");
}

void
out_fate_line_of(struct out *o, const struct sky_fate *f, const char *who, const char *note)
{
	char when[16], src[SKY_ADDRSTRLEN], dst[SKY_ADDRSTRLEN], what[256];
	const char *proto = out_proto(f->proto);

	if (!o->text)
		return;
	clock_text(f->time_ns, when, sizeof(when));
	end_text(f->have & SKY_HAVE_SRC, &f->src, src, sizeof(src));
	end_text(f->have & SKY_HAVE_DST, &f->dst, dst, sizeof(dst));
	sky_fate_explain(f, what, sizeof(what));
	out_line(o, "%s %s %s%s%s to %s: %s%s%s [%s]", when, who, proto ? proto : "",
	    proto ? " " : "", src, dst, colour_of(o, f->what), what, colour_off(o), note);
}

/* --- the table at the end --- */

struct table {
	struct out *o;
	const struct sky_ledger *l;
	int width;		/* of the first column */
	bool received;		/* what came is not just the answers: tell it */
};

static void
measure(struct table *t, const struct sky_ledger_dest *total)
{
	struct sky_ledger_dest d;
	char end[SKY_ADDRSTRLEN];
	unsigned i;
	int n;

	t->width = (int)strlen("destination");
	t->received = total->received != total->counts[SKY_ANSWERED];
	for (i = 0; sky_ledger_dest(t->l, i, &d) == 0; i++) {
		n = (int)strlen(out_end_point(&d.dst, end, sizeof(end)));
		t->width = n > t->width ? n : t->width;
	}
}

/* "1.20 ms / 1.31 ms / 2.00 ms". */
static void
rtt_text(const struct sky_ledger_dest *d, char *buf, size_t size)
{
	char min[16], mean[16], max[16];

	if (!d->rtts)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%s / %s / %s",
		    out_duration(d->rtt_min_ns, min, sizeof(min)),
		    out_duration(d->rtt_mean_ns, mean, sizeof(mean)),
		    out_duration(d->rtt_max_ns, max, sizeof(max)));
}

static void
print_head(const struct table *t)
{
	out_line(t->o, "%-*s  %7s  %s%8s  %s", t->width, "destination", "sent",
	    t->received ? "received  " : "", "answered", "round trip min / mean / max");
}

static void
print_what(const struct table *t, uint64_t count, enum sky_what what, const char *text)
{
	out_line(t->o, "%*s  %7" PRIu64 "  %s%s%s", t->width, "", count,
	    colour_of(t->o, what), text, colour_off(t->o));
}

/* Who said what about destination i; told[] gets the sums per word. */
static void
print_rows(const struct table *t, unsigned i, uint64_t *told)
{
	struct sky_ledger_row row;
	char text[256];
	unsigned k;

	for (k = 0; sky_ledger_row(t->l, k, &row) == 0; k++) {
		if (row.dest != i || row.what == SKY_ANSWERED)
			continue;
		told[row.what] += row.count;
		row.last.count = 0;
		sky_fate_explain(&row.last, text, sizeof(text));
		print_what(t, row.count, row.what, text);
	}
}

static void
print_dest(const struct table *t, unsigned i, const struct sky_ledger_dest *d)
{
	uint64_t told[SKY_WHATS] = { 0 };
	char end[SKY_ADDRSTRLEN], rtt[64], received[32] = "";
	int w;

	rtt_text(d, rtt, sizeof(rtt));
	if (t->received)
		snprintf(received, sizeof(received), "%8" PRIu64 "  ", d->received);
	out_line(t->o, "%-*s  %7" PRIu64 "  %s%8" PRIu64 "  %s", t->width,
	    out_end_point(&d->dst, end, sizeof(end)), d->sent, received,
	    d->counts[SKY_ANSWERED], rtt);
	print_rows(t, i, told);
	for (w = 1; w < SKY_WHATS; w++)
		if (w != SKY_ANSWERED && d->counts[w] > told[w])
			print_what(t, d->counts[w] - told[w], w, sky_fate_sentence(w));
}

/* What was lost on the way in, whoever sent it. */
static void
print_lost(const struct table *t, const struct sky_ledger_dest *total)
{
	int w;

	for (w = 1; w < SKY_WHATS; w++)
		if (total->lost[w])
			out_line(t->o, "%-*s  %7" PRIu64 "  %s%s%s", t->width, "this host",
			    total->lost[w], colour_of(t->o, w), sky_fate_sentence(w),
			    colour_off(t->o));
}

void
out_summary_text(struct out *o, const struct sky_ledger *l)
{
	struct table t = { .o = o, .l = l };
	struct sky_ledger_dest d, total;
	unsigned i;

	if (!o->text)
		return;
	sky_ledger_total(l, &total);
	measure(&t, &total);
	if (sky_ledger_dests(l))
		print_head(&t);
	for (i = 0; sky_ledger_dest(l, i, &d) == 0; i++)
		print_dest(&t, i, &d);
	print_lost(&t, &total);
	if (sky_ledger_overflow(l))
		out_line(o, "%" PRIu64 " more found no room in this table", sky_ledger_overflow(l));
}
