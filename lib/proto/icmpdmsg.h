/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpdmsg.h - what icmpd(8) and its clients say to each other.
 *
 * Over AF_UNIX SOCK_SEQPACKET; a message is one packet of at most
 * SKY_ICMPDMSG_MAX bytes, numbers big-endian:
 *
 *	u8 version (1)  u8 kind  u16 records  u32 length of the message
 *	records: each u16 its length (with these two bytes), then its members
 *
 * A reader skips what a record has behind the members it knows, and messages of
 * kinds it does not know; a record shorter than its members, a length that does
 * not add up or another version is an error. Addresses are u8 family (0, 4, 6),
 * u8 0, u16 port, then 4 bytes, or 16 and u32 scope.
 *
 * A client begins with HELLO and need not wait for the answer. Decoders take
 * bytes from strangers: nothing is believed, nothing is kept. Pure.
 */
#ifndef SKY_PROTO_ICMPDMSG_H
#define SKY_PROTO_ICMPDMSG_H

#include <sockeye/icmpd.h>
#include "base/rd.h"
#include "base/wr.h"

enum {
	SKY_ICMPDMSG_VERSION = 1,
	SKY_ICMPDMSG_MAX = 12288,	/* bytes of a message */
	SKY_ICMPDMSG_RECORDS = 32,	/* of a message */
	SKY_ICMPDMSG_HEAD = 8,
	SKY_ICMPDMSG_FATE_MAX = 256 + SKY_ICMPD_QUOTE, /* bytes of one record */
};

enum sky_icmpdmsg_kind {
	SKY_ICMPDMSG_HELLO = 1,		/* both: u32 SKY_ICMPDMSG_MAGIC, u32 flags (0) */
	SKY_ICMPDMSG_ADD,		/* client: struct sky_icmpdmsg_socket */
	SKY_ICMPDMSG_REMOVE,		/* client: as RESULT, errno 0 */
	SKY_ICMPDMSG_WATCH,		/* client: struct sky_icmpd_filter */
	SKY_ICMPDMSG_ASK,		/* client: pair: enum sky_icmpd_question, 0 */
	SKY_ICMPDMSG_RESULT,		/* daemon: u32 id, u64 cookie, u32 errno */
	SKY_ICMPDMSG_FATES,		/* daemon: struct sky_icmpdmsg_fate */
	SKY_ICMPDMSG_LOST,		/* daemon: pair: how many since the last such, 0 */
	SKY_ICMPDMSG_COUNTERS,		/* daemon: pairs: enum sky_icmpd_counter, value */
	SKY_ICMPDMSG_CLIENTS,		/* daemon: struct sky_icmpd_client */
	SKY_ICMPDMSG_DONE,		/* daemon: pair: kind of message answered, errno */
	SKY_ICMPDMSG_KINDS
};

/* A message being read. */
struct sky_icmpdmsg {
	uint8_t kind;			/* enum sky_icmpdmsg_kind, or a later one */
	uint16_t left;			/* records not yet read */
	struct sky_rd rd;
};

enum sky_icmpdmsg_socket_flag {
	SKY_ICMPDMSG_GROUP = 1u << 0,	/* it has SO_REUSEPORT */
};

struct sky_icmpdmsg_socket {
	uint32_t id;			/* the client's; comes back in fates */
	uint64_t cookie;		/* SO_COOKIE */
	uint8_t proto;			/* IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_TCP */
	uint8_t family;			/* of the socket: AF_INET, AF_INET6 */
	uint8_t flags;			/* enum sky_icmpdmsg_socket_flag */
	uint32_t ifindex;		/* it is bound to; 0: to none */
	struct sky_addr local;		/* port 0 or AF_UNSPEC: not bound yet */
	struct sky_addr remote;		/* AF_UNSPEC: not connected */
};

struct sky_icmpdmsg_result {
	uint32_t id;
	uint64_t cookie;
	int32_t err;			/* 0 or a negative errno */
};

struct sky_icmpdmsg_fate {
	uint32_t id;			/* SKY_ICMPDMSG_NO_ID: for a watcher */
	struct sky_icmpd_owner owner;
	struct sky_fate fate;		/* decoded: quote and ext lie in the message */
};
#define SKY_ICMPDMSG_NO_ID UINT32_MAX
#define SKY_ICMPDMSG_MAGIC UINT32_C(0x69636d70)	/* "icmp" */

/* Reading. open: 0, -EPROTONOSUPPORT for another version, -EBADMSG if the header
 * does not fit what is there. Each next: 1 and a record; 0 at the end, where
 * nothing may be left over; -EBADMSG. They may be called for their kind only. */
int sky_icmpdmsg_open(struct sky_icmpdmsg *m, const void *data, size_t len);
int sky_icmpdmsg_next_hello(struct sky_icmpdmsg *m, uint32_t *flags);
int sky_icmpdmsg_next_socket(struct sky_icmpdmsg *m, struct sky_icmpdmsg_socket *out);
int sky_icmpdmsg_next_result(struct sky_icmpdmsg *m, struct sky_icmpdmsg_result *out);
int sky_icmpdmsg_next_filter(struct sky_icmpdmsg *m, struct sky_icmpd_filter *out);
int sky_icmpdmsg_next_fate(struct sky_icmpdmsg *m, struct sky_icmpdmsg_fate *out);
int sky_icmpdmsg_next_client(struct sky_icmpdmsg *m, struct sky_icmpd_client *out);
/* ASK, LOST, COUNTERS, DONE: two u64; an errno is positive. */
int sky_icmpdmsg_next_pair(struct sky_icmpdmsg *m, uint64_t *a, uint64_t *b);

/* Writing: begin, records, end. A record that does not fit leaves the message as
 * it was and returns -ENOSPC; end returns the length of the message. */
struct sky_icmpdmsg_out {
	struct sky_wr wr;
	uint16_t records;
};
void sky_icmpdmsg_begin(struct sky_icmpdmsg_out *o, enum sky_icmpdmsg_kind kind,
    void *buf, size_t size);
int sky_icmpdmsg_put_hello(struct sky_icmpdmsg_out *o);
int sky_icmpdmsg_put_socket(struct sky_icmpdmsg_out *o, const struct sky_icmpdmsg_socket *s);
int sky_icmpdmsg_put_result(struct sky_icmpdmsg_out *o, const struct sky_icmpdmsg_result *r);
int sky_icmpdmsg_put_filter(struct sky_icmpdmsg_out *o, const struct sky_icmpd_filter *f);
/* More than SKY_ICMPD_QUOTE bytes of quote and extension are cut and marked. */
int sky_icmpdmsg_put_fate(struct sky_icmpdmsg_out *o, const struct sky_icmpdmsg_fate *f);
int sky_icmpdmsg_put_client(struct sky_icmpdmsg_out *o, const struct sky_icmpd_client *c);
int sky_icmpdmsg_put_pair(struct sky_icmpdmsg_out *o, uint64_t a, uint64_t b);
/* A record that was written before by a put: for queues. Returns 0 or -ENOSPC. */
int sky_icmpdmsg_put_record(struct sky_icmpdmsg_out *o, const void *record, size_t len);
size_t sky_icmpdmsg_end(struct sky_icmpdmsg_out *o);

#endif
