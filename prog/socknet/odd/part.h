/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * part.h - what the files of the odd host share; nobody else includes it.
 *
 * From the kernel: down.c -> path MTU (pmtu.c) -> cut -> neighbour (ask.c) ->
 * wire. From the wire: up.c -> (join.c) -> errors taken in (pmtu.c), echo
 * answered, or on to the kernel; ARP requests are answered by tell.c. note.c writes the ledger.
 */
#ifndef ODD_PART_H
#define ODD_PART_H

#include "odd.h"
#include "proto/reasm.h"
#include "wire/arp.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/link.h"

#define ODD_ETHER 14
#define ODD_HOPS 64		/* neighbours */
#define ODD_PATHS 128		/* destinations with a path MTU */
#define ODD_ASKERS 64		/* who asked by ARP */
#define ODD_ASK_NS 1000000000u	/* between requests, where not for each packet */
#define ODD_ASKS 3
#define ODD_WHOLES 4		/* ICMP messages being put together */

/* A packet as the ledger wants it. */
struct odd_pkt {
	struct sky_addr src, dst;	/* with ports where there are any */
	uint16_t len, id, off;
	uint8_t proto, ttl, in;
	bool df, more;
};

struct odd_buf {
	struct odd_buf *next;
	uint64_t due;
	uint32_t len;
	uint8_t port;
	struct odd_pkt pkt;		/* while it waits for a neighbour */
	uint8_t frame[];
};

struct odd_hop {
	uint8_t addr[4], mac[6];
	uint8_t wire, tries;
	bool used, known;
	uint64_t next;			/* ask again, or give up */
	unsigned kept;
	struct odd_buf *first, **last;
};

struct odd_path {
	uint8_t dst[4];
	bool used;
	uint32_t errors;
	uint16_t mtu;			/* 0: not known */
};

struct odd_asker {
	uint8_t addr[4], mac[6];
	uint8_t wire, own[4];		/* whom it asked for */
	bool used;
	uint32_t asked, flooded;
	uint64_t flood_at;
};

struct odd {
	const struct odd_conf *conf;
	struct rt_ledger *ledger;
	uint32_t slots;
	size_t frame_max;
	uint16_t id;
	struct odd_buf *free, *given;
	struct odd_buf *first;		/* by due; equals in order */
	struct odd_hop hop[ODD_HOPS];
	unsigned hop_turn;
	struct odd_path path[ODD_PATHS];
	unsigned path_turn;
	uint64_t forget_at;		/* 0: no error yet */
	struct odd_asker asker[ODD_ASKERS];
	unsigned asker_turn;
	struct sky_reasm reasm;
	struct sky_reasm_slot slot[ODD_WHOLES];
	uint8_t whole[ODD_ETHER + 65535];
};

static inline const struct odd_manners *
odd_manners(const struct odd *o)
{
	return &o->conf->manners;
}

/* The engine does all of IPv4 for this host. */
static inline bool
odd_own_ip(const struct odd *o)
{
	return o->conf->manners.df != ODD_DF_KERNEL;
}

/* odd.c */
struct odd_buf *odd_buf_new(struct odd *o);	/* NULL: none left, counted */
void odd_buf_free(struct odd *o, struct odd_buf *b);
void odd_send(struct odd *o, struct odd_buf *b, unsigned port, uint64_t due);
/* A frame goes on to the other side as it is. */
void odd_pass(struct odd *o, unsigned in, const uint8_t *frame, size_t len, uint64_t now);
bool odd_is_own(const struct odd *o, unsigned wire, const uint8_t addr[4]);
/* Ethernet header into the first 14 bytes. */
void odd_ether(uint8_t *frame, const uint8_t *dst, const uint8_t *src, uint16_t type);

/* down.c: what the host sends. */
void odd_down(struct odd *o, unsigned wire, uint8_t *frame, size_t len, uint64_t now);

/* up.c: what the host receives. */
void odd_up(struct odd *o, unsigned wire, uint8_t *frame, size_t len, uint64_t now);
/* True if a packet was an ICMP message that ends here. */
bool odd_up_icmp(struct odd *o, unsigned wire, const uint8_t *frame, const struct sky_ip *ip,
    uint64_t now);

/* join.c: a piece of an ICMP message. */
void odd_join_init(struct odd *o);
void odd_join(struct odd *o, unsigned wire, const uint8_t *frame, const struct sky_ip *ip,
    uint64_t now);

/* pmtu.c: what is known now, 0 for nothing. */
uint16_t odd_pmtu(struct odd *o, const uint8_t dst[4], uint64_t now);
/* A router says that a packet to dst was too big; told may be 0. */
void odd_pmtu_error(struct odd *o, const uint8_t dst[4], uint32_t told, unsigned wire_mtu,
    uint64_t now);

/* ask.c: sends b to a neighbour when its address is known. */
void odd_ask_send(struct odd *o, struct odd_buf *b, unsigned wire, const uint8_t hop[4],
    uint64_t now);
void odd_ask_heard(struct odd *o, unsigned wire, const struct sky_arp *a, uint64_t now);
void odd_ask_tick(struct odd *o, uint64_t now);
uint64_t odd_ask_deadline(const struct odd *o);

/* tell.c: an ARP request for one of the host's addresses. */
void odd_tell(struct odd *o, unsigned wire, const struct sky_arp *a, uint64_t now);
void odd_tell_tick(struct odd *o, uint64_t now);
uint64_t odd_tell_deadline(const struct odd *o);
/* An ARP message, in a buffer that is ready to be sent; NULL: no buffer. */
struct odd_buf *odd_arp_buf(struct odd *o, const uint8_t *to, const struct sky_arp *a);

/* note.c */
void odd_pkt_of(struct odd_pkt *p, const void *ip, size_t len, unsigned in);
struct rt_record *odd_note(struct odd *o, const struct odd_pkt *p, enum rt_did did,
    unsigned out, uint64_t now);
/* sent: it leaves at due; else it came. */
struct rt_record *odd_note_arp(struct odd *o, unsigned wire, const struct sky_arp *a, bool sent,
    uint64_t due, uint64_t now);

#endif
