/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.c - what two ends of ours say to each other; see tally.h.
 */
#include "wire/tally.h"

#include <errno.h>

static uint64_t
get_u64(struct sky_rd *rd)
{
	uint64_t high = sky_rd_u32(rd);

	return high << 32 | sky_rd_u32(rd);
}

static void
put_u64(struct sky_wr *wr, uint64_t v)
{
	sky_wr_u32(wr, (uint32_t)(v >> 32));
	sky_wr_u32(wr, (uint32_t)v);
}

bool
sky_tally_is(const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);

	return get_u64(&rd) == SKY_TALLY_MAGIC && !rd.cut;
}

int
sky_tally_decode(struct sky_tally *t, struct sky_rd *rd)
{
	uint64_t magic = get_u64(rd), value;
	uint8_t version = sky_rd_u8(rd);
	uint16_t i, n;

	memset(t, 0, sizeof(*t));
	t->kind = sky_rd_u8(rd);
	n = sky_rd_u16(rd);
	t->session = sky_rd_u32(rd);
	t->serial = sky_rd_u32(rd);
	if (rd->cut)
		return -EMSGSIZE;
	if (magic != SKY_TALLY_MAGIC || version != SKY_TALLY_VERSION ||
	    t->kind < SKY_TALLY_HELLO || t->kind > SKY_TALLY_THANKS)
		return -EPROTO;
	if (sky_rd_left(rd) < 8 * (size_t)n)
		return -EMSGSIZE;
	for (i = 0; i < n; i++) {
		value = get_u64(rd);
		if (i < SKY_TALLY_VALUES)
			t->value[i] = value;
	}
	t->n = n < SKY_TALLY_VALUES ? n : SKY_TALLY_VALUES;
	return 0;
}

int
sky_tally_encode(const struct sky_tally *t, struct sky_wr *wr)
{
	uint16_t i, n = t->n < SKY_TALLY_VALUES ? t->n : SKY_TALLY_VALUES;

	put_u64(wr, SKY_TALLY_MAGIC);
	sky_wr_u8(wr, SKY_TALLY_VERSION);
	sky_wr_u8(wr, t->kind);
	sky_wr_u16(wr, n);
	sky_wr_u32(wr, t->session);
	sky_wr_u32(wr, t->serial);
	for (i = 0; i < n; i++)
		put_u64(wr, t->value[i]);
	return wr->full ? -ENOSPC : 0;
}
