/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.h - the header that ICMP (RFC 792) and ICMPv6 (RFC 4443) share.
 *
 * Eight bytes: type, code, checksum and four bytes whose meaning depends on the
 * type. Numbers are native. What a type and code mean for a datagram is not
 * said here but in the table of <sockeye/fate.h>. Pure.
 */
#ifndef SKY_WIRE_ICMP_H
#define SKY_WIRE_ICMP_H

#include "base/rd.h"
#include "base/wr.h"
#include "wire/cksum.h"

#define SKY_ICMP_LEN 8

struct sky_icmp {
	uint8_t type, code;
	uint16_t sum;
	uint32_t rest;
};

/* Returns 0 or -EMSGSIZE; what was cut is 0. */
int sky_icmp_decode(struct sky_icmp *m, struct sky_rd *rd);
/* Writes the members as they are. Returns 0 or -ENOSPC. */
int sky_icmp_encode(const struct sky_icmp *m, struct sky_wr *wr);

/* Puts the checksum into a whole ICMP message that lies at data, len bytes; for
 * ICMPv6 src and dst make the pseudo-header, for ICMP they may be NULL. Returns
 * 0, or -EMSGSIZE if len is less than 4. */
int sky_icmp_seal(void *data, size_t len, const struct sky_addr *src, const struct sky_addr *dst);

/* True if the message quotes the packet that it is about. */
bool sky_icmp_quotes(int family, uint8_t type);

/* The fields of rest, each where the type has it. */
static inline uint16_t
sky_icmp_id(const struct sky_icmp *m)			/* echo, echo reply */
{
	return (uint16_t)(m->rest >> 16);
}

static inline uint16_t
sky_icmp_seq(const struct sky_icmp *m)
{
	return (uint16_t)m->rest;
}

/* 3/4 has 16 bits of it (RFC 1191), packet too big 32; 0: not told, or another
 * type. Not judged: senders lie. */
uint32_t sky_icmp_mtu(int family, const struct sky_icmp *m);
/* Parameter problem: offset of the fault in the quoted packet. */
uint32_t sky_icmp_pointer(int family, const struct sky_icmp *m);
/* RFC 4884: bytes of quote before the extension; 0: the sender does not say, or
 * the type has no such field (it is 3, 11, 12 and ICMPv6 1, 3). */
size_t sky_icmp_quote_len(int family, const struct sky_icmp *m);
/* rest with such a length put in; bytes must be a multiple of the unit, 4 for
 * ICMP and 8 for ICMPv6. */
uint32_t sky_icmp_put_quote_len(int family, uint32_t rest, size_t bytes);
/* True if RFC 4884 lets the type be extended. */
bool sky_icmp_extends(int family, uint8_t type);

#endif
