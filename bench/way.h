/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * way.h - one way to move datagrams, so that two can be compared by one driver.
 *
 * A way moves batches that were prepared at open. All asks of the kernel that
 * cost something per datagram are in the spec, the same for both.
 */
#ifndef BENCH_WAY_H
#define BENCH_WAY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WAY_BATCH 64
#define WAY_RCVBUF (4 << 20)

enum way_want {
	WAY_LOCAL = 1u << 0,	/* address and interface it was sent to */
	WAY_TTL = 1u << 1,
	WAY_TIME = 1u << 2,	/* kernel's receive time */
	WAY_TOS = 1u << 3,
	WAY_FRAGSIZE = 1u << 4,	/* comes only with what was in fragments */
	WAY_DROPS = 1u << 5,	/* comes only after the first drop */
	WAY_WANTS = 6
};

struct spec {
	size_t size;		/* bytes of payload of a datagram */
	unsigned segs;		/* datagrams per train; 0: no trains */
	unsigned batch;		/* messages per call */
	unsigned want;		/* enum way_want, of the receiver */
	bool connected;		/* the sender */
	/* Where the receiver is; AF_INET or AF_INET6. */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} to;
};

/* What the receiving program learnt: summed, so that nothing of it can be left
 * out by the compiler, and compared between ways, so that none is skipped. */
struct taken {
	uint64_t datagrams, bytes;
	uint64_t ports;		/* sum of sender's ports */
	uint64_t locals, ttls, times;	/* how many had them */
};

struct way {
	const char *name;
	/* Returns a new end (an owned pointer), or NULL with errno set. */
	void *(*open_tx)(const struct spec *s);
	void *(*open_rx)(const struct spec *s);
	int (*fd)(const void *end);
	/* One batch. Returns messages that were sent, 0 if there was no room, or
	 * a negative errno. */
	int (*send)(void *end);
	/* What is there, a batch at most, without waiting. Returns messages, or a
	 * negative errno, and adds to t. */
	int (*recv)(void *end, struct taken *t);
	void (*close)(void *end);
};

extern const struct way way_hand, way_ours;

enum way_net {
	WAY_V4,
	WAY_V6,
	WAY_MAPPED,	/* IPv4 datagrams of IPv6 sockets */
};

/* The receiver is at this port of the loopback address. */
static inline void
way_loopback(struct spec *s, enum way_net net, in_port_t port)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};

	s->to.sa.sa_family = net == WAY_V4 ? AF_INET : AF_INET6;
	s->to.in.sin_port = htons(port);	/* in6.sin6_port lies at the same place */
	if (net == WAY_V4)
		s->to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (net == WAY_V6)
		s->to.in6.sin6_addr = in6addr_loopback;
	else
		memcpy(&s->to.in6.sin6_addr, mapped, sizeof(mapped));
}

static inline socklen_t
way_to_len(const struct spec *s)
{
	return s->to.sa.sa_family == AF_INET ? sizeof(s->to.in) : sizeof(s->to.in6);
}

/* Bytes of buffer that one received message needs. */
static inline size_t
way_cap(const struct spec *s)
{
	return s->segs ? 65536 : 2048;
}

static inline size_t
way_len(const struct spec *s)
{
	return s->segs ? s->size * s->segs : s->size;
}

#endif
