/* SPDX-License-Identifier: BSD-2-Clause */
/* fragment.c - cuts IP packets. */
#include "proto/fragment.h"

#include <errno.h>

size_t
sky_fragment_capacity(size_t mtu, size_t head)
{
	return mtu > head ? (mtu - head) / 8 * 8 : 0;
}

static int
init4(struct sky_fragment *f, struct sky_rd *rd)
{
	if (sky_ip4_decode(&f->ip4, rd) != 0 || f->ip4.len > f->len || f->ip4.len < f->ip4.hlen)
		return -EINVAL;
	f->len = f->ip4.len;
	f->head_len = f->ip4.hlen;
	/* What this packet carries must end within what an offset can say. */
	if (f->ip4.off + (f->len - f->head_len) > UINT16_MAX)
		return -EINVAL;
	return 0;
}

static int
init6(struct sky_fragment *f, struct sky_rd *rd)
{
	struct sky_rd body;

	if (sky_ip6_decode(&f->ip6, rd) != 0 || SKY_IP6_HLEN + (size_t)f->ip6.plen > f->len)
		return -EINVAL;
	f->len = SKY_IP6_HLEN + (size_t)f->ip6.plen;
	body = sky_rd_part(rd, f->ip6.plen);
	if (sky_ip6_chain_decode(&f->chain, f->ip6.next, &body) != 0)
		return -EINVAL;
	f->head_len = SKY_IP6_HLEN + f->chain.unfrag_len;
	return 0;
}

int
sky_fragment_init(struct sky_fragment *f, const void *packet, size_t len,
    size_t mtu, uint32_t id)
{
	struct sky_rd rd = sky_rd_of(packet, len);
	bool six = sky_rd_left(&rd) && rd.at[0] >> 4 == 6;
	size_t head;
	int ret;

	*f = (struct sky_fragment){ .family = six ? AF_INET6 : AF_INET, .packet = packet,
		.len = len, .mtu = mtu, .id = id };
	ret = six ? init6(f, &rd) : init4(f, &rd);
	if (ret != 0)
		return ret;
	f->whole = f->len <= mtu;
	if (f->whole)
		return 0;
	if (six && f->chain.has_frag)
		return -EINVAL;
	head = f->head_len + (six ? SKY_IP6_FRAGLEN : 0);
	return sky_fragment_capacity(mtu, head) ? 0 : -EINVAL;
}

/* RFC 791, 3.1: the copied flag says which options go into later fragments.
 * Returns their length, padded with END to a multiple of 4. */
static uint8_t
copied_options(const struct sky_ip4 *ip, uint8_t out[static 40])
{
	struct sky_rd rd = sky_ip4_opts(ip);
	struct sky_wr wr = sky_wr_of(out, 40);
	struct sky_ip4_opt opt;

	while (sky_ip4_opt_next(&rd, &opt) > 0) {
		if (!(opt.type & SKY_IP4_OPT_COPY))
			continue;
		sky_wr_u8(&wr, opt.type);
		sky_wr_u8(&wr, opt.len);
		sky_wr_bytes(&wr, opt.data, opt.len - (size_t)2);
	}
	sky_wr_zero(&wr, (4 - sky_wr_len(&wr) % 4) % 4);
	return (uint8_t)sky_wr_len(&wr);
}

/* The next piece's length; *last if it is the last. */
static size_t
piece_of(const struct sky_fragment *f, size_t head, bool *last)
{
	size_t left = f->len - f->head_len - f->at;

	*last = left <= f->mtu - head;
	return *last ? left : sky_fragment_capacity(f->mtu, head);
}

static int
next4(struct sky_fragment *f, struct sky_wr *wr, size_t *n)
{
	struct sky_ip4 ip = f->ip4;
	uint8_t opts[40];
	bool last;

	if (f->at) {
		ip.hlen = (uint8_t)(SKY_IP4_HLEN + copied_options(&f->ip4, opts));
		ip.opts = opts;
	}
	*n = piece_of(f, ip.hlen, &last);
	ip.len = (uint16_t)(ip.hlen + *n);
	ip.off = (uint16_t)(f->ip4.off + f->at);
	ip.mf = !last || f->ip4.mf;
	f->done = last;
	return sky_ip4_encode(&ip, wr);
}

static int
next6(struct sky_fragment *f, struct sky_wr *wr, size_t *n)
{
	size_t unfrag = f->chain.unfrag_len;
	struct sky_ip6 ip = f->ip6;
	struct sky_ip6_frag frag = { .off = (uint16_t)f->at, .id = f->id };
	uint8_t *copy;
	bool last;

	*n = piece_of(f, f->head_len + SKY_IP6_FRAGLEN, &last);
	ip.plen = (uint16_t)(unfrag + SKY_IP6_FRAGLEN + *n);
	frag.next = ip.next;
	if (unfrag)
		frag.next = f->packet[SKY_IP6_HLEN + f->chain.next_at];
	else
		ip.next = IPPROTO_FRAGMENT;
	frag.more = !last;
	f->done = last;
	sky_ip6_encode(&ip, wr);
	copy = sky_wr_room(wr, unfrag);
	if (copy && unfrag) {
		memcpy(copy, f->packet + SKY_IP6_HLEN, unfrag);
		copy[f->chain.next_at] = IPPROTO_FRAGMENT;
	}
	return sky_ip6_frag_encode(&frag, wr);
}

int
sky_fragment_next(struct sky_fragment *f, struct sky_wr *wr)
{
	struct sky_wr before = *wr;
	size_t n = 0;

	if (f->done)
		return 0;
	if (f->whole) {
		f->done = true;
		sky_wr_bytes(wr, f->packet, f->len);
	} else {
		int ret = f->family == AF_INET ? next4(f, wr, &n) : next6(f, wr, &n);

		if (ret == 0)
			sky_wr_bytes(wr, f->packet + f->head_len + f->at, n);
		f->at += n;
	}
	if (!wr->full)
		return 1;
	*wr = before;
	f->done = false;
	f->at -= n;
	return -ENOSPC;
}
