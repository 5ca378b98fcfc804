/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bed.h - an odd host on one wire, with a clock of the test: solaris,
 * 140.252.1.32, and its router 140.252.1.4.
 */
#ifndef TEST_ODD_BED_H
#define TEST_ODD_BED_H

#include "../router/packets.h"
#include "prog/socknet/odd/odd.h"

#define MS 1000000ull
#define S 1000000000ull
#define SLOTS 4096u
enum { KERNEL, WIRE };

#define HOST "140.252.1.32"
#define GATE "140.252.1.4"
#define FAR "140.252.13.65"

extern const uint8_t mac_host[6], mac_gate[6];

struct bed {
	struct odd_conf conf;
	struct odd *o;
	void *mem;
	struct rt_ledger *ledger;
	uint64_t now;
	struct rt_frame out;
};

/* Fill in conf.manners between the two. */
void bed_conf(struct bed *b);
void bed_start(struct bed *b, unsigned buffers);
void bed_stop(struct bed *b);

void bed_give(struct bed *b, unsigned port, void *frame, size_t len);
bool bed_take(struct bed *b);

/* The kernel sends so many bytes of UDP to FAR, by way of GATE. */
void bed_send(struct bed *b, unsigned payload);
/* An ARP message comes by the wire. */
void bed_arp(struct bed *b, int op, const uint8_t *mac, const char *ip, const char *target);
/* GATE is known. */
void bed_know(struct bed *b);
/* GATE says of the packet given out last that it is too big. */
void bed_too_big(struct bed *b, uint16_t mtu);
/* The same in two pieces, the first with so many bytes of ICMP; code 4: too big. */
void bed_pieces(struct bed *b, int code, unsigned first);

/* What is due now, as "port: what" lines joined by "; ": "udp 650 DF",
 * "552@0+ 47942", "arp who-has 140.252.1.4", "arp reply", "icmp 0/0". */
const char *bed_seen(struct bed *b);

/* hostile.c */
void hostile_frames_change_nothing(void **state);
void hostile_bytes_leave_all_buffers(void **state);

#endif
