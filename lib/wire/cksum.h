/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cksum.h - the Internet checksum (RFC 1071) and what it covers.
 *
 * Sums may be collected piece by piece; a piece may have any length and any
 * alignment, an odd one goes on in the middle of a 16-bit word. Values taken
 * and given are native numbers: write them with sky_wr_u16(). Pure.
 */
#ifndef SKY_WIRE_CKSUM_H
#define SKY_WIRE_CKSUM_H

#include <sockeye/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sky_cksum {
	uint64_t sum;
	bool odd;		/* an odd number of bytes so far */
};

static inline struct sky_cksum
sky_cksum_start(void)
{
	return (struct sky_cksum){ .sum = 0, .odd = false };
}

void sky_cksum_add(struct sky_cksum *c, const void *data, size_t len);
/* The same as adding its bytes, most significant first. */
void sky_cksum_add_u16(struct sky_cksum *c, uint16_t v);
void sky_cksum_add_u32(struct sky_cksum *c, uint32_t v);

/* The pseudo-header of IPv4 (RFC 768) or IPv6 (RFC 8200, 8.1), by the family of
 * the addresses; len is that of the transport header and its data. dst is the
 * final destination where a routing header or source route is present. Add it
 * before anything odd. Nothing is added for unspecified or mixed families. */
void sky_cksum_add_pseudo(struct sky_cksum *c, const struct sky_addr *src,
    const struct sky_addr *dst, uint8_t proto, uint32_t len);

/* The complement of the sum: what goes into a checksum field, and 0 when the
 * field was part of what was summed and was right. The sum can go on. */
uint16_t sky_cksum_finish(const struct sky_cksum *c);

/* finish() for a UDP field, where 0 would mean "not computed" (RFC 768): an
 * all-zero sum is sent as 0xffff. */
uint16_t sky_cksum_finish_udp(const struct sky_cksum *c);

/* The checksum of one piece. */
uint16_t sky_cksum_of(const void *data, size_t len);

/* The field sum after a 16-bit word that it covers changed (RFC 1624, eq. 3).
 * Not for a UDP field that is 0. */
uint16_t sky_cksum_update(uint16_t sum, uint16_t was, uint16_t is);

enum sky_cksum_state {
	SKY_CKSUM_NONE,		/* UDP field 0, not computed: fine over IPv4, over IPv6
				 * only for tunnels (RFC 6935); or no checksum known
				 * for the protocol */
	SKY_CKSUM_GOOD,
	SKY_CKSUM_BAD,
	SKY_CKSUM_PARTIAL,	/* only the pseudo-header is in it: the interface was
				 * to do the rest, as packets captured on the sending
				 * host or between its namespaces look */
	SKY_CKSUM_CUT,		/* not all bytes are here: nobody can tell */
};

/* Checks the checksum of UDP, TCP, ICMP, ICMPv6 or IGMP. data is the transport
 * header and what follows, of which have bytes are here; len is how many the IP
 * header says there are (a fragment: pass a len larger than have). Bytes behind
 * the UDP length are left out. A UDP length that is less than 8 or more than
 * len is BAD. */
enum sky_cksum_state sky_cksum_check(const struct sky_addr *src, const struct sky_addr *dst,
    uint8_t proto, const void *data, size_t have, size_t len);

/* "none", "good", "bad", "partial", "cut". */
const char *sky_cksum_word(enum sky_cksum_state s);

#endif
