/* SPDX-License-Identifier: BSD-2-Clause */
/* massmark.c - see massmark.h. On the wire: seal, slot, time, position, TTL, length. */
#include "proto/massmark.h"

#include "base/rd.h"
#include "base/sip.h"
#include "base/wr.h"

enum { SEAL = 8 };

void
sky_massmark_encode(const struct sky_massmark *m, const uint64_t key[2],
    uint8_t out[SKY_MASSMARK_LEN])
{
	struct sky_wr w = sky_wr_of(out + SEAL, SKY_MASSMARK_LEN - SEAL);
	struct sky_wr seal = sky_wr_of(out, SEAL);
	uint64_t sum;

	sky_wr_u32(&w, m->slot);
	sky_wr_u32(&w, m->sent_us);
	sky_wr_u8(&w, (uint8_t)(m->position >> 32));
	sky_wr_u32(&w, (uint32_t)m->position);
	sky_wr_u8(&w, m->ttl);
	sky_wr_u16(&w, m->len);
	sum = sky_sip_hash(key, out + SEAL, SKY_MASSMARK_LEN - SEAL);
	sky_wr_u32(&seal, (uint32_t)(sum >> 32));
	sky_wr_u32(&seal, (uint32_t)sum);
}

bool
sky_massmark_decode(struct sky_massmark *m, const uint64_t key[2], const void *data, size_t len)
{
	struct sky_rd r = sky_rd_of(data, len);
	struct sky_massmark got;
	const uint8_t *body;
	uint64_t sum;

	sum = (uint64_t)sky_rd_u32(&r) << 32;
	sum |= sky_rd_u32(&r);
	body = r.at;
	got.slot = sky_rd_u32(&r);
	got.sent_us = sky_rd_u32(&r);
	got.position = (uint64_t)sky_rd_u8(&r) << 32;
	got.position |= sky_rd_u32(&r);
	got.ttl = sky_rd_u8(&r);
	got.len = sky_rd_u16(&r);
	if (r.cut || sum != sky_sip_hash(key, body, SKY_MASSMARK_LEN - SEAL))
		return false;
	*m = got;
	return true;
}
