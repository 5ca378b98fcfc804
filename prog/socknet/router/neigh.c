/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neigh.c - who has this address on that link: ARP (RFC 826) and neighbour
 * discovery (RFC 4861). Three questions, a second apart, then the packets that
 * waited are answered with host unreachable (RFC 1812, 5.2.7.1; RFC 4443, 3.1).
 */
#include "engine.h"
#include "wire/arp.h"
#include "wire/ip.h"
#include "wire/link.h"

#include <string.h>

#define TRIES 3
#define AGAIN_NS 1000000000u
#define FORGET_NS 1000000000u		/* a dead one is asked again after so long */

enum { ND_SOLICIT = 135, ND_ADVERT = 136, ND_OPT_SOURCE = 1, ND_OPT_TARGET = 2 };

static struct rt_neigh *
find(struct rt *r, unsigned iface, const struct sky_addr *a, bool make)
{
	uint32_t h = sky_addr_hash(a) + iface * 131u;

	for (unsigned i = 0; i < 16; i++) {
		struct rt_neigh *n = &r->neigh[(h + i) % RT_NEIGHS];

		if (n->state != RT_FREE && n->iface == iface && sky_addr_same_host(&n->addr, a))
			return n;
		if (n->state == RT_FREE && make) {
			memset(n, 0, sizeof(*n));
			n->addr = *a;
			n->iface = (uint8_t)iface;
			n->last = &n->first;
			return n;
		}
		if (n->state == RT_FREE)
			return NULL;
	}
	return NULL;
}

static void
put_ether(struct sky_wr *w, const uint8_t *dst, const uint8_t *src, uint16_t type)
{
	sky_wr_bytes(w, dst, 6);
	sky_wr_bytes(w, src, 6);
	sky_wr_u16(w, type);
}

static void
give(struct rt *r, struct rt_buf *b, unsigned iface, const struct sky_wr *w, uint64_t now)
{
	struct rt_pkt p = { .in = RT_NONE, .len = sky_wr_len(w) - RT_ETHER };

	b->iface = (uint8_t)iface;
	b->len = (uint32_t)sky_wr_len(w);
	rt_write(r, &p, RT_NEIGHBOUR, iface, now);
	rt_give(r, b);
}

static void
send_arp(struct rt *r, unsigned iface, const struct sky_arp *a, const uint8_t *to, uint64_t now)
{
	struct rt_buf *b = rt_buf_new(r);
	struct sky_wr w;

	if (!b)
		return;
	w = sky_wr_of(b->frame, r->frame_max);
	put_ether(&w, to, r->conf->iface[iface].mac, SKY_LINK_ARP);
	sky_arp_encode(a, &w);
	give(r, b, iface, &w, now);
}

static void
ask4(struct rt *r, struct rt_neigh *n, uint64_t now)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	struct sky_addr own = rt_route_address(r, n->iface, AF_INET);
	struct sky_arp a = { .op = SKY_ARP_REQUEST };

	memcpy(a.sha, r->conf->iface[n->iface].mac, 6);
	memcpy(a.spa, &own.u.in.sin_addr, 4);
	memcpy(a.tpa, &n->addr.u.in.sin_addr, 4);
	send_arp(r, n->iface, &a, all, now);
}

/* A solicitation or advertisement: 40 bytes of IPv6, 8 + 16 of ICMPv6 and an
 * option with our link-layer address; hop limit 255 (RFC 4861, 7.1). */
static void
send_nd(struct rt *r, unsigned iface, const uint8_t *mac, const struct sky_addr *src,
    const struct sky_addr *dst, uint8_t type, uint32_t flags, const struct sky_addr *target,
    uint64_t now)
{
	struct rt_buf *b = rt_buf_new(r);
	struct sky_ip6 ip = { .plen = 32, .next = IPPROTO_ICMPV6, .hops = 255 };
	struct sky_icmp m = { .type = type, .rest = flags };
	struct sky_wr w;

	if (!b)
		return;
	memcpy(ip.src, &src->u.in6.sin6_addr, 16);
	memcpy(ip.dst, &dst->u.in6.sin6_addr, 16);
	w = sky_wr_of(b->frame, r->frame_max);
	put_ether(&w, mac, r->conf->iface[iface].mac, SKY_LINK_IP6);
	sky_ip6_encode(&ip, &w);
	sky_icmp_encode(&m, &w);
	sky_wr_bytes(&w, &target->u.in6.sin6_addr, 16);
	sky_wr_u8(&w, type == ND_SOLICIT ? ND_OPT_SOURCE : ND_OPT_TARGET);
	sky_wr_u8(&w, 1);
	sky_wr_bytes(&w, r->conf->iface[iface].mac, 6);
	sky_icmp_seal(b->frame + RT_ETHER + SKY_IP6_HLEN, 32, src, dst);
	give(r, b, iface, &w, now);
}

static void
ask6(struct rt *r, struct rt_neigh *n, uint64_t now)
{
	struct sky_addr own = rt_route_address(r, n->iface, AF_INET6);
	const uint8_t *t = n->addr.u.in6.sin6_addr.s6_addr;
	uint8_t group[16] = { 0xff, 2, [11] = 1, [12] = 0xff };
	uint8_t mac[6] = { 0x33, 0x33, 0xff };
	struct sky_addr to;

	memcpy(group + 13, t + 13, 3);
	memcpy(mac + 3, t + 13, 3);
	to = sky_ip_addr6(group, 0);
	send_nd(r, n->iface, mac, &own, &to, ND_SOLICIT, 0, &n->addr, now);
}

static void
ask(struct rt *r, struct rt_neigh *n, uint64_t now)
{
	n->tries++;
	n->next_try = now + AGAIN_NS;
	if (r->ask_at > n->next_try || r->asking == 1)
		r->ask_at = n->next_try;
	if (sky_addr_family(&n->addr) == AF_INET)
		ask4(r, n, now);
	else
		ask6(r, n, now);
}

static void
put_macs(const struct rt *r, unsigned iface, const uint8_t *to, int family, uint8_t *frame)
{
	struct sky_wr w = sky_wr_of(frame, RT_ETHER);

	put_ether(&w, to, r->conf->iface[iface].mac,
	    family == AF_INET ? SKY_LINK_IP4 : SKY_LINK_IP6);
}

static void
learn(struct rt *r, unsigned iface, const struct sky_addr *a, const uint8_t *mac, bool make)
{
	struct rt_neigh *n = find(r, iface, a, make);
	struct rt_buf *b;

	if (!n)
		return;
	if (n->state == RT_ASKING)
		r->asking--;
	n->state = RT_KNOWN;
	memcpy(n->mac, mac, 6);
	while ((b = n->first) != NULL) {
		n->first = b->next;
		put_macs(r, iface, mac, b->pkt.family, b->frame);
		rt_give(r, b);
	}
	n->last = &n->first;
	n->waiting = 0;
}

void
rt_neigh_arp(struct rt *r, unsigned iface, const uint8_t *frame, size_t len, uint64_t now)
{
	struct rt_pkt p = { .in = (uint8_t)iface, .len = len - RT_ETHER };
	struct sky_rd rd = sky_rd_of(frame + RT_ETHER, len - RT_ETHER);
	struct sky_arp a, reply = { .op = SKY_ARP_REPLY };
	struct sky_addr sender, target;

	if (sky_arp_decode(&a, &rd) < 0) {
		rt_write(r, &p, RT_BAD_HEADER, RT_NONE, now);
		return;
	}
	sender = sky_ip_addr4(a.spa, 0);
	target = sky_ip_addr4(a.tpa, 0);
	rt_write(r, &p, RT_NEIGHBOUR, RT_NONE, now);
	if (!sky_addr_is_any(&sender))
		learn(r, iface, &sender, a.sha, rt_route_is_own(r, &target));
	if (a.op != SKY_ARP_REQUEST || !rt_route_is_own(r, &target))
		return;
	memcpy(reply.sha, r->conf->iface[iface].mac, 6);
	memcpy(reply.spa, a.tpa, 4);
	memcpy(reply.tha, a.sha, 6);
	memcpy(reply.tpa, a.spa, 4);
	send_arp(r, iface, &reply, a.sha, now);
}

/* The link-layer address option of that kind, or NULL. */
static const uint8_t *
nd_option(struct sky_rd rd, uint8_t kind)
{
	for (unsigned i = 0; i < 8; i++) {
		uint8_t type = sky_rd_u8(&rd);
		uint8_t units = sky_rd_u8(&rd);
		const uint8_t *body = units ? sky_rd_take(&rd, units * 8u - 2) : NULL;

		if (!body)
			return NULL;
		if (type == kind)
			return body;
	}
	return NULL;
}

static void
answer_nd(struct rt *r, const struct rt_pkt *p, const struct sky_addr *target,
    const uint8_t *mac, uint64_t now)
{
	const uint32_t router = 1u << 31, solicited = 1u << 30, override = 1u << 29;

	if (!mac || sky_addr_is_any(&p->src) || !rt_route_is_own(r, target))
		return;
	learn(r, p->in, &p->src, mac, true);
	send_nd(r, p->in, mac, target, &p->src, ND_ADVERT, router | solicited | override,
	    target, now);
}

bool
rt_neigh_nd(struct rt *r, const struct rt_pkt *p, uint64_t now)
{
	struct sky_rd rd = sky_rd_of(p->ip + p->hlen, p->len - p->hlen);
	struct sky_icmp m;
	struct sky_addr target;
	const uint8_t *t;

	if (p->proto != IPPROTO_ICMPV6 || p->off || p->ttl != 255 ||
	    sky_icmp_decode(&m, &rd) < 0 || m.type < 133 || m.type > 137)
		return false;
	rt_write(r, p, RT_NEIGHBOUR, RT_NONE, now);
	if (m.type != ND_SOLICIT && m.type != ND_ADVERT)
		return true;
	if (!(t = sky_rd_take(&rd, 16)))
		return true;
	target = sky_ip_addr6(t, 0);
	if (m.type == ND_SOLICIT)
		answer_nd(r, p, &target, nd_option(rd, ND_OPT_SOURCE), now);
	else if ((t = nd_option(rd, ND_OPT_TARGET)) != NULL)
		learn(r, p->in, &target, t, false);
	return true;
}

bool
rt_neigh_fill(struct rt *r, unsigned iface, const struct sky_addr *hop, int family, uint8_t *frame)
{
	const struct rt_neigh *n = find(r, iface, hop, false);

	if (!n || n->state != RT_KNOWN)
		return false;
	put_macs(r, iface, n->mac, family, frame);
	return true;
}

static void
fail(struct rt *r, struct rt_buf *b, uint64_t now)
{
	int v4 = b->pkt.family == AF_INET;

	rt_answer(r, &b->pkt, RT_NO_NEIGHBOUR, v4 ? 3 : 1, v4 ? 1 : 3, 0, now);
	rt_lend(r, b);
}

void
rt_neigh_send(struct rt *r, struct rt_buf *b, uint64_t now)
{
	struct rt_neigh *n;

	if (rt_neigh_fill(r, b->iface, &b->hop, b->pkt.family, b->frame)) {
		rt_give(r, b);
		return;
	}
	n = find(r, b->iface, &b->hop, true);
	if (n && n->state == RT_DEAD && now >= n->next_try)
		n->state = RT_FREE;
	if (!n || n->state == RT_DEAD || n->waiting == RT_WAITING) {
		fail(r, b, now);
		return;
	}
	b->next = NULL;
	*n->last = b;
	n->last = &b->next;
	n->waiting++;
	if (n->state == RT_ASKING)
		return;
	n->state = RT_ASKING;
	n->tries = 0;
	r->asking++;
	ask(r, n, now);
}

static void
give_up(struct rt *r, struct rt_neigh *n, uint64_t now)
{
	struct rt_buf *b;

	n->state = RT_DEAD;
	n->next_try = now + FORGET_NS;
	r->asking--;
	while ((b = n->first) != NULL) {
		n->first = b->next;
		fail(r, b, now);
	}
	n->last = &n->first;
	n->waiting = 0;
}

static uint64_t
first_try(const struct rt *r)
{
	uint64_t first = RT_NEVER;

	for (unsigned i = 0; r->asking && i < RT_NEIGHS; i++)
		if (r->neigh[i].state == RT_ASKING && r->neigh[i].next_try < first)
			first = r->neigh[i].next_try;
	return first;
}

void
rt_neigh_tick(struct rt *r, uint64_t now)
{
	if (r->asking == 0 || now < r->ask_at)
		return;
	for (unsigned i = 0; r->asking && i < RT_NEIGHS; i++) {
		struct rt_neigh *n = &r->neigh[i];

		if (n->state != RT_ASKING || now < n->next_try)
			continue;
		if (n->tries < TRIES)
			ask(r, n, now);
		else
			give_up(r, n, now);
	}
	r->ask_at = first_try(r);
}

uint64_t
rt_neigh_deadline(const struct rt *r)
{
	return r->asking ? r->ask_at : RT_NEVER;
}
