/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bed.h - a router between three hosts, with a clock of the test's own.
 *
 * a -- [0] router [1] -- b, and [2] -- c, a second way. a is 10.0.1.2 and fd01::2,
 * b 10.0.2.2 and fd02::2, c 10.0.3.2 and fd03::2; the router has .1 and ::1.
 */
#ifndef TEST_BED_H
#define TEST_BED_H

#include "packets.h"
#include "router/rt.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MS 1000000ull
#define S 1000000000ull
#define SLOTS 4096

extern const uint8_t mac[3][6], mac_a[6], mac_b[6], mac_c[6];

struct bed {
	struct rt_conf conf;
	struct rt *r;
	void *mem;
	struct rt_ledger *ledger;
	uint64_t now;
	struct rt_frame out;
};

struct rt_net net(const char *text, unsigned len);
void conf_init(struct bed *b);
/* The router begins, and knows its neighbours of both families. */
void start(struct bed *b);
void stop(struct bed *b);

/* A frame in; a frame out, in b->out. */
void give(struct bed *b, unsigned iface, void *frame, size_t len);
bool take(struct bed *b);

/* A datagram from a to b; the same over IPv6. */
struct spec to_b(void);
struct spec to_b6(void);
/* It goes in at a; true if anything comes out. */
bool pass(struct bed *b, const struct spec *s);
/* As that; what comes out is an ICMP error with right sums, or NULL. */
const uint8_t *error_about(struct bed *b, const struct spec *s);

/* bytes at off of the IPv4 packet in a frame, as a fragment; its frame's length. */
size_t cut(uint8_t *piece, const uint8_t *frame, unsigned off, unsigned bytes, bool more);
/* All that comes out by an interface, in the notation of tcpdump: "272@0+ 8@272". */
const char *pieces(struct bed *b, unsigned iface, char *text, size_t size);

extern uint8_t frame[70000];

#endif
