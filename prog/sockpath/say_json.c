/* SPDX-License-Identifier: BSD-2-Clause */
/* say_json.c - the members of records about hops and paths; see say.h. */
#include "say.h"
#include "names.h"

#include <stdio.h>
#include <string.h>

enum { WORD = 32 };

/* Words of records have no blanks. */
static const char *
dashed(char *word, const char *text)
{
	snprintf(word, WORD, "%s", text);
	for (char *p = word; *p; p++)
		if (*p == ' ')
			*p = '-';
	return word;
}

/* Address and name, as members. */
static void
who(struct run *r, const struct sky_addr *a)
{
	const char *name = names_of(r->names, a);

	out_addr(&r->out, "by", NULL, a);
	if (name)
		out_str(&r->out, "name", name);
}

static const char *
fate_of(int family, const struct sky_trace_try *t)
{
	const struct sky_icmp_row *row = sky_icmp_find(family, t->type, t->code);

	if (t->lost)
		return "silent";
	if (!t->rtt_ns)
		return "sent";
	if (t->what == SKY_HOP_REACHED && !t->type)
		return "answered";
	return row ? sky_fate_word(row->what) : "unreachable";
}

static void
tries(struct run *r, const struct sky_trace_hop *h)
{
	struct out *o = &r->out;

	out_open_array(o, "probes");
	for (unsigned i = 0; i < h->tries; i++) {
		const struct sky_trace_try *t = &h->try[i];

		out_open_object(o, NULL);
		out_str(o, "fate", fate_of(sky_addr_family(&r->dst), t));
		if (t->rtt_ns && t->by < h->addrs)
			out_addr(o, "by", NULL, &h->addr[t->by]);
		if (t->rtt_ns)
			out_u64(o, "rtt_ns", t->rtt_ns);
		out_close_object(o);
	}
	out_close_array(o);
}

static void
mtus(struct run *r, const struct sky_trace_hop *h)
{
	struct out *o = &r->out;
	char word[WORD];

	if (h->passed && !r->o->tcp)
		out_u64(o, "passed", h->passed);
	if (h->drop_from) {
		out_u64(o, "drop_from", h->drop_from);
		out_u64(o, "drop_to", h->drop_to);
		out_bool(o, "hole", h->hole);
	}
	if (h->judged == SKY_TRACE_TOLD_NOTHING)
		return;
	out_u64(o, "mtu", h->told);
	out_str(o, "judged", dashed(word, sky_trace_told_word(h->judged)));
	if (sky_addr_family(&h->teller))
		out_addr(o, "teller", NULL, &h->teller);
}

static void
labels(struct run *r, const struct sky_trace_hop *h)
{
	struct out *o = &r->out;

	if (!h->labels)
		return;
	out_open_array(o, "labels");
	for (unsigned i = 0; i < h->labels; i++) {
		out_open_object(o, NULL);
		out_u64(o, "label", h->label[i].label);
		out_u64(o, "tc", h->label[i].tc);
		out_u64(o, "ttl", h->label[i].ttl);
		out_close_object(o);
	}
	out_close_array(o);
}

static void
others(struct run *r, const struct sky_trace_hop *h)
{
	if (h->addrs < 2)
		return;
	out_open_array(&r->out, "others");
	for (unsigned i = 1; i < h->addrs; i++) {
		out_open_object(&r->out, NULL);
		who(r, &h->addr[i]);
		out_close_object(&r->out);
	}
	out_close_array(&r->out);
}

void
say_hop_json(struct run *r, const struct sky_trace_hop *h)
{
	static const char *const states[] = { "unsent", "asked", "answered", "silent" };
	struct out *o = &r->out;

	out_u64(o, "hop", h->ttl);
	out_str(o, "state", states[h->state]);
	if (h->addrs)
		who(r, &h->addr[0]);
	if (h->addrs && h->state == SKY_TRACE_ANSWERED && h->what != SKY_HOP_LOCAL &&
	    (h->type || h->code)) {
		out_u64(o, "icmp_type", h->type);
		out_u64(o, "icmp_code", h->code);
	}
	if (h->end)
		out_bool(o, "end", true);
	others(r, h);
	tries(r, h);
	mtus(r, h);
	labels(r, h);
	if (h->reply_ttl)
		out_u64(o, "reply_ttl", h->reply_ttl);
	if (h->back)
		out_u64(o, "back", h->back);
	if (h->asymmetric)
		out_bool(o, "asymmetric", true);
	if (h->limited) {
		out_bool(o, "limited", true);
		out_u64(o, "limit_burst", h->limit_burst);
	}
	if (h->limited && h->limit_ns)
		out_u64(o, "limit_ns", h->limit_ns);
	if (h->rewritten)
		out_bool(o, "rewritten", true);
	if (r->quote[h->ttl].sent) {
		out_u64(o, "quoted_ttl", r->quote[h->ttl].ttl);
		out_u64(o, "quoted_len", r->quote[h->ttl].len);
	}
	if (h->short_quote)
		out_bool(o, "short_quote", true);
	out_u64(o, "asked", h->asked);
	out_u64(o, "answered", h->answered);
	if (h->duplicates)
		out_u64(o, "duplicated", h->duplicates);
}

static void
end_mtu(struct run *r, const struct sky_trace_path *p, const struct path_back *back)
{
	struct out *o = &r->out;
	char word[WORD];

	if (p->certainty != SKY_TRACE_MTU_NONE) {
		if (p->certainty != SKY_TRACE_MTU_BOUNDED)
			out_u64(o, "pmtu", p->mtu);
		else
			out_u64(o, "pmtu_part", p->mtu);
		out_u64(o, "pmtu_most", p->mtu_most);
		if (p->certainty == SKY_TRACE_MTU_BOUNDED)
			out_u64(o, "pmtu_hop", p->mtu_hop);
	}
	out_str(o, "certainty", dashed(word, sky_trace_certainty_word(p->certainty)));
	if (p->limit != SKY_TRACE_BY_NOBODY)
		out_str(o, "limit", dashed(word, sky_trace_limit_word(p->limit)));
	if (p->set_by_hop)
		out_u64(o, "set_by_hop", p->set_by_hop);
	if (p->set_by_last > p->set_by_hop)
		out_u64(o, "set_by_last", p->set_by_last);
	if (sky_addr_family(&p->set_by))
		out_addr(o, "set_by", NULL, &p->set_by);
	out_u64(o, "device_mtu", p->device_mtu);
	if (p->cached_mtu)
		out_u64(o, "cached_mtu", p->cached_mtu);
	if (back && back->mtu) {
		out_u64(o, "reverse_pmtu", back->mtu);
		out_u64(o, "reverse_pmtu_most", back->most ? back->most : back->mtu);
		out_str(o, "reverse_method", back->method);
	}
	if (back && back->packets) {
		out_u64(o, "reverse_sent", back->packets);
		out_u64(o, "reverse_took_ns", back->took);
	}
	if (back && back->why[0])
		out_str(o, "reverse_why", back->why);
}

static void
end_stop(struct run *r, const struct sky_trace_path *p)
{
	struct out *o = &r->out;

	out_bool(o, "reached", p->reached);
	out_str(o, "stop", sky_trace_stop_word(p->stop));
	if (sky_addr_family(&p->by))
		who(r, &p->by);
	if (p->stop == SKY_TRACE_UNREACHABLE) {
		out_u64(o, "icmp_type", p->type);
		out_u64(o, "icmp_code", p->code);
	}
	if (p->stop == SKY_TRACE_LOCAL && strerrorname_np(p->err))
		out_str(o, "errno", strerrorname_np(p->err));
	if (p->distance)
		out_u64(o, "distance", p->distance);
	if (p->last)
		out_u64(o, "last", p->last);
}

void
say_end_json(struct run *r, const struct sky_trace_path *p, const struct path_back *back)
{
	static const char *const methods[] = { "udp", "icmp", "tcp" };
	struct out *o = &r->out;

	out_str(o, "proto", methods[r->conf.method]);
	if (sky_addr_family(&r->sock.sent.src))
		out_addr(o, "src", NULL, &r->sock.sent.src);
	out_addr(o, "dst", "dport", &r->dst);
	out_str(o, "host", r->o->host);
	end_stop(r, p);
	if (!r->o->no_mtu && !r->o->tcp)
		end_mtu(r, p, back);
	out_u64(o, "sent", r->packets);
	out_u64(o, "received", p->answers);
	out_u64(o, "bytes", r->bytes);
	out_u64(o, "took_ns", run_now() - r->began);
	if (p->rtt_ns)
		out_u64(o, "longest_ns", p->rtt_ns);
	if (p->lost)
		out_u64(o, "lost", p->lost);
	if (p->forged)
		out_u64(o, "forged", p->forged);
	if (p->shorts)
		out_u64(o, "short_quotes", p->shorts);
	if (p->duplicates)
		out_u64(o, "duplicated", p->duplicates);
	if (p->late)
		out_u64(o, "late", p->late);
	if (p->changed)
		out_bool(o, "changed", true);
}
