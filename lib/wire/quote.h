/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quote.h - the packet quoted inside an ICMP or ICMPv6 error.
 *
 * Quotes are cut (RFC 792 asks for the IP header and 8 bytes, RFC 1812 and 4443
 * for as much as fits), padded (RFC 4884) and changed on the way (TTL, checksum,
 * addresses behind a translator): what is there is told, nothing is demanded but
 * the IP header. A quote proves nothing; compare it with what was sent. Numbers
 * are native; pointers point into the caller's bytes. Pure.
 */
#ifndef SKY_WIRE_QUOTE_H
#define SKY_WIRE_QUOTE_H

#include "wire/ip.h"

enum sky_quote_have {
	SKY_QUOTE_PORTS = 1u << 0,	/* ports are in src and dst */
	SKY_QUOTE_EIGHT = 1u << 1,	/* at least 8 bytes of transport header */
	SKY_QUOTE_SEQ = 1u << 2,	/* TCP: seq is the sequence number; ICMP echo:
					 * id << 16 | sequence number */
	SKY_QUOTE_UDP = 1u << 3,	/* udp_len and udp_sum */
	SKY_QUOTE_PAYLOAD = 1u << 4,	/* the transport header is whole, and payload
					 * points behind it; 0 bytes may be left */
};

struct sky_quote {
	struct sky_ip ip;	/* as quoted: proto, ttl, id, len, fragment, flags */
	struct sky_addr src, dst; /* with ports, if have says so, else 0; dst is the
				 * final destination if there is a source route */
	uint32_t have;		/* enum sky_quote_have */
	uint32_t seq;
	uint16_t udp_len, udp_sum;
	const uint8_t *transport; /* what was quoted behind the IP headers */
	size_t transport_len;
	const uint8_t *payload;	/* what was quoted behind the transport header */
	size_t payload_len;
};

/* data is what follows the ICMP header, without an extension (see icmpext.h),
 * of an error of that family. Returns 0, -EMSGSIZE if not even the fixed IP
 * header is there, -EINVAL if it is no IP header of the family. The transport
 * of a fragment other than the first has no header: have is 0. */
int sky_quote_decode(struct sky_quote *q, int family, const void *data, size_t len);

#endif
