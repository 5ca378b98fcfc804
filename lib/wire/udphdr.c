/* SPDX-License-Identifier: BSD-2-Clause */
/* udphdr.c - the UDP header. */
#include "wire/udphdr.h"

#include <errno.h>

int
sky_udphdr_decode(struct sky_udphdr *u, struct sky_rd *rd)
{
	u->sport = sky_rd_u16(rd);
	u->dport = sky_rd_u16(rd);
	u->len = sky_rd_u16(rd);
	u->sum = sky_rd_u16(rd);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_udphdr_encode(const struct sky_udphdr *u, struct sky_wr *wr)
{
	sky_wr_u16(wr, u->sport);
	sky_wr_u16(wr, u->dport);
	sky_wr_u16(wr, u->len);
	sky_wr_u16(wr, u->sum);
	return wr->full ? -ENOSPC : 0;
}

static uint16_t
port_of(const struct sky_addr *a)
{
	return ntohs(a->u.sa.sa_family == AF_INET ? a->u.in.sin_port : a->u.in6.sin6_port);
}

int
sky_udphdr_build(struct sky_wr *wr, const struct sky_addr *src,
    const struct sky_addr *dst, const void *data, size_t len)
{
	struct sky_udphdr u = { .len = (uint16_t)(len + SKY_UDPHDR_LEN) };
	struct sky_cksum c = sky_cksum_start();
	uint8_t *head;

	if (src->u.sa.sa_family != dst->u.sa.sa_family)
		return -EINVAL;
	if (len > 65535 - SKY_UDPHDR_LEN)
		return -EMSGSIZE;
	u.sport = port_of(src);
	u.dport = port_of(dst);
	sky_cksum_add_pseudo(&c, src, dst, IPPROTO_UDP, u.len);
	sky_cksum_add_u16(&c, u.sport);
	sky_cksum_add_u16(&c, u.dport);
	sky_cksum_add_u16(&c, u.len);
	sky_cksum_add(&c, data, len);
	u.sum = sky_cksum_finish_udp(&c);
	head = sky_wr_room(wr, SKY_UDPHDR_LEN + len);
	if (!head)
		return -ENOSPC;
	*wr = (struct sky_wr){ wr->start, head, wr->end, false };
	sky_udphdr_encode(&u, wr);
	sky_wr_bytes(wr, data, len);
	return 0;
}
