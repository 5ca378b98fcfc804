/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * join.c - ICMP messages that come in pieces: an error that quotes much does not
 * fit a narrow line, and is no less an error. What is not the lower half's
 * business goes on to the kernel, in pieces again.
 */
#include "part.h"

#include "proto/fragment.h"

#include <errno.h>
#include <string.h>

void
odd_join_init(struct odd *o)
{
	sky_reasm_init(&o->reasm, o->slot, ODD_WHOLES, 30000000000u);
}

/* A whole packet with an Ethernet header in o->whole; its length, or 0. */
static size_t
make_whole(struct odd *o, const uint8_t *frame, const struct sky_ip *ip,
    const struct sky_reasm_out *out)
{
	struct sky_ip4 h = { .hlen = SKY_IP4_HLEN, .ttl = ip->ttl, .tos = ip->tos,
		.proto = ip->proto, .id = (uint16_t)ip->id };
	struct sky_wr wr = sky_wr_of(o->whole + ODD_ETHER, sizeof(o->whole) - ODD_ETHER);

	if (out->len > 65535 - SKY_IP4_HLEN)
		return 0;
	h.len = (uint16_t)(SKY_IP4_HLEN + out->len);
	memcpy(h.src, &ip->src.u.in.sin_addr, 4);
	memcpy(h.dst, &ip->dst.u.in.sin_addr, 4);
	memcpy(o->whole, frame, ODD_ETHER);
	sky_ip4_encode(&h, &wr);
	sky_wr_bytes(&wr, out->payload, out->len);
	return h.len;
}

static void
to_kernel(struct odd *o, unsigned wire, size_t len, uint64_t now)
{
	struct sky_fragment f;

	if (sky_fragment_init(&f, o->whole + ODD_ETHER, len, o->conf->wire[wire].mtu, 0))
		return;
	for (;;) {
		struct odd_buf *b = odd_buf_new(o);
		struct sky_wr wr;

		if (!b)
			return;
		memcpy(b->frame, o->whole, ODD_ETHER);
		wr = sky_wr_of(b->frame + ODD_ETHER, o->frame_max - ODD_ETHER);
		if (sky_fragment_next(&f, &wr) != 1) {
			odd_buf_free(o, b);
			return;
		}
		b->len = (uint32_t)(ODD_ETHER + sky_wr_len(&wr));
		odd_pkt_of(&b->pkt, b->frame + ODD_ETHER, b->len - ODD_ETHER, 2 * wire + 1);
		odd_note(o, &b->pkt, RT_DELIVERED, 2 * wire, now);
		odd_send(o, b, 2 * wire, now);
	}
}

void
odd_join(struct odd *o, unsigned wire, const uint8_t *frame, const struct sky_ip *ip, uint64_t now)
{
	struct sky_reasm_out out;
	const uint8_t *first;
	struct odd_pkt p;
	struct sky_ip all;
	size_t len;
	int r;

	while (sky_reasm_expire(&o->reasm, now, &first, &len))
		;
	r = sky_reasm_take(&o->reasm, frame + ODD_ETHER, ip->len, now, &out);
	odd_pkt_of(&p, frame + ODD_ETHER, ip->len, 2 * wire + 1);
	odd_note(o, &p, r == -ENOBUFS ? RT_NO_BUFFER : r < 0 ? RT_BAD_HEADER : RT_REASSEMBLED,
	    255, now);
	len = r == 1 ? make_whole(o, frame, ip, &out) : 0;
	if (!len || sky_ip_decode(&all, o->whole + ODD_ETHER, len))
		return;
	if (!odd_up_icmp(o, wire, o->whole, &all, now))
		to_kernel(o, wire, len, now);
}
