/* SPDX-License-Identifier: BSD-2-Clause */
/* up.c - what comes from the wire: taken in, answered, or on to the kernel. */
#include "part.h"

#include "wire/quote.h"

#include <string.h>

enum { ECHO_REPLY = 0, UNREACHABLE = 3, QUENCH = 4, ECHO = 8, TOO_BIG = 4 };

static void
take_arp(struct odd *o, unsigned wire, const uint8_t *frame, size_t len, struct sky_rd *rd,
    uint64_t now)
{
	struct sky_arp a;

	if (sky_arp_decode(&a, rd))
		return;
	if (a.op == SKY_ARP_REQUEST && odd_is_own(o, wire, a.tpa))
		odd_tell(o, wire, &a, now);
	else if (!odd_own_ip(o))
		odd_pass(o, 2 * wire + 1, frame, len, now);
	else if (a.op == SKY_ARP_REPLY)
		odd_note_arp(o, wire, &a, false, now, now);
	if (odd_own_ip(o))
		odd_ask_heard(o, wire, &a, now);
}

/* The reply goes back where the request came from. */
static void
answer_echo(struct odd *o, unsigned wire, const uint8_t *frame, const struct sky_ip *ip, uint64_t now)
{
	struct sky_ip4 h = { .hlen = SKY_IP4_HLEN, .ttl = 255, .proto = IPPROTO_ICMP,
		.id = o->id++, .df = ip->flags & SKY_IP_DF, .tos = ip->tos };
	struct odd_buf *b = odd_buf_new(o);
	uint8_t *icmp;
	struct sky_wr wr;

	if (!b)
		return;
	h.len = (uint16_t)(SKY_IP4_HLEN + ip->payload_len);
	memcpy(h.src, &ip->dst.u.in.sin_addr, 4);
	memcpy(h.dst, &ip->src.u.in.sin_addr, 4);
	odd_ether(b->frame, frame + 6, o->conf->wire[wire].mac, SKY_LINK_IP4);
	wr = sky_wr_of(b->frame + ODD_ETHER, o->frame_max - ODD_ETHER);
	sky_ip4_encode(&h, &wr);
	icmp = wr.at;
	sky_wr_u8(&wr, ECHO_REPLY);
	sky_wr_bytes(&wr, ip->payload.at + 1, ip->payload_len - 1);
	sky_icmp_seal(icmp, ip->payload_len, NULL, NULL);
	b->len = (uint32_t)(ODD_ETHER + sky_wr_len(&wr));
	odd_pkt_of(&b->pkt, b->frame + ODD_ETHER, b->len - ODD_ETHER, 255);
	odd_note(o, &b->pkt, RT_ORIGINATED, 2 * wire + 1, now);
	odd_send(o, b, 2 * wire + 1, now);
}

/* True if the message ends here: the kernel above knows nothing of path MTUs,
 * and UDP ignores source quench. */
static bool
take_error(struct odd *o, unsigned wire, const struct sky_ip *ip, const struct sky_icmp *m,
    struct sky_rd rd, uint64_t now)
{
	bool too_big = m->type == UNREACHABLE && m->code == TOO_BIG;
	struct odd_pkt p = { .src = ip->src, .dst = ip->dst, .len = (uint16_t)ip->len,
		.id = (uint16_t)ip->id, .proto = ip->proto, .ttl = ip->ttl,
		.in = (uint8_t)(2 * wire + 1), .df = ip->flags & SKY_IP_DF };
	struct rt_record *rec;
	struct sky_quote q;

	if (!odd_own_ip(o) || (!too_big && m->type != QUENCH))
		return false;
	rec = odd_note(o, &p, RT_DELIVERED, 255, now);
	rec->type = m->type;
	rec->code = m->code;
	rec->mtu = (uint16_t)sky_icmp_mtu(AF_INET, m);
	if (!too_big || odd_manners(o)->df != ODD_DF_DISCOVER ||
	    sky_quote_decode(&q, AF_INET, rd.at, sky_rd_left(&rd)) ||
	    !odd_is_own(o, wire, (const uint8_t *)&q.ip.src.u.in.sin_addr))
		return true;
	odd_pmtu_error(o, (const uint8_t *)&q.ip.dst.u.in.sin_addr, rec->mtu,
	    o->conf->wire[wire].mtu, now);
	return true;
}

bool
odd_up_icmp(struct odd *o, unsigned wire, const uint8_t *frame, const struct sky_ip *ip,
    uint64_t now)
{
	const uint8_t *dst = (const uint8_t *)&ip->dst.u.in.sin_addr;
	struct sky_rd rd = ip->payload;
	struct sky_icmp m;

	if (ip->proto != IPPROTO_ICMP || ip->flags & (SKY_IP_FRAG | SKY_IP_CUT) ||
	    !odd_is_own(o, wire, dst) || sky_ip_check_payload(ip) != SKY_CKSUM_GOOD ||
	    sky_icmp_decode(&m, &rd))
		return false;
	if (m.type == ECHO && m.code == 0 && odd_manners(o)->copy_df &&
	    ODD_ETHER + SKY_IP4_HLEN + ip->payload_len <= o->frame_max) {
		answer_echo(o, wire, frame, ip, now);
		return true;
	}
	return take_error(o, wire, ip, &m, rd, now);
}

static void
take_ip4(struct odd *o, unsigned wire, uint8_t *frame, size_t len, uint64_t now)
{
	uint32_t max = odd_manners(o)->max_in;
	struct odd_pkt p;
	struct sky_ip ip;

	if (sky_ip_decode(&ip, frame + ODD_ETHER, len - ODD_ETHER) ||
	    sky_ip4_check(frame + ODD_ETHER, len - ODD_ETHER) != SKY_CKSUM_GOOD ||
	    ip.flags & (SKY_IP_BAD_LEN | SKY_IP_BAD_HEAD)) {
		odd_pkt_of(&p, frame + ODD_ETHER, len - ODD_ETHER, 2 * wire + 1);
		odd_note(o, &p, RT_BAD_HEADER, 255, now);
		return;
	}
	if (max && ip.head_len + ip.off + ip.payload_len > max) {
		odd_pkt_of(&p, frame + ODD_ETHER, len - ODD_ETHER, 2 * wire + 1);
		odd_note(o, &p, RT_TOO_LONG_IN, 255, now)->mtu = (uint16_t)max;
		return;
	}
	if (odd_own_ip(o) && ip.proto == IPPROTO_ICMP && ip.flags & SKY_IP_FRAG &&
	    odd_is_own(o, wire, (const uint8_t *)&ip.dst.u.in.sin_addr))
		odd_join(o, wire, frame, &ip, now);
	else if (!odd_up_icmp(o, wire, frame, &ip, now))
		odd_pass(o, 2 * wire + 1, frame, len, now);
}

void
odd_up(struct odd *o, unsigned wire, uint8_t *frame, size_t len, uint64_t now)
{
	struct sky_rd rd = sky_rd_of(frame, len);
	struct sky_link link;
	struct odd_pkt p;

	if (sky_link_decode(&link, &rd))
		return;
	if (!(frame[0] & 1) && memcmp(frame, o->conf->wire[wire].mac, 6)) {
		odd_pkt_of(&p, rd.at, sky_rd_left(&rd), 2 * wire + 1);
		odd_note(o, &p, RT_NOT_FOR_US, 255, now);
		return;
	}
	if (link.tags || (link.type != SKY_LINK_ARP && link.type != SKY_LINK_IP4))
		odd_pass(o, 2 * wire + 1, frame, len, now);
	else if (link.type == SKY_LINK_ARP)
		take_arp(o, wire, frame, len, &rd, now);
	else
		take_ip4(o, wire, frame, len, now);
}
