/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_send.c - datagrams out, each with a fate of its own.
 *
 * The kernel reports the ICMP error of one peer on the next send to any other,
 * and does not send that. sendmmsg stops there and says only how far it came.
 * So: what it took is settled; what it stopped at is tried by itself, and when
 * that fails, judged (judge.c): repeated if the error was another datagram's.
 */
#include "sock/out.h"
#include "sock/second.h"

#include <errno.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void
map(struct sockaddr_in6 *out, const struct sky_addr *a)
{
	memset(out, 0, sizeof(*out));
	out->sin6_family = AF_INET6;
	out->sin6_port = a->u.in.sin_port;
	memcpy(&out->sin6_addr, mapped, sizeof(mapped));
	memcpy((char *)&out->sin6_addr + sizeof(mapped), &a->u.in.sin_addr, 4);
}

static int
prepare_name(const struct udp *u, struct out_batch *b, unsigned i, struct sky_msg *m)
{
	struct msghdr *h = &b->h[i].msg_hdr;
	int family = m->peer.u.sa.sa_family;

	h->msg_name = NULL;
	h->msg_namelen = 0;
	if (!(m->have & SKY_MSG_PEER))
		return 0;
	if (family == u->family) {
		h->msg_name = &m->peer;
		h->msg_namelen = family == AF_INET ? sizeof(m->peer.u.in) :
		    sizeof(m->peer.u.in6);
		return 0;
	}
	if (family != AF_INET)
		return -EAFNOSUPPORT;
	map(&b->name[i], &m->peer);
	h->msg_name = &b->name[i];
	h->msg_namelen = sizeof(b->name[i]);
	return 0;
}

/* Control messages speak the family of the datagram, not of the socket. */
static int
prepare_ctl(const struct udp *u, void *ctl, size_t *len, const struct sky_msg *m, uint32_t seg)
{
	int family = out_family(u, m);
	const struct sky_addr *local = (m->have & SKY_MSG_LOCAL) ? &m->local : NULL;
	size_t at = 0;

	if (local && sky_addr_family(local) != family)
		return -EAFNOSUPPORT;
	if (m->have & (SKY_MSG_LOCAL | SKY_MSG_IFINDEX))
		at = sky_ctl_put_local(ctl, at, family, local,
		    (m->have & SKY_MSG_IFINDEX) ? m->ifindex : 0);
	if (m->have & SKY_MSG_TTL)
		at = sky_ctl_put_ttl(ctl, at, family, m->ttl);
	if (m->have & SKY_MSG_TOS)
		at = sky_ctl_put_tos(ctl, at, family, m->tos);
	if (seg)
		at = sky_ctl_put_segment(ctl, at, (uint16_t)seg);
	*len = at;
	return 0;
}

int
out_prepare(const struct udp *u, struct out_batch *b, unsigned i, struct sky_msg *m, uint32_t seg)
{
	const uint32_t with_ctl = SKY_MSG_LOCAL | SKY_MSG_IFINDEX | SKY_MSG_TTL | SKY_MSG_TOS;
	struct msghdr *h = &b->h[i].msg_hdr;
	size_t len = 0;
	int r;

	b->iov[i].iov_base = m->data;
	b->iov[i].iov_len = m->len;
	h->msg_iov = &b->iov[i];
	h->msg_iovlen = 1;
	h->msg_flags = 0;
	r = prepare_name(u, b, i, m);
	if (r < 0)
		return r;
	if ((m->have & with_ctl) || seg)
		r = prepare_ctl(u, b->ctl[i], &len, m, seg);
	h->msg_control = len ? b->ctl[i] : NULL;
	h->msg_controllen = len;
	return r;
}

void
out_failed(struct udp *u, struct sky_msg *m, int err)
{
	m->status = -err;
	if (err == ENOBUFS)
		udp_count(&u->enobufs, 1);
	else if (err == EPERM)
		udp_count(&u->eperm, 1);
}

/* Prepares as many of m[] as go out with one entry each; *bad is set if what
 * stopped it was a datagram that cannot be sent at all. */
static unsigned
fill(struct udp *u, struct out_batch *b, struct sky_msg *m, unsigned n, size_t stride, int *bad)
{
	unsigned k;

	*bad = 0;
	for (k = 0; k < n; k++) {
		struct sky_msg *at = udp_msg_at(m, k, stride);
		uint32_t seg = 0;

		if (at->seg && at->len > at->seg) {
			if (!out_is_train(u, at))
				break;
			seg = at->seg;
		}
		*bad = out_prepare(u, b, k, at, seg);
		if (*bad)
			break;
	}
	return k;
}

static void
settle(struct udp *u, struct sky_msg *m, unsigned n, size_t stride)
{
	uint64_t parts = 0, trains = 0;

	for (unsigned i = 0; i < n; i++) {
		struct sky_msg *at = udp_msg_at(m, i, stride);

		at->status = 0;
		at->have &= ~(uint32_t)SKY_MSG_MTU;
		if (at->seg && at->len > at->seg) {
			parts += udp_parts(at->len, at->seg);
			trains++;
		} else {
			parts++;
		}
	}
	udp_count(&u->tx, parts);
	if (trains)
		udp_count(&u->trains, trains);
}

/* The first of a batch failed. 1: settled; 0: repeat; or -EAGAIN. */
static int
cure(struct udp *u, struct out_cure *c, struct out_batch *b, unsigned i, struct sky_msg *m, int r)
{
	bool train = m->seg && m->len > m->seg;
	int err = -r;

	switch (out_judge(u, c, &b->h[i].msg_hdr, m, train, &err)) {
	case OUT_AGAIN:
		return 0;
	case OUT_FULL:
		return -EAGAIN;
	case OUT_REFUSED:
		return 2;
	case OUT_OWN:
		break;
	}
	out_failed(u, m, err);
	return 1;
}

/* What is left of a batch; a single plain one by the cheaper call. */
static inline int
put(const struct udp *u, struct mmsghdr *h, unsigned n)
{
	if (n == 1 && !h->msg_hdr.msg_controllen)
		return sky_msg_send_one(u->fd, &h->msg_hdr);
	return sky_msg_send(u->fd, h, n);
}

/* Sends b's k entries, which are m[0..k-1]. Returns how many are settled, and
 * in *stop why there are not more: 0, -EAGAIN, or 2 for a refused train. */
static UDP_FLAT unsigned
send_batch(struct udp *u, struct out_batch *b, struct sky_msg *m, unsigned k, size_t stride,
    int *stop)
{
	struct out_cure c = { 0 };
	unsigned done = 0;
	bool stopped = false;		/* at an error, consumed if this one leaves now */

	*stop = 0;
	while (done < k) {
		struct sky_msg *at = udp_msg_at(m, done, stride);
		int r = put(u, b->h + done, k - done);

		if (r > 0) {
			settle(u, at, (unsigned)r, stride);
			done += (unsigned)r;
			c.tries = 0;
			udp_count(&u->tx_retries, stopped);
			stopped = done < k;
			if (stopped)
				out_stopped(u, &b->h[done].msg_hdr);
			continue;
		}
		stopped = false;
		r = cure(u, &c, b, done, at, r);
		if (r < 0 || r > 1) {
			*stop = r;
			break;
		}
		if (r == 1)
			c.tries = 0;
		done += (unsigned)r;
	}
	return done;
}

/* At least one datagram, or a batch: how many are settled, or -EAGAIN. */
static UDP_FLAT int
send_some(struct udp *u, struct sky_msg *m, unsigned n, size_t stride)
{
	struct out_batch b;
	int bad, stop = 0;
	unsigned k = fill(u, &b, m, n < SKY_UDP_BATCH ? n : SKY_UDP_BATCH, stride, &bad);
	unsigned done = k ? send_batch(u, &b, m, k, stride, &stop) : 0;
	struct sky_msg *at = udp_msg_at(m, done, stride);

	if (stop == 2 || (!k && !bad)) {
		stop = stop == 2 ? out_singles(u, &b, at, true) : out_pieces(u, &b, at);
		done += stop == 0;
	} else if (!k) {
		out_failed(u, at, -bad);
		done++;
	}
	return done ? (int)done : stop;
}

/* Before it leaves: the error may be faster than we are. */
static void
note_sent(struct udp *u, struct sky_msg *m, unsigned n, size_t stride)
{
	for (unsigned i = 0; i < n; i++)
		sky_second_sent(u, out_target(u, udp_msg_at(m, i, stride)));
}

int
sky_udp_send_stride(struct sky_udp *su, struct sky_msg *m, unsigned n, size_t stride)
{
	struct udp *u = udp_of(su);
	unsigned done = 0;

	if (stride < sizeof(*m))
		return -EINVAL;
	if (u->icmpd)
		note_sent(u, m, n, stride);
	while (done < n) {
		int r = send_some(u, udp_msg_at(m, done, stride), n - done, stride);

		if (r < 0)
			return done ? (int)done : r;
		done += (unsigned)r;
	}
	return (int)done;
}

ssize_t
sky_udp_sendto(struct sky_udp *u, const void *data, size_t len, const struct sky_addr *dst)
{
	struct sky_msg m = { .len = len };
	int r;

	memcpy(&m.data, &data, sizeof(data));
	if (dst) {
		m.peer = *dst;
		m.have = SKY_MSG_PEER;
	}
	r = sky_udp_send(u, &m, 1);
	if (r < 0)
		return r;
	return m.status ? m.status : (ssize_t)len;
}
