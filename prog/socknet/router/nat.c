/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat.c - one address for many: source address and port of what leaves are
 * replaced, and put back in what returns, also inside the quotes of ICMP errors
 * (RFC 3022, 4; RFC 5508, 4). IPv4; UDP, TCP and ICMP echo; whole packets and
 * first fragments.
 */
#include "engine.h"
#include "wire/ip.h"

#include <string.h>

#define FIRST_PORT 40000u
#define IDLE_NS (300 * 1000000000ull)

/* Where the port (or echo identifier) and the transport checksum lie, from the
 * transport header on. */
static const struct spot {
	uint8_t proto, sport, dport, sum;
} spots[] = {
	{ IPPROTO_UDP, 0, 2, 6 },
	{ IPPROTO_TCP, 0, 2, 16 },
	{ IPPROTO_ICMP, 4, 4, 2 },
};

static const struct spot *
spot_of(uint8_t proto)
{
	for (size_t i = 0; i < sizeof(spots) / sizeof(spots[0]); i++)
		if (spots[i].proto == proto)
			return &spots[i];
	return NULL;
}

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Replaces n (even) bytes at `at`, and mends every checksum that covers them. */
static void
replace(uint8_t *at, const uint8_t *with, size_t n, uint8_t *const sums[], unsigned count)
{
	for (unsigned s = 0; s < count; s++)
		for (size_t i = 0; sums[s] && i < n; i += 2)
			put16(sums[s], sky_cksum_update(get16(sums[s]), get16(at + i),
			    get16(with + i)));
	memcpy(at, with, n);
}

/* The address at `addr` and the port at `port` become those of a. The transport
 * checksum covers both, but an ICMP one only the port, and a UDP one of 0 none. */
static void
readdress(uint8_t *ip, uint8_t *addr, uint8_t *l4, uint8_t port_at, const struct spot *s,
    const struct sky_addr *a)
{
	uint8_t *sum = s->proto == IPPROTO_UDP && get16(l4 + s->sum) == 0 ? NULL : l4 + s->sum;
	uint8_t *host_sums[] = { ip + 10, s->proto == IPPROTO_ICMP ? NULL : sum };
	uint8_t *port_sums[] = { sum };
	uint8_t port[2];

	put16(port, sky_addr_port(a));
	replace(addr, (const uint8_t *)&a->u.in.sin_addr, 4, host_sums, 2);
	replace(l4 + port_at, port, 2, port_sums, 1);
	if (sum && s->proto == IPPROTO_UDP && get16(sum) == 0)
		put16(sum, 0xffff);	/* 0 would say "not computed" */
}

static bool
is_echo(const struct rt_pkt *p)
{
	uint8_t type = p->ip[p->hlen];

	return p->proto != IPPROTO_ICMP || type == 8 || type == 0;
}

static bool
can(const struct rt_pkt *p, const struct spot *s)
{
	return s && p->family == AF_INET && p->off == 0 && p->len >= p->hlen + s->sum + 2u &&
	    p->len >= p->hlen + 8u;
}

static struct rt_flow *
flow_of(struct rt *r, const struct sky_addr *inside, uint8_t proto, unsigned iface, uint64_t now)
{
	uint32_t h = sky_addr_hash(inside) + proto;

	for (unsigned i = 0; i < 32; i++) {
		unsigned at = (h + i) % RT_FLOWS;
		struct rt_flow *f = &r->flow[at];
		bool free = f->proto == 0 || now - f->used_ns > IDLE_NS;

		if (!free && (f->proto != proto || !sky_addr_equal(&f->inside, inside)))
			continue;
		if (free) {
			f->inside = *inside;
			f->outside = rt_route_address(r, iface, AF_INET);
			sky_addr_set_port(&f->outside, (uint16_t)(FIRST_PORT + at));
			f->proto = proto;
			f->iface = (uint8_t)iface;
		}
		f->used_ns = now;
		return f;
	}
	return NULL;
}

bool
rt_nat_out(struct rt *r, struct rt_pkt *p, unsigned iface, uint64_t now)
{
	const struct spot *s = spot_of(p->proto);
	struct sky_addr inside = p->src;
	struct rt_flow *f;

	if (!r->conf->iface[iface].nat || p->in == RT_NONE || !can(p, s) || !is_echo(p))
		return false;
	sky_addr_set_port(&inside, get16(p->ip + p->hlen + s->sport));
	if (!(f = flow_of(r, &inside, p->proto, iface, now)))
		return false;
	readdress(p->ip, p->ip + 12, p->ip + p->hlen, s->sport, s, &f->outside);
	p->src = f->outside;
	return true;
}

static struct rt_flow *
flow_back(struct rt *r, const struct rt_pkt *p, uint8_t proto, const struct sky_addr *host,
    uint16_t port)
{
	struct rt_flow *f;

	if (port < FIRST_PORT || port >= FIRST_PORT + RT_FLOWS)
		return NULL;
	f = &r->flow[port - FIRST_PORT];
	if (f->proto != proto || f->iface != p->in || !sky_addr_same_host(&f->outside, host))
		return NULL;
	return f;
}

/* An error about a packet that left with our address: the quote gets its old
 * source back, then the message its old destination. */
static bool
error_in(struct rt *r, struct rt_pkt *p)
{
	uint8_t *quote = p->ip + p->hlen + 8, *l4;
	size_t left = p->len - p->hlen - 8u, hlen;
	const struct spot *s;
	struct rt_flow *f;
	uint8_t *ip_sum[] = { p->ip + 10 };
	struct sky_addr src;

	if (left < 28 || quote[0] >> 4 != 4 || (hlen = (quote[0] & 15) * 4u) < 20 ||
	    left < hlen + 8 || !(s = spot_of(quote[9])))
		return false;
	l4 = quote + hlen;
	src = sky_ip_addr4(quote + 12, 0);
	f = flow_back(r, p, s->proto, &src, get16(l4 + s->sport));
	if (!f)
		return false;
	/* the transport checksum may lie behind what was quoted */
	if (left >= hlen + s->sum + 2u) {
		readdress(quote, quote + 12, l4, s->sport, s, &f->inside);
	} else {
		uint8_t port[2], *quote_sum[] = { quote + 10 };

		put16(port, sky_addr_port(&f->inside));
		replace(quote + 12, (const uint8_t *)&f->inside.u.in.sin_addr, 4, quote_sum, 1);
		memcpy(l4 + s->sport, port, 2);
	}
	sky_icmp_seal(p->ip + p->hlen, p->len - p->hlen, NULL, NULL);
	replace(p->ip + 16, (const uint8_t *)&f->inside.u.in.sin_addr, 4, ip_sum, 1);
	p->dst = f->inside;
	sky_addr_set_port(&p->dst, 0);
	return true;
}

bool
rt_nat_in(struct rt *r, struct rt_pkt *p, uint64_t now)
{
	const struct spot *s = spot_of(p->proto);
	struct rt_flow *f;

	if (!r->conf->iface[p->in].nat || !can(p, s) || !rt_route_is_own(r, &p->dst))
		return false;
	if (p->proto == IPPROTO_ICMP && sky_icmp_quotes(AF_INET, p->ip[p->hlen]))
		return error_in(r, p);
	if (!is_echo(p))
		return false;
	f = flow_back(r, p, p->proto, &p->dst, get16(p->ip + p->hlen + s->dport));
	if (!f)
		return false;
	f->used_ns = now;
	readdress(p->ip, p->ip + 16, p->ip + p->hlen, s->dport, s, &f->inside);
	p->dst = f->inside;
	return true;
}
