/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.h - every packet that a host of the lab sends and receives, decoded.
 *
 * One packet socket with a ring per host, all its interfaces. A packet that a
 * router forwards is seen twice: in and out. What found no room in the ring is
 * counted: then nothing may be concluded from a count.
 */
#ifndef SOCKNET_CAPTURE_H
#define SOCKNET_CAPTURE_H

#include <sockeye/addr.h>

enum seen_kind { SEEN_OTHER, SEEN_UDP, SEEN_TCP, SEEN_ICMP, SEEN_ARP, SEEN_PIECE };

/* Fragments other than the first are SEEN_PIECE: they are no datagram. */
struct seen {
	uint8_t kind;			/* enum seen_kind */
	bool out;			/* it left the host; else it arrived */
	uint8_t ttl, type, code;	/* ARP: type 1 asks, 2 answers (ND too) */
	uint8_t sum;			/* enum sky_cksum_state of the transport's */
	bool has_about;
	bool df, more;
	uint8_t proto;
	uint16_t off, id;		/* of a fragment, bytes; low half in IPv6 */
	uint32_t piece;			/* bytes behind the IP header */
	uint64_t time_ns;		/* since 1970 */
	uint32_t ifindex;
	uint32_t len;			/* of the payload, as the header tells */
	uint32_t mtu;			/* as told by an ICMP error */
	uint32_t mpls;			/* the first label that it carries, or 0 */
	struct sky_addr src, dst;	/* with ports; ARP: who asks, for whom */
	struct sky_addr about_src, about; /* of the datagram quoted */
};

#define CAPTURE_MAX (1u << 18)		/* packets kept */
#define CAPTURE_SKIPS 8

struct capture {
	int fd;
	uint8_t *ring;
	unsigned next, frames;
	struct seen *seen;
	unsigned count, room;
	uint64_t lost;
	uint32_t skip[CAPTURE_SKIPS];	/* interfaces that are not looked at */
	unsigned skips;
};

/* Opens it in the namespace this process is in; of: how many are opened in all,
 * so that their rings stay within 64 MiB. Returns 0 or a negative errno. */
int capture_open(struct capture *c, unsigned of);
void capture_close(struct capture *c);
/* Nothing of this interface of that namespace is kept from now on. */
void capture_skip(struct capture *c, const char *ifname);
/* Takes in what waits in the ring; never blocks. */
void capture_drain(struct capture *c);
/* Decodes one frame of the link layer. Pure. */
void capture_decode(struct seen *s, const void *frame, size_t len, size_t full_len);

#endif
