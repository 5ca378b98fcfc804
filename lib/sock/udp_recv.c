/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_recv.c - datagrams in.
 *
 * A pending error that the kernel reports here belongs to some datagram that
 * was sent: it is consumed by being reported, its record stays in the error
 * queue, and the call is repeated. Names are received where the caller wants
 * them; control messages are parsed only when something was asked for.
 */
#include "sock/handle.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

enum {
	STALE_TRIES = 1000,	/* a storm of errors ends a call at last; the next goes on */
	FEW = 16,		/* see next_ask() */
};

_Static_assert((int)SKY_CTL_LOCAL == (int)SKY_MSG_LOCAL && (int)SKY_CTL_TTL == (int)SKY_MSG_TTL &&
    (int)SKY_CTL_TOS == (int)SKY_MSG_TOS && (int)SKY_CTL_TIME == (int)SKY_MSG_TIME &&
    (int)SKY_CTL_FRAGSIZE == (int)SKY_MSG_FRAGSIZE && (int)SKY_CTL_DROPS == (int)SKY_MSG_DROPS,
    "control messages and messages use the same bits");

enum { CTL_MSG_BITS = SKY_CTL_LOCAL | SKY_CTL_TTL | SKY_CTL_TOS | SKY_CTL_TIME |
	SKY_CTL_FRAGSIZE | SKY_CTL_DROPS };

struct in_batch {
	struct mmsghdr h[SKY_UDP_BATCH];
	struct iovec iov[SKY_UDP_BATCH];
	_Alignas(8) uint8_t ctl[SKY_UDP_BATCH][SKY_CTL_IN];
};

static void
prepare(const struct udp *u, struct in_batch *b, unsigned i, struct sky_msg *m)
{
	struct msghdr *h = &b->h[i].msg_hdr;

	b->iov[i].iov_base = m->data;
	b->iov[i].iov_len = m->cap;
	h->msg_name = &m->peer;
	h->msg_namelen = sizeof(m->peer);
	h->msg_iov = &b->iov[i];
	h->msg_iovlen = 1;
	h->msg_control = u->ctl_len ? b->ctl[i] : NULL;
	h->msg_controllen = u->ctl_len;
	h->msg_flags = 0;
}

static void
take_ctl(struct sky_msg *m, const struct msghdr *h)
{
	struct sky_ctl c;
	uint32_t have = sky_ctl_decode(&c, h->msg_control, h->msg_controllen);

	m->have |= have & CTL_MSG_BITS;
	if (have & SKY_CTL_LOCAL) {
		m->local = c.local;
		m->ifindex = c.ifindex;
		if (have & SKY_CTL_GROUP)
			m->flags |= SKY_MSG_GROUP;
	}
	if (have & SKY_CTL_SEG)
		m->seg = c.seg;
	if (have & SKY_CTL_TTL)
		m->ttl = c.ttl;
	if (have & SKY_CTL_TOS)
		m->tos = c.tos;
	if (have & SKY_CTL_TIME)
		m->time_ns = c.time_ns;
	if (have & SKY_CTL_FRAGSIZE)
		m->fragsize = c.fragsize;
	if (have & SKY_CTL_DROPS)
		m->drops = c.drops;
}

static void
take_peer(struct sky_msg *m, socklen_t len)
{
	const size_t in = sizeof(m->peer.u.in);

	if (len == in)
		memset((char *)&m->peer + in, 0, sizeof(m->peer) - in);
	else if (len == sizeof(m->peer.u.in6))
		sky_msg_unmap(&m->peer);
	else
		return;
	m->have |= SKY_MSG_PEER;
}

static void
take_data(struct udp *u, struct sky_msg *m, size_t len, socklen_t peer_len)
{
	m->full_len = len;
	m->len = len < m->cap ? len : m->cap;
	m->seg = 0;
	m->have = 0;
	m->flags = 0;
	m->status = 0;
	take_peer(m, peer_len);
	if (len > m->cap) {
		m->flags |= SKY_MSG_TRUNC;
		udp_count(&u->truncated, 1);
	}
}

static void
take(struct udp *u, struct sky_msg *m, const struct mmsghdr *h)
{
	const struct msghdr *mh = &h->msg_hdr;

	take_data(u, m, h->msg_len, mh->msg_namelen);
	if (mh->msg_flags & MSG_CTRUNC)
		m->flags |= SKY_MSG_CTRUNC;
	if (u->ctl_len)
		take_ctl(m, mh);
}

/* What the kernel accounts for a datagram of its own making: a small head, or a
 * power of two that holds headers, data and its book-keeping. */
static inline uint64_t
memory_of(size_t len)
{
	size_t head = len + 400;

	if (head <= 576)
		return 832;
	return (UINT64_C(1) << (64 - __builtin_clzll(head - 1))) + 256;
}

bool
udp_was_full(const struct udp *u, uint64_t memory)
{
	return memory >= (uint64_t)u->rcvbuf / 4 * 3 && memory <= (uint64_t)u->rcvbuf / 4 * 5;
}

/* Data that fills the buffer keeps errors out, uncounted, though no datagram
 * was dropped. About a bufferful, and then nothing, was a full buffer; more
 * than that was a stream, whose drops are counted. Costs no system call. */
static void
watch_run(struct udp *u, uint64_t memory, bool emptied)
{
	u->run += memory;
	if (!emptied)
		return;
	if (!u->plain && udp_was_full(u, u->run))
		udp_count(&u->maybe_lost, 1);
	u->run = 0;
}

/* True if that was the error of a datagram sent before: call again. */
static inline bool
stale(struct udp *u, int got)
{
	if (got >= 0 || u->plain || !udp_may_be_stale(-got))
		return false;
	udp_count(&u->rx_retries, 1);
	udp_met_error(u);
	return true;
}

/* One, of which nothing more is to be learnt: 1, or a negative errno. */
static UDP_FLAT int
recv_one(struct udp *u, struct sky_msg *m)
{
	socklen_t peer_len = 0;
	int got = 0;

	for (int tries = 0; tries < STALE_TRIES; tries++) {
		got = sky_msg_recv_one(u->fd, m->data, m->cap, &m->peer, &peer_len);
		if (!stale(u, got))
			break;
		got = -EAGAIN;
	}
	if (got < 0) {
		watch_run(u, 0, true);
		return got;
	}
	take_data(u, m, (size_t)got, peer_len);
	watch_run(u, memory_of(m->full_len), false);
	udp_count(&u->rx, 1);
	return 1;
}

/* Up to SKY_UDP_BATCH with one call: how many, or a negative errno. */
static UDP_FLAT int
recv_batch(struct udp *u, struct sky_msg *m, unsigned n, size_t stride)
{
	struct in_batch b;
	uint64_t parts = 0, memory = 0;
	int got = 0;

	for (unsigned i = 0; i < n; i++)
		prepare(u, &b, i, udp_msg_at(m, i, stride));
	for (int tries = 0; tries < STALE_TRIES; tries++) {
		got = sky_msg_recv(u->fd, b.h, n);
		if (!stale(u, got))
			break;
		got = -EAGAIN;
	}
	for (int i = 0; i < got; i++) {
		struct sky_msg *at = udp_msg_at(m, (unsigned)i, stride);

		take(u, at, &b.h[i]);
		parts += udp_parts(at->full_len, at->seg);
		memory += memory_of(at->full_len);
	}
	watch_run(u, memory, got < (int)n);
	udp_count(&u->rx, parts);
	return got;
}

/* Headers are made for as many datagrams as are asked for (200 ns for a batch),
 * and most receivers are woken for a few: where the last call brought few, this
 * one begins with few, and goes on if there are more. */
static inline unsigned
next_ask(const struct udp *u, unsigned left, unsigned done)
{
	unsigned most = u->few && !done ? FEW : SKY_UDP_BATCH;

	return left < most ? left : most;
}

int
sky_udp_recv_stride(struct sky_udp *su, struct sky_msg *m, unsigned n, size_t stride)
{
	struct udp *u = udp_of(su);
	unsigned done = 0;

	if (stride < sizeof(*m))
		return -EINVAL;
	udp_receiving(u);
	if (atomic_load_explicit(&u->errors_wait, memory_order_relaxed) && !u->plain)
		udp_heed(u);
	while (done < n) {
		unsigned ask = next_ask(u, n - done, done);
		struct sky_msg *at = udp_msg_at(m, done, stride);
		int r = ask == 1 && !u->ctl_len ? recv_one(u, at) : recv_batch(u, at, ask, stride);

		if (r == -EAGAIN || (r < 0 && done))
			break;
		if (r < 0)
			return r;
		done += (unsigned)r;
		if ((unsigned)r < ask)
			break;
	}
	if (n > FEW)
		u->few = done < FEW;
	return (int)done;
}

ssize_t
sky_udp_recvfrom(struct sky_udp *u, void *data, size_t cap, struct sky_addr *src)
{
	struct sky_msg m = { .data = data, .cap = cap };
	int r = sky_udp_recv(u, &m, 1);

	if (r < 0)
		return r;
	if (r == 0)
		return -EAGAIN;
	if (src)
		*src = m.peer;
	return (ssize_t)m.len;
}

bool
sky_msg_next(const struct sky_msg *m, size_t *off, const void **at, size_t *len)
{
	size_t left;

	if (m->len == 0 && *off == 0) {
		*off = 1;
		*at = m->data;
		*len = 0;
		return true;
	}
	if (*off >= m->len)
		return false;
	left = m->len - *off;
	*at = (const char *)m->data + *off;
	*len = m->seg && m->seg < left ? m->seg : left;
	*off += *len;
	return true;
}
