/* SPDX-License-Identifier: BSD-2-Clause */
/* callhead.c - the head of a request or reply; see call.h. */
#include "proto/callbook.h"

#include "base/crc32c.h"
#include "base/rd.h"
#include "base/wr.h"

#include <errno.h>

#define MAGIC 0x534b5952	/* "SKYR" */
#define VERSION 1
#define CHECKED 20		/* bytes before the check */

/* A request says nothing of copies; a reply has seen at least what it answers. */
static bool
makes_sense(const struct sky_call_head *h)
{
	if (h->nth < 1 || h->nth > SKY_CALL_TRIES)
		return false;
	if (h->kind == SKY_CALL_REQUEST)
		return h->copies == 0 && h->seen == 0;
	return h->kind == SKY_CALL_REPLY && h->copies > 0 && h->seen & 1u << (h->nth - 1);
}

static uint64_t
u64(struct sky_rd *r)
{
	uint64_t high = sky_rd_u32(r);

	return high << 32 | sky_rd_u32(r);
}

int
sky_call_head_decode(struct sky_call_head *h, const void *data, size_t len)
{
	struct sky_rd r = sky_rd_of(data, len);
	uint32_t magic = sky_rd_u32(&r), check;
	uint8_t version = sky_rd_u8(&r);

	if (magic != MAGIC)
		return -ENOMSG;
	if (!r.cut && version != VERSION)
		return -EPROTONOSUPPORT;
	h->kind = sky_rd_u8(&r);
	h->nth = sky_rd_u8(&r);
	h->copies = sky_rd_u8(&r);
	h->reserved = 0;
	h->id = u64(&r);
	h->seen = sky_rd_u32(&r);
	check = sky_rd_u32(&r);
	if (r.cut || check != sky_crc32c(data, CHECKED) || !makes_sense(h))
		return -EBADMSG;
	return 0;
}

int
sky_call_head_encode(const struct sky_call_head *h, void *out, size_t size)
{
	struct sky_wr w = sky_wr_of(out, size);

	if (!makes_sense(h))
		return -EINVAL;
	if (size < SKY_CALL_HEAD)
		return -ENOSPC;
	sky_wr_u32(&w, MAGIC);
	sky_wr_u8(&w, VERSION);
	sky_wr_u8(&w, h->kind);
	sky_wr_u8(&w, h->nth);
	sky_wr_u8(&w, h->copies);
	sky_wr_u32(&w, (uint32_t)(h->id >> 32));
	sky_wr_u32(&w, (uint32_t)h->id);
	sky_wr_u32(&w, h->seen);
	sky_wr_u32(&w, sky_crc32c(out, CHECKED));
	return SKY_CALL_HEAD;
}
