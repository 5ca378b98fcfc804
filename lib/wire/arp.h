/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp.h - ARP for IPv4 over Ethernet (RFC 826): 28 bytes.
 *
 * Addresses are bytes in network order. Other hardware and protocols are
 * refused. Pure.
 */
#ifndef SKY_WIRE_ARP_H
#define SKY_WIRE_ARP_H

#include "base/rd.h"
#include "base/wr.h"

#define SKY_ARP_LEN 28

enum { SKY_ARP_REQUEST = 1, SKY_ARP_REPLY = 2 };

struct sky_arp {
	uint16_t op;
	uint8_t sha[6], spa[4];	/* sender */
	uint8_t tha[6], tpa[4];	/* target */
};

/* Returns 0, -EMSGSIZE if cut, -EINVAL if it is not Ethernet (hardware 1 or 6,
 * six bytes) and IPv4. */
int sky_arp_decode(struct sky_arp *a, struct sky_rd *rd);
/* Writes hardware 1. Returns 0 or -ENOSPC. */
int sky_arp_encode(const struct sky_arp *a, struct sky_wr *wr);

#endif
