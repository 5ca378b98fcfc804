/* SPDX-License-Identifier: BSD-2-Clause */
/* say.c - lines, and when which record is written; see say.h. */
#include "say.h"
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 1536 };

char *
say_who(struct run *r, const struct sky_addr *a, char *buf, size_t size)
{
	const char *name = names_of(r->names, a);
	char host[SKY_ADDRSTRLEN];

	sky_addr_format_host(a, host, sizeof(host));
	snprintf(buf, size, name ? "%s (%s)" : "%.0s%s", name ? name : "", host);
	return buf;
}

static void
add(char *line, const char *text)
{
	size_t len = strlen(line);

	snprintf(line + len, LINE - len, "%s", text);
}

void
say_head(struct run *r)
{
	static const char *const methods[] = { "UDP", "ICMP echo", "TCP" };
	const struct opts *o = r->o;
	char host[SKY_ADDRSTRLEN], port[16] = "", text[80];

	sky_addr_format_host(&r->dst, host, sizeof(host));
	if (sky_addr_port(&r->dst))
		snprintf(port, sizeof(port), " port %u", sky_addr_port(&r->dst));
	if (o->tcp)
		snprintf(text, sizeof(text), "SYN tells no MTU");
	else if (o->no_mtu)
		snprintf(text, sizeof(text), "%u byte packets", r->len);
	else
		snprintf(text, sizeof(text), "packets of %u to %u bytes", r->len,
		    r->sock.device_mtu);
	out_line(&r->out, "path to %s (%s) by %s%s, %d hops at most, %s", o->host, host,
	    methods[r->conf.method], port, o->max, text);
	if (r->sock.cached_mtu)
		out_line(&r->out, "this host remembers a path MTU of %u for it, and is not asked",
		    r->sock.cached_mtu);
	if (o->verbose && !o->raw && !o->tcp)
		out_line(&r->out, "address translators are seen with --raw only");
	if (!o->numeric && !names_built() && o->verbose)
		out_line(&r->out, "built without c-ares: no names");
}

/* With -q more than 1 those that were lost are shown, as traceroute does. */
static void
add_tries(struct run *r, const struct sky_trace_hop *h, char *line)
{
	char who[SAY_WHO + 8], time[24];
	int by = -1;

	for (unsigned i = 0; i < h->tries; i++) {
		const struct sky_trace_try *t = &h->try[i];

		if (!t->rtt_ns) {
			if (t->lost && r->o->probes > 1)
				add(line, "  *");
			continue;
		}
		if (t->by != by) {
			add(line, "  ");
			add(line, say_who(r, &h->addr[t->by], who, sizeof(who)));
		}
		by = t->by;
		add(line, "  ");
		add(line, out_duration(t->rtt_ns, time, sizeof(time)));
	}
	if (by < 0 && h->addrs) {	/* it did not say which probe it was */
		add(line, "  ");
		add(line, say_who(r, &h->addr[0], who, sizeof(who)));
	} else if (by < 0 && r->o->probes <= 1) {
		add(line, "  *");
	}
}

static void
hop_line(struct run *r, const struct sky_trace_hop *h)
{
	char line[LINE], remarks[LINE / 2];

	snprintf(line, sizeof(line), "%2u", h->ttl);
	add_tries(r, h, line);
	say_remarks(r, h, remarks, sizeof(remarks));
	if (remarks[0]) {
		add(line, "  ");
		add(line, remarks);
	}
	out_line(&r->out, "%s", line);
}

void
say_hop(struct run *r, const struct sky_trace_hop *h)
{
	if (r->out.text)
		hop_line(r, h);
	if (r->o->document)
		return;
	out_begin(&r->out, "hop", run_wall());
	say_hop_json(r, h);
	out_end(&r->out);
}

static void
end_lines(struct run *r, const struct sky_trace_path *p, const struct path_back *back)
{
	char line[LINE], time[24];

	if (!r->o->no_mtu && !r->o->tcp) {
		say_mtu(p, line, sizeof(line));
		out_line(&r->out, "%s", line);
	}
	if (back) {
		say_back(back, line, sizeof(line));
		out_line(&r->out, "%s", line);
	}
	if (p->forged)
		out_line(&r->out, "%u forged or foreign answers were ignored", p->forged);
	if (p->changed)
		out_line(&r->out, "the path changed meanwhile");
	say_stop(r, p, line, sizeof(line));
	out_line(&r->out, "%s, in %s with %u packets", line,
	    out_duration(run_now() - r->began, time, sizeof(time)), r->packets);
}

static void
document(struct run *r, const struct sky_trace *t, const struct sky_trace_path *p,
    const struct path_back *back)
{
	struct sky_trace_hop h;

	out_begin(&r->out, "path", run_wall());
	say_end_json(r, p, back);
	out_open_array(&r->out, "hops");
	for (unsigned i = 0; i < p->hops; i++) {
		if (sky_trace_hop(t, p->first + i, &h) ||
		    (p->stop == SKY_TRACE_LOCAL && h.state != SKY_TRACE_ANSWERED))
			continue;
		out_open_object(&r->out, NULL);
		say_hop_json(r, &h);
		out_close_object(&r->out);
	}
	out_close_array(&r->out);
	out_end(&r->out);
}

void
say_end(struct run *r, const struct sky_trace *t, const struct path_back *back)
{
	struct sky_trace_path p;

	sky_trace_path(t, &p);
	if (r->out.text)
		end_lines(r, &p, back);
	if (r->o->document) {
		document(r, t, &p, back);
		return;
	}
	out_begin(&r->out, "summary", run_wall());
	say_end_json(r, &p, back);
	out_end(&r->out);
}

void
say_names(struct run *r)
{
	char host[SKY_ADDRSTRLEN];
	struct sky_addr a;
	const char *name;
	unsigned i = 0;

	while ((name = names_late(r->names, &i, &a))) {
		out_line(&r->out, "%s is %s", sky_addr_format_host(&a, host, sizeof(host)), name);
		out_begin(&r->out, "name", run_wall());
		out_addr(&r->out, "by", NULL, &a);
		out_str(&r->out, "name", name);
		out_end(&r->out);
	}
}

int
say_status(const struct run *r, const struct sky_trace_path *p)
{
	bool proven = p->certainty == SKY_TRACE_MTU_EXACT || p->certainty == SKY_TRACE_MTU_AT_LEAST;

	if (p->stop == SKY_TRACE_LOCAL && (p->err == EMFILE || p->err == ENFILE ||
	    p->err == ENOMEM || p->err == ENOBUFS))
		return STATUS_SYSTEM;
	if (!p->reached)
		return STATUS_NOT;
	if (r->o->expect && (!proven || p->mtu < (uint32_t)r->o->expect_mtu))
		return STATUS_MTU;
	return STATUS_REACHED;
}
