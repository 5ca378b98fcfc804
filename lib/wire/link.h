/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - what is before the IP header: Ethernet II with IEEE 802.1Q and
 * 802.1ad tags, or nothing.
 *
 * Numbers are native, addresses are bytes as sent. Pure.
 */
#ifndef SKY_WIRE_LINK_H
#define SKY_WIRE_LINK_H

#include "base/rd.h"
#include "base/wr.h"

#define SKY_LINK_TAGS 4		/* more are an error */

enum {
	SKY_LINK_IP4 = 0x0800, SKY_LINK_ARP = 0x0806, SKY_LINK_IP6 = 0x86dd,
	SKY_LINK_8021Q = 0x8100, SKY_LINK_8021AD = 0x88a8,
	SKY_LINK_MIN = 0x0600,	/* smaller is a length (IEEE 802.3) */
};

struct sky_link_tag {
	uint16_t tpid;		/* SKY_LINK_8021Q or SKY_LINK_8021AD */
	uint16_t tci;		/* priority, 3 bits; drop eligible, 1; VLAN, 12 */
};

struct sky_link {
	uint8_t dst[6], src[6];
	uint8_t tags;
	struct sky_link_tag tag[SKY_LINK_TAGS];	/* outermost first */
	uint16_t type;		/* Ethertype, or below SKY_LINK_MIN a length */
};

/* Reads an Ethernet header and its tags; leaves the reader behind. Returns 0,
 * -EMSGSIZE if cut, -EINVAL for more than SKY_LINK_TAGS tags. */
int sky_link_decode(struct sky_link *l, struct sky_rd *rd);
/* Returns 0, -EINVAL for too many tags, -ENOSPC. */
int sky_link_encode(const struct sky_link *l, struct sky_wr *wr);

/* The Ethertype of a packet without a link header (TUN, DLT_RAW), by its first
 * four bits; 0 if it is neither IPv4 nor IPv6, or empty. */
uint16_t sky_link_raw(const void *data, size_t len);

#endif
