/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg.h - batches of datagrams and the control messages that travel with them.
 *
 * Control messages are the kernel's own structures, in native byte order; they
 * are copied in and out, never pointed into, and every length is checked.
 */
#ifndef SKY_SYS_MSG_H
#define SKY_SYS_MSG_H

#include "sys/ret.h"

#include <sockeye/addr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for every control message asked for on receive, both families'
 * packet information included; and for every one that is ever sent. */
#define SKY_CTL_IN 320
#define SKY_CTL_OUT 128

/* What the control messages of one datagram said. */
enum sky_ctl_have {
	SKY_CTL_LOCAL = 1u << 1,
	SKY_CTL_TTL = 1u << 2,
	SKY_CTL_TOS = 1u << 3,
	SKY_CTL_TIME = 1u << 4,
	SKY_CTL_FRAGSIZE = 1u << 5,
	SKY_CTL_DROPS = 1u << 6,
	SKY_CTL_SEG = 1u << 16,
	SKY_CTL_GROUP = 1u << 17,	/* local is a broadcast or multicast address */
	SKY_CTL_ERROR = 1u << 18,
};

/* Members are set only if their bit is in have. */
struct sky_ctl {
	uint32_t have;
	uint32_t ifindex;
	uint32_t fragsize;
	uint32_t drops;
	uint32_t seg;
	uint8_t ttl, tos;
	bool stamp;			/* time_ns is a transmit time stamp */
	uint64_t time_ns;
	struct sky_addr local;		/* port 0; v4-mapped undone */
	/* a struct sock_extended_err and the address behind it */
	int32_t err;
	uint8_t origin, type, code;
	uint32_t info, data;
	struct sky_addr by;
};

/* Decodes len bytes of control messages. What is cut or has an unexpected
 * length is left out. Returns have. */
uint32_t sky_ctl_decode(struct sky_ctl *c, const void *control, size_t len);

/* Appends one control message at offset at of buf, which has SKY_CTL_OUT bytes.
 * Returns the new offset; the same one if there is no room. */
size_t sky_ctl_put(void *buf, size_t at, int level, int type, const void *data, size_t len);
/* Source address (may be NULL) and interface (0: any) for a datagram to family. */
size_t sky_ctl_put_local(void *buf, size_t at, int family, const struct sky_addr *local,
    uint32_t ifindex);
size_t sky_ctl_put_ttl(void *buf, size_t at, int family, uint8_t ttl);
size_t sky_ctl_put_tos(void *buf, size_t at, int family, uint8_t tos);
size_t sky_ctl_put_segment(void *buf, size_t at, uint16_t seg);

/* Turns ::ffff:a.b.c.d into IPv4, where it lies. */
void sky_msg_unmap(struct sky_addr *a);

/* One call past EINTR; bounded, because a timer may fire for ever. */
enum { SKY_MSG_TRIES = 100 };

/* sendmmsg and recvmmsg, never blocking, repeated on EINTR: how many, or a
 * negative errno. Received lengths are the real ones, MSG_TRUNC tells. Inline,
 * because in the kernel the processor forgets where functions return to: each
 * that is left after the call costs as much as decoding two datagrams. */
static inline int
sky_msg_send(int fd, struct mmsghdr *h, unsigned n)
{
	int saved = errno;
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < SKY_MSG_TRIES; i++)
		r = sky_ret(sendmmsg(fd, h, n, MSG_DONTWAIT | MSG_NOSIGNAL), saved);
	return r == -EINTR ? -EAGAIN : r;
}

/* One datagram without control messages, by the call that has the least to copy.
 * h as for sky_msg_send() with n = 1, which this may stand for. */
static inline int
sky_msg_send_one(int fd, const struct msghdr *h)
{
	int saved = errno;
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < SKY_MSG_TRIES; i++)
		r = sky_ret(sendto(fd, h->msg_iov->iov_base, h->msg_iov->iov_len,
		    MSG_DONTWAIT | MSG_NOSIGNAL, h->msg_name, h->msg_namelen), saved);
	return r == -EINTR ? -EAGAIN : r < 0 ? r : 1;
}

/* The same on receive, where no control message is asked for: the real length,
 * also if it is more than cap, or a negative errno. */
static inline int
sky_msg_recv_one(int fd, void *data, size_t cap, struct sky_addr *peer, socklen_t *peer_len)
{
	int saved = errno;
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < SKY_MSG_TRIES; i++) {
		*peer_len = sizeof(*peer);
		r = sky_ret(recvfrom(fd, data, cap, MSG_DONTWAIT | MSG_TRUNC, &peer->u.sa, peer_len),
		    saved);
	}
	return r == -EINTR ? -EAGAIN : r;
}

static inline int
sky_msg_take(int fd, struct mmsghdr *h, unsigned n, int flags)
{
	int saved = errno;
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < SKY_MSG_TRIES; i++)
		r = sky_ret(recvmmsg(fd, h, n, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL), saved);
	return r == -EINTR ? -EAGAIN : r;
}

static inline int
sky_msg_recv(int fd, struct mmsghdr *h, unsigned n)
{
	return sky_msg_take(fd, h, n, MSG_TRUNC);
}

/* Entries of the error queue. */
int sky_msg_errors(int fd, struct mmsghdr *h, unsigned n);

/* Would a datagram with this name and control find its way out? Does the
 * kernel's route and permission checks and sends nothing; a pending error of
 * another datagram does not show here. 0 or a negative errno. */
int sky_msg_probe(int fd, const struct msghdr *h);

/* Makes the socket report an error of its own (a local EMSGSIZE, because no
 * datagram is this long), so that whoever sleeps on it wakes up. */
void sky_msg_wake(int fd, const struct msghdr *h);

#endif
