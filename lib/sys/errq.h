/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errq.h - the socket's error queue, entry by entry.
 *
 * Both families, every origin: local errors, ICMP, ICMPv6, transmit time
 * stamps, zero-copy completions, missed transmit times. Nothing is judged here.
 */
#ifndef SKY_SYS_ERRQ_H
#define SKY_SYS_ERRQ_H

#include <sockeye/addr.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Entries fetched with one call, and bytes of quote kept of each: Linux routers
 * quote 520 bytes (IPv4) and 1184 (IPv6). */
#define SKY_ERRQ_BATCH 16
#define SKY_ERRQ_DATA 1280

enum sky_errq_flag {
	SKY_ERRQ_CUT = 1u << 0,		/* the quote was longer */
	SKY_ERRQ_EXT_BAD = 1u << 1,	/* RFC 4884: bad checksum or length */
	SKY_ERRQ_TTL = 1u << 2,
	SKY_ERRQ_TIME = 1u << 3,
	SKY_ERRQ_LOCAL = 1u << 4,	/* local and ifindex */
};

struct sky_errq {
	int32_t err;			/* positive errno */
	uint8_t origin;			/* SO_EE_ORIGIN_* */
	uint8_t type, code;
	uint8_t ttl;			/* of the ICMP packet */
	uint32_t info;			/* MTU, pointer, first of a range */
	uint32_t data;			/* id, last of a range */
	uint32_t flags;
	uint32_t ifindex;
	uint16_t len;			/* bytes of data, extensions included */
	uint16_t ext_at;		/* offset of the RFC 4884 structure; 0: none */
	struct sky_addr dest;		/* where the datagram was going */
	struct sky_addr by;		/* who said so; AF_UNSPEC for local errors */
	struct sky_addr local;		/* address that the ICMP packet came to */
	uint64_t time_ns;
};

/* Takes up to n (at most SKY_ERRQ_BATCH) entries off the queue. Returns how
 * many, 0 when it is empty, or a negative errno. */
int sky_errq_read(int fd, struct sky_errq *e, uint8_t (*data)[SKY_ERRQ_DATA], unsigned n);

/* One entry that somebody else took: the message as recvmsg left it, len bytes of
 * quote in its buffer. */
void sky_errq_decode(struct sky_errq *e, const struct msghdr *h, size_t len);

#endif
