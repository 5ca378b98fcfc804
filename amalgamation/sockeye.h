/* SPDX-License-Identifier: BSD-2-Clause */
/* libsockeye 0.1.0 in one file. */
/* --- include/sockeye/sockeye.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* sockeye.h - all of libsockeye. */
#ifndef SOCKEYE_SOCKEYE_H
#define SOCKEYE_SOCKEYE_H

/* --- include/sockeye/addr.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr.h - the address and port of one end of a datagram.
 *
 * A value: copy it, compare it, keep it. IPv4 is always plain IPv4; an address
 * that the kernel hands over as v4-mapped (::ffff:1.2.3.4) is unmapped on the
 * way in and mapped again only on the way into an IPv6 socket. Nothing here
 * asks a name server, allocates or touches errno.
 */
#ifndef SOCKEYE_ADDR_H
#define SOCKEYE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 28 bytes. sa.sa_family is AF_UNSPEC (all bytes zero), AF_INET or AF_INET6;
 * port and address are in network byte order, as in the structs they mirror. */
struct sky_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
};

/* Room for the longest text sky_addr_format() writes, with its NUL:
 * "[", 45 of address, "%", 10 of interface index, "]:", 5 of port; and more. */
#define SKY_ADDRSTRLEN 72

/* Reads "192.0.2.1", "192.0.2.1:53", the older "192.0.2.1.53" (five numbers),
 * "2001:db8::1", "[2001:db8::1]:53", "fe80::1%eth0". Port 0 if none is given.
 * Returns 0, -EINVAL if the text is none of these, -ERANGE for a port above
 * 65535, -ENODEV for an interface that does not exist. */
int sky_addr_parse(struct sky_addr *a, const char *text);

/* From the kernel's form; unmaps v4-mapped. Returns 0, or -EAFNOSUPPORT. */
int sky_addr_from(struct sky_addr *a, const struct sockaddr *sa, socklen_t len);

/* Writes the address as a socket of the given family needs it (an IPv4 address
 * for AF_INET6 becomes v4-mapped). Returns the length, or -EAFNOSUPPORT. */
int sky_addr_to(const struct sky_addr *a, int family, struct sockaddr_storage *out);

/* "192.0.2.1:53", "[2001:db8::1]:53"; without a port when it is 0; "-" when
 * unspecified; a scope as the number of the interface ("fe80::1%2"), because
 * only the kernel knows its name. Always ends with a NUL; returns buf. */
char *sky_addr_format(const struct sky_addr *a, char *buf, size_t size);

/* The same without the port: "192.0.2.1", "fe80::1%2". */
char *sky_addr_format_host(const struct sky_addr *a, char *buf, size_t size);

int sky_addr_family(const struct sky_addr *a);
uint16_t sky_addr_port(const struct sky_addr *a);	/* host byte order */
void sky_addr_set_port(struct sky_addr *a, uint16_t port);
socklen_t sky_addr_len(const struct sky_addr *a);

/* Same family, address, port and scope (a scope of 0 equals any). */
bool sky_addr_equal(const struct sky_addr *a, const struct sky_addr *b);
/* The same without the port. */
bool sky_addr_same_host(const struct sky_addr *a, const struct sky_addr *b);
/* A number for hash tables: equal addresses have equal hashes (scope left out). */
uint32_t sky_addr_hash(const struct sky_addr *a);

bool sky_addr_is_any(const struct sky_addr *a);		/* 0.0.0.0, :: */
bool sky_addr_is_multicast(const struct sky_addr *a);
bool sky_addr_is_link_local(const struct sky_addr *a);
bool sky_addr_is_loopback(const struct sky_addr *a);

#ifdef __cplusplus
}
#endif
#endif

/* --- include/sockeye/fate.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fate.h - what became of a datagram: the one record of this project.
 *
 * Every reporter (a reply, the error queue, icmpd, a capture, a kernel event, a
 * counter, the return value of a send) is decoded into struct sky_fate, and
 * every program is a choice of reporters and a choice of view. The words, their
 * sentences and what to do about each are one table, printed in fates(7).
 * Pure: no system call, no clock, no allocation.
 */
#ifndef SOCKEYE_FATE_H
#define SOCKEYE_FATE_H



#ifdef __cplusplus
extern "C" {
#endif

/* What happened. Only grows; the JSON words (sky_fate_word) never change. */
enum sky_what {
	SKY_NOTHING,		/* no record */
	SKY_ANSWERED,
	SKY_SENT,		/* left this program; no news */
	SKY_SILENT,		/* nothing came by the deadline although expected */
	/* from the network */
	SKY_REFUSED,
	SKY_NO_PROTOCOL,
	SKY_HOST_UNREACHABLE,
	SKY_NET_UNREACHABLE,
	SKY_FILTERED,
	SKY_TOO_BIG,
	SKY_HOP_LIMIT,
	SKY_REASSEMBLY_TIMEOUT,
	SKY_BAD_HEADER,
	SKY_QUENCHED,
	SKY_UNREACHABLE,
	/* from this host */
	SKY_NO_ROUTE,
	SKY_NO_NEIGHBOUR,
	SKY_DENIED,
	SKY_FILTERED_LOCAL,
	SKY_DROPPED_SENDING,
	SKY_DROPPED_RECEIVING,
	SKY_BAD_CHECKSUM,
	SKY_NO_SOCKET,
	SKY_NO_MEMORY,
	/* of what arrived */
	SKY_TRUNCATED,
	SKY_DUPLICATED,
	SKY_REORDERED,
	SKY_LATE,
	SKY_CORRUPTED,
	SKY_UNREAD,
	SKY_STRAY,
	SKY_WHATS		/* how many there are */
};

/* How the words of one datagram go together. */
enum sky_class {
	SKY_CLASS_FINAL,	/* each datagram ends with exactly one of these */
	SKY_CLASS_NOTE,		/* something else that is also true of it */
	SKY_CLASS_LOCAL,	/* final, and this host did it */
};

/* Who reported it. */
enum sky_evidence {
	SKY_BY_NOBODY,
	SKY_BY_REPLY,		/* a datagram came back */
	SKY_BY_QUEUE,		/* the socket's error queue */
	SKY_BY_ICMPD,
	SKY_BY_CAPTURE,
	SKY_BY_KERNEL,		/* a kernel event: a drop and its reason */
	SKY_BY_COUNTER,		/* a counter moved */
	SKY_BY_CALL,		/* the send or receive call itself returned it */
	SKY_BY_DEADLINE,	/* nobody: time ran out */
	SKY_EVIDENCES
};

/* May it be believed? An error is only a hint until the part of the datagram
 * that it quotes is recognised as one that was really sent. */
enum sky_trust {
	SKY_TRUST_UNKNOWN,	/* nobody compared */
	SKY_TRUST_MATCHED,
	SKY_TRUST_MISMATCH,	/* quotes something that was not sent */
	SKY_TRUST_SHORT,	/* quotes too little to tell */
};

/* Where an entry of the error queue came from; the kernel's numbers. */
enum sky_origin {
	SKY_ORIGIN_NONE,
	SKY_ORIGIN_LOCAL,
	SKY_ORIGIN_ICMP,
	SKY_ORIGIN_ICMP6,
	SKY_ORIGIN_TIMESTAMP,	/* a transmit time stamp: not an error */
	SKY_ORIGIN_ZEROCOPY,	/* a zero-copy completion: not an error */
	SKY_ORIGIN_TXTIME,	/* a missed transmit time */
};

/* Which members of a struct sky_fate mean something beside those that always
 * do (what, evidence, trust, origin, proto). No magic values. */
enum sky_fate_have {
	SKY_HAVE_ICMP = 1u << 0,	/* icmp_type, icmp_code */
	SKY_HAVE_DST = 1u << 1,		/* dst; its port is 0 if not known */
	SKY_HAVE_SRC = 1u << 2,		/* src */
	SKY_HAVE_BY = 1u << 3,		/* by */
	SKY_HAVE_MTU = 1u << 4,		/* mtu as told, which may be 0 or nonsense */
	SKY_HAVE_POINTER = 1u << 5,	/* pointer */
	SKY_HAVE_SEQ = 1u << 6,		/* seq */
	SKY_HAVE_TAG = 1u << 7,		/* tag */
	SKY_HAVE_LEN = 1u << 8,		/* len */
	SKY_HAVE_TIME = 1u << 9,	/* time_ns */
	SKY_HAVE_HOP = 1u << 10,	/* hop */
	SKY_HAVE_IFINDEX = 1u << 11,	/* ifindex */
	SKY_HAVE_RTT = 1u << 12,	/* rtt_ns */
	SKY_HAVE_FULL_LEN = 1u << 13,	/* full_len */
	SKY_HAVE_PID = 1u << 14,	/* pid */
	SKY_HAVE_ID = 1u << 15,		/* id: first word of a time stamp's or zero-copy range */
};

enum sky_fate_flag {
	SKY_FATE_QUOTE_CUT = 1u << 0,	/* more was quoted than there was room for */
	SKY_FATE_EXT_BAD = 1u << 1,	/* RFC 4884 extension with a bad checksum or length */
	SKY_FATE_OWN = 1u << 2,		/* `by` is an address of this host */
};

struct sky_fate {
	uint32_t size;			/* sizeof(struct sky_fate) of the filler */
	uint32_t have;			/* enum sky_fate_have */
	uint32_t flags;			/* enum sky_fate_flag */
	uint8_t what;			/* enum sky_what */
	uint8_t evidence;		/* enum sky_evidence */
	uint8_t trust;			/* enum sky_trust */
	uint8_t origin;			/* enum sky_origin */
	uint8_t proto;			/* IPPROTO_UDP, ... of the datagram */
	uint8_t icmp_type, icmp_code;
	uint8_t hop;			/* TTL or hop limit with which the report arrived */
	int32_t err;			/* errno that the kernel gave, positive, or 0 */
	struct sky_addr dst;		/* where the datagram was going */
	struct sky_addr src;		/* the local end it left from */
	struct sky_addr by;		/* who said so; port 0 */
	uint32_t ifindex;		/* the report arrived here */
	uint32_t mtu;			/* next-hop MTU, bytes of IP packet */
	uint32_t pointer;		/* parameter problem: offset of the fault */
	uint32_t pid;
	uint32_t len;			/* bytes of payload sent or received */
	uint32_t full_len;		/* what it really was, when it was cut */
	uint64_t time_ns;		/* CLOCK_REALTIME, when it was learnt */
	uint64_t rtt_ns;
	uint64_t seq;			/* which datagram, if that is known */
	uint64_t tag;			/* the caller's own mark */
	uint64_t id;
	uint64_t count;			/* how many datagrams; 0 means 1 */
	const void *quote;		/* payload quoted, in the caller's buffer, or NULL */
	uint32_t quote_len;
	const void *ext;		/* RFC 4884 extension structure, or NULL */
	uint32_t ext_len;
	uint32_t reserved[4];
};

/* The stable word ("refused", "no-route", ...); "nothing" if out of range. */
const char *sky_fate_word(enum sky_what what);
/* The word back to its number; SKY_NOTHING if there is none. */
enum sky_what sky_fate_from_word(const char *word);
/* A short sentence for a person, and what to do about it. */
const char *sky_fate_sentence(enum sky_what what);
const char *sky_fate_advice(enum sky_what what);
enum sky_class sky_fate_class(enum sky_what what);
/* True if a datagram that has final fate b and now gets a ends with a. */
bool sky_fate_beats(enum sky_what a, enum sky_what b);
/* True for a fate that makes an exit status of 3. */
bool sky_fate_is_bad(enum sky_what what);

const char *sky_evidence_word(enum sky_evidence e);	/* "reply", "queue", ... */
const char *sky_trust_word(enum sky_trust t);	/* "unknown", "matched", ... */

/* One row of the ICMP table: what a type and code mean for the datagram that
 * is quoted (RFC 792, 1122, 1812, 4443) and what Linux makes of it. */
struct sky_icmp_row {
	uint8_t type, code;
	uint8_t code_last;		/* the row covers code .. code_last */
	uint8_t what;			/* enum sky_what */
	int16_t err_connected;		/* errno on a connected UDP socket without
					 * an error queue; 0: nothing is seen */
	int16_t err_queue;		/* errno in the error queue; 0: nothing */
	const char *name;		/* "port unreachable" */
	uint8_t type_last;		/* and type .. type_last */
};

/* What Linux does depends on the socket's path MTU mode for 3/4 and 2/0 alone:
 * err_connected and err_queue hold for SKY_PMTU_WANT, _DO and _PROBE. 3/4 with
 * _DONT: nothing is seen. 2/0 with _DONT: the error queue alone; with
 * _INTERFACE and _OMIT: nothing. A plain unconnected socket sees no row at all.
 * Rows that the kernel never gives to a UDP socket (both errnos 0) are for
 * captures and raw sockets. Redirects say nothing about a datagram's fate. */

/* The row for an ICMP (AF_INET) or ICMPv6 (AF_INET6) error, or NULL if the
 * message is not an error about a datagram. */
const struct sky_icmp_row *sky_icmp_find(int family, uint8_t type, uint8_t code);
/* Row i of a family's table, NULL past the end: for manuals and tests. */
const struct sky_icmp_row *sky_icmp_row(int family, size_t i);

/* Sets what from origin, type, code, errno, by, dst and flags; returns it.
 * With SKY_HAVE_ICMP the ICMP table decides (family by origin, else by dst or
 * by), but set SKY_FATE_OWN first if `by` is an address of this host: then
 * host-unreachable is no-neighbour, and any other verdict about a datagram for
 * another host is the work of this host's own filter (filtered-local) or
 * routes (no-route). Without type and code, errno decides: as from an ICMP
 * error that a plain socket returned if origin is one of ICMP, else as
 * sky_fate_from_errno(). Time stamps and completions are SKY_NOTHING. */
enum sky_what sky_fate_classify(struct sky_fate *f);
/* What a send or connect that returned this (positive) errno means when the
 * errno is its own, not that of an earlier datagram; SKY_NOTHING for 0. EAGAIN
 * means dropped-sending: ask only when the datagram is given up. */
enum sky_what sky_fate_from_errno(int err);

/* Compares the quote with what was sent at offset off of the payload (0: from
 * its first byte); sets and returns trust. Fewer than min(len - off, 4) bytes
 * quoted is SKY_TRUST_SHORT, unless what was sent was empty. */
enum sky_trust sky_fate_vouch(struct sky_fate *f, const void *sent, size_t len, size_t off);

/* One sentence, no newline: "refused, port unreachable, says 192.0.2.7", "too
 * big, path MTU 1300, says 192.0.2.1". Stable wording, no locale. Always ends
 * with a NUL; returns the length it would have had, as snprintf. It is
 *   what [(ERRNO)] [", " detail] [", says " who] [", " doubt] [", N datagrams"]
 * and fates(7) has the whole grammar. */
int sky_fate_explain(const struct sky_fate *f, char *buf, size_t size);

#ifdef __cplusplus
}
#endif
#endif

/* --- include/sockeye/ledger.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - the book-keeping of fates: the only place a summary comes from.
 *
 * Tell it what was sent and every fate that was learnt; ask it what is still
 * open, and for a row per destination. It promises that per destination the
 * final fates sum to what was sent, that one event told by two reporters counts
 * once, and that notes (truncated, late, ...) are counted beside the finals.
 * Pure: times come from the caller, memory too; nothing is allocated.
 *
 * Datagrams are told apart by destination and seq when the caller knows it. A
 * fate without a seq settles the oldest open datagram of its destination. Only
 * the newest `recent` datagrams are held one by one; older ones are kept as
 * counts (a late event still moves one of that destination's count from
 * `sent`).
 * One reporter repeating an event of a destination means another datagram; two
 * reporters saying the same mean one: per (destination, what, by, type, code)
 * the count is the largest that any one evidence reached, not the sum. With a
 * seq, the same (seq, what) is one event, whoever tells it and how often; a
 * second reply to one datagram is a `duplicated`.
 *
 * When a datagram that has a final fate gets another, sky_fate_beats() decides
 * which stays; `silent` that is beaten notes `late`. Without a seq and with
 * nothing open, a fate first takes a silent datagram, then a quenched one, then
 * one with missing fragments; a first reply also takes one of any other fate,
 * in the order of enum sky_what. What then is left over, three errors for two
 * datagrams, is noted: a reply as `duplicated`, all else as `stray`.
 *
 * Replies to a datagram for a group or broadcast address: set dst of the fate
 * to that address and by to who replied. The first answers it, the others are
 * `duplicated`, each in the row of its own.
 * Every call takes constant time, but for sent_many (at most `recent`), close
 * and total.
 */
#ifndef SOCKEYE_LEDGER_H
#define SOCKEYE_LEDGER_H



#ifdef __cplusplus
extern "C" {
#endif

struct sky_ledger {
	uint64_t opaque[64];
};

/* Bytes of room for so many destinations, rows (see struct sky_ledger_row) and
 * recent datagrams. */
size_t sky_ledger_room(unsigned dests, unsigned rows, unsigned recent);

/* room stays the caller's, aligned for uint64_t, and must outlive the ledger.
 * Returns 0, or -EINVAL if size is less than sky_ledger_room() says. */
int sky_ledger_init(struct sky_ledger *l, void *room, size_t size,
    unsigned dests, unsigned rows, unsigned recent);

/* A datagram was handed to the kernel at time_ns, which took it.
 * Returns 0, or -ENOSPC: no room for another destination; it is counted in the
 * totals and in `overflow` all the same. */
int sky_ledger_sent(struct sky_ledger *l, const struct sky_addr *dst,
    uint64_t seq, uint64_t time_ns);

/* The same for n datagrams to one destination with sequence numbers seq ..
 * seq + n - 1, at one moment. */
int sky_ledger_sent_many(struct sky_ledger *l, const struct sky_addr *dst,
    uint64_t seq, uint64_t n, uint64_t time_ns);

/* n datagrams came from src that answer nothing: a server's clients. Counts
 * `received`. Returns 0, or -ENOSPC as sky_ledger_sent(). */
int sky_ledger_heard(struct sky_ledger *l, const struct sky_addr *src, uint64_t n);

/* A fate was learnt. What a call itself refused (SKY_BY_CALL, class
 * SKY_CLASS_LOCAL or too-big, origin not ICMP) counts as sent too: call this
 * alone for a datagram the kernel did not take. An error that a plain socket's
 * call returned for an earlier datagram has origin ICMP. For SKY_ANSWERED, f->rtt_ns is used if SKY_HAVE_RTT, else it is computed from
 * f->time_ns and the time of sending, and stored in f (with SKY_HAVE_RTT), as
 * is seq when the datagram could be told. f->count above 1 is that many events
 * without a seq. SKY_SENT and SKY_NOTHING are ignored.
 * A fate about a destination that was never sent to, or with
 * SKY_TRUST_MISMATCH, is counted as a stray and settles nothing. dst without a
 * port finds a destination of that host. Without dst, a local fate is a loss of
 * what was on its way to this host and is counted in `lost` of the total; a
 * note in its counts; all else is a stray there.
 * Returns 1 if it is news, 0 if it had been told, -ENOSPC if there was no room
 * for its row: then it is in the sums alone, and in `overflow`. */
int sky_ledger_take(struct sky_ledger *l, struct sky_fate *f);

/* How many datagrams have no final fate but `sent`. */
uint64_t sky_ledger_open(const struct sky_ledger *l);

/* The end: what is open becomes `silent` if an answer was expected, else stays
 * `sent`. */
void sky_ledger_close(struct sky_ledger *l, bool answer_expected);

/* A destination's sums, in order of first use. counts[] of all whats that are
 * final sum to sent at any moment; counts[] holds notes as well. */
struct sky_ledger_dest {
	struct sky_addr dst;
	uint64_t sent;			/* everything this program tried to send there */
	uint64_t received;		/* replies, duplicates included */
	uint64_t counts[SKY_WHATS];
	uint64_t rtts;			/* how many round trips were measured */
	uint64_t rtt_min_ns, rtt_mean_ns, rtt_max_ns;
	uint64_t lost[SKY_WHATS];	/* in the total: lost by this host on the way
					 * in, of unknown senders; not in counts */
};

/* Who said what about a destination, and how often. */
struct sky_ledger_row {
	unsigned dest;			/* index of its destination */
	uint64_t count;
	struct sky_fate last;		/* the newest record; quote and ext are NULL */
	uint8_t what;			/* what it counts as: a fate that is not
					 * believed is a stray, whatever last says */
};

unsigned sky_ledger_dests(const struct sky_ledger *l);
unsigned sky_ledger_rows(const struct sky_ledger *l);
/* Return 0, or -ENOENT past the end. */
int sky_ledger_dest(const struct sky_ledger *l, unsigned i, struct sky_ledger_dest *out);
int sky_ledger_row(const struct sky_ledger *l, unsigned i, struct sky_ledger_row *out);
/* Sums over all destinations, overflow included; dst is unspecified. */
void sky_ledger_total(const struct sky_ledger *l, struct sky_ledger_dest *out);
/* Events that found no room for a row or destination of their own. */
uint64_t sky_ledger_overflow(const struct sky_ledger *l);

#ifdef __cplusplus
}
#endif
#endif

/* --- include/sockeye/udp.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.h - a UDP socket that reports what became of its datagrams.
 *
 * Three streams that are never mixed: data in (sky_udp_recv), data out
 * (sky_udp_send), and fates (sky_udp_errors). An asynchronous error never comes
 * out of the first two, and never costs another datagram.
 *
 * The caller owns the descriptor's life, the buffers, the message arrays and
 * the memory of the handle. No call blocks, allocates, logs, aborts, raises a
 * signal or touches errno; each returns a count or a negative errno value.
 *
 * Any event loop works: wait for sky_udp_fd() to be readable or in error, but
 * ask sky_udp_pending() before sleeping, then call sky_udp_recv() and
 * sky_udp_errors() until both return 0. Right with level and edge triggering.
 *
 * One thread may receive (recv, errors) while another sends. Everything else
 * on one handle needs the caller's lock. Handles are independent.
 *
 * The whole contract is in libsockeye(3).
 */
#ifndef SOCKEYE_UDP_H
#define SOCKEYE_UDP_H


#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque, of fixed size, checked at open. Zero it or not as you like. */
#define SKY_UDP_WORDS 1024
struct sky_udp {
	uint64_t opaque[SKY_UDP_WORDS];
};

/* What to learn about each datagram received, beside its sender. */
enum sky_want {
	SKY_WANT_LOCAL = 1u << 0,	/* address it was sent to, interface */
	SKY_WANT_TTL = 1u << 1,
	SKY_WANT_TOS = 1u << 2,
	SKY_WANT_TIME = 1u << 3,	/* kernel's receive time, ns */
	SKY_WANT_FRAGSIZE = 1u << 4,	/* largest fragment, if it came in pieces */
	SKY_WANT_DROPS = 1u << 5,	/* drop count carried by each datagram */
};

enum sky_udp_flag {
	/* No error queue: the socket behaves as a plain one, and a pending error
	 * comes back from the next send or recv. For showing what that is like. */
	SKY_UDP_PLAIN = 1u << 0,
	SKY_UDP_REUSEADDR = 1u << 1,
	SKY_UDP_REUSEPORT = 1u << 2,
	SKY_UDP_V6ONLY = 1u << 3,
	SKY_UDP_BROADCAST = 1u << 4,
	SKY_UDP_GRO = 1u << 5,		/* receive trains; buffers of 64 KiB needed */
	SKY_UDP_NO_GSO = 1u << 6,	/* never ask the kernel to segment */
	SKY_UDP_MULTICAST_ALL = 1u << 7, /* groups joined by other sockets too */
	SKY_UDP_DONTROUTE = 1u << 8,
	SKY_UDP_FREEBIND = 1u << 9,
	SKY_UDP_LOCAL_TWICE = 1u << 10,	/* deliver local errors by errors() too */
};

/* Path MTU discovery, IP_MTU_DISCOVER; 0 leaves the system's default. */
enum sky_pmtu {
	SKY_PMTU_DEFAULT,
	SKY_PMTU_DONT,		/* no DF: routers fragment */
	SKY_PMTU_WANT,		/* DF, fragment here once the path MTU is known */
	SKY_PMTU_DO,		/* DF, refuse what is larger than the path MTU */
	SKY_PMTU_PROBE,		/* DF, ignore the path MTU */
	SKY_PMTU_INTERFACE,	/* ignore errors, refuse above the interface MTU */
	SKY_PMTU_OMIT,		/* ignore errors, fragment above the interface MTU */
};

struct sky_udp_conf {
	uint32_t size;			/* sizeof(struct sky_udp_conf) */
	uint32_t want;			/* enum sky_want */
	uint32_t flags;			/* enum sky_udp_flag */
	int family;			/* AF_UNSPEC: of local, else of peer, else
					 * AF_INET6 serving both families */
	const struct sky_addr *local;	/* bind to; NULL: any address, any port */
	const struct sky_addr *peer;	/* connect to; NULL: unconnected */
	const char *device;		/* SO_BINDTODEVICE, or NULL */
	int rcvbuf, sndbuf;		/* bytes to ask for; 0: the default */
	int pmtu;			/* enum sky_pmtu */
	int ttl;			/* 1..255; 0: the default */
	int tos;			/* 0..255 */
	void *room;			/* for drained errors and refused offloads */
	size_t room_size;		/* see SKY_UDP_ROOM; must outlive the handle */
	uint32_t reserved[8];
};

/* Bytes of room that hold n drained errors with up to 256 bytes of quote each.
 * Without room the handle holds 8 of them itself. Align for uint64_t. */
#define SKY_UDP_SLOT 512
#define SKY_UDP_ROOM(n) ((size_t)(n) * SKY_UDP_SLOT)

/* One datagram, or with seg one train of equal datagrams (the last may be
 * shorter) lying behind each other. */
enum sky_msg_have {
	SKY_MSG_PEER = 1u << 0,
	SKY_MSG_LOCAL = 1u << 1,	/* local and ifindex */
	SKY_MSG_TTL = 1u << 2,
	SKY_MSG_TOS = 1u << 3,
	SKY_MSG_TIME = 1u << 4,
	SKY_MSG_FRAGSIZE = 1u << 5,
	SKY_MSG_DROPS = 1u << 6,
	SKY_MSG_IFINDEX = 1u << 7,	/* sending: pin this interface */
	SKY_MSG_MTU = 1u << 8,		/* status is -EMSGSIZE and the MTU is known */
};

enum sky_msg_flag {
	SKY_MSG_TRUNC = 1u << 0,	/* full_len is the real length */
	SKY_MSG_CTRUNC = 1u << 1,	/* some of `have` is missing for want of room */
	SKY_MSG_GROUP = 1u << 2,	/* sent to a broadcast or multicast address */
};

struct sky_msg {
	void *data;		/* sending: not written to */
	size_t cap;		/* receiving: room at data */
	size_t len;		/* bytes at data: to send, or received */
	size_t full_len;	/* received: the real length, len or more */
	uint32_t seg;		/* 0: one datagram; else bytes of each in the train */
	uint32_t have;		/* enum sky_msg_have */
	uint32_t flags;		/* enum sky_msg_flag */
	int32_t status;		/* sent: 0, or a negative errno of its own */
	struct sky_addr peer;	/* to (if SKY_MSG_PEER), or from */
	struct sky_addr local;	/* from (if SKY_MSG_LOCAL), or to; port 0 when
				 * sending, the socket's own is used */
	uint32_t ifindex;
	uint8_t ttl, tos;	/* sending: used if in have */
	uint16_t reserved;
	uint32_t fragsize;	/* bytes of IP packet */
	uint32_t mtu;		/* bytes of IP packet */
	uint32_t drops;		/* kernel's counter when this was queued, mod 2^32 */
	uint64_t time_ns;	/* CLOCK_REALTIME */
	uint64_t tag;		/* the caller's */
};

/* Opens, sets, binds, connects. An option the kernel lacks is recorded in the
 * info call, not fatal. Returns 0 or a negative errno: -EINVAL for a conf whose
 * size or values make no sense, -EAFNOSUPPORT for local and peer of different
 * families, or what socket, bind or connect said. c may be NULL. */
int sky_udp_open(struct sky_udp *u, const struct sky_udp_conf *c);

/* Takes a descriptor that exists; family, v6only and peer are asked of it;
 * local and peer of c must be NULL. c may be NULL. The descriptor is made
 * non-blocking for our calls only by MSG_DONTWAIT, its flags stay as they are.
 * Returns 0, -ENOTSOCK, -EPROTOTYPE if it is not UDP. */
int sky_udp_adopt(struct sky_udp *u, int fd, const struct sky_udp_conf *c);

int sky_udp_fd(const struct sky_udp *u);
/* All descriptors to watch (one now; two when icmpd is the second reporter).
 * Returns how many. */
int sky_udp_fds(const struct sky_udp *u, int fds[2]);
/* Closes the descriptor (also an adopted one) / gives it back, undoing nothing. */
void sky_udp_close(struct sky_udp *u);
int sky_udp_release(struct sky_udp *u);

/* Receives up to n datagrams or trains into m[]. Returns how many, 0 when there
 * is nothing to read; a negative errno only for a fault of the call. Each m[i]
 * needs data and cap. A zero-length datagram is one with len 0. */
int sky_udp_recv_stride(struct sky_udp *u, struct sky_msg *m, unsigned n, size_t stride);
#define sky_udp_recv(u, m, n) sky_udp_recv_stride((u), (m), (n), sizeof(struct sky_msg))

/* Sends m[0..n-1] in order. Returns r: m[0..r-1] are settled, each with its
 * status; m[r..] were not attempted because the socket's buffer is full (wait
 * until writable). A train that the kernel refuses to segment goes out as
 * single datagrams in the same call. -EAGAIN when nothing could be tried. */
int sky_udp_send_stride(struct sky_udp *u, struct sky_msg *m, unsigned n, size_t stride);
#define sky_udp_send(u, m, n) sky_udp_send_stride((u), (m), (n), sizeof(struct sky_msg))

/* Drop-in for sendto(2) and recvfrom(2) on an adopted socket: the length, or a
 * negative errno (-EAGAIN when it would block); dst NULL sends to the peer. */
ssize_t sky_udp_sendto(struct sky_udp *u, const void *data, size_t len, const struct sky_addr *dst);
ssize_t sky_udp_recvfrom(struct sky_udp *u, void *data, size_t cap, struct sky_addr *src);

/* Walks a train: false at the end, else *at and *len are the next datagram.
 * Start with *off = 0. A zero-length datagram is visited once. */
bool sky_msg_next(const struct sky_msg *m, size_t *off, const void **at, size_t *len);

/* Fates that were learnt: ICMP errors, and what else the error queue holds
 * (origin tells). Quotes and extensions are put into buf and pointed at by the
 * records. Returns how many, 0 when there are no more. */
int sky_udp_errors(struct sky_udp *u, struct sky_fate *f, unsigned n, void *buf, size_t size);

/* Errors waiting in the handle because a send or receive had to drain them: the
 * kernel raises nothing more for these. */
unsigned sky_udp_pending(const struct sky_udp *u);

/* out becomes an empty answer to in: to its sender, from the address it was
 * sent to; the interface is pinned only for link-local and group addresses.
 * The caller sets data and len. Returns 0, or -EINVAL without a peer. */
int sky_udp_reply(struct sky_msg *out, const struct sky_msg *in);

/* Membership; source NULL for any source. ifindex 0 is the interface of the
 * route to the group. Returns 0 or a negative errno. */
int sky_udp_join(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source, unsigned ifindex);
int sky_udp_leave(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source, unsigned ifindex);

enum sky_udp_opt {
	SKY_SET_TTL,		/* unicast, 1..255 */
	SKY_SET_TOS,
	SKY_SET_MULTICAST_TTL,
	SKY_SET_RCVBUF,		/* bytes; forced past rmem_max where allowed */
	SKY_SET_SNDBUF,
	SKY_SET_PMTU,		/* enum sky_pmtu */
	SKY_SET_GSO,		/* 0 off, 1 on (forgets refusals) */
	SKY_SET_ERRORS,		/* 0 off (queue is purged), 1 on */
	SKY_SET_BROADCAST,
	SKY_SET_MULTICAST_IF,	/* interface index */
	SKY_SET_NO_CHECKSUM,	/* IPv4: send with a checksum of zero */
	SKY_SET_GSO_MEMORY_MS,	/* how long a refusal is remembered; 60000 */
};
/* Returns 0, -EINVAL, -ENOPROTOOPT if the kernel has no such option, -EPERM. */
int sky_udp_set(struct sky_udp *u, enum sky_udp_opt what, int64_t value);

/* What is in force, and why not. */
enum sky_cap {
	SKY_CAP_ERRORS4, SKY_CAP_ERRORS6, SKY_CAP_RFC4884, SKY_CAP_LOCAL,
	SKY_CAP_TTL, SKY_CAP_TOS, SKY_CAP_TIME, SKY_CAP_FRAGSIZE, SKY_CAP_DROPS,
	SKY_CAP_GSO, SKY_CAP_GRO, SKY_CAP_MEMINFO,
	SKY_CAPS
};
struct sky_udp_info {
	uint32_t size;			/* set by the caller: sizeof */
	int32_t cap[SKY_CAPS];		/* 1 in force, 0 not asked, negative errno: why not */
	int32_t family;
	bool connected, v6only;
	struct sky_addr local, peer;
	uint32_t rcvbuf, sndbuf;	/* as the kernel accounts them, bytes */
	uint32_t rcvbuf_used;
	uint64_t rx, tx;		/* datagrams, trains counted by their parts */
	uint64_t rx_truncated;
	uint64_t rx_drops;		/* by the kernel, for want of room; 64 bit */
	uint64_t errors;		/* fates delivered or waiting */
	uint64_t errors_lost;		/* no room in the handle for them */
	uint64_t errors_maybe_lost;	/* times the receive buffer was so full that
					 * the kernel may have dropped errors */
	uint64_t retries;		/* sends and receives repeated after a stale error */
	uint64_t gso_trains, gso_refused;
	uint64_t enobufs, eperm;	/* datagrams refused by the queue, by a filter */
};
/* Asks the kernel now (SO_MEMINFO). Returns 0 or a negative errno. */
int sky_udp_info(struct sky_udp *u, struct sky_udp_info *out);
const char *sky_cap_word(enum sky_cap c);

/* Family, type, protocol, local and peer address of any descriptor: inherited,
 * passed or one's own. Returns 0 or -ENOTSOCK, -EBADF. */
struct sky_fd {
	int family, type, protocol;
	bool connected;
	struct sky_addr local, peer;
};
int sky_fd_ask(int fd, struct sky_fd *out);

/* The largest payload that one datagram of a family carries (65507, 65527). */
size_t sky_udp_payload_max(int family);

/* True while the neighbour entry of the next hop towards dst is unresolved: a
 * verdict (no-neighbour) is still to come, up to about 3 s after the first
 * datagram. Asks the kernel by netlink. False if it cannot tell. */
bool sky_neighbour_unresolved(const struct sky_addr *dst);

#ifdef __cplusplus
}
#endif
#endif

/* --- include/sockeye/version.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* version.h - which libsockeye this is. */
#ifndef SOCKEYE_VERSION_H
#define SOCKEYE_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0", of the library that runs, not of the headers; static. */
const char *sky_version(void);

#ifdef __cplusplus
}
#endif
#endif


#endif
