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

#include <sockeye/addr.h>

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
	SKY_FATE_AT_LEAST = 1u << 3,	/* count is what is known for sure: more is possible */
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
