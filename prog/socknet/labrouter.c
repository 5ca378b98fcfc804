/* SPDX-License-Identifier: BSD-2-Clause */
/* labrouter.c - routers, their links and routes: see labrouter.h. */
#include "labrouter.h"
#include "labmanners.h"

#include <sockeye/addr.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lab_router *
labrouter_of(const struct lab *lab, unsigned host)
{
	unsigned n = lab->host[host].router;

	return n ? &lab->router[n - 1] : NULL;
}

static int
make_router(struct parse *p, unsigned host)
{
	struct lab *lab = p->lab;
	struct lab_router *r = parse_add(p, (void **)&lab->router, &lab->routers,
	    LAB_HOSTS, sizeof(*r), "router");

	if (!r)
		return -1;
	r->host = host;
	r->conf = calloc(1, sizeof(*r->conf));
	lab->host[host].router = lab->routers;
	if (!r->conf)
		return lex_bad(&p->lex, p->line.line, 1, NULL, "out of memory", NULL);
	/* the same lab, the same fates; but routers in a row do not choose alike */
	r->conf->seed = 0x5eed + host;
	return 0;
}

int
labrouter_read(struct parse *p)
{
	const struct lex_word *w = parse_peek(p);
	unsigned host = w ? labfile_host(p->lab, w->text) : LAB_NONE;
	unsigned from = p->lab->hosts;

	if (host != LAB_NONE && p->lab->host[host].router) {
		p->at++;
		return labmanners_read(p, labrouter_of(p->lab, host));
	}
	if (labfile_read_host(p))
		return -1;
	for (unsigned i = from; i < p->lab->hosts; i++)
		if (make_router(p, i))
			return -1;
	return 0;
}

static struct sky_addr
address(const struct lab_addr *a)
{
	struct sky_addr out = { 0 };

	out.u.sa.sa_family = (sa_family_t)a->family;
	if (a->family == AF_INET)
		memcpy(&out.u.in.sin_addr, a->bytes, 4);
	else
		memcpy(&out.u.in6.sin6_addr, a->bytes, 16);
	return out;
}

static int
add_interface(struct parse *p, struct rt_conf *c, const struct lab_link *l, unsigned e)
{
	struct rt_iface *f = &c->iface[c->ifaces];

	if (c->ifaces == RT_IFACES)
		return parse_bad(p, &p->line.word[1 + e], "too many links",
		    "at most 64 links of one router");
	c->ifaces++;
	snprintf(f->name, sizeof(f->name), "%s", l->end[e].ifname);
	f->mtu = (uint16_t)l->end[e].mtu;
	for (unsigned i = 0; i < lab_addrs(l, e); i++)
		f->addr[f->addrs++] = (struct rt_net){
			.addr = address(&l->end[e].addr[i]),
			.len = (uint8_t)l->end[e].addr[i].plen,
		};
	return 0;
}

int
labrouter_link(struct parse *p, const struct lab_link *l)
{
	for (unsigned e = 0; e < 2; e++) {
		struct lab_router *r = labrouter_of(p->lab, l->end[e].host);

		if (r && add_interface(p, r->conf, l, e))
			return -1;
	}
	return 0;
}

/* --- routes --- */

static bool
holds(const struct rt_net *n, const struct lab_addr *a)
{
	const struct sky_addr *own = &n->addr;
	const uint8_t *bytes = own->u.sa.sa_family == AF_INET ?
	    (const uint8_t *)&own->u.in.sin_addr : (const uint8_t *)&own->u.in6.sin6_addr;

	if (own->u.sa.sa_family != a->family)
		return false;
	for (unsigned bit = 0; bit < n->len; bit++)
		if ((bytes[bit / 8] ^ a->bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static int
add_hop(struct parse *p, const struct rt_conf *c, struct rt_route *t)
{
	const struct lex_word *w = parse_take(p, "the address of a next hop");
	struct lab_addr a;

	if (!w || parse_addr(p, w, false, &a))
		return -1;
	if (t->net.addr.u.sa.sa_family == AF_UNSPEC)
		t->net.addr.u.sa.sa_family = (sa_family_t)a.family;
	if (t->net.addr.u.sa.sa_family != a.family)
		return parse_bad(p, w, "the other address family",
		    "a next hop of the destination's family");
	if (t->hops == RT_HOPS)
		return parse_bad(p, w, "too many next hops", "at most 16");
	for (unsigned i = 0; i < c->ifaces; i++)
		for (unsigned k = 0; k < c->iface[i].addrs; k++)
			if (holds(&c->iface[i].addr[k], &a)) {
				t->hop[t->hops++] = (struct rt_hop){
					.iface = (uint8_t)i, .via = address(&a),
				};
				return 0;
			}
	return parse_bad(p, w, "not on a link of this router",
	    "an address in a network of a link line above");
}

static int
read_destination(struct parse *p, struct rt_route *t)
{
	static const char expected[] = "a destination: default, 10.0.0.0/8, fd00::/16, 10.1.0.1";
	const struct lex_word *w = parse_take(p, expected);
	struct lab_addr a;

	if (!w)
		return -1;
	if (!strcmp(w->text, "default"))
		return 0;
	if (!strcmp(w->text, "0.0.0.0/0") || !strcmp(w->text, "::/0")) {
		t->net.addr.u.sa.sa_family = w->text[0] == ':' ? AF_INET6 : AF_INET;
		return 0;
	}
	if (parse_addr(p, w, strchr(w->text, '/') != NULL, &a))
		return -1;
	t->net.addr = address(&a);
	t->net.len = (uint8_t)(strchr(w->text, '/') ? a.plen : a.family == AF_INET ? 32 : 128);
	return 0;
}

int
labrouter_route(struct parse *p, struct lab_router *r)
{
	static const struct {
		const char *word;
		uint8_t kind;
	} kinds[] = {
		{ "unreachable", RT_UNREACHABLE }, { "prohibit", RT_PROHIBIT },
		{ "blackhole", RT_BLACKHOLE },
	};
	struct rt_conf *c = r->conf;
	struct rt_route *t = &c->route[c->routes];

	if (c->routes == RT_ROUTES)
		return parse_bad(p, &p->line.word[1], "too many routes", "at most 256 of one router");
	*t = (struct rt_route){ .kind = RT_FORWARD, .balance = r->balance };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (t->kind == RT_FORWARD && parse_keyword(p, kinds[i].word))
			t->kind = kinds[i].kind;
	if (read_destination(p, t))
		return -1;
	while (t->kind == RT_FORWARD && parse_keyword(p, "via"))
		if (add_hop(p, c, t))
			return -1;
	if (t->net.addr.u.sa.sa_family == AF_UNSPEC)
		t->net.addr.u.sa.sa_family = AF_INET;
	if (t->kind == RT_FORWARD && !t->hops)
		return parse_refuse(p, "via ADDRESS; several of them to balance");
	c->routes++;
	return parse_end(p);
}

/* --- the whole --- */

static int
check_rules(struct parse *p, const struct lab_rule *rule, unsigned n, const char *verb)
{
	for (unsigned i = 0; i < n; i++)
		if (rule[i].host != LAB_NONE && p->lab->host[rule[i].host].router)
			return lex_bad(&p->lex, rule[i].line, 1, verb, "a router has no kernel",
			    "a host for this line, or router NAME with what it shall do");
	return 0;
}

int
labrouter_check(struct parse *p)
{
	const struct lab *lab = p->lab;

	if (check_rules(p, lab->sysctl, lab->sysctls, "sysctl") ||
	    check_rules(p, lab->filter, lab->filters, "filter"))
		return -1;
	for (unsigned i = 0; i < lab->routers; i++)
		if (!lab->router[i].conf->ifaces)
			return lex_bad(&p->lex, lab->host[lab->router[i].host].line, 1,
			    lab->host[lab->router[i].host].name, "a router without links",
			    "a link line for it");
	return 0;
}
