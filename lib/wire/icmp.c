/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp.c - the ICMP and ICMPv6 header. */
#include "wire/icmp.h"

#include <errno.h>

enum use { QUOTES = 1, EXTENDS = 2, MTU = 4, POINTER = 8 };

static const struct row {
	int family;
	uint8_t type;
	uint8_t uses;
} rows[] = {
	{ AF_INET, 3, QUOTES | EXTENDS | MTU },		/* destination unreachable */
	{ AF_INET, 4, QUOTES },				/* source quench */
	{ AF_INET, 5, QUOTES },				/* redirect */
	{ AF_INET, 11, QUOTES | EXTENDS },		/* time exceeded */
	{ AF_INET, 12, QUOTES | EXTENDS | POINTER },	/* parameter problem */
	{ AF_INET6, 1, QUOTES | EXTENDS },		/* destination unreachable */
	{ AF_INET6, 2, QUOTES | MTU },			/* packet too big */
	{ AF_INET6, 3, QUOTES | EXTENDS },		/* time exceeded */
	{ AF_INET6, 4, QUOTES | POINTER },		/* parameter problem */
};

static unsigned
uses_of(int family, uint8_t type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].family == family && rows[i].type == type)
			return rows[i].uses;
	/* RFC 4443 2.1: types below 128 are errors, and errors quote. */
	return family == AF_INET6 && type < 128 ? QUOTES : 0;
}

int
sky_icmp_decode(struct sky_icmp *m, struct sky_rd *rd)
{
	m->type = sky_rd_u8(rd);
	m->code = sky_rd_u8(rd);
	m->sum = sky_rd_u16(rd);
	m->rest = sky_rd_u32(rd);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_icmp_encode(const struct sky_icmp *m, struct sky_wr *wr)
{
	sky_wr_u8(wr, m->type);
	sky_wr_u8(wr, m->code);
	sky_wr_u16(wr, m->sum);
	sky_wr_u32(wr, m->rest);
	return wr->full ? -ENOSPC : 0;
}

int
sky_icmp_seal(void *data, size_t len, const struct sky_addr *src, const struct sky_addr *dst)
{
	struct sky_wr wr = sky_wr_of(data, len), sum;
	struct sky_cksum c = sky_cksum_start();

	if (len < 4)
		return -EMSGSIZE;
	sky_wr_room(&wr, 2);
	sum = wr;
	sky_wr_u16(&wr, 0);
	if (src && dst && src->u.sa.sa_family == AF_INET6)
		sky_cksum_add_pseudo(&c, src, dst, IPPROTO_ICMPV6, (uint32_t)len);
	sky_cksum_add(&c, data, len);
	sky_wr_u16(&sum, sky_cksum_finish(&c));
	return 0;
}

bool
sky_icmp_quotes(int family, uint8_t type)
{
	return uses_of(family, type) & QUOTES;
}

bool
sky_icmp_extends(int family, uint8_t type)
{
	return uses_of(family, type) & EXTENDS;
}

uint32_t
sky_icmp_mtu(int family, const struct sky_icmp *m)
{
	if (!(uses_of(family, m->type) & MTU))
		return 0;
	if (family == AF_INET6)
		return m->rest;
	return m->code == 4 ? m->rest & 0xffff : 0;
}

uint32_t
sky_icmp_pointer(int family, const struct sky_icmp *m)
{
	if (!(uses_of(family, m->type) & POINTER))
		return 0;
	return family == AF_INET6 ? m->rest : m->rest >> 24;
}

size_t
sky_icmp_quote_len(int family, const struct sky_icmp *m)
{
	if (!sky_icmp_extends(family, m->type))
		return 0;
	return family == AF_INET6 ? (size_t)(m->rest >> 24) * 8 : (size_t)(m->rest >> 16 & 0xff) * 4;
}

uint32_t
sky_icmp_put_quote_len(int family, uint32_t rest, size_t bytes)
{
	if (family == AF_INET6)
		return (rest & 0x00ffffff) | (uint32_t)(bytes / 8 & 0xff) << 24;
	return (rest & 0xff00ffff) | (uint32_t)(bytes / 4 & 0xff) << 16;
}
