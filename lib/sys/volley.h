/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * volley.h - many datagrams to many places from one UDP port, each with a TTL of
 * its own, and all that comes back about them.
 *
 * Two sockets share the port: one only sends, the other gets every error and
 * every reply. So no error is ever in the way of a send (the kernel reports a
 * pending error on the next send and does not send it, which would leave one
 * datagram to a system call), and one thread may send while another receives.
 * If the kernel does not share ports like that, one socket does both. Datagrams
 * may not be fragmented; the kernel's path MTU cache is not obeyed.
 *
 * No privileges are needed, nothing is allocated after open, nothing blocks.
 */
#ifndef SKY_SYS_VOLLEY_H
#define SKY_SYS_VOLLEY_H

#include "sys/msg.h"

#include <netinet/in.h>

#define SKY_VOLLEY_BATCH 64
#define SKY_VOLLEY_HEAD 24		/* bytes of payload that differ; zeros follow */
#define SKY_VOLLEY_MOST 9216		/* bytes of payload at most */

struct sky_volley_conf {
	int family;
	const struct sky_addr *source;	/* to send from, with port or 0; NULL: any */
	const char *device;		/* NULL: any */
	int buffer;			/* bytes of receive buffer asked for */
	int tos;			/* -1: usual */
	bool broadcast;			/* destinations may be broadcast addresses */
};

/* To send: SKY_VOLLEY_HEAD <= len <= SKY_VOLLEY_MOST bytes of payload. */
struct sky_volley_shot {
	struct sky_addr dst;		/* with port */
	uint16_t len;
	uint8_t ttl;
	uint8_t head[SKY_VOLLEY_HEAD];
};

/* What came back. */
struct sky_volley_echo {
	struct sky_addr dst;		/* where the datagram was going, as quoted; of a
					 * reply: who sent it */
	struct sky_addr by;		/* who said so */
	uint64_t time_ns;		/* wall clock; 0 not known */
	int32_t err;			/* of the error queue, positive; 0: a reply */
	uint32_t info;			/* MTU */
	uint16_t len;			/* of head */
	uint8_t origin, type, code;
	uint8_t ttl;			/* 0 not known */
	uint8_t head[SKY_VOLLEY_HEAD];	/* of the quoted payload, or of the reply */
};

struct sky_volley_in {
	struct mmsghdr h[SKY_VOLLEY_BATCH];
	struct iovec iov[SKY_VOLLEY_BATCH];
	struct sky_addr name[SKY_VOLLEY_BATCH];
	uint8_t data[SKY_VOLLEY_BATCH][SKY_VOLLEY_HEAD];
	_Alignas(struct cmsghdr) uint8_t ctl[SKY_VOLLEY_BATCH][SKY_CTL_IN];
};

struct sky_volley {
	int tx, rx;			/* the same when not shared */
	int family;
	uint16_t port;			/* its own */
	uint32_t pushed;		/* sends that an error was in the way of */
	struct mmsghdr h[SKY_VOLLEY_BATCH];
	struct iovec iov[SKY_VOLLEY_BATCH][2];
	_Alignas(struct cmsghdr) uint8_t ctl[SKY_VOLLEY_BATCH][SKY_CTL_OUT];
	struct sky_volley_in in;
};

/* 0 or a negative errno; then nothing is left open. */
int sky_volley_open(struct sky_volley *v, const struct sky_volley_conf *c);
void sky_volley_close(struct sky_volley *v);

/* Sends up to SKY_VOLLEY_BATCH. Returns how many left, in order; 0 and *err, a
 * negative errno, if the first cannot: -EAGAIN: the buffer is full. */
unsigned sky_volley_send(struct sky_volley *v, const struct sky_volley_shot *s, unsigned n,
    int *err);

/* Up to SKY_VOLLEY_BATCH of what came back; 0 if nothing is there. May be called
 * by a thread of its own. */
unsigned sky_volley_take(struct sky_volley *v, struct sky_volley_echo *e, unsigned n);

#endif
