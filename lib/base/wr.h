/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wr.h - the bounded writer: the only way packets are made.
 *
 * A write past the end writes nothing (never a half) and sets full; every later
 * write of any length writes nothing too. Ask once, at the end.
 * Values are native and become big-endian (network byte order).
 */
#ifndef SKY_WR_H
#define SKY_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sky_wr {
	uint8_t *start, *at, *end;
	bool full;
};

static inline struct sky_wr
sky_wr_of(void *data, size_t size)
{
	uint8_t *p = data;

	return (struct sky_wr){ .start = p, .at = p,
	    .end = p ? p + size : p, .full = false };
}

static inline size_t
sky_wr_len(const struct sky_wr *w)
{
	return (size_t)(w->at - w->start);
}

/* Room for n bytes where they will lie, or NULL (and full). */
static inline uint8_t *
sky_wr_room(struct sky_wr *w, size_t n)
{
	uint8_t *p = w->at;

	if (w->full || (size_t)(w->end - w->at) < n) {
		w->full = true;
		return NULL;
	}
	if (n)
		w->at += n;
	return p;
}

static inline void
sky_wr_u8(struct sky_wr *w, uint8_t v)
{
	uint8_t *p = sky_wr_room(w, 1);

	if (p)
		p[0] = v;
}

static inline void
sky_wr_u16(struct sky_wr *w, uint16_t v)
{
	uint8_t *p = sky_wr_room(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void
sky_wr_u32(struct sky_wr *w, uint32_t v)
{
	uint8_t *p = sky_wr_room(w, 4);

	if (p) {
		p[0] = (uint8_t)(v >> 24);
		p[1] = (uint8_t)(v >> 16);
		p[2] = (uint8_t)(v >> 8);
		p[3] = (uint8_t)v;
	}
}

static inline void
sky_wr_bytes(struct sky_wr *w, const void *data, size_t n)
{
	uint8_t *p = sky_wr_room(w, n);

	if (p && n)
		memcpy(p, data, n);
}

/* n bytes of zero: padding. */
static inline void
sky_wr_zero(struct sky_wr *w, size_t n)
{
	uint8_t *p = sky_wr_room(w, n);

	if (p && n)
		memset(p, 0, n);
}

#endif
