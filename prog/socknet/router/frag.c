/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.c - packets cut for a small link (RFC 791, 3.2), and put together again
 * where the router was told to, or where they are for itself.
 */
#include "engine.h"
#include "wire/ip.h"

#include <string.h>

void
rt_frag_send(struct rt *r, struct rt_pkt *p, unsigned iface, const struct sky_addr *hop,
    uint64_t now)
{
	size_t mtu = r->conf->iface[iface].mtu;
	struct sky_fragment f;
	struct rt_buf *b;

	if (sky_fragment_init(&f, p->ip, p->len, mtu, r->own_id++) < 0) {
		rt_write(r, p, RT_TOO_BIG, iface, now)->mtu = (uint16_t)mtu;
		return;
	}
	rt_write(r, p, RT_FRAGMENTED, iface, now)->mtu = (uint16_t)mtu;
	while ((b = rt_buf_new(r)) != NULL) {
		struct sky_wr w = sky_wr_of(b->frame + RT_ETHER, r->frame_max - RT_ETHER);
		struct rt_pkt piece = { 0 };

		rt_lend(r, b);
		if (sky_fragment_next(&f, &w) <= 0 ||
		    rt_pkt_parse(&piece, b->frame + RT_ETHER, sky_wr_len(&w)) < 0)
			return;
		piece.in = p->in;
		rt_line_send(r, &piece, iface, hop, p->in == RT_NONE ? RT_ORIGINATED :
		    RT_FORWARDED, now);
	}
}

/* A packet without fragment fields, with the TTL of the piece that came last. */
static size_t
put_together(struct rt *r, const struct rt_pkt *p, const struct sky_reasm_out *o)
{
	struct sky_wr w = sky_wr_of(r->whole + RT_ETHER, RT_BIG - RT_ETHER);
	struct sky_ip4 ip4 = { .hlen = SKY_IP4_HLEN, .len = (uint16_t)(SKY_IP4_HLEN + o->len),
		.id = (uint16_t)o->id, .ttl = p->ttl, .proto = o->proto };
	struct sky_ip6 ip6 = { .plen = (uint16_t)o->len, .next = o->proto, .hops = p->ttl };

	if (o->len > 65535 - SKY_IP4_HLEN)
		return 0;
	if (p->family == AF_INET) {
		memcpy(ip4.src, &o->src.u.in.sin_addr, 4);
		memcpy(ip4.dst, &o->dst.u.in.sin_addr, 4);
		sky_ip4_encode(&ip4, &w);
	} else {
		memcpy(ip6.src, &o->src.u.in6.sin6_addr, 16);
		memcpy(ip6.dst, &o->dst.u.in6.sin6_addr, 16);
		sky_ip6_encode(&ip6, &w);
	}
	sky_wr_bytes(&w, o->payload, o->len);
	return w.full ? 0 : sky_wr_len(&w);
}

bool
rt_frag_join(struct rt *r, struct rt_pkt *p, uint64_t now)
{
	struct sky_reasm_out o;
	struct rt_pkt whole = { .in = p->in, .group = p->group, .scratch = true };
	size_t len;
	int ret = sky_reasm_take(&r->reasm, p->ip, p->len, now, &o);

	r->reasm_at = sky_reasm_deadline(&r->reasm);
	if (ret <= 0) {
		rt_write(r, p, ret == 0 ? RT_REASSEMBLED : RT_BAD_HEADER, RT_NONE, now);
		return false;
	}
	rt_write(r, p, RT_REASSEMBLED, RT_NONE, now);
	len = put_together(r, p, &o);
	if (len == 0 || rt_pkt_parse(&whole, r->whole + RT_ETHER, len) < 0)
		return false;
	*p = whole;
	return true;
}

/* What there is of the first piece, as a packet to answer; the way in is taken
 * to be the way back to its source. */
static bool
first_piece(struct rt *r, struct rt_pkt *p, const uint8_t *first, size_t len)
{
	struct rt_pkt back = { 0 };
	struct rt_choice c;
	struct sky_ip ip;

	if (!first || len > RT_BIG - RT_ETHER || sky_ip_decode(&ip, first, len) < 0)
		return false;
	memcpy(r->whole + RT_ETHER, first, len);
	*p = (struct rt_pkt){ .ip = r->whole + RT_ETHER, .len = len, .family = ip.family,
		.src = ip.src, .dst = ip.dst, .id = ip.id, .proto = ip.proto, .ttl = ip.ttl,
		.more = true, .scratch = true };
	back.dst = ip.src;
	back.family = ip.family;
	rt_route_find(r, &back, &c);
	p->in = c.iface;
	return c.found && c.kind == RT_FORWARD;
}

/* A time-out is told only if the first piece came (RFC 792; RFC 4443, 3.3). */
void
rt_frag_tick(struct rt *r, uint64_t now)
{
	const uint8_t *first;
	struct rt_pkt p;
	size_t len;

	if (now < r->reasm_at)
		return;
	while (sky_reasm_expire(&r->reasm, now, &first, &len))
		if (first_piece(r, &p, first, len))
			rt_answer(r, &p, RT_REASSEMBLY_TIMEOUT, p.family == AF_INET ? 11 : 3, 1,
			    0, now);
		else
			r->ledger->count[RT_REASSEMBLY_TIMEOUT]++;
	r->reasm_at = sky_reasm_deadline(&r->reasm);
}

uint64_t
rt_frag_deadline(const struct rt *r)
{
	return r->reasm_at;
}
