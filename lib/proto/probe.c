/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.c - the padding of a test packet and its check; see probe.h.
 */
#include "proto/probe.h"

#define CHECK_AT (SKY_STAMP_LEN + 4)
#define CHECK_LEN 4
#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

/* Marsaglia's xorshift: cheap, and never the same byte for long. */
static uint32_t
turn(uint32_t x)
{
	x ^= x << 13;
	x ^= x >> 17;
	return x ^ x << 5;
}

static uint32_t
first(uint32_t session, uint32_t seq)
{
	uint32_t x = (session ^ seq * FNV_PRIME) | 1;

	return turn(turn(x));
}

void
sky_probe_pattern(uint8_t *value, size_t n, uint32_t session, uint32_t seq)
{
	uint32_t x = first(session, seq);
	size_t i;

	for (i = CHECK_LEN; i < n; i++, x = turn(x))
		value[i] = (uint8_t)(x >> 24);
}

bool
sky_probe_pattern_is(const uint8_t *value, size_t n, uint32_t session, uint32_t seq)
{
	uint32_t x = first(session, seq);
	size_t i;

	for (i = CHECK_LEN; i < n; i++, x = turn(x))
		if (value[i] != (uint8_t)(x >> 24))
			return false;
	return true;
}

/* FNV-1a; each step can be undone, so no change of one byte goes unseen. */
static uint32_t
hash(const uint8_t *p, size_t n, uint32_t h)
{
	for (; n; n--)
		h = (h ^ *p++) * FNV_PRIME;
	return h;
}

static uint32_t
check_of(const uint8_t *data, size_t len, uint32_t session)
{
	uint32_t h = hash(data, CHECK_AT, (FNV_START ^ session) * FNV_PRIME);

	return hash(data + CHECK_AT + CHECK_LEN, len - CHECK_AT - CHECK_LEN, h);
}

void
sky_probe_seal(uint8_t *data, size_t len, uint32_t session)
{
	struct sky_wr wr;

	if (len < CHECK_AT + CHECK_LEN)
		return;
	wr = sky_wr_of(data + CHECK_AT, CHECK_LEN);
	sky_wr_u32(&wr, check_of(data, len, session));
}

bool
sky_probe_sealed(const uint8_t *data, size_t len, uint32_t session)
{
	struct sky_rd rd;

	if (len < CHECK_AT + CHECK_LEN)
		return true;
	rd = sky_rd_of(data + CHECK_AT, CHECK_LEN);
	return sky_rd_u32(&rd) == check_of(data, len, session);
}
