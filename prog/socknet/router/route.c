/* SPDX-License-Identifier: BSD-2-Clause */
/* route.c - the longest prefix, and one of its next hops. */
#include "engine.h"

#include <string.h>

static const uint8_t *
bytes_of(const struct sky_addr *a)
{
	return a->u.sa.sa_family == AF_INET ? (const uint8_t *)&a->u.in.sin_addr :
	    (const uint8_t *)&a->u.in6.sin6_addr;
}

bool
rt_net_holds(const struct rt_net *n, const struct sky_addr *a)
{
	unsigned whole = n->len / 8, rest = n->len % 8;

	if (n->addr.u.sa.sa_family != a->u.sa.sa_family)
		return false;
	if (memcmp(bytes_of(&n->addr), bytes_of(a), whole) != 0)
		return false;
	return rest == 0 ||
	    (bytes_of(&n->addr)[whole] ^ bytes_of(a)[whole]) >> (8 - rest) == 0;
}

bool
rt_route_is_own(const struct rt *r, const struct sky_addr *a)
{
	for (unsigned i = 0; i < r->conf->ifaces; i++)
		for (unsigned k = 0; k < r->conf->iface[i].addrs; k++)
			if (sky_addr_same_host(&r->conf->iface[i].addr[k].addr, a))
				return true;
	return false;
}

struct sky_addr
rt_route_address(const struct rt *r, unsigned iface, int family)
{
	const struct rt_iface *f = &r->conf->iface[iface];

	for (unsigned k = 0; k < f->addrs; k++)
		if (sky_addr_family(&f->addr[k].addr) == family &&
		    !sky_addr_is_link_local(&f->addr[k].addr))
			return f->addr[k].addr;
	return (struct sky_addr){ 0 };
}

/* FNV-1a over the five numbers of the flow, folded with the router's seed so
 * that routers in a row do not all choose alike. */
static uint32_t
flow_hash(const struct rt *r, const struct rt_pkt *p)
{
	uint64_t h = 0xcbf29ce484222325u ^ r->conf->seed;
	uint32_t words[3] = { sky_addr_hash(&p->src), sky_addr_hash(&p->dst), p->proto };

	for (unsigned i = 0; i < 3; i++) {
		h = (h ^ words[i]) * 0x100000001b3u;
		h ^= h >> 29;
	}
	return (uint32_t)(h ^ h >> 32);
}

static void
choose(struct rt *r, const struct rt_route *t, const struct rt_pkt *p, struct rt_choice *out)
{
	uint32_t pick = 0;

	if (t->hops > 1)
		pick = t->balance == RT_BALANCE_PACKET ? r->turn++ : flow_hash(r, p);
	out->kind = t->kind;
	out->found = true;
	if (t->kind != RT_FORWARD)
		return;
	out->iface = t->hop[pick % t->hops].iface;
	out->hop = t->hop[pick % t->hops].via;
	if (sky_addr_family(&out->hop) == AF_UNSPEC)
		out->hop = p->dst;
}

void
rt_route_find(struct rt *r, const struct rt_pkt *p, struct rt_choice *out)
{
	const struct rt_route *best = NULL;
	int len = -1;

	memset(out, 0, sizeof(*out));
	out->iface = RT_NONE;
	for (unsigned i = 0; i < r->conf->ifaces; i++)
		for (unsigned k = 0; k < r->conf->iface[i].addrs; k++) {
			const struct rt_net *n = &r->conf->iface[i].addr[k];

			if (n->len <= len || !rt_net_holds(n, &p->dst))
				continue;
			len = n->len;
			out->iface = (uint8_t)i;
		}
	for (unsigned i = 0; i < r->conf->routes; i++)
		if (r->conf->route[i].net.len > len &&
		    rt_net_holds(&r->conf->route[i].net, &p->dst)) {
			best = &r->conf->route[i];
			len = best->net.len;
		}
	if (best) {
		choose(r, best, p, out);
	} else if (out->iface != RT_NONE) {
		out->found = true;
		out->kind = RT_FORWARD;
		out->hop = p->dst;
	}
	sky_addr_set_port(&out->hop, 0);
}
