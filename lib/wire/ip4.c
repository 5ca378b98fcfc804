/* SPDX-License-Identifier: BSD-2-Clause */
/* ip4.c - the IPv4 header. */
#include "wire/ip4.h"

#include <errno.h>

int
sky_ip4_decode(struct sky_ip4 *ip, struct sky_rd *rd)
{
	uint8_t first = sky_rd_u8(rd);
	uint16_t frag;

	ip->hlen = (uint8_t)((first & 15) * 4);
	ip->tos = sky_rd_u8(rd);
	ip->len = sky_rd_u16(rd);
	ip->id = sky_rd_u16(rd);
	frag = sky_rd_u16(rd);
	ip->reserved = frag & 0x8000;
	ip->df = frag & 0x4000;
	ip->mf = frag & 0x2000;
	ip->off = (uint16_t)((frag & 0x1fff) * 8);
	ip->ttl = sky_rd_u8(rd);
	ip->proto = sky_rd_u8(rd);
	ip->sum = sky_rd_u16(rd);
	sky_rd_copy(rd, ip->src, 4);
	sky_rd_copy(rd, ip->dst, 4);
	ip->opts = NULL;
	if (rd->cut)
		return -EMSGSIZE;
	if (first >> 4 != 4 || ip->hlen < SKY_IP4_HLEN)
		return -EINVAL;
	if (ip->hlen > SKY_IP4_HLEN)
		ip->opts = sky_rd_take(rd, ip->hlen - (size_t)SKY_IP4_HLEN);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_ip4_encode(const struct sky_ip4 *ip, struct sky_wr *wr)
{
	uint8_t buf[SKY_IP4_HMAX];
	struct sky_wr head = sky_wr_of(buf, sizeof(buf));
	uint16_t flags = (uint16_t)(ip->reserved << 15 | ip->df << 14 | ip->mf << 13);
	struct sky_wr sum;

	if (ip->hlen < SKY_IP4_HLEN || ip->hlen > SKY_IP4_HMAX || ip->hlen % 4 || ip->off % 8)
		return -EINVAL;
	if (ip->hlen > SKY_IP4_HLEN && !ip->opts)
		return -EINVAL;
	sky_wr_u8(&head, (uint8_t)(4 << 4 | ip->hlen / 4));
	sky_wr_u8(&head, ip->tos);
	sky_wr_u16(&head, ip->len);
	sky_wr_u16(&head, ip->id);
	sky_wr_u16(&head, (uint16_t)(flags | ip->off / 8));
	sky_wr_u8(&head, ip->ttl);
	sky_wr_u8(&head, ip->proto);
	sum = head;
	sky_wr_u16(&head, 0);
	sky_wr_bytes(&head, ip->src, 4);
	sky_wr_bytes(&head, ip->dst, 4);
	sky_wr_bytes(&head, ip->opts, ip->hlen - (size_t)SKY_IP4_HLEN);
	sky_wr_u16(&sum, sky_cksum_of(buf, ip->hlen));
	sky_wr_bytes(wr, buf, ip->hlen);
	return wr->full ? -ENOSPC : 0;
}

int
sky_ip4_payload(const struct sky_ip4 *ip, struct sky_rd *rd, struct sky_rd *part)
{
	if (ip->len < ip->hlen) {
		*part = sky_rd_part(rd, 0);
		return -EINVAL;
	}
	*part = sky_rd_part(rd, (size_t)(ip->len - ip->hlen));
	return rd->cut ? -EMSGSIZE : 0;
}

enum sky_cksum_state
sky_ip4_check(const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	size_t hlen = (sky_rd_u8(&rd) & 15) * (size_t)4;

	if (rd.cut || len < hlen)
		return SKY_CKSUM_CUT;
	if (hlen < SKY_IP4_HLEN)
		return SKY_CKSUM_BAD;
	return sky_cksum_of(data, hlen) == 0 ? SKY_CKSUM_GOOD : SKY_CKSUM_BAD;
}

int
sky_ip4_set_ttl(void *data, size_t len, uint8_t ttl)
{
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_wr wr = sky_wr_of(data, len);
	uint16_t was, is, sum;

	sky_rd_take(&rd, 8);
	was = sky_rd_u16(&rd);
	sum = sky_rd_u16(&rd);
	if (rd.cut)
		return -EMSGSIZE;
	is = (uint16_t)(ttl << 8 | (was & 0xff));
	sky_wr_room(&wr, 8);
	sky_wr_u16(&wr, is);
	sky_wr_u16(&wr, sky_cksum_update(sum, was, is));
	return 0;
}

struct sky_rd
sky_ip4_opts(const struct sky_ip4 *ip)
{
	return sky_rd_of(ip->opts, ip->opts ? ip->hlen - (size_t)SKY_IP4_HLEN : 0);
}

int
sky_ip4_opt_next(struct sky_rd *opts, struct sky_ip4_opt *opt)
{
	if (!sky_rd_left(opts))
		return 0;
	*opt = (struct sky_ip4_opt){ .type = sky_rd_u8(opts), .len = 1 };
	if (opt->type == SKY_IP4_OPT_END)
		return 0;
	if (opt->type == SKY_IP4_OPT_NOP)
		return 1;
	opt->len = sky_rd_u8(opts);
	if (opts->cut || opt->len < 2)
		return -EINVAL;
	opt->data = sky_rd_take(opts, opt->len - (size_t)2);
	return opts->cut ? -EINVAL : 1;
}

/* data[0] is the pointer, counted from 1 at the option's type. */
static const uint8_t *
route_end(const struct sky_ip4_opt *opt)
{
	if (opt->type != SKY_IP4_OPT_LSRR && opt->type != SKY_IP4_OPT_SSRR)
		return NULL;
	if (opt->len < 7 || (opt->len - 3) % 4 || opt->data[0] > opt->len)
		return NULL;
	return opt->data + opt->len - 6;
}

const uint8_t *
sky_ip4_final(const struct sky_ip4 *ip)
{
	struct sky_rd opts = sky_ip4_opts(ip);
	struct sky_ip4_opt opt;

	while (sky_ip4_opt_next(&opts, &opt) > 0) {
		const uint8_t *end = route_end(&opt);

		if (end)
			return end;
	}
	return ip->dst;
}
