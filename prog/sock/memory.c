/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - what was sent, kept so that a quote can be recognised.
 */
#include "memory.h"

#include <string.h>

void
memory_pattern(struct memory *m, const void *data, size_t len)
{
	m->pattern = data;
	m->pattern_len = len;
}

void
memory_keep(struct memory *m, const struct sky_addr *dst, const void *data, size_t len)
{
	unsigned i = m->kept++ % MEMORY_SLOTS;

	m->slot[i].dst = *dst;
	m->slot[i].len = len < MEMORY_BYTES ? len : MEMORY_BYTES;
	memcpy(m->slot[i].data, data, m->slot[i].len);
}

static void
vouch_kept(const struct memory *m, struct sky_fate *f)
{
	unsigned n = m->kept < MEMORY_SLOTS ? (unsigned)m->kept : MEMORY_SLOTS;
	bool same = false;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (!sky_addr_equal(&m->slot[i].dst, &f->dst))
			continue;
		same = true;
		if (sky_fate_vouch(f, m->slot[i].data, m->slot[i].len, 0) != SKY_TRUST_MISMATCH)
			return;
	}
	if (m->kept > MEMORY_SLOTS)
		f->trust = SKY_TRUST_UNKNOWN;	/* of one no longer remembered? */
	else if (!same)
		f->trust = SKY_TRUST_MISMATCH;
}

void
memory_vouch(const struct memory *m, struct sky_fate *f)
{
	if (f->origin != SKY_ORIGIN_ICMP && f->origin != SKY_ORIGIN_ICMP6)
		return;
	if (m->pattern)
		sky_fate_vouch(f, m->pattern, m->pattern_len, 0);
	else
		vouch_kept(m, f);
}
