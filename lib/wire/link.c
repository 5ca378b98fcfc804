/* SPDX-License-Identifier: BSD-2-Clause */
/* link.c - Ethernet. */
#include "wire/link.h"

#include <errno.h>

static bool
is_tag(uint16_t type)
{
	return type == SKY_LINK_8021Q || type == SKY_LINK_8021AD;
}

int
sky_link_decode(struct sky_link *l, struct sky_rd *rd)
{
	sky_rd_copy(rd, l->dst, 6);
	sky_rd_copy(rd, l->src, 6);
	l->type = sky_rd_u16(rd);
	for (l->tags = 0; is_tag(l->type); l->tags++) {
		if (l->tags == SKY_LINK_TAGS)
			return -EINVAL;
		l->tag[l->tags].tpid = l->type;
		l->tag[l->tags].tci = sky_rd_u16(rd);
		l->type = sky_rd_u16(rd);
	}
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_link_encode(const struct sky_link *l, struct sky_wr *wr)
{
	if (l->tags > SKY_LINK_TAGS)
		return -EINVAL;
	sky_wr_bytes(wr, l->dst, 6);
	sky_wr_bytes(wr, l->src, 6);
	for (uint8_t i = 0; i < l->tags; i++) {
		sky_wr_u16(wr, l->tag[i].tpid);
		sky_wr_u16(wr, l->tag[i].tci);
	}
	sky_wr_u16(wr, l->type);
	return wr->full ? -ENOSPC : 0;
}

uint16_t
sky_link_raw(const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t version = sky_rd_u8(&rd) >> 4;

	if (version == 4)
		return SKY_LINK_IP4;
	return version == 6 ? SKY_LINK_IP6 : 0;
}
