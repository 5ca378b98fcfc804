/* SPDX-License-Identifier: BSD-2-Clause */
/* arp.c - ARP for IPv4 over Ethernet. */
#include "wire/arp.h"

#include "wire/link.h"

#include <errno.h>

int
sky_arp_decode(struct sky_arp *a, struct sky_rd *rd)
{
	uint16_t hardware = sky_rd_u16(rd);
	uint16_t protocol = sky_rd_u16(rd);
	uint16_t lengths = sky_rd_u16(rd);

	a->op = sky_rd_u16(rd);
	if (!rd->cut && lengths != (6 << 8 | 4))
		return -EINVAL;
	sky_rd_copy(rd, a->sha, 6);
	sky_rd_copy(rd, a->spa, 4);
	sky_rd_copy(rd, a->tha, 6);
	sky_rd_copy(rd, a->tpa, 4);
	if (rd->cut)
		return -EMSGSIZE;
	if ((hardware != 1 && hardware != 6) || protocol != SKY_LINK_IP4)
		return -EINVAL;
	return 0;
}

int
sky_arp_encode(const struct sky_arp *a, struct sky_wr *wr)
{
	sky_wr_u16(wr, 1);
	sky_wr_u16(wr, SKY_LINK_IP4);
	sky_wr_u8(wr, 6);
	sky_wr_u8(wr, 4);
	sky_wr_u16(wr, a->op);
	sky_wr_bytes(wr, a->sha, 6);
	sky_wr_bytes(wr, a->spa, 4);
	sky_wr_bytes(wr, a->tha, 6);
	sky_wr_bytes(wr, a->tpa, 4);
	return wr->full ? -ENOSPC : 0;
}
