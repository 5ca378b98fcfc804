/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment.h - cuts an IP packet into the fragments that an MTU asks for.
 *
 * IPv4 (RFC 791, 3.2): as a sender or a router does it; what is cut may itself
 * be a fragment. IPv6 (RFC 8200, 4.5): as the source does it. Whether to cut
 * (DF) is the caller's to decide. The packet stays the caller's and must
 * outlive the walk; lengths are bytes. Pure.
 */
#ifndef SKY_PROTO_FRAGMENT_H
#define SKY_PROTO_FRAGMENT_H

#include "wire/ip.h"

struct sky_fragment {
	struct sky_ip4 ip4;		/* of the packet */
	struct sky_ip6 ip6;
	struct sky_ip6_chain chain;
	int family;
	const uint8_t *packet;
	size_t len;			/* of the packet as told, padding left out */
	size_t mtu;
	size_t head_len;		/* what the first fragment repeats */
	size_t at;			/* payload given out so far */
	uint32_t id;
	bool whole, done;
};

/* Prepares to cut packet, len bytes, for an MTU; id is the identification of
 * IPv6 fragments. Returns 0, -EINVAL if it is not a whole and right IP packet,
 * if IPv6 has a fragment header already, or if the MTU has no room for the
 * headers and 8 bytes. */
int sky_fragment_init(struct sky_fragment *f, const void *packet, size_t len,
    size_t mtu, uint32_t id);

/* Writes the next fragment, a whole IP packet with right checksums. A packet
 * that fits is given as it is. Returns 1, 0 when there are no more, -ENOSPC
 * with nothing written. */
int sky_fragment_next(struct sky_fragment *f, struct sky_wr *wr);

/* How many bytes of payload each fragment but the last carries, given the MTU
 * and the bytes of header in each: floor((mtu - head) / 8) * 8, or 0. */
size_t sky_fragment_capacity(size_t mtu, size_t head);

#endif
