/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * odd.h - the lower half of a host that behaves as old systems did.
 *
 * The host itself is one of the kernel: its programs, sockets and ports are real.
 * Between its interface and the wire stands this engine, and plays what an old
 * system did below UDP: path MTU discovery with a timer, a guess where a router
 * tells no MTU, fragments, one ARP request for each packet, only the newest
 * packet kept for a neighbour that has not answered, echo replies with the
 * request's DF, ARP answers that come late, too often or never.
 *
 * Pure, as the router (see router/rt.h): Ethernet frames and a time in, frames
 * and a deadline out; memory comes from the caller; what was done to each packet
 * is in a ledger of the same form. Port 2 * w is the kernel's side of wire w,
 * port 2 * w + 1 the wire. Frames given out are valid until odd_recycle().
 *
 * IPv6 passes as it is: the old systems had none.
 */
#ifndef ODD_H
#define ODD_H

#include "prog/socknet/router/rt.h"

#define ODD_WIRES 8
#define ODD_ADDRS 8		/* IPv4 addresses per wire */
#define ODD_KEEP 64		/* most packets kept for one neighbour */
#define ODD_TIMES 16		/* most answers to one ARP request */

enum odd_df {
	ODD_DF_KERNEL,		/* the host's kernel does all of IP */
	ODD_DF_NEVER,		/* before path MTU discovery */
	ODD_DF_DISCOVER,	/* RFC 1191, with what follows */
};

/* All times in ns. What is 0 is not done, unless said otherwise. */
struct odd_manners {
	uint8_t df;		/* enum odd_df */
	/* ODD_DF_DISCOVER */
	uint64_t timer, phase;	/* forgets all path MTUs: phase after the first error
				 * ever, then each timer */
	uint32_t learns;	/* which error about a destination is believed first */
	uint32_t guess;		/* path MTU for an error that tells none */
	/* not ODD_DF_KERNEL */
	uint32_t id;		/* identification of the first packet, then counting */
	uint32_t max_out;	/* larger packets are dropped (bytes of IP) */
	bool cksum_off;		/* UDP checksums are 0 */
	bool arp_each;		/* an ARP request for each packet that waits */
	uint32_t arp_keep;	/* packets kept for a neighbour that does not answer
				 * yet, the newest ones; 0: ODD_KEEP */
	/* any */
	uint32_t max_in;	/* datagrams that are larger are dropped */
	bool copy_df;		/* echo replies carry the request's DF */
	bool arp_silent;	/* never answers */
	uint64_t arp_late;	/* answers so much later */
	uint64_t arp_gap;	/* between the answers to one request */
	uint32_t arp_times;	/* answers to each request; 0: one */
	uint32_t arp_extra;	/* that many more to an asker's first */
	uint32_t arp_only;	/* answers only each so-manieth request of an asker */
	uint32_t arp_flood;	/* once asked, so many answers a second that nobody
				 * wants, arp_most of them */
	uint32_t arp_most;
};

struct odd_wire {
	uint8_t mac[6];		/* the host's, on both sides */
	uint16_t mtu;
	uint8_t addrs;
	uint8_t addr[ODD_ADDRS][4];
};

struct odd_conf {
	uint8_t wires;
	struct odd_wire wire[ODD_WIRES];
	struct odd_manners manners;
};

struct odd;

/* Bytes for a host with so many buffers, each for a frame of the wires' MTU. */
size_t odd_room(const struct odd_conf *c, unsigned buffers);

/* mem: odd_room() bytes aligned for uint64_t. c must stay. The ledger has slots
 * records, a power of two. NULL if c makes no sense (*why says it). */
struct odd *odd_init(void *mem, const struct odd_conf *c, unsigned buffers,
    struct rt_ledger *ledger, uint32_t slots, const char **why);

/* A frame of len bytes arrived at a port. It may be changed in place. */
void odd_input(struct odd *o, unsigned port, void *frame, size_t len, uint64_t now);

/* The next frame that is due; false if there is none. */
bool odd_output(struct odd *o, uint64_t now, struct rt_frame *out);
void odd_recycle(struct odd *o);
/* When to call odd_output() without input; RT_NEVER. */
uint64_t odd_deadline(const struct odd *o);

#endif
