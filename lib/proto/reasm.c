/* SPDX-License-Identifier: BSD-2-Clause */
/* reasm.c - puts IP fragments together. */
#include "proto/reasm.h"

#include <errno.h>

void
sky_reasm_init(struct sky_reasm *r, struct sky_reasm_slot *slots, unsigned n, uint64_t timeout)
{
	*r = (struct sky_reasm){ .slots = slots, .n = n, .timeout = timeout };
}

static void
release_given(struct sky_reasm *r)
{
	if (r->given)
		r->given->used = false;
	r->given = NULL;
}

static bool
same_host(const struct sky_addr *a, const struct sky_addr *b)
{
	if (a->u.sa.sa_family != b->u.sa.sa_family)
		return false;
	if (a->u.sa.sa_family == AF_INET)
		return memcmp(&a->u.in.sin_addr, &b->u.in.sin_addr, 4) == 0;
	return memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, 16) == 0;
}

/* RFC 791: source, destination, protocol, identification; RFC 8200 leaves the
 * protocol out, because later fragments may name another. */
static bool
belongs(const struct sky_reasm_slot *s, const struct sky_ip *ip)
{
	return s->used && s->id == ip->id && (ip->family == AF_INET6 || s->proto == ip->frag_proto) &&
	    same_host(&s->src, &ip->src) && same_host(&s->dst, &ip->dst);
}

static struct sky_reasm_slot *
slot_of(struct sky_reasm *r, const struct sky_ip *ip, uint64_t now)
{
	struct sky_reasm_slot *empty = NULL;

	for (unsigned i = 0; i < r->n; i++) {
		if (belongs(&r->slots[i], ip))
			return &r->slots[i];
		if (!r->slots[i].used && !empty)
			empty = &r->slots[i];
	}
	if (!empty)
		return NULL;
	empty->used = true;
	empty->dead = false;
	empty->proto = ip->frag_proto;
	empty->src = ip->src;
	empty->dst = ip->dst;
	empty->id = ip->id;
	empty->since = now;
	empty->total = empty->have = empty->end = empty->fragments = empty->first_len = 0;
	memset(empty->blocks, 0, sizeof(empty->blocks));
	return empty;
}

static bool
has_block(const struct sky_reasm_slot *s, uint32_t i)
{
	return s->blocks[i / 8] & 1u << i % 8;
}

/* 0 if all is new, 1 if all of it was here with the same bytes, else -EEXIST. */
static int
compare(const struct sky_reasm_slot *s, const struct sky_ip *ip, const uint8_t *part, uint32_t n)
{
	uint32_t from = ip->off / 8, to = (ip->off + n + 7) / 8, here = 0;

	for (uint32_t i = from; i < to; i++)
		here += has_block(s, i);
	if (!here)
		return 0;
	if (here == to - from && ip->off + n <= s->end &&
	    memcmp(s->data + ip->off, part, n) == 0)
		return 1;
	return -EEXIST;
}

/* Does the end that this fragment has agree with what is known of the end? */
static bool
ends_agree(const struct sky_reasm_slot *s, const struct sky_ip *ip, uint32_t n)
{
	uint32_t end = ip->off + n;

	if (ip->flags & SKY_IP_MORE)
		return !s->total || end <= s->total;
	return s->total ? end == s->total : end >= s->end;
}

static void
store(struct sky_reasm_slot *s, const struct sky_ip *ip, const uint8_t *part, uint32_t n)
{
	uint32_t end = ip->off + n;

	for (uint32_t i = ip->off / 8; i < (end + 7) / 8; i++)
		s->blocks[i / 8] |= (uint8_t)(1u << i % 8);
	memcpy(s->data + ip->off, part, n);
	s->have += n;
	s->fragments++;
	if (end > s->end)
		s->end = end;
	if (!(ip->flags & SKY_IP_MORE))
		s->total = end;
}

static void
store_first(struct sky_reasm_slot *s, const struct sky_ip *ip, const uint8_t *packet)
{
	s->first_len = ip->len < SKY_REASM_FIRST ? ip->len : SKY_REASM_FIRST;
	s->proto = ip->frag_proto;
	memcpy(s->first, packet, s->first_len);
}

static int
take_fragment(struct sky_reasm_slot *s, const struct sky_ip *ip, const uint8_t *packet)
{
	const uint8_t *part = packet + ip->frag_at;
	uint32_t n = ip->len - ip->frag_at;
	int ret;

	if (s->dead)
		return -EEXIST;
	ret = compare(s, ip, part, n);
	if (ret == 0 && !ends_agree(s, ip, n))
		return -EINVAL;
	if (ret < 0)
		s->dead = true;
	if (ret != 0)
		return ret < 0 ? ret : 0;
	store(s, ip, part, n);
	if (!ip->off)
		store_first(s, ip, packet);
	return s->total && s->have == s->total;
}

static bool
possible(const struct sky_ip *ip)
{
	uint32_t n = ip->len - ip->frag_at;

	if (!n || ip->off + n > SKY_REASM_MAX)
		return false;
	return !(ip->flags & SKY_IP_MORE) || n % 8 == 0;
}

int
sky_reasm_take(struct sky_reasm *r, const void *packet, size_t len, uint64_t now,
    struct sky_reasm_out *out)
{
	struct sky_reasm_slot *s;
	struct sky_ip ip;
	int ret = sky_ip_decode(&ip, packet, len);

	release_given(r);
	if (ret != 0)
		return ret;
	if (ip.flags & SKY_IP_CUT)
		return -EMSGSIZE;
	if (ip.flags & (SKY_IP_BAD_LEN | SKY_IP_BAD_HEAD))
		return -EINVAL;
	if (!(ip.flags & SKY_IP_FRAG)) {
		*out = (struct sky_reasm_out){ ip.src, ip.dst, ip.proto, ip.id,
			ip.payload.at, ip.payload_len, 0 };
		return 1;
	}
	if (!possible(&ip))
		return -EINVAL;
	s = slot_of(r, &ip, now);
	if (!s)
		return -ENOBUFS;
	ret = take_fragment(s, &ip, packet);
	if (ret <= 0)
		return ret;
	*out = (struct sky_reasm_out){ s->src, s->dst, s->proto, s->id, s->data, s->total,
		s->fragments };
	r->given = s;
	return 1;
}

int
sky_reasm_expire(struct sky_reasm *r, uint64_t now, const uint8_t **first, size_t *len)
{
	release_given(r);
	for (unsigned i = 0; i < r->n; i++) {
		struct sky_reasm_slot *s = &r->slots[i];

		if (!s->used || now < s->since || now - s->since < r->timeout)
			continue;
		/* Overlaps are given up without a word (RFC 5722, 4). */
		*first = s->first_len && !s->dead ? s->first : NULL;
		*len = *first ? s->first_len : 0;
		r->given = s;
		return 1;
	}
	return 0;
}

uint64_t
sky_reasm_deadline(const struct sky_reasm *r)
{
	uint64_t soonest = UINT64_MAX;

	for (unsigned i = 0; i < r->n; i++) {
		const struct sky_reasm_slot *s = &r->slots[i];

		if (s->used && s != r->given && s->since + r->timeout < soonest)
			soonest = s->since + r->timeout;
	}
	return soonest;
}
