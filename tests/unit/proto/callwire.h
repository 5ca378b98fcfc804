/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callwire.h - the head of call.h once more, written for the tests from its
 * description alone, and a peer that keeps count.
 */
#ifndef TEST_PROTO_CALLWIRE_H
#define TEST_PROTO_CALLWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
	unsigned kind, nth, copies;
	uint64_t id;
	uint32_t seen;
};

/* CRC-32C bit by bit, most significant first as the polynomial is printed. */
static inline uint32_t
wire_crc(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff, out = 0;

	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit++) {
			uint32_t top = (crc >> 31) ^ (p[i] >> bit & 1);

			crc = crc << 1 ^ (top ? 0x1edc6f41 : 0);
		}
	for (int bit = 0; bit < 32; bit++)
		out |= (crc >> bit & 1) << (31 - bit);
	return ~out;
}

static inline uint64_t
wire_get(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v * 256 + *p++;
	return v;
}

static inline void
wire_put(uint8_t *p, int n, uint64_t v)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static inline void
wire_make(const struct wire *w, uint8_t p[24])
{
	memcpy(p, "SKYR\1", 5);
	p[5] = (uint8_t)w->kind;
	p[6] = (uint8_t)w->nth;
	p[7] = (uint8_t)w->copies;
	wire_put(p + 8, 8, w->id);
	wire_put(p + 16, 4, w->seen);
	wire_put(p + 20, 4, wire_crc(p, 20));
}

/* True if p begins with a whole head. */
static inline bool
wire_read(struct wire *w, const uint8_t *p, size_t len)
{
	if (len < 24 || memcmp(p, "SKYR\1", 5) || wire_get(p + 20, 4) != wire_crc(p, 20))
		return false;
	w->kind = p[5];
	w->nth = p[6];
	w->copies = p[7];
	w->id = wire_get(p + 8, 8);
	w->seen = (uint32_t)wire_get(p + 16, 4);
	return true;
}

#endif
