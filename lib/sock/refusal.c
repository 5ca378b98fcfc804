/* SPDX-License-Identifier: BSD-2-Clause */
/* refusal.c - see refusal.h. */
#include "sock/refusal.h"

#include <string.h>

/* How many slots are looked at for one destination. */
enum { WAYS = 8 };

static struct sky_refusal *
way(struct sky_ring *r, const struct sky_addr *dst, uint32_t i)
{
	struct sky_addr host = *dst;

	sky_addr_set_port(&host, 0);
	return &r->slot[(sky_addr_hash(&host) + i) % r->n].refusal;
}

static uint32_t
ways(const struct sky_ring *r)
{
	return r->n < WAYS ? r->n : WAYS;
}

static struct sky_refusal *
find(struct sky_ring *r, const struct sky_addr *dst)
{
	for (uint32_t i = 0; i < ways(r); i++) {
		struct sky_refusal *s = way(r, dst, i);

		if (s->dst.u.sa.sa_family != AF_UNSPEC && sky_addr_same_host(&s->dst, dst))
			return s;
	}
	return NULL;
}

static struct sky_refusal *
free_or_oldest(struct sky_ring *r, const struct sky_addr *dst)
{
	struct sky_refusal *best = way(r, dst, 0);

	for (uint32_t i = 0; i < ways(r); i++) {
		struct sky_refusal *s = way(r, dst, i);

		if (s->dst.u.sa.sa_family == AF_UNSPEC)
			return s;
		if (s->since_ns < best->since_ns)
			best = s;
	}
	return best;
}

bool
sky_refusal_note(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns)
{
	struct sky_refusal *s = find(r, dst);
	bool news = !s;

	if (!s)
		s = free_or_oldest(r, dst);
	s->dst = *dst;
	s->since_ns = now_ns;
	return news;
}

bool
sky_refusal_find(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns,
    uint64_t memory_ns)
{
	struct sky_refusal *s = find(r, dst);

	if (!s)
		return false;
	if (now_ns - s->since_ns < memory_ns)
		return true;
	memset(s, 0, sizeof(*s));
	return false;
}

void
sky_refusal_clear(struct sky_ring *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		memset(&r->slot[i].refusal, 0, sizeof(r->slot[i].refusal));
}
