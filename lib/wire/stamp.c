/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp.c - the test packets of STAMP; see stamp.h.
 */
#include "wire/stamp.h"

#include <errno.h>

#define SECOND UINT64_C(1000000000)
#define NTP_TO_UNIX UINT64_C(2208988800)	/* 1900 to 1970, seconds */
#define ERA UINT64_C(0x100000000)

/* Half a unit up, so that a time read again is the same nanosecond. */
static void
put_time(struct sky_wr *wr, uint64_t ns, uint16_t error)
{
	uint64_t s = ns / SECOND, part = ns % SECOND;

	if (error & SKY_STAMP_PTP) {
		sky_wr_u32(wr, (uint32_t)s);
		sky_wr_u32(wr, (uint32_t)part);
		return;
	}
	sky_wr_u32(wr, (uint32_t)(s + NTP_TO_UNIX));
	sky_wr_u32(wr, (uint32_t)(((part << 32) + SECOND / 2) / SECOND));
}

/* The format is known only when the error estimate has been read. */
static uint64_t
time_of(uint64_t raw, uint16_t error)
{
	uint64_t s = raw >> 32, part = raw & 0xffffffffu;

	if (error & SKY_STAMP_PTP)
		return s * SECOND + part;
	if (s < ERA / 2)
		s += ERA;
	/* A second that is 1968 or 1969 has no place before 1970. */
	if (s < NTP_TO_UNIX)
		return 0;
	return (s - NTP_TO_UNIX) * SECOND + ((part * SECOND + ERA / 2) >> 32);
}

static uint64_t
raw_time(struct sky_rd *rd)
{
	uint64_t high = sky_rd_u32(rd);

	return high << 32 | sky_rd_u32(rd);
}

/* n bytes that must be zero: true if they are not. */
static bool
not_zero(struct sky_rd *rd, size_t n)
{
	const uint8_t *p = sky_rd_take(rd, n);
	bool odd = false;

	for (; p && n; n--)
		odd |= *p++ != 0;
	return odd;
}

int
sky_stamp_probe_decode(struct sky_stamp_probe *p, struct sky_rd *rd)
{
	p->seq = sky_rd_u32(rd);
	p->time_raw = raw_time(rd);
	p->error = sky_rd_u16(rd);
	p->ssid = sky_rd_u16(rd);
	p->odd = not_zero(rd, 28);
	p->time_ns = time_of(p->time_raw, p->error);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_stamp_reply_decode(struct sky_stamp_reply *p, struct sky_rd *rd)
{
	uint64_t sent, came;

	p->seq = sky_rd_u32(rd);
	sent = raw_time(rd);
	p->error = sky_rd_u16(rd);
	p->ssid = sky_rd_u16(rd);
	came = raw_time(rd);
	p->probe_seq = sky_rd_u32(rd);
	p->probe_time_raw = raw_time(rd);
	p->probe_error = sky_rd_u16(rd);
	p->odd = not_zero(rd, 2);
	p->probe_ttl = sky_rd_u8(rd);
	p->odd |= not_zero(rd, 3);
	p->time_ns = time_of(sent, p->error);
	p->came_ns = time_of(came, p->error);
	p->probe_time_ns = time_of(p->probe_time_raw, p->probe_error);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_stamp_probe_encode(const struct sky_stamp_probe *p, struct sky_wr *wr)
{
	sky_wr_u32(wr, p->seq);
	put_time(wr, p->time_ns, p->error);
	sky_wr_u16(wr, p->error);
	sky_wr_u16(wr, p->ssid);
	sky_wr_zero(wr, 28);
	return wr->full ? -ENOSPC : 0;
}

int
sky_stamp_reply_encode(const struct sky_stamp_reply *p, struct sky_wr *wr)
{
	sky_wr_u32(wr, p->seq);
	put_time(wr, p->time_ns, p->error);
	sky_wr_u16(wr, p->error);
	sky_wr_u16(wr, p->ssid);
	put_time(wr, p->came_ns, p->error);
	sky_wr_u32(wr, p->probe_seq);
	sky_wr_u32(wr, (uint32_t)(p->probe_time_raw >> 32));
	sky_wr_u32(wr, (uint32_t)p->probe_time_raw);
	sky_wr_u16(wr, p->probe_error);
	sky_wr_zero(wr, 2);
	sky_wr_u8(wr, p->probe_ttl);
	sky_wr_zero(wr, 3);
	return wr->full ? -ENOSPC : 0;
}

int
sky_stamp_pad(struct sky_wr *wr, size_t len, uint8_t flags, uint8_t **value, size_t *value_len)
{
	*value = NULL;
	*value_len = 0;
	if (len < 4 || len - 4 > 0xffff) {
		sky_wr_zero(wr, len);
		return wr->full ? -ENOSPC : 0;
	}
	sky_wr_u8(wr, flags);
	sky_wr_u8(wr, SKY_STAMP_PADDING);
	sky_wr_u16(wr, (uint16_t)(len - 4));
	*value = wr->at;
	sky_wr_zero(wr, len - 4);
	*value_len = wr->full ? 0 : len - 4;
	return wr->full ? -ENOSPC : 0;
}

static void
mirror_rest(struct sky_rd *rd, struct sky_wr *wr)
{
	size_t left = sky_rd_left(rd);

	sky_wr_bytes(wr, sky_rd_take(rd, left), left);
}

int
sky_stamp_mirror(struct sky_rd *rd, struct sky_wr *wr)
{
	while (sky_rd_left(rd) >= 4) {
		struct sky_rd ahead = *rd;
		uint8_t flags = sky_rd_u8(&ahead);
		uint8_t type = sky_rd_u8(&ahead);
		uint16_t len = sky_rd_u16(&ahead);

		if (type == 0)
			break;
		flags = type == SKY_STAMP_PADDING ? 0 : SKY_STAMP_UNKNOWN;
		if (len > sky_rd_left(&ahead))
			flags |= SKY_STAMP_MALFORMED;
		sky_wr_u8(wr, flags);
		sky_wr_u8(wr, type);
		sky_wr_u16(wr, len);
		*rd = ahead;
		if (flags & SKY_STAMP_MALFORMED)
			break;
		sky_wr_bytes(wr, sky_rd_take(rd, len), len);
	}
	mirror_rest(rd, wr);
	return wr->full ? -ENOSPC : 0;
}
