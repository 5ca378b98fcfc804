/* SPDX-License-Identifier: BSD-2-Clause */
/* cksum.c - the Internet checksum. */
#include "wire/cksum.h"

#include "base/rd.h"

/*
 * Ones' complement addition does not care about the byte order of its words
 * (RFC 1071, 2 (B)) nor about their width (2 (C)): add native 64-bit words with
 * the carry brought round, and look at the bytes of the result.
 */
static inline uint64_t
add_carry(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum + (sum < b);
}

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint16_t
fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

/* The folded sum as a big-endian number; a last odd byte is padded with 0. */
static uint16_t
sum_of(const uint8_t *p, size_t len)
{
	uint64_t a = 0, b = 0;
	uint8_t tail[8] = { 0 }, word[2];
	uint16_t native;

	for (; len >= 16; len -= 16, p += 16) {
		a = add_carry(a, load64(p));
		b = add_carry(b, load64(p + 8));
	}
	if (len >= 8) {
		a = add_carry(a, load64(p));
		len -= 8;
		p += 8;
	}
	if (len)
		memcpy(tail, p, len);
	b = add_carry(b, load64(tail));
	native = fold(add_carry(a, b));
	memcpy(word, &native, sizeof(word));
	return (uint16_t)(word[0] << 8 | word[1]);
}

static inline uint16_t
swap16(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

void
sky_cksum_add(struct sky_cksum *c, const void *data, size_t len)
{
	uint16_t sum = sum_of(data, len);

	c->sum += c->odd ? swap16(sum) : sum;
	c->odd ^= len & 1;
}

void
sky_cksum_add_u16(struct sky_cksum *c, uint16_t v)
{
	c->sum += c->odd ? swap16(v) : v;
}

void
sky_cksum_add_u32(struct sky_cksum *c, uint32_t v)
{
	sky_cksum_add_u16(c, (uint16_t)(v >> 16));
	sky_cksum_add_u16(c, (uint16_t)v);
}

void
sky_cksum_add_pseudo(struct sky_cksum *c, const struct sky_addr *src,
    const struct sky_addr *dst, uint8_t proto, uint32_t len)
{
	if (src->u.sa.sa_family != dst->u.sa.sa_family)
		return;
	if (src->u.sa.sa_family == AF_INET) {
		sky_cksum_add(c, &src->u.in.sin_addr, 4);
		sky_cksum_add(c, &dst->u.in.sin_addr, 4);
	} else if (src->u.sa.sa_family == AF_INET6) {
		sky_cksum_add(c, &src->u.in6.sin6_addr, 16);
		sky_cksum_add(c, &dst->u.in6.sin6_addr, 16);
	} else {
		return;
	}
	sky_cksum_add_u16(c, proto);
	sky_cksum_add_u32(c, len);
}

uint16_t
sky_cksum_finish(const struct sky_cksum *c)
{
	return (uint16_t)~fold(c->sum);
}

uint16_t
sky_cksum_finish_udp(const struct sky_cksum *c)
{
	uint16_t sum = sky_cksum_finish(c);

	return sum ? sum : 0xffff;
}

uint16_t
sky_cksum_of(const void *data, size_t len)
{
	return (uint16_t)~sum_of(data, len);
}

uint16_t
sky_cksum_update(uint16_t sum, uint16_t was, uint16_t is)
{
	return (uint16_t)~fold((uint64_t)(uint16_t)~sum + (uint16_t)~was + is);
}

static const struct covered {
	uint8_t proto;
	uint8_t at;		/* offset of the field */
	uint8_t head;		/* the least that a header has */
	bool pseudo;
} covereds[] = {
	{ IPPROTO_UDP,    6,  8,  true },
	{ IPPROTO_TCP,    16, 20, true },
	{ IPPROTO_ICMP,   2,  4,  false },
	{ IPPROTO_ICMPV6, 2,  4,  true },
	{ IPPROTO_IGMP,   2,  8,  false },
};

static const struct covered *
covered_find(uint8_t proto)
{
	for (size_t i = 0; i < sizeof(covereds) / sizeof(covereds[0]); i++)
		if (covereds[i].proto == proto)
			return &covereds[i];
	return NULL;
}

static uint16_t
field_at(const uint8_t *data, size_t have, size_t at)
{
	struct sky_rd rd = sky_rd_of(data, have);

	sky_rd_take(&rd, at);
	return sky_rd_u16(&rd);
}

/* What the host leaves for the interface to complete: the sum, not its
 * complement; with segmentation offload some stacks leave the length out. */
static bool
is_partial(uint16_t field, uint16_t pseudo, size_t len)
{
	return field == pseudo ||
	    field == fold((uint64_t)pseudo + (uint16_t)~fold(len));
}

enum sky_cksum_state
sky_cksum_check(const struct sky_addr *src, const struct sky_addr *dst,
    uint8_t proto, const void *data, size_t have, size_t len)
{
	const struct covered *cov = covered_find(proto);
	struct sky_cksum c = sky_cksum_start();
	uint16_t field, pseudo;

	if (!cov)
		return SKY_CKSUM_NONE;
	if (len < cov->head)
		return SKY_CKSUM_BAD;
	if (have < cov->head)
		return SKY_CKSUM_CUT;
	field = field_at(data, have, cov->at);
	if (proto == IPPROTO_UDP) {
		size_t told = field_at(data, have, 4);

		if (told < cov->head || told > len)
			return SKY_CKSUM_BAD;
		if (!field)
			return SKY_CKSUM_NONE;
		len = told;
	}
	if (have < len)
		return SKY_CKSUM_CUT;
	if (cov->pseudo)
		sky_cksum_add_pseudo(&c, src, dst, proto, (uint32_t)len);
	pseudo = fold(c.sum);
	sky_cksum_add(&c, data, len);
	if (sky_cksum_finish(&c) == 0)
		return SKY_CKSUM_GOOD;
	if (cov->pseudo && is_partial(field, pseudo, len))
		return SKY_CKSUM_PARTIAL;
	return SKY_CKSUM_BAD;
}

const char *
sky_cksum_word(enum sky_cksum_state s)
{
	static const char *const words[] = {
		[SKY_CKSUM_NONE] = "none", [SKY_CKSUM_GOOD] = "good",
		[SKY_CKSUM_BAD] = "bad", [SKY_CKSUM_PARTIAL] = "partial",
		[SKY_CKSUM_CUT] = "cut",
	};

	return (size_t)s < sizeof(words) / sizeof(words[0]) ? words[s] : "none";
}
