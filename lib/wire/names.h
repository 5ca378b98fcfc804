/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - words for IP protocols and Ethertypes (assigned by IANA and IEEE).
 * ICMP types and codes are not here: see the table of <sockeye/fate.h>. Pure.
 */
#ifndef SKY_WIRE_NAMES_H
#define SKY_WIRE_NAMES_H

#include <stdint.h>

/* "udp", "tcp", "icmp", "icmp6", ...; NULL if there is no word. Static. */
const char *sky_names_proto(uint8_t proto);
/* The protocol of a word, or -ENOENT. */
int sky_names_proto_find(const char *word);
/* "ip", "ip6", "arp", "vlan", ...; NULL if there is no word. Static. */
const char *sky_names_ethertype(uint16_t type);

#endif
