/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward.c - where a packet goes next (RFC 1812, 5.2.1; RFC 8200, 3), and what
 * the router does with those that are for itself.
 */
#include "engine.h"
#include "wire/ip.h"

#include <string.h>

/* What a route that does not forward says: per kind, ICMP and ICMPv6. */
static const struct refusal {
	uint8_t did, type4, code4, type6, code6;
} refusals[] = {
	[RT_FORWARD] = { RT_NO_ROUTE, 3, 0, 1, 0 },
	[RT_UNREACHABLE] = { RT_ROUTE_UNREACHABLE, 3, 1, 1, 3 },
	[RT_PROHIBIT] = { RT_ROUTE_PROHIBIT, 3, 13, 1, 1 },
};

static void
refuse(struct rt *r, const struct rt_pkt *p, unsigned kind, uint64_t now)
{
	const struct refusal *f;
	bool v4 = p->family == AF_INET;

	if (kind == RT_BLACKHOLE) {
		rt_write(r, p, RT_ROUTE_BLACKHOLE, RT_NONE, now);
		return;
	}
	f = &refusals[kind];
	rt_answer(r, p, f->did, v4 ? f->type4 : f->type6, v4 ? f->code4 : f->code6, 0, now);
}

static bool
spend_ttl(struct rt *r, struct rt_pkt *p, uint64_t now)
{
	if (r->conf->manners.no_decrement)
		return true;
	if (p->ttl <= 1) {
		rt_answer(r, p, RT_TTL, p->family == AF_INET ? 11 : 3, 0, 0, now);
		return false;
	}
	return true;
}

static void
put_ttl(const struct rt *r, struct rt_pkt *p)
{
	if (r->conf->manners.no_decrement || p->in == RT_NONE)
		return;
	p->ttl--;
	if (p->family == AF_INET)
		sky_ip4_set_ttl(p->ip, p->len, p->ttl);
	else
		p->ip[7] = p->ttl;
}

static void
too_big(struct rt *r, const struct rt_pkt *p, unsigned iface, uint64_t now)
{
	const struct rt_iface *f = &r->conf->iface[iface];
	bool v4 = p->family == AF_INET;
	uint32_t mtu = f->mtu;

	if (f->toobig == RT_TOOBIG_SILENT) {
		rt_write(r, p, RT_TOO_BIG, iface, now)->mtu = f->mtu;
		return;
	}
	if (f->toobig == RT_TOOBIG_OLD)
		mtu = 0;
	if (f->toobig == RT_TOOBIG_LIE)
		mtu = f->lie_mtu;
	rt_answer(r, p, RT_TOO_BIG, v4 ? 3 : 2, v4 ? 4 : 0, mtu, now);
}

static void
go(struct rt *r, struct rt_pkt *p, const struct rt_choice *c, uint64_t now)
{
	if (p->len <= r->conf->iface[c->iface].mtu) {
		put_ttl(r, p);
		rt_nat_out(r, p, c->iface, now);
		rt_line_send(r, p, c->iface, &c->hop, RT_FORWARDED, now);
	} else if (p->family == AF_INET && !p->df) {
		put_ttl(r, p);
		rt_nat_out(r, p, c->iface, now);
		rt_frag_send(r, p, c->iface, &c->hop, now);
	} else {
		too_big(r, p, c->iface, now);
	}
}

void
rt_forward(struct rt *r, struct rt_pkt *p, uint64_t now)
{
	const struct rt_manners *m = &r->conf->manners;
	struct rt_choice c;

	if (p->group || sky_addr_is_link_local(&p->src) || sky_addr_is_loopback(&p->dst)) {
		rt_write(r, p, RT_NOT_FOR_US, RT_NONE, now);
		return;
	}
	if (m->answer_all) {
		rt_answer(r, p, RT_ANSWERED_ALL, m->answer_type, m->answer_code,
		    m->answer_mtu, now);
		return;
	}
	if (m->reassemble && (p->off || p->more) && !rt_frag_join(r, p, now))
		return;
	if (!spend_ttl(r, p, now))
		return;
	rt_route_find(r, p, &c);
	if (!c.found || c.kind != RT_FORWARD)
		refuse(r, p, c.found ? c.kind : RT_FORWARD, now);
	else
		go(r, p, &c, now);
}

/* DF in a packet of our own is the copied one of an echo: it is lost then, and
 * nobody is told (the sources, 11.12). */
static void
own_too_big(struct rt *r, struct rt_pkt *p, const struct rt_choice *c, uint64_t now)
{
	if (p->family == AF_INET && p->df)
		rt_write(r, p, RT_TOO_BIG, c->iface, now)->mtu = r->conf->iface[c->iface].mtu;
	else
		rt_frag_send(r, p, c->iface, &c->hop, now);
}

uint8_t *
rt_own_packet(struct rt *r)
{
	return r->own + RT_ETHER;
}

void
rt_originate(struct rt *r, size_t len, uint64_t now)
{
	struct rt_pkt p = { .scratch = true };
	struct rt_choice c;

	if (rt_pkt_parse(&p, rt_own_packet(r), len) < 0)
		return;
	p.in = RT_NONE;
	rt_route_find(r, &p, &c);
	if (!c.found || c.kind != RT_FORWARD)
		rt_write(r, &p, RT_NO_ROUTE, RT_NONE, now);
	else if (len <= r->conf->iface[c.iface].mtu)
		rt_line_send(r, &p, c.iface, &c.hop, RT_ORIGINATED, now);
	else
		own_too_big(r, &p, &c, now);
}

/* Makes a copy of what came in ours: TTL, identification, no fragment. */
static void
own_header(struct rt *r, uint8_t *ip, const struct rt_pkt *p, bool df)
{
	uint8_t ttl = r->conf->manners.ttl ? r->conf->manners.ttl : 64;
	struct sky_wr w = sky_wr_of(ip + 4, 8);
	uint16_t sum;

	if (p->family == AF_INET6) {
		ip[7] = ttl;
		return;
	}
	sky_wr_u16(&w, r->own_id++);
	sky_wr_u16(&w, df ? 0x4000 : 0);
	sky_wr_u8(&w, ttl);
	sky_wr_u8(&w, p->proto);
	sky_wr_u16(&w, 0);
	sum = sky_cksum_of(ip, p->hlen);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

/* An echo request becomes its reply (RFC 792; RFC 4443, 4.2). DF is not copied
 * unless told to: the sources met a host that did, and its reply was lost. */
static void
echo(struct rt *r, const struct rt_pkt *p, uint64_t now)
{
	bool v4 = p->family == AF_INET;
	size_t addr = v4 ? 4 : 16, at = v4 ? 12 : 8;
	uint8_t *ip = rt_own_packet(r);

	memcpy(ip, p->ip, p->len);
	memcpy(ip + at, p->ip + at + addr, addr);
	memcpy(ip + at + addr, p->ip + at, addr);
	ip[p->hlen] = v4 ? 0 : 129;
	sky_icmp_seal(ip + p->hlen, p->len - p->hlen, &p->dst, &p->src);
	own_header(r, ip, p, p->df && r->conf->manners.copy_df);
	rt_originate(r, p->len, now);
}

void
rt_local(struct rt *r, struct rt_pkt *p, uint64_t now)
{
	bool v4 = p->family == AF_INET;

	if ((p->off || p->more) && !rt_frag_join(r, p, now))
		return;
	rt_write(r, p, RT_DELIVERED, RT_NONE, now);
	if (p->proto == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		if (p->len >= p->hlen + 8u && p->ip[p->hlen] == (v4 ? 8 : 128))
			echo(r, p, now);
	} else if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_TCP) {
		rt_answer(r, p, RT_NO_PORT, v4 ? 3 : 1, v4 ? 3 : 4, 0, now);
	} else {
		rt_answer(r, p, RT_NO_PORT, v4 ? 3 : 4, v4 ? 2 : 1, 0, now);
	}
}
