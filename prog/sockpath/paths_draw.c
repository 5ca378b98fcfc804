/* SPDX-License-Identifier: BSD-2-Clause */
/* paths_draw.c - the graph as lanes of text, and the sentences below it. */
#include "graph.h"
#include "paths.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

enum { LINE = 512, LINKS = 256 };

/* The routers of a hop, from left to right. */
struct row {
	unsigned n;
	unsigned node[GRAPH_LANES];
	bool live[GRAPH_LANES];		/* not drawn yet, or has links downwards */
};

struct drawing {
	struct run *r;
	struct sky_paths *p;
	unsigned nodes, margin;
};

static int
lane_of(const struct row *row, unsigned node)
{
	for (unsigned i = 0; i < row->n; i++)
		if (row->node[i] == node)
			return (int)i;
	return -1;
}

/* Where the links to a node come from, on average; in 256ths of a lane. */
static unsigned
middle(struct sky_paths *p, const struct row *above, unsigned node)
{
	struct sky_paths_link l;
	unsigned sum = 0, n = 0;

	for (unsigned i = 0; sky_paths_link(p, i, &l) == 0; i++) {
		int lane = l.to == node ? lane_of(above, l.from) : -1;

		if (lane < 0)
			continue;
		sum += 256 * (unsigned)lane;
		n++;
	}
	return n ? sum / n : 256 * GRAPH_LANES;
}

/* Few lines cross if each router stands below those before it. */
static void
gather(const struct drawing *d, unsigned ttl, const struct row *above, struct row *row)
{
	unsigned at[GRAPH_LANES];
	struct sky_paths_node n;

	row->n = 0;
	for (unsigned i = 0; i < d->nodes && row->n < GRAPH_LANES; i++) {
		unsigned k = row->n, here = middle(d->p, above, i);

		if (sky_paths_node(d->p, i, &n) || n.ttl != ttl)
			continue;
		for (; k > 0 && at[k - 1] > here; k--) {
			at[k] = at[k - 1];
			row->node[k] = row->node[k - 1];
		}
		at[k] = here;
		row->node[k] = i;
		row->n++;
	}
}

static void
connector(void *data, const char *text)
{
	struct drawing *d = data;

	out_line(&d->r->out, "    %s", text);
}

static void
join(struct drawing *d, const struct row *above, const struct row *row)
{
	struct graph_link links[LINKS];
	struct sky_paths_link l;
	unsigned n = 0;

	for (unsigned i = 0; n < LINKS && sky_paths_link(d->p, i, &l) == 0; i++) {
		int from = lane_of(above, l.from), to = lane_of(row, l.to);

		if (from >= 0 && to >= 0)
			links[n++] = (struct graph_link){ (unsigned)from, (unsigned)to, l.sure };
	}
	if (n)
		graph_links(links, n, connector, d);
}

static bool
goes_on(const struct drawing *d, unsigned node)
{
	struct sky_paths_link l;

	for (unsigned i = 0; sky_paths_link(d->p, i, &l) == 0; i++)
		if (l.from == node)
			return true;
	return false;
}

static void
add(char *line, const char *text)
{
	size_t n = strlen(line);

	snprintf(line + n, LINE - n, "%s", text);
}

static void
remark_spread(const struct sky_paths_node *n, char *line)
{
	static const char *const what[] = { "", "flows over", "packets over",
	    "flows or packets over" };
	char text[80];

	if (n->nexts < 2)
		return;
	snprintf(text, sizeof(text), ", spreads %s %u%s", what[n->spread], n->nexts,
	    n->settled ? "" : " or more");
	add(line, text);
}

/* Branches that this router told a limit for. */
static void
remark_mtu(const struct drawing *d, const struct sky_paths_node *n, char *line)
{
	struct sky_paths_branch b;
	char text[80];

	for (unsigned i = 0; sky_paths_branch(d->p, i, &b) == 0; i++) {
		if (b.size != SKY_PATHS_SIZE_TOLD || b.by_hop != n->ttl ||
		    !sky_addr_same_host(&b.by, &n->by))
			continue;
		snprintf(text, sizeof(text), ", MTU %u from here", b.mtu);
		add(line, text);
		return;
	}
}

static void
describe(const struct drawing *d, const struct sky_paths_node *n, char *line)
{
	char who[SAY_WHO], rtt[24];
	const struct sky_icmp_row *row;

	if (n->is == SKY_PATHS_SOURCE) {
		add(line, "this host");
		remark_spread(n, line);
		return;
	}
	add(line, n->is == SKY_PATHS_SILENT ? "* silent" : say_who(d->r, &n->by, who, sizeof(who)));
	if (n->rtt_ns) {
		add(line, ", ");
		add(line, out_duration(n->rtt_ns, rtt, sizeof(rtt)));
	}
	if (n->is == SKY_PATHS_END)
		add(line, ", the destination");
	row = sky_icmp_find(sky_addr_family(&n->by), n->type, n->code);
	if (n->is == SKY_PATHS_STOP) {
		add(line, ", says ");
		add(line, row ? sky_fate_word(row->what) : "unreachable");
	}
	remark_spread(n, line);
	remark_mtu(d, n, line);
	if (n->limited)
		add(line, ", rate limited");
}

static void
node_line(const struct drawing *d, unsigned ttl, const struct row *row, unsigned lane)
{
	char line[LINE], lanes[2 * GRAPH_LANES + 3];
	struct sky_paths_node n;
	size_t at;

	if (sky_paths_node(d->p, row->node[lane], &n))
		return;
	graph_node(lanes, sizeof(lanes), lane, row->live, row->n, n.is == SKY_PATHS_SILENT ?
	    '*' : 'o');
	at = (size_t)snprintf(line, sizeof(line), "%2u  %-*s  ", ttl, (int)d->margin, lanes);
	if (at < sizeof(line))
		describe(d, &n, line);
	out_line(&d->r->out, "%s", line);
}

void
paths_draw(struct run *r, struct sky_paths *p, const struct sky_paths_result *s)
{
	struct drawing d = { .r = r, .p = p, .nodes = s->nodes };
	struct row above = { .n = 0 }, row;

	d.margin = 2 * (s->widest < GRAPH_LANES ? s->widest : GRAPH_LANES);
	for (unsigned ttl = 0; ttl <= p->conf.max; ttl++) {
		gather(&d, ttl, &above, &row);
		if (row.n)
			join(&d, &above, &row);
		/* Those to the right come down past those to the left. */
		for (unsigned i = 0; i < row.n; i++)
			row.live[i] = true;
		for (unsigned i = 0; i < row.n; i++) {
			node_line(&d, ttl, &row, i);
			row.live[i] = goes_on(&d, row.node[i]);
		}
		above = row;
	}
}

/* --- the sentences --- */

static void
size_text(struct run *r, const struct sky_paths_branch *b, char *buf, size_t size)
{
	char who[SAY_WHO], hop[24] = "";

	if (b->by_hop)
		snprintf(hop, sizeof(hop), " (hop %u)", b->by_hop);
	if (b->size == SKY_PATHS_SIZE_DEVICE)
		snprintf(buf, size, "MTU %u, the interface's", b->mtu);
	else if (b->size == SKY_PATHS_SIZE_TOLD)
		snprintf(buf, size, "MTU %u, says %s%s", b->mtu, sky_addr_family(&b->by) ?
		    say_who(r, &b->by, who, sizeof(who)) : "this host", hop);
	else if (!b->mtu)
		snprintf(buf, size, "MTU not known: no large packet was answered");
	else if (b->size == SKY_PATHS_SIZE_HOLE)
		snprintf(buf, size, "MTU %u to %u, and nobody says so: a black hole", b->mtu,
		    b->most);
	else if (b->size == SKY_PATHS_SIZE_RANGE)
		snprintf(buf, size, "MTU %u to %u: %s%s does not tell", b->mtu, b->most,
		    say_who(r, &b->by, who, sizeof(who)), hop);
	else
		snprintf(buf, size, "MTU %u to %u: answers ran out", b->mtu, b->most);
}

/* The routers of a branch where there is a choice. */
static void
way_text(struct sky_paths *p, const struct sky_paths_branch *b, char *buf, size_t size)
{
	char host[SKY_ADDRSTRLEN];
	struct sky_paths_node n;
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < b->hops && at < size; i++) {
		if (p->hop[i + 1].width < 2)
			continue;
		if (sky_paths_node(p, b->node[i], &n) || n.is == SKY_PATHS_SILENT)
			snprintf(host, sizeof(host), "*");
		else
			sky_addr_format_host(&n.by, host, sizeof(host));
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? " " : "", host);
	}
}

static void
branches(struct run *r, struct sky_paths *p)
{
	static const char *const ports[] = { "port", "identifier", "port" };
	struct sky_paths_branch b;
	char way[LINE], text[LINE];

	for (unsigned i = 0; sky_paths_branch(p, i, &b) == 0; i++) {
		way_text(p, &b, way, sizeof(way));
		size_text(r, &b, text, sizeof(text));
		out_line(&r->out, "%s%s%s%s%s (%s %u)", way[0] ? "by " : "", way,
		    way[0] ? ": " : "", text, b.whole ? "" : ", as far as it is known",
		    ports[r->conf.method], paths_port(r, b.flow));
	}
}

static void
certainty(struct run *r, struct sky_paths *p, const struct sky_paths_result *s)
{
	struct sky_paths_link l;
	unsigned doubtful = 0;

	for (unsigned i = 0; sky_paths_link(p, i, &l) == 0; i++)
		doubtful += !l.sure;
	out_line(&r->out, "certainty %u %% at each router%s, that of the whole %.0f %% or more",
	    p->conf.percent, s->complete ? "" : " where answers sufficed", 100 * (1 - s->miss));
	if (doubtful)
		out_line(&r->out, "%u links are dotted: no flow proves them, for packets of one "
		    "flow may part there", doubtful);
}

void
paths_tell(struct run *r, struct sky_paths *p, const struct sky_paths_result *s)
{
	static const char *const ends[] = { "", "reached", "not reached: unreachable",
	    "not reached: silence", "not reached: too many hops", "stopped: too many packets", "",
	    "interrupted", "not reached: the routers send it round in a loop", "not reached: " };
	char time[24], who[SAY_WHO] = "";

	branches(r, p);
	certainty(r, p, s);
	if (s->strays)
		out_line(&r->out, "%u forged or foreign answers were ignored", s->strays);
	if (s->shorts)
		out_line(&r->out, "%u answers quote too little to be of use here", s->shorts);
	if (s->stop == SKY_PATHS_REFUSES)
		say_who(r, &s->by, who, sizeof(who));
	out_line(&r->out, "%s%s%s, in %s with %u packets in %u flows", ends[s->stop], who,
	    s->stop == SKY_PATHS_REFUSES ? " calls every packet too big" : "",
	    out_duration(s->ended - s->began, time, sizeof(time)), r->packets, s->flows);
}
