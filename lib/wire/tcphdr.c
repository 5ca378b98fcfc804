/* SPDX-License-Identifier: BSD-2-Clause */
/* tcphdr.c - the TCP header. */
#include "wire/tcphdr.h"

#include <errno.h>

int
sky_tcphdr_decode(struct sky_tcphdr *t, struct sky_rd *rd)
{
	uint16_t bits;

	t->sport = sky_rd_u16(rd);
	t->dport = sky_rd_u16(rd);
	t->seq = sky_rd_u32(rd);
	t->ack = sky_rd_u32(rd);
	bits = sky_rd_u16(rd);
	t->hlen = (uint8_t)((bits >> 12) * 4);
	t->flags = bits & 0xfff;
	t->window = sky_rd_u16(rd);
	t->sum = sky_rd_u16(rd);
	t->urgent = sky_rd_u16(rd);
	t->opts = NULL;
	if (rd->cut)
		return -EMSGSIZE;
	if (t->hlen < SKY_TCPHDR_LEN)
		return -EINVAL;
	if (t->hlen > SKY_TCPHDR_LEN)
		t->opts = sky_rd_take(rd, t->hlen - (size_t)SKY_TCPHDR_LEN);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_tcphdr_encode(const struct sky_tcphdr *t, struct sky_wr *wr)
{
	if (t->hlen < SKY_TCPHDR_LEN || t->hlen > 60 || t->hlen % 4)
		return -EINVAL;
	if (t->hlen > SKY_TCPHDR_LEN && !t->opts)
		return -EINVAL;
	sky_wr_u16(wr, t->sport);
	sky_wr_u16(wr, t->dport);
	sky_wr_u32(wr, t->seq);
	sky_wr_u32(wr, t->ack);
	sky_wr_u16(wr, (uint16_t)(t->hlen / 4 << 12 | (t->flags & 0xfff)));
	sky_wr_u16(wr, t->window);
	sky_wr_u16(wr, t->sum);
	sky_wr_u16(wr, t->urgent);
	sky_wr_bytes(wr, t->opts, t->hlen - (size_t)SKY_TCPHDR_LEN);
	return wr->full ? -ENOSPC : 0;
}
