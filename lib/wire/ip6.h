/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6.h - the IPv6 header and its chain of extension headers (RFC 8200).
 *
 * Numbers are native; lengths and offsets are bytes; addresses are sixteen
 * bytes in network order. Pointers point into the caller's packet. Pure.
 * Jumbograms (RFC 2675) are not followed: their payload length is told as 0.
 */
#ifndef SKY_WIRE_IP6_H
#define SKY_WIRE_IP6_H

#include "base/rd.h"
#include "base/wr.h"

#define SKY_IP6_HLEN 40
#define SKY_IP6_FRAGLEN 8
#define SKY_IP6_CHAIN_MAX 16	/* more extension headers are an error */

struct sky_ip6 {
	uint8_t tclass;
	uint32_t flow;		/* 20 bits */
	uint16_t plen;		/* of all that follows the 40 bytes, as told */
	uint8_t next;
	uint8_t hops;
	uint8_t src[16], dst[16];
};

/* Returns 0, -EMSGSIZE if cut, -EINVAL if the version is not 6. */
int sky_ip6_decode(struct sky_ip6 *ip, struct sky_rd *rd);
/* Writes 40 bytes. Returns 0 or -ENOSPC. */
int sky_ip6_encode(const struct sky_ip6 *ip, struct sky_wr *wr);

struct sky_ip6_frag {
	uint8_t next;
	uint16_t off;		/* bytes, a multiple of 8 */
	bool more;
	uint32_t id;
};

/* The fragment header (RFC 8200, 4.5), 8 bytes. decode: 0 or -EMSGSIZE; encode:
 * 0, -EINVAL if off is no multiple of 8, -ENOSPC. Reserved bits are sent as 0. */
int sky_ip6_frag_decode(struct sky_ip6_frag *f, struct sky_rd *rd);
int sky_ip6_frag_encode(const struct sky_ip6_frag *f, struct sky_wr *wr);

struct sky_ip6_chain {
	uint8_t proto;		/* what the chain ends with: IPPROTO_UDP, ..., or the
				 * header that could not be read */
	uint8_t count;		/* extension headers passed */
	uint32_t len;		/* their bytes: proto begins behind them */
	uint32_t unfrag_len;	/* of the part that every fragment repeats: up to the
				 * fragment header, or to where a sender would put one */
	uint32_t next_at;	/* offset, from the end of the 40 bytes, of the byte
				 * that names what follows the unfragmentable part;
				 * SKY_IP6_IN_BASE: it is in the base header */
	bool has_frag;
	struct sky_ip6_frag frag;
	const uint8_t *final;	/* last address of a routing header with segments left
				 * (types 0, 2, 4), which checksums cover; or NULL */
};
#define SKY_IP6_IN_BASE UINT32_MAX

/* Walks hop-by-hop, routing, destination, fragment and authentication headers,
 * given the next header of the base header and a reader behind it; leaves the
 * reader at proto. A fragment that is not the first ends the chain: what follows
 * is data. Returns 0, -EMSGSIZE if a header is cut, -EINVAL if there are more
 * than SKY_IP6_CHAIN_MAX or two fragment headers. After an error the members tell how far it came. */
int sky_ip6_chain_decode(struct sky_ip6_chain *c, uint8_t next, struct sky_rd *rd);

#endif
