/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out_fate.c - fate records and summaries as JSON; see out.h and design's list
 * of members, whose order this keeps.
 */
#include "cli/out.h"

#include <string.h>

const char *
out_proto(unsigned proto)
{
	static const struct { unsigned number; const char *word; } rows[] = {
		{ IPPROTO_UDP, "udp" }, { IPPROTO_TCP, "tcp" }, { IPPROTO_ICMP, "icmp" },
		{ IPPROTO_ICMPV6, "icmp6" }, { IPPROTO_UDPLITE, "udplite" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == proto)
			return rows[i].word;
	return NULL;
}

static void
put_who(struct out *o, const struct sky_fate *f)
{
	if (f->have & SKY_HAVE_SRC)
		out_addr(o, "src", "sport", &f->src);
	if (f->have & SKY_HAVE_DST)
		out_addr(o, "dst", "dport", &f->dst);
	if (f->have & SKY_HAVE_BY)
		out_addr(o, "by", NULL, &f->by);
}

/* Everything of a record that says what, by whom and where; not which. */
static void
put_told(struct out *o, const struct sky_fate *f, const char *comm)
{
	if (f->have & SKY_HAVE_ICMP) {
		out_u64(o, "icmp_type", f->icmp_type);
		out_u64(o, "icmp_code", f->icmp_code);
	}
	if (f->have & SKY_HAVE_MTU)
		out_u64(o, "mtu", f->mtu);
	if (f->have & SKY_HAVE_POINTER)
		out_u64(o, "pointer", f->pointer);
	if (f->have & SKY_HAVE_HOP)
		out_u64(o, "hop", f->hop);
	if (f->have & SKY_HAVE_PID)
		out_u64(o, "pid", f->pid);
	if (comm)
		out_str(o, "comm", comm);
	out_str(o, "evidence", sky_evidence_word(f->evidence));
	out_str(o, "trust", sky_trust_word(f->trust));
}

static void
put_which(struct out *o, const struct sky_fate *f)
{
	const char *name = f->err ? strerrorname_np(f->err) : NULL;

	if (f->have & SKY_HAVE_SEQ)
		out_u64(o, "seq", f->seq);
	if (f->have & SKY_HAVE_TAG)
		out_u64(o, "tag", f->tag);
	if (f->have & SKY_HAVE_LEN)
		out_u64(o, "len", f->len);
	if (f->have & SKY_HAVE_FULL_LEN)
		out_u64(o, "full_len", f->full_len);
	if (name)
		out_str(o, "errno", name);
	if (f->have & SKY_HAVE_RTT)
		out_u64(o, "rtt_ns", f->rtt_ns);
}

static void
put_process(struct out *o, const struct out_process *p)
{
	if (p->have_uid)
		out_u64(o, "uid", p->uid);
	if (p->others)
		out_u64(o, "sharing", p->others);
	if (p->connected)
		out_bool(o, "connected", true);
	if (p->none)
		out_str(o, "process", p->none);
}

void
out_fate(struct out *o, const struct sky_fate *f)
{
	static const struct out_process nobody;

	out_fate_of(o, f, &nobody);
}

void
out_fate_of(struct out *o, const struct sky_fate *f, const struct out_process *p)
{
	if (!o->json)
		return;
	out_begin(o, "fate", f->have & SKY_HAVE_TIME ? f->time_ns : 0);
	out_str(o, "fate", sky_fate_word(f->what));
	if (out_proto(f->proto))
		out_str(o, "proto", out_proto(f->proto));
	put_who(o, f);
	put_told(o, f, p->comm);
	out_u64(o, "count", f->count ? f->count : 1);
	if (f->flags & SKY_FATE_AT_LEAST)
		out_bool(o, "at_least", true);
	put_which(o, f);
	put_process(o, p);
	out_end(o);
}

/* The three classes of loss: who lost it. Notes about what did arrive and
 * datagrams of which nothing is known are not losses. */
static const char *
loss_class(enum sky_what what)
{
	if (sky_fate_class(what) == SKY_CLASS_LOCAL || what == SKY_DROPPED_RECEIVING)
		return "host";
	if (what == SKY_SILENT)
		return "silent";
	if (sky_fate_class(what) == SKY_CLASS_FINAL && sky_fate_is_bad(what))
		return "network";
	return NULL;
}

static void
put_loss(struct out *o, const uint64_t *counts)
{
	static const char *const classes[] = { "network", "host", "silent" };
	const char *class;
	uint64_t sum;
	size_t i;
	int w;

	out_open_object(o, "loss");
	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		for (w = 1, sum = 0; w < SKY_WHATS; w++) {
			class = loss_class(w);
			if (class && strcmp(class, classes[i]) == 0)
				sum += counts[w];
		}
		if (sum)
			out_u64(o, classes[i], sum);
	}
	out_close_object(o);
}

static void
put_sums(struct out *o, const struct sky_ledger_dest *d)
{
	int w;

	out_u64(o, "sent", d->sent);
	out_u64(o, "received", d->received);
	out_u64(o, "answered", d->counts[SKY_ANSWERED]);
	out_u64(o, "truncated", d->counts[SKY_TRUNCATED]);
	if (d->rtts) {
		out_open_object(o, "rtt_ns");
		out_u64(o, "min", d->rtt_min_ns);
		out_u64(o, "mean", d->rtt_mean_ns);
		out_u64(o, "max", d->rtt_max_ns);
		out_close_object(o);
	}
	out_open_object(o, "fates");
	for (w = 1; w < SKY_WHATS; w++)
		if (d->counts[w])
			out_u64(o, sky_fate_word(w), d->counts[w]);
	out_close_object(o);
	put_loss(o, d->counts);
}

/* Who said what about destination i. */
static void
put_rows(struct out *o, const struct sky_ledger *l, unsigned i)
{
	struct sky_ledger_row row;
	unsigned k;

	out_open_array(o, "told");
	for (k = 0; sky_ledger_row(l, k, &row) == 0; k++) {
		if (row.dest != i)
			continue;
		out_open_object(o, NULL);
		out_str(o, "fate", sky_fate_word(row.what));
		if (row.last.have & SKY_HAVE_BY)
			out_addr(o, "by", NULL, &row.last.by);
		put_told(o, &row.last, NULL);
		out_u64(o, "count", row.count);
		out_close_object(o);
	}
	out_close_array(o);
}

void
out_summary(struct out *o, const struct sky_ledger *l, uint64_t time_ns, bool at_least)
{
	struct sky_ledger_dest d;
	unsigned i;
	int w;

	if (!o->json)
		return;
	out_begin(o, "summary", time_ns);
	sky_ledger_total(l, &d);
	for (w = 1; w < SKY_WHATS; w++)
		d.counts[w] += d.lost[w];
	put_sums(o, &d);
	if (at_least)
		out_bool(o, "at_least", true);
	out_open_array(o, "destinations");
	for (i = 0; sky_ledger_dest(l, i, &d) == 0; i++) {
		out_open_object(o, NULL);
		out_addr(o, "dst", "dport", &d.dst);
		put_sums(o, &d);
		put_rows(o, l, i);
		out_close_object(o);
	}
	out_close_array(o);
	out_end(o);
}
