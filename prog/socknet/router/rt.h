/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rt.h - a router that forwards, answers, and lies on demand.
 *
 * Pure: Ethernet frames and a time in, frames and a deadline out. No socket, no
 * clock, no system call; memory comes from the caller. Everything that a router
 * between two hosts may do to a datagram can be told to it, and what it did is
 * in its ledger, packet by packet, so that a report can be held against the
 * truth.
 *
 * The caller gives each frame that arrives to rt_input(), asks rt_output() for
 * frames that are due until there are none, and calls rt_output() again at
 * rt_deadline(). Frames given out stay valid until rt_recycle().
 *
 * Rules: RFC 1812 (IPv4 routers), 4443 (ICMPv6), 4861 (neighbour discovery),
 * 826 (ARP), 4884, 4950, 5837 (extensions of ICMP errors).
 */
#ifndef RT_H
#define RT_H

#include <sockeye/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_IFACES 64		/* per router */
#define RT_IFADDRS 8		/* per interface, both families together */
#define RT_ROUTES 256
#define RT_HOPS 16		/* next hops of a balanced route */
#define RT_LABELS 4		/* MPLS labels in an extension */
#define RT_NEVER UINT64_MAX

/* --- what is told to it: const once the router runs --------------------- */

struct rt_net {
	struct sky_addr addr;	/* port and scope unused */
	uint8_t len;		/* prefix bits */
};

/* What an interface does to the packets that leave through it. Chances are in
 * millionths (1000000: always). */
struct rt_harm {
	uint64_t delay_ns;	/* added to every packet */
	uint64_t jitter_ns;	/* 0 .. jitter_ns more, evenly; order is kept */
	uint32_t loss, duplicate, reorder, corrupt;
	uint64_t reorder_ns;	/* how long a reordered packet is held back */
	bool mend_sums;		/* a corrupted packet gets right checksums */
	uint64_t rate_bps;	/* 0: no limit; counts bytes of IP packet */
	uint32_t queue;		/* bytes of IP packet that may wait for rate_bps */
	uint32_t drop_first, drop_every; /* exact losses: the first n; each n-th */
};

enum rt_toobig {
	RT_TOOBIG_TELL,		/* next-hop MTU as RFC 1191, 8201 want it */
	RT_TOOBIG_OLD,		/* fragmentation needed without an MTU (RFC 792) */
	RT_TOOBIG_LIE,		/* tells lie_mtu */
	RT_TOOBIG_SILENT,	/* a black hole */
};

enum rt_limit { RT_LIMIT_NONE, RT_LIMIT_KERNEL, RT_LIMIT_BUCKET };

struct rt_manners {
	bool silent;		/* never answers with an error */
	bool answer_all;	/* answers every packet with answer_type, answer_code */
	uint8_t answer_type, answer_code;
	uint32_t answer_mtu;	/* in such an answer, where the type has one */
	struct sky_addr answer_from4, answer_from6; /* instead of its own address */
	uint8_t limit;		/* enum rt_limit: of errors, per destination of them */
	uint32_t limit_burst;	/* RT_LIMIT_BUCKET */
	uint64_t limit_ns;	/* one more after so long */
	uint16_t quote4;	/* bytes quoted behind the IP header; 0: as much as the */
	uint16_t quote6;	/* RFCs allow (576 and 1280 bytes in all) */
	uint8_t labels;
	uint32_t label[RT_LABELS]; /* label << 12 | exp << 9 | ttl; RFC 4950 */
	bool tell_interface;	/* RFC 5837: index, address, MTU of the incoming one */
	bool copy_df;		/* echo replies carry the request's DF */
	bool quench;		/* source quench for what its queue drops (RFC 792) */
	bool reassemble;	/* whole packets before they go on */
	bool no_decrement;	/* TTL is left alone: a hop that hides */
	uint8_t ttl;		/* of its own packets; 0: 64 */
};

struct rt_iface {
	char name[16];
	uint8_t mac[6];
	uint16_t mtu;		/* largest IP packet that leaves here */
	uint16_t mru;		/* largest that is taken in; 0: any */
	uint8_t addrs;
	struct rt_net addr[RT_IFADDRS];
	struct rt_harm harm;
	uint8_t toobig;		/* enum rt_toobig, for what is too big for mtu */
	uint16_t lie_mtu;
	struct sky_addr answer_from4, answer_from6; /* of errors that go back this way */
	bool shown;		/* of io.h: captures see what leaves here; slower */
	bool nat;		/* source address and port become ours, IPv4 UDP, TCP
				 * and echo, for what leaves here */
};

enum rt_kind { RT_FORWARD, RT_UNREACHABLE, RT_PROHIBIT, RT_BLACKHOLE };
enum rt_balance { RT_BALANCE_FLOW, RT_BALANCE_PACKET };

struct rt_hop {
	uint8_t iface;
	struct sky_addr via;	/* unspecified: the destination itself */
};

struct rt_route {
	struct rt_net net;
	uint8_t kind, balance, hops;
	struct rt_hop hop[RT_HOPS];
};

struct rt_conf {
	uint64_t seed;		/* of every chance: the same seed, the same fate */
	uint16_t ifaces, routes;
	uint32_t buffers, ring;	/* of io.h: packets kept, frames of each receive
				 * ring (a power of two); 0: 16384, 4096 */
	struct rt_iface iface[RT_IFACES];
	struct rt_route route[RT_ROUTES]; /* connected nets need none */
	struct rt_manners manners;
};

/* --- the ledger -------------------------------------------------------- */

enum rt_did {
	RT_FORWARDED,
	RT_FRAGMENTED,		/* cut; its pieces have records of their own */
	RT_REASSEMBLED,		/* a piece was taken into a whole */
	RT_DELIVERED,		/* to the router itself */
	RT_NO_PORT,		/* which listens to nothing but echo requests */
	RT_ORIGINATED,		/* by the router itself: an error, an echo reply */
	RT_NEIGHBOUR,		/* ARP, neighbour discovery */
	RT_DUPLICATED, RT_REORDERED, RT_CORRUPTED, /* beside being forwarded */
	RT_LOST,		/* as told: loss */
	RT_QUEUE_FULL,
	RT_TTL, RT_TOO_BIG, RT_NO_ROUTE, RT_ROUTE_UNREACHABLE, RT_ROUTE_PROHIBIT,
	RT_ROUTE_BLACKHOLE, RT_NO_NEIGHBOUR, RT_ANSWERED_ALL, RT_BAD_HEADER,
	RT_TOO_LONG_IN,		/* larger than mru */
	RT_NOT_FOR_US,		/* another station's frame, or not IP */
	RT_REASSEMBLY_TIMEOUT,
	RT_ERROR_LIMITED, RT_ERROR_SILENT, /* an error that was not sent, and why */
	RT_NO_BUFFER,
	RT_DIDS
};

/* One packet at one moment: 96 bytes, host byte order, in shared memory. */
struct rt_record {
	uint64_t time_ns;	/* 0 while it is being written */
	uint64_t due_ns;	/* when it leaves; 0 if it does not */
	struct sky_addr src, dst; /* with ports, where the first piece told them */
	uint16_t len;		/* IP packet */
	uint16_t id;		/* IPv4 identification, low half of the IPv6 one */
	uint16_t off;		/* fragment offset, bytes */
	uint16_t mtu;		/* that was told or was too small */
	uint8_t proto, ttl;
	uint8_t in, out;	/* interfaces; 255: none */
	uint8_t did;		/* enum rt_did */
	uint8_t type, code;	/* of the error that was sent about it */
	uint8_t flags;		/* RT_REC_ANSWERED, RT_REC_DF */
};
enum { RT_REC_ANSWERED = 1, RT_REC_DF = 2, RT_REC_MORE = 4 };

/* Lies at the start of shared memory; records follow. Only the router writes. */
struct rt_ledger {
	uint32_t magic, size;	/* RT_MAGIC, sizeof(struct rt_record) */
	uint32_t slots;		/* power of two */
	uint32_t reserved;
	uint64_t count[RT_DIDS];
	uint64_t errors_sent;
	uint64_t ring_full, link_full;	/* frames the kernel lost before and behind us */
	uint64_t next;		/* records ever made; record i is in i % slots */
	struct rt_record record[];
};
#define RT_MAGIC 0x736b7972u

const char *rt_did_word(enum rt_did d);	/* "forwarded", "ttl", ... */

/* --- the engine -------------------------------------------------------- */

struct rt;

/* Bytes for a router of so many buffers, each for a frame of the largest MTU. */
size_t rt_room(const struct rt_conf *c, unsigned buffers);

/* mem: rt_room() bytes aligned for uint64_t, the caller's, and the ledger's
 * memory (slots records). c must stay. Returns the router, or NULL if c makes
 * no sense (*why then says it). */
struct rt *rt_init(void *mem, const struct rt_conf *c, unsigned buffers,
    struct rt_ledger *ledger, uint32_t slots, const char **why);

/* A frame of len bytes arrived at an interface. It may be changed in place, and
 * may be given out again by rt_output() without a copy. */
void rt_input(struct rt *r, unsigned iface, void *frame, size_t len, uint64_t now);

struct rt_frame {
	unsigned iface;
	const void *data;
	size_t len;
};

/* The next frame that is due; false if there is none. */
bool rt_output(struct rt *r, uint64_t now, struct rt_frame *out);
/* All frames given out so far are sent: their buffers are free again. */
void rt_recycle(struct rt *r);
/* When rt_output() has something next; RT_NEVER: not without input. */
uint64_t rt_deadline(const struct rt *r);

#endif
