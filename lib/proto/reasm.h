/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reasm.h - puts IP fragments together again (RFC 791, 3.2; RFC 8200, 4.5).
 *
 * Bounded: the caller gives the memory of so many datagrams at once, and the
 * time. A datagram whose fragments overlap is given up, as RFC 5722 demands for
 * IPv6 and Linux does for both; a fragment that comes twice with the same bytes
 * is ignored. Pure: no clock, no allocation.
 */
#ifndef SKY_PROTO_REASM_H
#define SKY_PROTO_REASM_H

#include "wire/ip.h"

#define SKY_REASM_MAX 65535	/* bytes of payload */
#define SKY_REASM_FIRST 1280	/* kept of the packet with the first fragment */

/* One datagram being put together; about 68 kB. The caller zeroes it once; what
 * is in it is nobody else's business. */
struct sky_reasm_slot {
	bool used, dead;		/* dead: overlapped; swallows what follows */
	uint8_t proto;
	struct sky_addr src, dst;
	uint32_t id;
	uint64_t since;			/* when its first arrival was */
	uint32_t total;			/* payload, once the last fragment is here */
	uint32_t have, end;		/* bytes here; the highest end seen */
	uint32_t fragments;
	uint32_t first_len;		/* bytes in first[]; 0: not here yet */
	uint8_t first[SKY_REASM_FIRST];
	uint8_t blocks[(SKY_REASM_MAX + 1) / 64]; /* a bit for each 8 bytes */
	uint8_t data[SKY_REASM_MAX + 1];
};

struct sky_reasm {
	struct sky_reasm_slot *slots;
	unsigned n;
	uint64_t timeout;		/* ns; RFC 8200: 60 s, Linux: 30 s */
	struct sky_reasm_slot *given;	/* freed at the next call */
};

/* slots stays the caller's and must outlive r. */
void sky_reasm_init(struct sky_reasm *r, struct sky_reasm_slot *slots, unsigned n, uint64_t timeout);

struct sky_reasm_out {
	struct sky_addr src, dst;	/* ports 0 */
	uint8_t proto;			/* of the payload; for IPv6 fragments perhaps an
					 * extension header: see sky_ip6_chain_decode() */
	uint32_t id;
	const uint8_t *payload;		/* whole; valid until the next call */
	uint32_t len;
	uint32_t fragments;		/* 0: it came in one piece */
};

/* A packet came at now. Returns 1 and the whole payload in *out, also at once for
 * a packet that is no fragment; 0 if it is kept or was here already; -EMSGSIZE
 * if the packet is cut; -EINVAL if it is no IP, or a fragment that cannot be
 * (not a multiple of 8, beyond 65535, beyond the end); -EEXIST if it overlaps:
 * the datagram is given up; -ENOBUFS if every slot is in use. */
int sky_reasm_take(struct sky_reasm *r, const void *packet, size_t len, uint64_t now,
    struct sky_reasm_out *out);

/* The next datagram whose time is over: 1, or 0. *first is the packet of its
 * first fragment (as much of it as an error quotes), valid until the next call,
 * or NULL: then no error is sent (RFC 792, RFC 4443 3.3). */
int sky_reasm_expire(struct sky_reasm *r, uint64_t now, const uint8_t **first, size_t *len);

/* When to call expire() next, UINT64_MAX for never. */
uint64_t sky_reasm_deadline(const struct sky_reasm *r);

#endif
