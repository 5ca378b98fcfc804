/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * down.c - what the host's kernel sends, as the old system would have sent it.
 *
 * The kernel routes. It asks by ARP for its next hop and is told an address that
 * says which hop that was: 02:6f and the four bytes of the hop. Finding the real
 * one is the old system's business.
 */
#include "part.h"

#include "proto/fragment.h"
#include "wire/udphdr.h"

#include <string.h>

static const uint8_t made_up[2] = { 0x02, 0x6f };

static void
tell_kernel(struct odd *o, unsigned wire, const struct sky_arp *q, uint64_t now)
{
	struct sky_arp a = { .op = SKY_ARP_REPLY };
	struct odd_buf *b;

	if (q->op != SKY_ARP_REQUEST || odd_is_own(o, wire, q->tpa))
		return;
	memcpy(a.sha, made_up, 2);
	memcpy(a.sha + 2, q->tpa, 4);
	memcpy(a.spa, q->tpa, 4);
	memcpy(a.tha, q->sha, 6);
	memcpy(a.tpa, q->spa, 4);
	b = odd_arp_buf(o, q->sha, &a);
	if (b)
		odd_send(o, b, 2 * wire, now);
}

static void
clear_udp_sum(uint8_t *ip, size_t len, const struct sky_ip4 *h)
{
	struct sky_wr wr;

	if (h->proto != IPPROTO_UDP || h->off || h->mf || len < (size_t)h->hlen + SKY_UDPHDR_LEN)
		return;
	wr = sky_wr_of(ip + h->hlen + 6, 2);
	sky_wr_u16(&wr, 0);
}

/* Writes the header again, in place. */
static void
put_header(uint8_t *ip, struct sky_ip4 *h)
{
	struct sky_wr wr = sky_wr_of(ip, h->hlen);
	uint8_t opts[SKY_IP4_HMAX];

	if (h->hlen > SKY_IP4_HLEN) {
		memcpy(opts, h->opts, h->hlen - SKY_IP4_HLEN);
		h->opts = opts;
	}
	sky_ip4_encode(h, &wr);
}

static void
emit_pieces(struct odd *o, unsigned wire, const uint8_t hop[4], const uint8_t *ip,
    size_t len, size_t mtu, uint64_t now)
{
	unsigned in = 2 * wire;
	struct sky_fragment f;
	struct odd_pkt whole;

	if (sky_fragment_init(&f, ip, len, mtu, 0))
		return;
	odd_pkt_of(&whole, ip, len, in);
	if (len > mtu)
		odd_note(o, &whole, RT_FRAGMENTED, 255, now)->mtu = (uint16_t)mtu;
	for (;;) {
		struct odd_buf *b = odd_buf_new(o);
		struct sky_wr wr;

		if (!b)
			return;
		wr = sky_wr_of(b->frame + ODD_ETHER, o->frame_max - ODD_ETHER);
		if (sky_fragment_next(&f, &wr) != 1) {
			odd_buf_free(o, b);
			return;
		}
		b->len = (uint32_t)(ODD_ETHER + sky_wr_len(&wr));
		odd_pkt_of(&b->pkt, b->frame + ODD_ETHER, b->len - ODD_ETHER, in);
		odd_ask_send(o, b, wire, hop, now);
	}
}

/* To everybody, or to a group: nobody is asked. */
static void
emit_group(struct odd *o, unsigned wire, const uint8_t *frame, size_t len, uint64_t now)
{
	struct odd_pkt p;

	if (len <= ODD_ETHER + (size_t)o->conf->wire[wire].mtu) {
		odd_pass(o, 2 * wire, frame, len, now);
		return;
	}
	odd_pkt_of(&p, frame + ODD_ETHER, len - ODD_ETHER, 2 * wire);
	odd_note(o, &p, RT_TOO_BIG, 255, now)->mtu = o->conf->wire[wire].mtu;
}

static void
own_ip(struct odd *o, unsigned wire, uint8_t *frame, size_t len, uint64_t now)
{
	const struct odd_manners *m = odd_manners(o);
	size_t limit = o->conf->wire[wire].mtu;
	uint8_t *ip = frame + ODD_ETHER;
	struct sky_rd rd = sky_rd_of(ip, len - ODD_ETHER);
	struct odd_pkt p;
	struct sky_ip4 h;
	uint16_t known;

	odd_pkt_of(&p, ip, len - ODD_ETHER, 2 * wire);
	if (sky_ip4_decode(&h, &rd) || h.len < h.hlen || h.len > len - ODD_ETHER) {
		odd_note(o, &p, RT_BAD_HEADER, 255, now);
		return;
	}
	if (m->max_out && h.len > m->max_out) {
		odd_note(o, &p, RT_TOO_BIG, 255, now)->mtu = (uint16_t)m->max_out;
		return;
	}
	known = m->df == ODD_DF_DISCOVER ? odd_pmtu(o, h.dst, now) : 0;
	if (known && known < limit)
		limit = known;
	if (!h.off && !h.mf)		/* the kernel may have cut it already */
		h.id = o->id++;
	h.df = !h.off && !h.mf && m->df == ODD_DF_DISCOVER && h.len <= limit;
	put_header(ip, &h);
	if (m->cksum_off)
		clear_udp_sum(ip, h.len, &h);
	if (frame[0] & 1)
		emit_group(o, wire, frame, ODD_ETHER + (size_t)h.len, now);
	else if (!memcmp(frame, made_up, 2))
		emit_pieces(o, wire, frame + 2, ip, h.len, limit, now);
}

void
odd_down(struct odd *o, unsigned wire, uint8_t *frame, size_t len, uint64_t now)
{
	struct sky_rd rd = sky_rd_of(frame, len);
	struct sky_link link;
	struct sky_arp a;

	if (sky_link_decode(&link, &rd))
		return;
	if (!odd_own_ip(o) || link.tags ||
	    (link.type != SKY_LINK_ARP && link.type != SKY_LINK_IP4))
		odd_pass(o, 2 * wire, frame, len, now);
	else if (link.type == SKY_LINK_IP4)
		own_ip(o, wire, frame, len, now);
	else if (!sky_arp_decode(&a, &rd))
		tell_kernel(o, wire, &a, now);
}
