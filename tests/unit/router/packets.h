/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets.h - frames for testing the router, made and judged byte by byte from
 * the RFCs, without a line of the code that is tested.
 */
#ifndef TEST_PACKETS_H
#define TEST_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spec {
	bool v6;
	const char *src, *dst;		/* addresses as text */
	uint16_t sport, dport;
	uint16_t payload;		/* bytes of UDP payload */
	uint8_t ttl;
	bool df;
	uint16_t id;
	uint8_t to[6];			/* Ethernet destination */
};

/* A UDP datagram in an Ethernet frame; its length. */
size_t make_udp(uint8_t *frame, const struct spec *s);
/* An ARP message: op 1 or 2. */
size_t make_arp(uint8_t *frame, int op, const uint8_t *mac, const char *ip,
    const uint8_t *target_mac, const char *target);
/* An ICMP message of IPv4 in an Ethernet frame: spec's addresses, ttl, df, id
 * and to; rest: the four bytes behind the checksum. */
size_t make_icmp(uint8_t *frame, const struct spec *s, int type, int code, uint32_t rest,
    const void *body, size_t len);
/* One piece of an ICMPv6 echo request of so many bytes: n bytes at off. */
size_t make_echo6_piece(uint8_t *frame, const struct spec *s, unsigned len, unsigned off,
    unsigned n);
/* A neighbour advertisement for `ip` with its address, to `dst` at `to`. */
size_t make_advert(uint8_t *frame, const uint8_t *to, const uint8_t *mac, const char *ip, const char *dst);

/* A neighbour solicitation: who has `target`? says `ip`, to the router at `to`. */
size_t make_solicit(uint8_t *frame, const uint8_t *to, const uint8_t *mac, const char *ip,
    const char *target);

/* The one's complement sum of an even or odd number of bytes (RFC 1071). */
uint16_t plain_sum(const uint8_t *p, size_t n);
uint16_t get16(const uint8_t *p);
/* True if header and transport checksum of a whole packet are right. */
bool sums_right(const uint8_t *frame, size_t len);
bool is_from(const uint8_t *frame, const char *src);
bool is_to(const uint8_t *frame, const char *dst);
/* The ICMP header's first byte, or NULL if the frame is no ICMP. */
const uint8_t *icmp_of(const uint8_t *frame);

#endif
