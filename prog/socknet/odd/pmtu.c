/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmtu.c - path MTUs as an early RFC 1191 kept them: the errors about a
 * destination are counted, from a certain one on they are believed, and one
 * timer for all destinations forgets what was learnt, but not that it was asked.
 */
#include "part.h"

#include <string.h>

static void
forget(struct odd *o, uint64_t now)
{
	uint64_t every = odd_manners(o)->timer;

	if (!every || !o->forget_at || now < o->forget_at)
		return;
	for (unsigned i = 0; i < ODD_PATHS; i++)
		o->path[i].mtu = 0;
	o->forget_at += ((now - o->forget_at) / every + 1) * every;
}

static struct odd_path *
find(struct odd *o, const uint8_t dst[4])
{
	for (unsigned i = 0; i < ODD_PATHS; i++)
		if (o->path[i].used && !memcmp(o->path[i].dst, dst, 4))
			return &o->path[i];
	return NULL;
}

uint16_t
odd_pmtu(struct odd *o, const uint8_t dst[4], uint64_t now)
{
	const struct odd_path *p;

	forget(o, now);
	p = find(o, dst);
	return p ? p->mtu : 0;
}

void
odd_pmtu_error(struct odd *o, const uint8_t dst[4], uint32_t told, unsigned wire_mtu,
    uint64_t now)
{
	const struct odd_manners *m = odd_manners(o);
	struct odd_path *p = find(o, dst);
	uint32_t mtu = told ? told : m->guess;

	forget(o, now);
	if (!o->forget_at)
		o->forget_at = now + (m->phase ? m->phase : m->timer);
	if (!p) {
		p = &o->path[o->path_turn++ % ODD_PATHS];
		*p = (struct odd_path){ .used = true };
		memcpy(p->dst, dst, 4);
	}
	if (++p->errors < m->learns || mtu == 0)
		return;
	if (mtu < 68)			/* RFC 791: every link carries that */
		mtu = 68;
	p->mtu = (uint16_t)(mtu < wire_mtu ? mtu : wire_mtu);
}
