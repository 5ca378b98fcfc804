/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hop.h - one probe of a path, and what became of it.
 *
 * The words that those who decide (trace, paths, cycle, mass: pure) share with
 * whoever sends and listens. A probe is a packet with a TTL and a size that may
 * not be fragmented; an answer is anything that says what became of one probe.
 * Sizes are bytes of the whole IP packet, addresses have port 0, times are ns of
 * one clock that does not go back.
 */
#ifndef SKY_PROTO_HOP_H
#define SKY_PROTO_HOP_H

#include <sockeye/fate.h>

#define SKY_HOP_MAX 255		/* the largest TTL */
#define SKY_HOP_LABELS 4	/* entries of an MPLS stack kept */

struct sky_hop_probe {
	uint32_t id;		/* from 1, chosen by the engine, never used twice */
	uint32_t len;		/* bytes of IP packet */
	uint16_t flow;		/* 0 is the flow of the trace; each other number is
				 * another one, the same each time */
	uint8_t ttl;
};

enum sky_hop_what {
	SKY_HOP_NOTHING,
	SKY_HOP_EXCEEDED,	/* a router: the TTL ended there (11/0; 3/0) */
	SKY_HOP_REACHED,	/* the destination itself: port unreachable, an echo
				 * reply, a datagram, SYN-ACK or RST */
	SKY_HOP_TOO_BIG,	/* a router: mtu, as told, which may be a lie (3/4; 2/0) */
	SKY_HOP_UNREACHABLE,	/* whoever: any other error, type and code say which */
	SKY_HOP_LOCAL,		/* it did not leave: err; EMSGSIZE: mtu is the device's */
};

struct sky_hop_label {
	uint32_t label;
	uint8_t tc, ttl;
};

struct sky_hop_answer {
	uint64_t at;		/* when it came, ns */
	uint32_t id;		/* of the probe; 0: the quote is too short to tell */
	uint32_t mtu;		/* TOO_BIG, LOCAL */
	uint32_t fragsize;	/* REACHED by a reply that came in fragments: the
				 * largest, as the kernel counts; else 0 */
	uint32_t reply_len;	/* REACHED by a reply: its length; else 0 */
	int32_t err;		/* LOCAL: positive errno */
	struct sky_addr by;	/* who said so; unspecified: this host */
	uint16_t quoted_len;	/* raw only: length in the quoted header; else 0 */
	uint8_t what;		/* enum sky_hop_what */
	uint8_t trust;		/* enum sky_trust. MATCHED: the tag is right. SHORT: id
				 * is 0. MISMATCH: forged or not ours; id is 0 */
	uint8_t type, code;	/* of the ICMP message */
	uint8_t ttl;		/* with which the answer arrived; 0: not known */
	uint8_t quoted_ttl;	/* raw only; else 0 */
	uint8_t labels;		/* how many of label[] */
	bool rewritten;		/* raw only: the quoted addresses or ports are not
				 * those that were sent: a translator is on the way */
	struct sky_hop_label label[SKY_HOP_LABELS];
};

#endif
