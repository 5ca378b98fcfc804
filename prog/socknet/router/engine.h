/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - what the files of the router share; nobody else includes it.
 *
 * A frame goes: rt_input (engine.c) -> parsed into a struct rt_pkt (packet.c)
 * -> ours, or forwarded (forward.c) -> route (route.c) -> too big? (frag.c)
 * -> harm and queue of the interface (line.c) -> neighbour (neigh.c) -> out.
 * Errors are made in answer.c, limited by limit.c, written down by ledger.c.
 */
#ifndef RT_ENGINE_H
#define RT_ENGINE_H

#include "rt.h"
#include "proto/fragment.h"
#include "proto/reasm.h"
#include "wire/icmp.h"

#define RT_ETHER 14
#define RT_NONE 255u			/* no interface */
#define RT_BIG (RT_ETHER + 65536 + 64)	/* the largest packet, in a frame */

/* A packet under way. ip lies RT_ETHER bytes into a frame that may be changed. */
struct rt_pkt {
	uint8_t *ip;
	size_t len;			/* of the IP packet, link padding removed */
	int family;
	struct sky_addr src, dst;	/* with ports where there are any */
	uint32_t id;
	uint16_t off;
	uint16_t hlen;			/* bytes before the transport header */
	uint16_t unfrag;		/* bytes that every fragment repeats */
	uint8_t proto, ttl;
	uint8_t in;			/* RT_NONE: the router's own */
	bool df, more;
	bool group;			/* came to a link-layer group address */
	bool scratch;			/* lies in r->whole or r->own: copy it to keep it */
};

/* A frame of our own. */
struct rt_buf {
	struct rt_buf *next;
	uint64_t due, order;
	uint32_t len;			/* of the frame */
	uint8_t iface;
	struct sky_addr hop;		/* whom it goes to on that link */
	struct rt_pkt pkt;		/* while a neighbour is awaited */
	uint8_t frame[];
};

#define RT_READY 1024
#define RT_NEIGHS 512
#define RT_WAITING 64			/* packets per unresolved neighbour */
#define RT_BUCKETS 1024
#define RT_FLOWS 1024
#define RT_WHOLES 16			/* packets being put together */
#define RT_REASM_NS 30000000000u	/* as Linux does; RFC 1122 wants 60 to 120 s */

enum rt_state { RT_FREE, RT_ASKING, RT_KNOWN, RT_DEAD };

struct rt_neigh {
	struct sky_addr addr;
	uint8_t iface, state, tries;
	uint8_t mac[6];
	uint16_t waiting;
	uint64_t next_try;
	struct rt_buf *first, **last;
};

struct rt_bucket {
	struct sky_addr to;
	uint64_t since;			/* tokens count from here */
	bool used;
};

struct rt_line {			/* an interface at work */
	uint64_t free_at;		/* the slow link has sent everything */
	uint64_t last_due;		/* order is kept: no earlier than this */
	uint64_t seen;			/* packets, for exact losses */
};

struct rt_flow {			/* NAT: one port of ours */
	struct sky_addr inside, outside;
	uint8_t proto, iface;
	uint64_t used_ns;
};

struct rt {
	const struct rt_conf *conf;
	struct rt_ledger *ledger;
	uint32_t slots;
	size_t frame_max;
	uint64_t chance;		/* state of the random numbers */
	uint64_t order;			/* frames ever scheduled */
	uint32_t turn;			/* per-packet balancing */
	uint16_t own_id;
	struct rt_buf *free, *given;	/* given: out, until rt_recycle() */
	uint8_t *fresh;			/* memory of buffers never used so far */
	unsigned left;			/* so many of them */
	struct rt_buf **heap;		/* by due, then order */
	unsigned heaped, buffers;
	struct rt_frame ready[RT_READY];
	unsigned ready_at, ready_to;
	struct rt_line line[RT_IFACES];
	struct rt_neigh neigh[RT_NEIGHS];
	unsigned asking;
	uint64_t ask_at;		/* the first of their next tries, or earlier */
	struct rt_bucket bucket[RT_BUCKETS];
	uint64_t all_since;		/* the bucket of all errors together */
	struct rt_flow flow[RT_FLOWS];
	struct sky_reasm reasm;
	uint64_t reasm_at;		/* when its next time-out is */
	struct sky_reasm_slot *slot;	/* RT_WHOLES of them */
	uint8_t *whole, *own;		/* RT_BIG each: put together; being made */
};

/* engine.c */
struct rt_buf *rt_buf_new(struct rt *r);	/* NULL: none left, counted */
void rt_buf_free(struct rt *r, struct rt_buf *b);
uint32_t rt_chance(struct rt *r);		/* 0..999999 */
bool rt_happens(struct rt *r, uint32_t millionths);
/* The frame is due now / the buffer, addressed to b->hop, is due later. */
void rt_ready(struct rt *r, unsigned iface, const void *frame, size_t len);
void rt_later(struct rt *r, struct rt_buf *b, uint64_t due);
/* The buffer's frame is due now; it is freed once that was sent. */
void rt_give(struct rt *r, struct rt_buf *b);
/* Only freed once what was made ready was sent. */
void rt_lend(struct rt *r, struct rt_buf *b);

/* packet.c: 0, -EMSGSIZE, -EINVAL (a bad header or checksum). */
int rt_pkt_parse(struct rt_pkt *p, uint8_t *ip, size_t len);

/* route.c */
struct rt_choice {
	uint8_t kind;			/* enum rt_kind */
	uint8_t iface;
	struct sky_addr hop;
	bool found;
};
void rt_route_find(struct rt *r, const struct rt_pkt *p, struct rt_choice *out);
bool rt_route_is_own(const struct rt *r, const struct sky_addr *a);
/* The router's address on an interface, of a family: unspecified if none. */
struct sky_addr rt_route_address(const struct rt *r, unsigned iface, int family);
bool rt_net_holds(const struct rt_net *n, const struct sky_addr *a);

/* neigh.c */
void rt_neigh_arp(struct rt *r, unsigned iface, const uint8_t *frame, size_t len, uint64_t now);
/* True if the packet was neighbour discovery and is dealt with. */
bool rt_neigh_nd(struct rt *r, const struct rt_pkt *p, uint64_t now);
/* Sends a frame to the hop when its address is known; keeps b until then. */
void rt_neigh_send(struct rt *r, struct rt_buf *b, uint64_t now);
/* Fills in the Ethernet header if the hop is known; false: use rt_neigh_send. */
bool rt_neigh_fill(struct rt *r, unsigned iface, const struct sky_addr *hop,
    int family, uint8_t *frame);
void rt_neigh_tick(struct rt *r, uint64_t now);
uint64_t rt_neigh_deadline(const struct rt *r);

/* line.c: harm and queue; the packet leaves, now or later, or not. */
void rt_line_send(struct rt *r, struct rt_pkt *p, unsigned iface,
    const struct sky_addr *hop, enum rt_did did, uint64_t now);

/* forward.c */
void rt_forward(struct rt *r, struct rt_pkt *p, uint64_t now);
void rt_local(struct rt *r, struct rt_pkt *p, uint64_t now);
/* Routes and sends a packet of the router's own, len bytes in r->own. */
void rt_originate(struct rt *r, size_t len, uint64_t now);
/* Where such a packet is made. */
uint8_t *rt_own_packet(struct rt *r);

/* answer.c: an error about p, if manners and limits let it. did is why. */
void rt_answer(struct rt *r, const struct rt_pkt *p, enum rt_did did,
    uint8_t type, uint8_t code, uint32_t mtu, uint64_t now);

/* The same where the record is written already. */
void rt_answer_about(struct rt *r, struct rt_record *rec, const struct rt_pkt *p,
    uint8_t type, uint8_t code, uint32_t mtu, uint64_t now);

/* limit.c */
bool rt_limit_passes(struct rt *r, const struct sky_addr *to, uint8_t type,
    uint8_t code, uint64_t now);

/* frag.c */
void rt_frag_send(struct rt *r, struct rt_pkt *p, unsigned iface,
    const struct sky_addr *hop, uint64_t now);
/* True if p was a piece and is kept, or turned into the whole (then p is it). */
bool rt_frag_join(struct rt *r, struct rt_pkt *p, uint64_t now);
void rt_frag_tick(struct rt *r, uint64_t now);
uint64_t rt_frag_deadline(const struct rt *r);

/* nat.c: true if p was changed (its checksums too). */
bool rt_nat_out(struct rt *r, struct rt_pkt *p, unsigned iface, uint64_t now);
bool rt_nat_in(struct rt *r, struct rt_pkt *p, uint64_t now);

/* ledger.c */
struct rt_record *rt_write(struct rt *r, const struct rt_pkt *p, enum rt_did did,
    unsigned out, uint64_t now);

#endif
