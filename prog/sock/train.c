/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.c - equal datagrams that pass the kernel together; see train.h.
 */
#include "train.h"

#include <string.h>

unsigned
train_parts_of(int family, uint64_t size)
{
	uint64_t fit = size ? sky_udp_payload_max(family) / size : 0;

	return fit < 2 ? 1 : fit > TRAIN_PARTS ? TRAIN_PARTS : (unsigned)fit;
}

unsigned
train_parts(const struct sky_msg *m)
{
	return m->seg && m->len > m->seg ? (unsigned)((m->len + m->seg - 1) / m->seg) : 1;
}

void
train_whole(struct sky_msg *m)
{
	m->len = m->full_len;
	m->flags &= ~(uint32_t)SKY_MSG_TRUNC;
}

bool
train_next(const struct sky_msg *m, size_t *off, size_t cap, struct sky_msg *part)
{
	const void *at;
	size_t len;

	if (!sky_msg_next(m, off, &at, &len))
		return false;
	*part = *m;
	memcpy(&part->data, &at, sizeof(at));
	part->seg = 0;
	part->full_len = m->seg ? len : m->full_len;
	part->len = len < cap ? len : cap;
	if (part->full_len > part->len)
		part->flags |= SKY_MSG_TRUNC;
	return true;
}
