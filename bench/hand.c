/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hand.c - the loop that a careful programmer writes by hand for one purpose.
 *
 * It is the measure, so it is given every advantage: all headers are prepared
 * once, and per call only what the kernel overwrites is put back.
 */
#include "way.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONTROL 256

#ifndef IP_RECVFRAGSIZE
#define IP_RECVFRAGSIZE 25
#endif
#ifndef IPV6_RECVFRAGSIZE
#define IPV6_RECVFRAGSIZE 77
#endif

struct end {
	int fd;
	unsigned batch;
	bool v6;
	size_t control;		/* room that is offered for control messages */
	struct mmsghdr m[WAY_BATCH];
	struct iovec io[WAY_BATCH];
	socklen_t name_len;
	struct sockaddr_in6 name[WAY_BATCH];	/* or sockaddr_in */
	union {
		struct cmsghdr align;
		char b[CONTROL];
	} ctl[WAY_BATCH];
	char *data;
};

static int
on(int fd, int level, int opt, int value)
{
	return setsockopt(fd, level, opt, &value, sizeof(value));
}

static void
hand_close(void *p)
{
	struct end *e = p;

	if (e->fd >= 0)
		close(e->fd);
	free(e->data);
	free(e);
}

static struct end *
prepare(const struct spec *s, size_t each)
{
	struct end *e = calloc(1, sizeof(*e));
	unsigned i;

	if (!e)
		return NULL;
	e->batch = s->batch;
	e->v6 = s->to.sa.sa_family == AF_INET6;
	e->name_len = way_to_len(s);
	e->data = calloc(s->batch, each);
	e->fd = socket(s->to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!e->data || e->fd < 0) {
		hand_close(e);
		return NULL;
	}
	for (i = 0; i < s->batch; i++) {
		e->io[i] = (struct iovec){e->data + i * each, each};
		e->m[i].msg_hdr.msg_iov = &e->io[i];
		e->m[i].msg_hdr.msg_iovlen = 1;
	}
	on(e->fd, e->v6 ? IPPROTO_IPV6 : IPPROTO_IP, e->v6 ? IPV6_RECVERR : IP_RECVERR, 1);
	return e;
}

static void
ask_segments(struct end *e, unsigned i, uint16_t size)
{
	struct msghdr *h = &e->m[i].msg_hdr;
	struct cmsghdr *c;

	h->msg_control = e->ctl[i].b;
	h->msg_controllen = CMSG_SPACE(sizeof(size));
	c = CMSG_FIRSTHDR(h);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
}

static void *
hand_open_tx(const struct spec *s)
{
	struct end *e = prepare(s, way_len(s));
	unsigned i;

	if (!e)
		return NULL;
	on(e->fd, SOL_SOCKET, SO_SNDBUF, WAY_RCVBUF);
	for (i = 0; i < s->batch; i++) {
		memcpy(&e->name[i], &s->to, sizeof(s->to));
		if (!s->connected) {
			e->m[i].msg_hdr.msg_name = &e->name[i];
			e->m[i].msg_hdr.msg_namelen = e->name_len;
		}
		if (s->segs)
			ask_segments(e, i, (uint16_t)s->size);
	}
	if (s->connected && connect(e->fd, &s->to.sa, way_to_len(s)) < 0) {
		hand_close(e);
		return NULL;
	}
	return e;
}

static const struct {
	uint32_t want;
	int level, opt, level6, opt6;
} asks[] = {
	{WAY_LOCAL, IPPROTO_IP, IP_PKTINFO, IPPROTO_IPV6, IPV6_RECVPKTINFO},
	{WAY_TTL, IPPROTO_IP, IP_RECVTTL, IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
	{WAY_TIME, SOL_SOCKET, SO_TIMESTAMPNS, SOL_SOCKET, SO_TIMESTAMPNS},
	{WAY_TOS, IPPROTO_IP, IP_RECVTOS, IPPROTO_IPV6, IPV6_RECVTCLASS},
	{WAY_FRAGSIZE, IPPROTO_IP, IP_RECVFRAGSIZE, IPPROTO_IPV6, IPV6_RECVFRAGSIZE},
	{WAY_DROPS, SOL_SOCKET, SO_RXQ_OVFL, SOL_SOCKET, SO_RXQ_OVFL},
};

static void
ask(struct end *e, uint32_t want)
{
	size_t i;

	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		if (want & asks[i].want)
			on(e->fd, e->v6 ? asks[i].level6 : asks[i].level,
			    e->v6 ? asks[i].opt6 : asks[i].opt, 1);
}

static void *
hand_open_rx(const struct spec *s)
{
	struct end *e = prepare(s, way_cap(s));
	unsigned i;

	if (!e)
		return NULL;
	e->control = s->want || s->segs ? CONTROL : 0;
	on(e->fd, SOL_SOCKET, SO_RCVBUF, WAY_RCVBUF);
	on(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, WAY_RCVBUF);
	ask(e, s->want);
	if (s->segs)
		on(e->fd, IPPROTO_UDP, UDP_GRO, 1);
	for (i = 0; i < s->batch; i++) {
		e->m[i].msg_hdr.msg_name = &e->name[i];
		e->m[i].msg_hdr.msg_namelen = e->name_len;
		e->m[i].msg_hdr.msg_control = e->ctl[i].b;
		e->m[i].msg_hdr.msg_controllen = e->control;
	}
	if (bind(e->fd, &s->to.sa, way_to_len(s)) < 0) {
		hand_close(e);
		return NULL;
	}
	return e;
}

static int
hand_fd(const void *end)
{
	return ((const struct end *)end)->fd;
}

static int
hand_send(void *end)
{
	struct end *e = end;
	int n;

	n = sendmmsg(e->fd, e->m, e->batch, MSG_DONTWAIT);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
}

/* Both read what was asked for, and return the size of a train's parts, or 0:
 * one for each family, because nobody would test for the other by hand. */
static int
control4(struct msghdr *h, struct taken *t)
{
	struct in_pktinfo local;
	struct timespec time;
	struct cmsghdr *c;
	int value, seg = 0;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&seg, CMSG_DATA(c), sizeof(seg));
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&time, CMSG_DATA(c), sizeof(time));
			t->times += time.tv_sec > 0;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&local, CMSG_DATA(c), sizeof(local));
			t->locals += local.ipi_ifindex > 0;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			t->ttls += value > 0;
		}
	}
	return seg;
}

static int
control6(struct msghdr *h, struct taken *t)
{
	struct in6_pktinfo local;
	struct timespec time;
	struct cmsghdr *c;
	int value, seg = 0;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&seg, CMSG_DATA(c), sizeof(seg));
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&time, CMSG_DATA(c), sizeof(time));
			t->times += time.tv_sec > 0;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&local, CMSG_DATA(c), sizeof(local));
			t->locals += local.ipi6_ifindex > 0;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			t->ttls += value > 0;
		}
	}
	return seg;
}

static void
take(struct end *e, unsigned i, struct taken *t)
{
	struct msghdr *h = &e->m[i].msg_hdr;
	size_t len = e->m[i].msg_len;
	int seg = 0;

	if (h->msg_controllen)
		seg = e->v6 ? control6(h, t) : control4(h, t);
	t->datagrams += seg > 0 ? (len + (size_t)seg - 1) / (size_t)seg : 1;
	t->bytes += len;
	t->ports += e->name[i].sin6_port;
	h->msg_namelen = e->name_len;
	h->msg_controllen = e->control;
}

static int
hand_recv(void *end, struct taken *t)
{
	struct end *e = end;
	int i, n;

	n = recvmmsg(e->fd, e->m, e->batch, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (i = 0; i < n; i++)
		take(e, (unsigned)i, t);
	return n;
}

const struct way way_hand = {
	"hand-written", hand_open_tx, hand_open_rx, hand_fd, hand_send, hand_recv, hand_close,
};
