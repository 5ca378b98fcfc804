/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rd.h - the bounded reader: the only way packets are read.
 *
 * It cannot overrun: a read past the end gives 0 and sets cut, and every later
 * read gives 0 too; decoders ask once, at the end. Values are big-endian on the
 * wire (network byte order) and native when returned. Never read twice in one
 * expression: C leaves the order open.
 */
#ifndef SKY_RD_H
#define SKY_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sky_rd {
	const uint8_t *at, *end;
	bool cut;
};

static inline struct sky_rd
sky_rd_of(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct sky_rd){ .at = p, .end = p ? p + len : p, .cut = false };
}

static inline size_t
sky_rd_left(const struct sky_rd *r)
{
	return (size_t)(r->end - r->at);
}

/* n bytes where they lie, or NULL (and cut) if there are fewer; then the reader
 * is at its end. Taking 0 bytes never cuts. */
static inline const uint8_t *
sky_rd_take(struct sky_rd *r, size_t n)
{
	const uint8_t *p = r->at;

	if (sky_rd_left(r) < n) {
		r->cut = true;
		r->at = r->end;
		return NULL;
	}
	if (n)
		r->at += n;
	return p;
}

static inline uint8_t
sky_rd_u8(struct sky_rd *r)
{
	const uint8_t *p = sky_rd_take(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t
sky_rd_u16(struct sky_rd *r)
{
	const uint8_t *p = sky_rd_take(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
sky_rd_u32(struct sky_rd *r)
{
	const uint8_t *p = sky_rd_take(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* Copies n bytes to out; zeroes out when there are fewer. */
static inline void
sky_rd_copy(struct sky_rd *r, void *out, size_t n)
{
	const uint8_t *p = sky_rd_take(r, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

/* A reader of the next n bytes; this one moves past them. Cut if fewer: then
 * the part holds what there is. */
static inline struct sky_rd
sky_rd_part(struct sky_rd *r, size_t n)
{
	size_t have = sky_rd_left(r) < n ? sky_rd_left(r) : n;
	struct sky_rd part = sky_rd_of(r->at, have);

	if (have)
		r->at += have;
	if (have < n)
		r->cut = true;
	return part;
}

#endif
