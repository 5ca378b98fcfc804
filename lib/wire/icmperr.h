/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmperr.h - makes ICMP and ICMPv6 errors about a packet, as a router or the
 * destination would: for the userspace router and for forging in tests.
 *
 * Builds the whole IP packet: header, ICMP header, quote, extension; all
 * checksums right. Whether an error should be sent is asked apart. Pure.
 */
#ifndef SKY_WIRE_ICMPERR_H
#define SKY_WIRE_ICMPERR_H

#include "wire/icmpext.h"
#include "wire/ip.h"

struct sky_icmperr {
	struct sky_addr from;	/* who says so: becomes the source; its family must be
				 * that of the packet */
	uint8_t type, code;
	uint32_t rest;		/* the last four bytes of the ICMP header: the MTU, or
				 * the pointer (<< 24 for ICMP); see icmp.h */
	uint8_t ttl;		/* 0: 64 */
	uint8_t tos;
	uint16_t id;		/* IPv4 identification */
	size_t limit;		/* bytes of IP packet; 0: 576 (RFC 1812, 4.3.2.3), 1280
				 * (RFC 4443, 2.4 (c)) */
	size_t quote_max;	/* at most so many bytes are quoted; 0: what fits */
	const void *ext;	/* extension structure (icmpext.h), or NULL */
	size_t ext_len;
	bool hide_length;	/* leave RFC 4884's length field 0, as senders older
				 * than it do; the quote is then made 128 bytes */
};

/* Writes the error about packet to out, to the packet's source. With an
 * extension the quote is padded with zeros to 128 bytes or cut so that both fit
 * (RFC 4884, 4.1 to 4.5). Returns the length of the IP packet, -EINVAL if packet
 * is not IP of the family of from, if a type that RFC 4884 does not extend is to
 * be, or if the limit leaves no room, -ENOSPC if size is too small. */
int sky_icmperr_build(const struct sky_icmperr *e, const void *packet, size_t len,
    void *out, size_t size);

/* True if a host or router may send such an error about the packet: never about
 * an ICMP error, a fragment other than the first, a packet to a group or
 * broadcast (except ICMPv6 2 and 4/2) or from what is no single host (RFC 1122,
 * 3.2.2; RFC 4443, 2.4 (e)). Link-layer broadcast is the caller's to know. */
bool sky_icmperr_may(uint8_t type, uint8_t code, const void *packet, size_t len);

#endif
