/* SPDX-License-Identifier: BSD-2-Clause */
/* style_print.c - the lines of traceroute, tracepath and the book, see style.h. */
#include "style.h"
#include "style_mark.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NS_MS 1e6
#define NAME_WIDTH 51		/* tracepath's column of names, and a blank */
#define LOCAL_WIDTH 32

static const char *
number(const struct sky_addr *a, char *buf)
{
	return sky_addr_format_host(a, buf, SKY_ADDRSTRLEN);
}

static const char *
either(const struct style_page *p, const char *name, const char *numeric)
{
	return name && !p->conf->numeric ? name : numeric;
}

static void
flush(struct style_page *p)
{
	if (fflush(p->to) == EOF && !p->err)
		p->err = errno;
}

/* --- traceroute --- */

static void
traceroute_begin(struct style_page *p)
{
	char a[SKY_ADDRSTRLEN];

	fprintf(p->to, "traceroute to %s (%s), %u hops max, %u byte packets", p->conf->host,
	    number(&p->conf->dst, a), p->conf->max, p->conf->len);
}

static void
traceroute_labels(struct style_page *p, const struct sky_hop_answer *a)
{
	unsigned i;

	for (i = 0; i < a->labels; i++)
		fprintf(p->to, "%sL=%" PRIu32 ",E=%u,S=%u,T=%u", i ? "/" : " <MPLS:",
		    a->label[i].label, a->label[i].tc, i + 1 == a->labels, a->label[i].ttl);
	if (a->labels)
		fputc('>', p->to);
}

/* Hops that an answer passed, taken from where its TTL must have begun. */
static unsigned
hops_back(uint8_t ttl)
{
	unsigned from = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;

	return ttl ? from + 1 - ttl : 0;
}

static void
traceroute_who(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	const struct sky_addr *by = &e->answer.by;
	unsigned back = hops_back(e->answer.ttl);
	char a[SKY_ADDRSTRLEN];

	if (e->answer.what == SKY_HOP_LOCAL && sky_addr_family(by) == AF_UNSPEC)
		by = &p->conf->src;
	number(by, a);
	if (p->conf->numeric)
		fprintf(p->to, " %s", a);
	else
		fprintf(p->to, " %s (%s)", name ? name : a, a);
	if (p->conf->labels)
		traceroute_labels(p, &e->answer);
	if (p->conf->back && back && back != e->ttl)
		fprintf(p->to, " '-%u'", back);
}

static bool
same(const struct style_page *p, const struct sky_hop_answer *a)
{
	if (!sky_addr_same_host(&p->last, &a->by))
		return false;
	if (p->conf->back && p->ttl_back != a->ttl)
		return false;
	return !p->conf->labels || (p->labels == a->labels &&
	    !memcmp(p->label, a->label, sizeof(p->label)));
}

static void
keep(struct style_page *p, const struct sky_hop_answer *a)
{
	p->last = a->by;
	p->labels = a->labels;
	p->ttl_back = a->ttl;
	memcpy(p->label, a->label, sizeof(p->label));
}

static void
traceroute_probe(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	const struct sky_hop_answer *a = &e->answer;
	char mark[STYLE_MARK];
	bool nobody = p->hop != e->ttl;

	if (nobody)
		fprintf(p->to, "\n%2u ", e->ttl);
	if (nobody)
		memset(&p->last, 0, sizeof(p->last));
	p->hop = e->ttl;
	if (!e->answered) {
		fprintf(p->to, " *");
	} else {
		if (nobody || !same(p, a))
			traceroute_who(p, e, name);
		keep(p, a);
		fprintf(p->to, "  %.3f ms", (double)e->rtt_ns / NS_MS);
		style_mark(sky_addr_family(&p->conf->dst), a, mark);
		if (mark[0])
			fprintf(p->to, " %s", mark);
	}
	if (p->smaller)
		fprintf(p->to, " F=%u", p->smaller);
	p->smaller = 0;
}

static void
traceroute_event(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	if (e->what == SKY_SERIAL_SMALLER)
		p->smaller = e->len;
	else if (e->what == SKY_SERIAL_PROBE)
		traceroute_probe(p, e, name);
	else
		fputc('\n', p->to);
}

/* --- tracepath --- */

static void
tracepath_who(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	const struct sky_addr *by = &e->answer.by;
	char a[SKY_ADDRSTRLEN], text[SKY_ADDRSTRLEN + 256];

	if (sky_addr_family(by) == AF_UNSPEC)
		by = &p->conf->src;
	number(by, a);
	if (p->conf->both && !p->conf->numeric)
		snprintf(text, sizeof(text), "%s (%s)", name ? name : a, a);
	else
		snprintf(text, sizeof(text), "%s", either(p, name, a));
	fprintf(p->to, "%2u:  %-*s %3u.%03ums ", e->ttl, NAME_WIDTH, text,
	    (unsigned)(e->rtt_ns / 1000000), (unsigned)(e->rtt_ns / 1000 % 1000));
}

static void
tracepath_smaller(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	p->len = e->len;
	if (e->answer.what != SKY_HOP_LOCAL) {
		tracepath_who(p, e, name);
	} else {
		p->twice = e->ttl;
		fprintf(p->to, "%2u?: %-*s ", e->ttl, LOCAL_WIDTH, "[LOCALHOST]");
		if (sky_addr_family(&p->conf->dst) == AF_INET6)
			fprintf(p->to, "%3u.%03ums ", (unsigned)(e->rtt_ns / 1000000),
			    (unsigned)(e->rtt_ns / 1000 % 1000));
	}
	fprintf(p->to, "pmtu %u\n", e->len);
}

static void
tracepath_refused(struct style_page *p, const struct sky_serial_event *e)
{
	int err;
	const char *mark;

	p->stopped = true;
	if (e->answer.what == SKY_HOP_TOO_BIG) {
		fprintf(p->to, "pmtu %u\n", e->answer.mtu);
		return;
	}
	mark = style_errno_mark(sky_addr_family(&p->conf->dst), &e->answer, &err);
	fprintf(p->to, "%s\n", mark ? mark : "");
	flush(p);
	if (!mark)
		fprintf(stderr, "sockpath: NET ERROR: %s\n", strerror(err));
}

static void
tracepath_probe(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	unsigned back = hops_back(e->answer.ttl);

	if (p->stopped || (!e->answered && e->number == 0 && p->twice == e->ttl) ||
	    (!e->answered && e->number && p->heard == e->ttl))
		return;
	if (!e->answered) {
		fprintf(p->to, "%2u:  no reply\n", e->ttl);
		return;
	}
	p->heard = e->ttl;
	tracepath_who(p, e, name);
	if (e->answer.what == SKY_HOP_REACHED) {
		fprintf(p->to, "reached\n");
		p->hops_to = e->ttl;
		p->hops_back = (uint8_t)back;
	} else if (e->answer.what != SKY_HOP_EXCEEDED) {
		tracepath_refused(p, e);
	} else if (back && back != e->ttl) {
		fprintf(p->to, "asymm %2u \n", back);
	} else {
		fputc('\n', p->to);
	}
}

static void
tracepath_end(struct style_page *p, const struct sky_serial_event *e)
{
	if (e->why == SKY_SERIAL_HOPS)
		fprintf(p->to, "     Too many hops: pmtu %u\n", p->len);
	if (e->why == SKY_SERIAL_FAILED)
		fprintf(p->to, "%2u:  send failed\n", p->hop ? p->hop : p->conf->first);
	fprintf(p->to, "     Resume: pmtu %u ", p->len);
	if (p->hops_to)
		fprintf(p->to, "hops %u ", p->hops_to);
	if (p->hops_back)
		fprintf(p->to, "back %u ", p->hops_back);
	fputc('\n', p->to);
}

static void
tracepath_event(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	if (e->what == SKY_SERIAL_END) {
		tracepath_end(p, e);
		return;
	}
	p->hop = e->ttl;
	if (e->what == SKY_SERIAL_SMALLER)
		tracepath_smaller(p, e, name);
	else
		tracepath_probe(p, e, name);
}

/* --- the book --- */

static void
book_begin(struct style_page *p)
{
	char a[SKY_ADDRSTRLEN];

	fprintf(p->to, "traceroute to %s (%s), %u hops max\n", p->conf->host,
	    number(&p->conf->dst, a), p->conf->max);
}

static void
book_outgoing(struct style_page *p, uint32_t len)
{
	if (!p->told_len)
		fprintf(p->to, "outgoing MTU = %u\n", len);
	p->told_len = true;
}

/* Ends the line of a hop, if one was begun. */
static void
book_line(struct style_page *p)
{
	if (p->hop)
		fputc('\n', p->to);
	p->hop = 0;
}

/* Whole milliseconds, as its clock had them; less than one as it is. */
static void
book_time(struct style_page *p, uint64_t ns)
{
	fprintf(p->to, ns < 1000000 ? " %.3f ms" : " %.0f ms", (double)ns / NS_MS);
}

static void
book_answer(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	const struct sky_addr *by = &e->answer.by;
	char a[SKY_ADDRSTRLEN];

	if (p->hop != e->ttl) {
		book_line(p);
		fprintf(p->to, "%u", e->ttl);
		memset(&p->last, 0, sizeof(p->last));
	}
	p->hop = e->ttl;
	if (e->what == SKY_SERIAL_PROBE && !e->answered) {
		fprintf(p->to, " *");
		return;
	}
	if (sky_addr_family(by) == AF_UNSPEC)
		by = &p->conf->src;
	if (!sky_addr_same_host(&p->last, by) || sky_addr_family(&p->last) == AF_UNSPEC)
		fprintf(p->to, p->conf->numeric ? " %s" : " %s (%s)",
		    either(p, name, number(by, a)), a);
	p->last = *by;
	book_time(p, e->rtt_ns);
}

static void
book_smaller(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	static const char why[] = "fragmentation required and DF set";
	uint32_t told = e->answer.mtu;

	if (e->answer.what == SKY_HOP_LOCAL) {
		book_outgoing(p, e->len);
		return;
	}
	if (p->refused != e->ttl)
		book_answer(p, e, name);
	book_line(p);
	p->refused = e->ttl;
	if (told == e->len)
		fprintf(p->to, "%s, next hop MTU = %u%s\n", why, told,
		    sky_serial_listed(told) ? "" : " (MTU not in table!)");
	else if (!told)
		fprintf(p->to, "%s, trying new MTU = %u\n", why, e->len);
	else
		fprintf(p->to, "%s, next hop MTU = %u, trying new MTU = %u\n", why, told, e->len);
}

static void
book_event(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	char mark[STYLE_MARK];

	if (e->what == SKY_SERIAL_SMALLER) {
		book_smaller(p, e, name);
		return;
	}
	if (e->what == SKY_SERIAL_END) {
		book_line(p);
		return;
	}
	book_outgoing(p, e->len);
	book_answer(p, e, name);
	style_mark(sky_addr_family(&p->conf->dst), &e->answer, mark);
	if (e->answered && mark[0])
		fprintf(p->to, " %s", mark);
}

/* --- all --- */

static void
nothing(struct style_page *p)
{
}

static const struct {
	void (*begin)(struct style_page *p);
	void (*event)(struct style_page *p, const struct sky_serial_event *e, const char *name);
} styles[] = {
	[STYLE_TRACEROUTE] = { traceroute_begin, traceroute_event },
	[STYLE_TRACEPATH] = { nothing, tracepath_event },
	[STYLE_BOOK] = { book_begin, book_event },
};

void
style_begin(struct style_page *p)
{
	p->len = p->conf->len;
	styles[p->conf->style].begin(p);
	flush(p);
}

void
style_event(struct style_page *p, const struct sky_serial_event *e, const char *name)
{
	styles[p->conf->style].event(p, e, name);
	flush(p);
}
