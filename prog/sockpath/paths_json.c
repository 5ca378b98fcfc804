/* SPDX-License-Identifier: BSD-2-Clause */
/* paths_json.c - the records of --paths: one for each node, link and branch, and a
 * summary; or one document. */
#include "names.h"
#include "paths.h"

#include <string.h>

static void
who(struct run *r, const struct sky_addr *a)
{
	const char *name = names_of(r->names, a);

	if (!sky_addr_family(a))
		return;
	out_addr(&r->out, "by", NULL, a);
	if (name)
		out_str(&r->out, "name", name);
}

static void
node(struct run *r, const struct sky_paths_node *n, unsigned i)
{
	static const char *const is[] = { "source", "router", "end", "stop", "silent" };
	struct out *o = &r->out;

	who(r, &n->by);
	out_u64(o, "node", i);
	out_u64(o, "hop", n->ttl);
	out_str(o, "is", is[n->is]);
	if (n->is == SKY_PATHS_STOP) {
		out_u64(o, "icmp_type", n->type);
		out_u64(o, "icmp_code", n->code);
	}
	if (n->rtt_ns)
		out_u64(o, "rtt_ns", n->rtt_ns);
	out_u64(o, "flows", n->flows);
	out_u64(o, "answered", n->answers);
	if (n->limited)
		out_bool(o, "limited", true);
	if (!n->draws)
		return;
	out_u64(o, "nexts", n->nexts);
	out_u64(o, "draws", n->draws);
	out_str(o, "spread", sky_paths_spread_word(n->spread));
	out_bool(o, "settled", n->settled);
	out_u64(o, "miss_ppm", (uint64_t)(n->miss * 1e6 + 0.5));
}

static void
link_members(struct run *r, const struct sky_paths_link *l)
{
	out_u64(&r->out, "from", l->from);
	out_u64(&r->out, "to", l->to);
	out_u64(&r->out, "flows", l->flows);
	out_bool(&r->out, "sure", l->sure);
}

static void
branch(struct run *r, struct sky_paths *p, const struct sky_paths_branch *b)
{
	struct out *o = &r->out;
	struct sky_paths_node n;

	if (sky_addr_family(&b->by))
		out_addr(o, "set_by", NULL, &b->by);
	if (b->by_hop)
		out_u64(o, "set_by_hop", b->by_hop);
	out_u64(o, "flow", b->flow);
	out_u64(o, "sport", paths_port(r, b->flow));
	out_str(o, "certainty", sky_paths_size_word(b->size));
	if (b->mtu) {
		out_u64(o, "pmtu", b->mtu);
		out_u64(o, "pmtu_most", b->size == SKY_PATHS_SIZE_TOLD ||
		    b->size == SKY_PATHS_SIZE_DEVICE ? b->mtu : b->most);
	}
	out_bool(o, "whole", b->whole);
	out_open_array(o, "nodes");
	for (unsigned i = 0; i < b->hops; i++)
		if (sky_paths_node(p, b->node[i], &n) == 0)
			out_u64(o, NULL, b->node[i]);
	out_close_array(o);
}

static void
summary(struct run *r, const struct sky_paths *p, const struct sky_paths_result *s)
{
	struct out *o = &r->out;

	out_addr(o, "dst", "dport", &r->dst);
	out_str(o, "host", r->o->host);
	out_bool(o, "reached", s->reached);
	out_str(o, "stop", sky_paths_stop_word(s->stop));
	who(r, &s->by);
	if (s->stop == SKY_PATHS_LOCAL && strerrorname_np(s->err))
		out_str(o, "errno", strerrorname_np(s->err));
	out_bool(o, "complete", s->complete);
	out_u64(o, "percent", p->conf.percent);
	out_u64(o, "miss_ppm", (uint64_t)(s->miss * 1e6 + 0.5));
	out_u64(o, "flows", s->flows);
	out_u64(o, "widest", s->widest);
	out_u64(o, "sent", r->packets);
	out_u64(o, "received", s->answers);
	out_u64(o, "limited", s->limited);
	out_u64(o, "lost", s->lost);
	if (s->strays)
		out_u64(o, "forged", s->strays);
	if (s->shorts)
		out_u64(o, "short_quotes", s->shorts);
	out_u64(o, "took_ns", s->ended - s->began);
	out_u64(o, "longest_ns", s->rtt_ns);
}

/* A record of its own, or an element of the document. */
static void
begin(struct run *r, const char *type)
{
	if (r->o->document)
		out_open_object(&r->out, NULL);
	else
		out_begin(&r->out, type, run_wall());
}

static void
end(struct run *r)
{
	if (r->o->document)
		out_close_object(&r->out);
	else
		out_end(&r->out);
}

static void
array(struct run *r, const char *key)
{
	if (r->o->document)
		out_open_array(&r->out, key);
}

static void
array_end(struct run *r)
{
	if (r->o->document)
		out_close_array(&r->out);
}

static void
parts(struct run *r, struct sky_paths *p)
{
	struct sky_paths_branch b;
	struct sky_paths_node n;
	struct sky_paths_link l;

	array(r, "node_list");
	for (unsigned i = 0; sky_paths_node(p, i, &n) == 0; i++) {
		begin(r, "node");
		node(r, &n, i);
		end(r);
	}
	array_end(r);
	array(r, "links");
	for (unsigned i = 0; sky_paths_link(p, i, &l) == 0; i++) {
		begin(r, "link");
		link_members(r, &l);
		end(r);
	}
	array_end(r);
	array(r, "branches");
	for (unsigned i = 0; sky_paths_branch(p, i, &b) == 0; i++) {
		begin(r, "branch");
		branch(r, p, &b);
		end(r);
	}
	array_end(r);
}

void
paths_records(struct run *r, struct sky_paths *p, const struct sky_paths_result *s)
{
	if (!r->o->document)
		parts(r, p);
	out_begin(&r->out, "paths", run_wall());
	summary(r, p, s);
	if (r->o->document)
		parts(r, p);
	out_end(&r->out);
}
