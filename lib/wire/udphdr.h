/* SPDX-License-Identifier: BSD-2-Clause */
/* udphdr.h - the UDP header (RFC 768): eight bytes. Numbers are native. Pure. */
#ifndef SKY_WIRE_UDPHDR_H
#define SKY_WIRE_UDPHDR_H

#include "base/rd.h"
#include "base/wr.h"
#include "wire/cksum.h"

#define SKY_UDPHDR_LEN 8

struct sky_udphdr {
	uint16_t sport, dport;
	uint16_t len;		/* header and payload, as told */
	uint16_t sum;		/* 0: not computed */
};

/* Returns 0 or -EMSGSIZE; what was cut is 0. len is not judged. */
int sky_udphdr_decode(struct sky_udphdr *u, struct sky_rd *rd);
/* Writes the members as they are. Returns 0 or -ENOSPC. */
int sky_udphdr_encode(const struct sky_udphdr *u, struct sky_wr *wr);

/* Writes a whole UDP datagram, header with a right checksum and payload, for
 * an IP packet from src to dst (same family; their ports are used). Returns 0,
 * -EINVAL for families that differ, -EMSGSIZE if len is above 65527, -ENOSPC. */
int sky_udphdr_build(struct sky_wr *wr, const struct sky_addr *src,
    const struct sky_addr *dst, const void *data, size_t len);

#endif
