/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4.h - the IPv4 header (RFC 791), its options and fragment fields.
 *
 * Numbers are native; lengths and offsets are bytes; addresses are four bytes
 * in network order. Pointers point into the caller's packet. Pure.
 */
#ifndef SKY_WIRE_IP4_H
#define SKY_WIRE_IP4_H

#include "base/rd.h"
#include "base/wr.h"
#include "wire/cksum.h"

#define SKY_IP4_HLEN 20		/* without options */
#define SKY_IP4_HMAX 60		/* with all that fit */

struct sky_ip4 {
	uint8_t hlen;		/* header with options, 20..60 */
	uint8_t tos;
	uint16_t len;		/* of the packet, header included, as told */
	uint16_t id;
	bool reserved, df, mf;	/* the three flag bits */
	uint16_t off;		/* fragment offset in bytes, a multiple of 8 */
	uint8_t ttl, proto;
	uint16_t sum;		/* as read; encode computes its own */
	uint8_t src[4], dst[4];
	const uint8_t *opts;	/* hlen - 20 bytes, or NULL if there are none */
};

/* Reads a header and leaves the reader behind its options. Returns 0, -EMSGSIZE
 * if it is cut, -EINVAL if the version is not 4 or the header length is less
 * than 20. len is not judged: see sky_ip4_payload(). */
int sky_ip4_decode(struct sky_ip4 *ip, struct sky_rd *rd);

/* Writes hlen bytes with a right checksum. hlen - 20 bytes of opts are copied.
 * Returns 0, -EINVAL if hlen is no multiple of 4 in 20..60 or off no multiple
 * of 8 below 65536, -ENOSPC. */
int sky_ip4_encode(const struct sky_ip4 *ip, struct sky_wr *wr);

/* What len says of the payload, given a reader behind the header: *part is the
 * payload that is here, without padding of the link. Returns 0, -EMSGSIZE if
 * some is missing (part is what there is), -EINVAL if len is less than hlen
 * (part is empty). */
int sky_ip4_payload(const struct sky_ip4 *ip, struct sky_rd *rd, struct sky_rd *part);

/* Checks the header checksum of the packet that begins at data: GOOD, BAD, or
 * CUT if not all of the header is there. */
enum sky_cksum_state sky_ip4_check(const void *data, size_t len);

/* Gives the header at data another TTL and mends its checksum incrementally, as
 * a router does. Returns 0, or -EMSGSIZE with nothing changed. */
int sky_ip4_set_ttl(void *data, size_t len, uint8_t ttl);

/* Options (RFC 791, 3.1). */
enum {
	SKY_IP4_OPT_END = 0, SKY_IP4_OPT_NOP = 1, SKY_IP4_OPT_RR = 7,
	SKY_IP4_OPT_TS = 68, SKY_IP4_OPT_LSRR = 131, SKY_IP4_OPT_SSRR = 137,
	SKY_IP4_OPT_RA = 148,
	SKY_IP4_OPT_COPY = 0x80,	/* the bit: it goes into every fragment */
};

struct sky_ip4_opt {
	uint8_t type;
	uint8_t len;		/* whole option; 1 for NOP */
	const uint8_t *data;	/* len - 2 bytes behind type and length, or NULL */
};

/* A reader of the options of a decoded header. */
struct sky_rd sky_ip4_opts(const struct sky_ip4 *ip);

/* The next option: 1, 0 at the end (or at END), -EINVAL if its length is
 * impossible. NOPs are given as options. */
int sky_ip4_opt_next(struct sky_rd *opts, struct sky_ip4_opt *opt);

/* The address at the end of a source route that is not yet used up, which is
 * the destination that transport checksums cover; else dst. Four bytes. */
const uint8_t *sky_ip4_final(const struct sky_ip4 *ip);

#endif
