/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit.c - how many errors a router sends: one bucket per destination of them.
 *
 * RT_LIMIT_KERNEL is what a Linux router does by default (measured on 6.18): six
 * at once, then one a second for ICMP, one in 100 ms for ICMPv6, too-big
 * exempt; and for ICMP all together 50 at once, then 1000 a second.
 */
#include "engine.h"

#define MS 1000000u

struct rule {
	uint32_t burst;
	uint64_t step_ns;
};

/* Tokens are kept as a moment: the bucket is full when it lies burst steps
 * back. */
static bool
take(uint64_t *since, struct rule rule, uint64_t now)
{
	uint64_t full = rule.burst * rule.step_ns;
	uint64_t floor = now > full ? now - full : 0;

	if (*since < floor)
		*since = floor;
	if (now - *since < rule.step_ns)
		return false;
	*since += rule.step_ns;
	return true;
}

static struct rt_bucket *
bucket_of(struct rt *r, const struct sky_addr *to)
{
	struct sky_addr host = *to;
	struct rt_bucket *b;

	sky_addr_set_port(&host, 0);
	b = &r->bucket[sky_addr_hash(&host) % RT_BUCKETS];
	if (!b->used || !sky_addr_same_host(&b->to, &host)) {
		b->to = host;		/* a forgotten destination starts full */
		b->since = 0;
		b->used = true;
	}
	return b;
}

static bool
is_exempt(int family, uint8_t type, uint8_t code)
{
	return family == AF_INET ? type == 3 && code == 4 : type == 2;
}

bool
rt_limit_passes(struct rt *r, const struct sky_addr *to, uint8_t type, uint8_t code, uint64_t now)
{
	const struct rt_manners *m = &r->conf->manners;
	int family = sky_addr_family(to);
	/* a clock that starts at 0 must not begin with empty buckets */
	uint64_t t = now + 3600000u * (uint64_t)MS;

	switch (m->limit) {
	case RT_LIMIT_KERNEL:
		if (is_exempt(family, type, code))
			return true;
		if (family == AF_INET6)
			return take(&bucket_of(r, to)->since, (struct rule){ 6, 100 * MS }, t);
		return take(&r->all_since, (struct rule){ 50, MS }, t) &&
		    take(&bucket_of(r, to)->since, (struct rule){ 6, 1000 * MS }, t);
	case RT_LIMIT_BUCKET:
		return take(&bucket_of(r, to)->since,
		    (struct rule){ m->limit_burst, m->limit_ns }, t);
	default:
		return true;
	}
}
