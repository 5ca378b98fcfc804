/* SPDX-License-Identifier: BSD-2-Clause */
/* labodd.c - odd hosts: see labodd.h. */
#include "labodd.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define US 1000ull

/* What the book saw of its hosts. */
static const struct {
	const char *word;
	struct odd_manners m;
} kinds[] = {
	{ "plain", { .df = ODD_DF_KERNEL } },
	{ "echo", { .df = ODD_DF_KERNEL, .copy_df = true } },
	{ "solaris", { .df = ODD_DF_DISCOVER, .timer = 30000 * MS, .phase = 12000 * MS,
	    .learns = 2, .guess = 576, .copy_df = true } },
	{ "bsdi", { .df = ODD_DF_NEVER, .arp_each = true, .arp_keep = 1, .copy_df = true } },
	{ "svr4", { .df = ODD_DF_KERNEL, .arp_late = 8770 * US, .arp_gap = 1100 * US,
	    .arp_extra = 1 } },
	{ "sunos", { .df = ODD_DF_NEVER, .cksum_off = true, .max_in = 32786 } },
};
static const char kind_words[] = "plain, echo, solaris, bsdi, svr4 or sunos";

enum value { FLAG, TIME, NUMBER, DF };

static const struct manner {
	const char *word;
	enum value value;
	size_t at;			/* in struct odd_manners */
	uint32_t min, max;
	const char *expected;
} manners[] = {
#define AT(field) offsetof(struct odd_manners, field)
	{ "df", DF, AT(df), 0, 0, NULL },
	{ "timer", TIME, AT(timer), 0, 0, NULL },
	{ "phase", TIME, AT(phase), 0, 0, NULL },
	{ "learns", NUMBER, AT(learns), 1, 1000, "which error is believed, 1 to 1000" },
	{ "guess", NUMBER, AT(guess), 68, 65535, "an MTU, 68 to 65535" },
	{ "id", NUMBER, AT(id), 0, 65535, "an identification, 0 to 65535" },
	{ "max-out", NUMBER, AT(max_out), 28, 65535, "bytes of IP packet, 28 to 65535" },
	{ "max-in", NUMBER, AT(max_in), 28, 65535, "bytes of IP packet, 28 to 65535" },
	{ "cksum-off", FLAG, AT(cksum_off), 0, 0, NULL },
	{ "copy-df", FLAG, AT(copy_df), 0, 0, NULL },
	{ "arp-each", FLAG, AT(arp_each), 0, 0, NULL },
	{ "arp-keep", NUMBER, AT(arp_keep), 1, ODD_KEEP, "packets, 1 to 64" },
	{ "arp-silent", FLAG, AT(arp_silent), 0, 0, NULL },
	{ "arp-late", TIME, AT(arp_late), 0, 0, NULL },
	{ "arp-gap", TIME, AT(arp_gap), 0, 0, NULL },
	{ "arp-times", NUMBER, AT(arp_times), 1, ODD_TIMES, "answers, 1 to 16" },
	{ "arp-extra", NUMBER, AT(arp_extra), 0, ODD_TIMES, "answers, 0 to 16" },
	{ "arp-only", NUMBER, AT(arp_only), 1, 1000, "which request, 1 to 1000" },
	{ "arp-flood", NUMBER, AT(arp_flood), 1, 100000, "answers a second, 1 to 100000" },
#undef AT
};
static const char manner_words[] =
    "df, timer, phase, learns, guess, id, max-out, max-in, cksum-off, copy-df, arp-each, "
    "arp-keep, arp-silent, arp-late, arp-gap, arp-times, arp-extra, arp-only or arp-flood";

static int
read_df(struct parse *p, uint8_t *df)
{
	static const char *const ways[] = { "kernel", "never", "discover" };

	for (uint8_t i = 0; i < 3; i++)
		if (parse_keyword(p, ways[i])) {
			*df = i;
			return 0;
		}
	return parse_refuse(p, "kernel, never or discover");
}

static int
read_count(struct parse *p, const struct manner *w, struct odd_manners *m)
{
	uint64_t v;

	if (parse_number(p, w->expected, w->min, w->max, &v))
		return -1;
	memcpy((char *)m + w->at, &(uint32_t){ (uint32_t)v }, sizeof(uint32_t));
	if (w->at != offsetof(struct odd_manners, arp_flood))
		return 0;
	if (!parse_keyword(p, "most"))
		return parse_refuse(p, "most N: no flood without an end");
	if (parse_number(p, "answers in all, 1 to 100000", 1, 100000, &v))
		return -1;
	m->arp_most = (uint32_t)v;
	return 0;
}

static int
read_value(struct parse *p, const struct manner *w, struct odd_manners *m)
{
	void *at = (char *)m + w->at;

	switch (w->value) {
	case FLAG:
		*(bool *)at = true;
		return 0;
	case TIME:
		return parse_time(p, at);
	case DF:
		return read_df(p, at);
	default:
		return read_count(p, w, m);
	}
}

static int
read_manners(struct parse *p, struct odd_manners *m)
{
	while (parse_peek(p)) {
		size_t i = 0;

		while (i < sizeof(manners) / sizeof(manners[0]) &&
		    !parse_keyword(p, manners[i].word))
			i++;
		if (i == sizeof(manners) / sizeof(manners[0]))
			return parse_bad(p, parse_peek(p), "not a way to be odd", manner_words);
		if (read_value(p, &manners[i], m))
			return -1;
	}
	return 0;
}

/* What no host of this kind does would be said in vain. */
static int
check_manners(struct parse *p, const struct odd_manners *m)
{
	bool own = m->df != ODD_DF_KERNEL;

	if (!own && (m->arp_each || m->arp_keep || m->cksum_off || m->max_out || m->id))
		return lex_bad(&p->lex, p->line.line, 1, p->line.word[1].text,
		    "its kernel sends", "df never or df discover before arp-each, arp-keep, "
		    "cksum-off, max-out and id");
	if (m->df != ODD_DF_DISCOVER && (m->timer || m->phase || m->learns || m->guess))
		return lex_bad(&p->lex, p->line.line, 1, p->line.word[1].text,
		    "it discovers no path MTU", "df discover before timer, phase, learns and guess");
	return 0;
}

static int
make_half(struct parse *p, unsigned host)
{
	struct lab *lab = p->lab;
	struct lab_host *h = &lab->host[lab->hosts];
	struct lab_router *r;
	char name[LAB_NAME];

	if (lab->hosts == LAB_HOSTS)
		return parse_bad(p, &p->line.word[1], "too many hosts",
		    "at most 256, odd ones count twice");
	r = parse_add(p, (void **)&lab->router, &lab->routers, LAB_HOSTS, sizeof(*r), "odd");
	if (!r)
		return -1;
	memcpy(name, lab->host[host].name, sizeof(name));
	snprintf(h->name, sizeof(h->name), "%.13s~", name);
	h->line = p->line.line;
	h->router = lab->host[host].odd = lab->routers;
	h->half_of = host + 1;
	r->host = lab->hosts++;
	r->conf = calloc(1, sizeof(*r->conf));
	r->odd = calloc(1, sizeof(*r->odd));
	if (!r->conf || !r->odd)
		return lex_bad(&p->lex, p->line.line, 1, NULL, "out of memory", NULL);
	return 0;
}

int
labodd_read(struct parse *p)
{
	struct odd_manners *m;
	unsigned host;
	size_t i = 0;

	if (parse_host(p, &host))
		return -1;
	if (p->lab->host[host].router)
		return parse_bad(p, &p->line.word[1], "is a router", "a name from a host line");
	if (p->lab->host[host].odd)
		return parse_bad(p, &p->line.word[1], "is odd already", "one odd line for each host");
	while (i < sizeof(kinds) / sizeof(kinds[0]) && !parse_keyword(p, kinds[i].word))
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return parse_refuse(p, kind_words);
	if (make_half(p, host))
		return -1;
	m = &p->lab->router[p->lab->host[host].odd - 1].odd->manners;
	*m = kinds[i].m;
	return read_manners(p, m) ? -1 : check_manners(p, m);
}

/* --- after the last line --- */

/* The kernel must not send IPv6 packets larger than the wire, where IPv4 may. */
static int
limit_ip6(struct parse *p, unsigned host, const struct lab_end *wire)
{
	struct lab_rule *r = parse_add(p, (void **)&p->lab->sysctl, &p->lab->sysctls, LAB_RULES,
	    sizeof(*r), "sysctl");
	char *key = parse_alloc(p, 64), *value = parse_alloc(p, 16);

	if (!r || !key || !value)
		return -1;
	snprintf(key, 64, "net.ipv6.conf.%s.mtu", wire->ifname);
	snprintf(value, 16, "%u", wire->mtu < 1280 ? 1280 : wire->mtu);
	*r = (struct lab_rule){ .line = p->lab->host[host].line, .host = host, .key = key,
		.value = value };
	return 0;
}

static void
add_wire(struct lab_router *r, const struct lab_link *inner, const struct lab_end *wire)
{
	unsigned w = r->odd->wires++;
	struct odd_wire *o = &r->odd->wire[w];
	struct rt_iface *f = &r->conf->iface[2 * w];

	snprintf(f[0].name, sizeof(f[0].name), "%s", inner->end[1].ifname);
	snprintf(f[1].name, sizeof(f[1].name), "%s", wire->ifname);
	f[0].mtu = (uint16_t)inner->end[1].mtu;
	f[1].mtu = o->mtu = (uint16_t)wire->mtu;
	f[1].shown = true;
	r->conf->ifaces = (uint16_t)(2 * w + 2);
	for (unsigned i = 0; i < inner->addrs; i++)
		if (inner->end[0].addr[i].family == AF_INET && o->addrs < ODD_ADDRS)
			memcpy(o->addr[o->addrs++], inner->end[0].addr[i].bytes, 4);
}

static int
split(struct parse *p, unsigned link, unsigned e)
{
	struct lab *lab = p->lab;
	unsigned host = lab->link[link].end[e].host;
	struct lab_router *r = &lab->router[lab->host[host].odd - 1];
	struct lab_link *inner, *l;
	bool own = r->odd->manners.df != ODD_DF_KERNEL;

	if (r->odd->wires == ODD_WIRES)
		return lex_bad(&p->lex, lab->link[link].line, 1, lab->host[host].name,
		    "too many links", "at most 8 links of an odd host");
	inner = parse_add(p, (void **)&lab->link, &lab->links, LAB_LINKS, sizeof(*inner), "link");
	if (!inner)
		return -1;
	l = &lab->link[link];
	*inner = (struct lab_link){ .line = l->line, .addrs = l->addrs, .inner = true };
	inner->end[0] = inner->end[1] = l->end[e];
	inner->end[0].mtu = inner->end[1].mtu = own ? 65535 : l->end[e].mtu;
	memcpy(inner->end[1].addr, l->end[!e].addr, sizeof(l->end[!e].addr));
	inner->end[1].host = l->end[e].host = r->host;
	snprintf(inner->end[1].ifname, LAB_NAME, "kernel~%u", r->odd->wires);
	add_wire(r, inner, &l->end[e]);
	for (unsigned i = 0; i < l->addrs; i++)
		if (own && l->end[e].addr[i].family == AF_INET6)
			return limit_ip6(p, host, &l->end[e]);
	return 0;
}

int
labodd_expand(struct parse *p)
{
	const struct lab *lab = p->lab;
	unsigned links = lab->links;

	for (unsigned i = 0; i < links * 2; i++)
		if (lab->host[lab->link[i / 2].end[i % 2].host].odd && split(p, i / 2, i % 2))
			return -1;
	for (unsigned i = 0; i < lab->hosts; i++) {
		const struct lab_host *h = &lab->host[i];

		if (h->odd && !lab->router[h->odd - 1].odd->wires)
			return lex_bad(&p->lex, h->line, 1, h->name, "an odd host without links",
			    "a link line for it");
		if (h->odd && h->forward)
			return lex_bad(&p->lex, h->line, 1, h->name, "an odd host forwards nothing",
			    "router NAME, or forward without odd");
	}
	return 0;
}
