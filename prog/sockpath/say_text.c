/* SPDX-License-Identifier: BSD-2-Clause */
/* say_text.c - the sentences about hops and paths; see say.h. */
#include "say.h"

#include "base/text.h"
#include "sys/device.h"
#include "sys/route.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Sentences one after the other, "; " between. */
struct notes {
	struct sky_text text;
	bool some;
};

static struct sky_text *
next(struct notes *n)
{
	if (n->some)
		sky_text_put(&n->text, "; ");
	n->some = true;
	return &n->text;
}

#define note(n, ...) sky_text_put(next(n), __VA_ARGS__)

static void
note_drop(struct notes *n, struct run *r, const struct sky_trace_hop *h)
{
	char who[SAY_WHO];

	if (h->drop_from && h->hole)
		note(n, "black hole after it: more than %u bytes vanish", h->drop_to);
	else if (h->drop_from)
		note(n, "MTU drops to %u after it", h->drop_to);
	if (h->judged != SKY_TRACE_TOLD_NOTHING && sky_addr_family(&h->teller) && h->addrs &&
	    !sky_addr_same_host(&h->teller, &h->addr[0]))
		note(n, "as %s says", say_who(r, &h->teller, who, sizeof(who)));
	if (h->judged == SKY_TRACE_TOLD_ZERO)
		note(n, "tells no MTU");
	else if (h->judged == SKY_TRACE_TOLD_LARGE || h->judged == SKY_TRACE_TOLD_SMALL ||
	    h->judged == SKY_TRACE_TOLD_FLOOR)
		note(n, "says MTU %u, which is not true", h->told);
}

static void
note_limit(struct notes *n, const struct sky_trace_hop *h)
{
	char each[24];

	if (!h->limited)
		return;
	if (h->limit_ns == 1000000000)
		note(n, "rate limited 1/s burst %u", h->limit_burst);
	else if (h->limit_ns)
		note(n, "rate limited one in %s burst %u", out_duration(h->limit_ns, each,
		    sizeof(each)), h->limit_burst);
	else
		note(n, "rate limited burst %u", h->limit_burst);
}

static void
note_labels(struct notes *n, const struct sky_trace_hop *h)
{
	for (unsigned i = 0; i < h->labels; i++)
		note(n, "MPLS label %u tc %u ttl %u", h->label[i].label, h->label[i].tc,
		    h->label[i].ttl);
}

/* What it said, where that is not "the hop limit ends here" or "you are there". */
static void
note_error(struct notes *n, struct run *r, const struct sky_trace_hop *h)
{
	int family = sky_addr_family(&r->dst);
	const struct sky_icmp_row *row = sky_icmp_find(family, h->type, h->code);
	char host[SKY_ADDRSTRLEN];

	if (h->what == SKY_HOP_UNREACHABLE)
		note(n, "says %s (%u/%u)", row ? row->name : "unreachable", h->type, h->code);
	if (h->what == SKY_HOP_UNREACHABLE && (!row || row->what != SKY_REFUSED))
		return;
	if (h->end && h->addrs && !sky_addr_same_host(&h->addr[0], &r->dst))
		note(n, "answers instead of %s", sky_addr_format_host(&r->dst, host, sizeof(host)));
}

/* A TTL that is not 1 where it ended: somebody before it did not count, or set it
 * anew; another length: somebody changed the packet. */
static void
note_quote(struct notes *n, const struct run_quote *q)
{
	if (q->sent && q->ttl != 1)
		note(n, "quotes TTL %u", q->ttl);
	if (q->sent && q->len != q->sent)
		note(n, "quotes length %u of %u", q->len, q->sent);
}

void
say_remarks(struct run *r, const struct sky_trace_hop *h, char *buf, size_t size)
{
	struct notes n = { .text = { .buf = buf, .size = size } };

	buf[0] = '\0';
	if (h->state == SKY_TRACE_SILENT)
		note(&n, "silent");
	else if (h->state != SKY_TRACE_ANSWERED)
		note(&n, "not known yet");
	note_error(&n, r, h);
	note_drop(&n, r, h);
	note_limit(&n, h);
	note_labels(&n, h);
	if (h->asymmetric)
		note(&n, "asymmetric, %u back", h->back);
	if (h->rewritten)
		note(&n, "behind an address translator");
	note_quote(&n, &r->quote[h->ttl]);
	if (h->short_quote && r->o->verbose)
		note(&n, "quotes too little to tell probes apart");
	if (r->o->verbose && h->asked > h->answered)
		note(&n, "answered %u of %u", h->answered, h->asked);
	if (r->o->verbose && h->reply_ttl)
		note(&n, "reply TTL %u", h->reply_ttl);
}

static void
mtu_setter(struct notes *n, const struct sky_trace_path *p)
{
	char who[SKY_ADDRSTRLEN];

	sky_addr_format_host(&p->set_by, who, sizeof(who));
	if (p->limit == SKY_TRACE_BY_DEVICE)
		note(n, "that of this host's interface");
	else if (p->limit == SKY_TRACE_BY_ROUTER && p->set_by_hop)
		note(n, "set by hop %u (%s)", p->set_by_hop, who);
	else if (p->limit == SKY_TRACE_BY_ROUTER)
		note(n, "set by %s", who);
	else if (p->limit == SKY_TRACE_BY_HOLE && p->set_by_last > p->set_by_hop)
		note(n, "black hole between hop %u and hop %u", p->set_by_hop, p->set_by_last + 1);
	else if (p->limit == SKY_TRACE_BY_HOLE && sky_addr_family(&p->set_by))
		note(n, "black hole after hop %u (%s)", p->set_by_hop, who);
	else if (p->limit == SKY_TRACE_BY_HOLE)
		note(n, "black hole after hop %u", p->set_by_hop);
}

void
say_mtu(const struct sky_trace_path *p, char *buf, size_t size)
{
	struct notes n = { .text = { .buf = buf, .size = size } };
	char setter[SAY_WHO + 80] = "";
	struct notes s = { .text = { .buf = setter, .size = sizeof(setter) } };

	if (p->limit != SKY_TRACE_BY_DEVICE || (p->reached &&
	    p->certainty != SKY_TRACE_MTU_BOUNDED))
		mtu_setter(&s, p);
	if (p->certainty == SKY_TRACE_MTU_EXACT && !p->reached && p->last)
		note(&n, "path MTU %u as far as hop %u", p->mtu, p->last);
	else if (p->certainty == SKY_TRACE_MTU_EXACT)
		note(&n, "path MTU %u", p->mtu);
	else if (p->certainty == SKY_TRACE_MTU_AT_LEAST && p->mtu_most > p->mtu)
		note(&n, "path MTU at least %u, at most %u", p->mtu, p->mtu_most);
	else if (p->certainty == SKY_TRACE_MTU_AT_LEAST)
		note(&n, "path MTU at least %u", p->mtu);
	else if (p->certainty == SKY_TRACE_MTU_BOUNDED)
		note(&n, "path MTU %u as far as hop %u, not known beyond", p->mtu, p->mtu_hop);
	else
		note(&n, "path MTU not known");
	if (setter[0] && p->certainty != SKY_TRACE_MTU_NONE) {
		n.some = false;
		note(&n, ", %s", setter);
	}
}

void
say_back(const struct path_back *b, char *buf, size_t size)
{
	struct notes n = { .text = { .buf = buf, .size = size } };

	if (!b->mtu)
		note(&n, "reverse path MTU not known");
	else if (b->most > b->mtu)
		note(&n, "reverse path MTU %u to %u, by %s", b->mtu, b->most, b->method);
	else
		note(&n, "reverse path MTU %u, by %s", b->mtu, b->method);
	if (b->why[0])
		note(&n, "%s", b->why);
}

/* The kernel has one errno for no route and for a neighbour that is silent. */
enum sky_what
say_why(const struct run *r, int err)
{
	uint32_t probes;
	int state = err == EHOSTUNREACH ? sky_route_neighbour(&r->dst, &probes) : 0;

	return state == 1 || state == 2 ? SKY_NO_NEIGHBOUR : sky_fate_from_errno(err);
}

static void
stop_local(const struct run *r, const struct sky_trace_path *p, struct notes *n)
{
	enum sky_what what = say_why(r, p->err);
	uint32_t device = r->o->device ? sky_device_find(r->o->device) : 0;

	if (device && sky_device_up(device) == 0)
		note(n, "not reached: interface %s is down", r->o->device);
	else if (what != SKY_NOTHING)
		note(n, "not reached: %s (%s)", sky_fate_sentence(what), strerror(p->err));
	else
		note(n, "not reached: %s", strerror(p->err));
}

/* The kernel says so only after some seconds; its table of neighbours knows
 * already. */
static void
stop_silence(const struct run *r, const struct sky_trace_path *p, struct notes *n)
{
	uint32_t probes;
	int state = p->last ? 0 : sky_route_neighbour(&r->dst, &probes);

	if (p->last)
		note(n, "not reached: silence after hop %u", p->last);
	else if (state == 1 || state == 2)
		note(n, "not reached: %s", sky_fate_sentence(SKY_NO_NEIGHBOUR));
	else
		note(n, "not reached: silence");
}

static void
stop_unreachable(struct run *r, const struct sky_trace_path *p, struct notes *n)
{
	const struct sky_icmp_row *row = sky_icmp_find(sky_addr_family(&r->dst), p->type, p->code);
	char who[SAY_WHO];

	note(n, "not reached: %s, says %s", row ? row->name : "unreachable",
	    say_who(r, &p->by, who, sizeof(who)));
}

void
say_stop(struct run *r, const struct sky_trace_path *p, char *buf, size_t size)
{
	struct notes n = { .text = { .buf = buf, .size = size } };
	char who[SAY_WHO];

	say_who(r, &p->by, who, sizeof(who));
	if (p->reached && p->distance)
		note(&n, "reached at hop %u", p->distance);
	else if (p->reached && p->first > 1 && p->last == p->first)
		note(&n, "reached at hop %u or before", p->first);
	else if (p->reached)
		note(&n, "reached");
	if (p->stop == SKY_TRACE_INTERRUPTED)
		note(&n, p->reached ? "interrupted" : "not reached: interrupted");
	else if (p->capped && p->reached)
		note(&n, "no more packets are allowed");
	if (p->reached || p->stop == SKY_TRACE_INTERRUPTED)
		return;
	if (p->stop == SKY_TRACE_UNREACHABLE)
		stop_unreachable(r, p, &n);
	else if (p->stop == SKY_TRACE_LOCAL)
		stop_local(r, p, &n);
	else if (p->stop == SKY_TRACE_GAP)
		stop_silence(r, p, &n);
	else if (p->stop == SKY_TRACE_MAX)
		note(&n, "not reached: the path goes on after hop %d", r->o->max);
	else if (p->stop == SKY_TRACE_LOOP)
		note(&n, "not reached: the routers send it round in a loop");
	else if (p->stop == SKY_TRACE_REFUSES)
		note(&n, "not reached: %s calls every packet too big", who);
	else
		note(&n, "not reached: no more packets are allowed");
}
