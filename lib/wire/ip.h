/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.h - an IP packet of either version, as the rest of the code wants it.
 *
 * One struct for both: ends, protocol, fragment, and the payload that is here.
 * Cut and damaged packets are normal (captures, quotes): as much as can be read
 * is told, and flags say what is wrong. Numbers are native. Pure.
 */
#ifndef SKY_WIRE_IP_H
#define SKY_WIRE_IP_H

#include "wire/cksum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum sky_ip_flag {
	SKY_IP_DF = 1u << 0,		/* always, for IPv6 */
	SKY_IP_FRAG = 1u << 1,		/* a fragment: off or more is not 0 */
	SKY_IP_MORE = 1u << 2,
	SKY_IP_CUT = 1u << 3,		/* fewer bytes here than len says */
	SKY_IP_BAD_LEN = 1u << 4,	/* len is less than the headers: payload is
					 * taken to be all that is here */
	SKY_IP_BAD_HEAD = 1u << 5,	/* options or extension headers do not end
					 * within the packet: there is no payload */
};

struct sky_ip {
	int family;			/* AF_INET, AF_INET6 */
	uint32_t flags;			/* enum sky_ip_flag */
	struct sky_addr src, dst;	/* ports 0 */
	struct sky_addr final;		/* dst, or the end of a source route */
	uint8_t proto;			/* of the payload */
	uint8_t ttl, tos;
	uint32_t id;			/* 16 bits; IPv6: of a fragment header, or 0 */
	uint16_t off;			/* of the fragment, bytes */
	uint8_t frag_proto;		/* what the datagram that was cut begins with; IPv6:
					 * perhaps an extension header, which this packet's
					 * proto and payload are behind */
	uint32_t frag_at;		/* where, in this packet; 0 if there is no fragment
					 * header and it is no fragment */
	uint32_t head_len;		/* all headers before the payload */
	uint32_t len;			/* of the packet, headers included, as told */
	uint32_t payload_len;		/* len - head_len, or 0 */
	struct sky_rd payload;		/* what is here of it, padding left out */
};

/* Returns 0, -EMSGSIZE if less than the fixed header is here, -EINVAL if it is
 * neither IPv4 nor IPv6. */
int sky_ip_decode(struct sky_ip *ip, const void *data, size_t len);

/* Checks the transport checksum. Fragments give CUT: the rest is elsewhere. */
enum sky_cksum_state sky_ip_check_payload(const struct sky_ip *ip);

/* Makes an address of four or sixteen bytes in network order. */
struct sky_addr sky_ip_addr4(const uint8_t bytes[static 4], uint16_t port);
struct sky_addr sky_ip_addr6(const uint8_t bytes[static 16], uint16_t port);

#endif
