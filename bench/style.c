/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * style.c - sending to many peers with the socket calls alone.
 *
 * Four of these are mistakes that programs in use make; the fifth is right.
 * What makes the difference: the kernel reports the error that peer A caused on
 * the next call, which sends to peer B, and does not send that datagram.
 */
#include "style.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct plain {
	int fd;
	uint8_t payload[PEERS][PEERS_PAYLOAD];
	struct iovec io[PEERS];
	struct mmsghdr m[PEERS];
};

static void
plain_close(void *sender)
{
	struct plain *s = sender;

	close(s->fd);
	free(s);
}

static int
plain_socket(int af)
{
	int on = 1, off = 0, fd = socket(af, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	if (af == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	}
	return fd;
}

static void *
plain_open(const struct peers *p)
{
	struct plain *s = calloc(1, sizeof(*s));
	unsigned i;

	if (!s)
		return NULL;
	s->fd = plain_socket(peers_af(p->family));
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	for (i = 0; i < PEERS; i++) {
		s->io[i] = (struct iovec){s->payload[i], PEERS_PAYLOAD};
		s->m[i].msg_hdr.msg_iov = &s->io[i];
		s->m[i].msg_hdr.msg_iovlen = 1;
	}
	return s;
}

static void
fill(struct plain *s, struct peers *p, unsigned batch)
{
	unsigned i;

	for (i = 0; i < PEERS; i++) {
		peers_payload(s->payload[i], batch, i);
		s->m[i].msg_hdr.msg_name = &p->to[i];
		s->m[i].msg_hdr.msg_namelen = p->to_len[i];
	}
}

static int
many(struct plain *s, unsigned from)
{
	return sendmmsg(s->fd, s->m + from, PEERS - from, MSG_DONTWAIT);
}

static void
one_by_one(void *sender, struct peers *p, unsigned batch, struct style_sums *sums)
{
	struct plain *s = sender;
	unsigned i;

	fill(s, p, batch);
	for (i = 0; i < PEERS; i++)
		if (sendto(s->fd, s->payload[i], PEERS_PAYLOAD, MSG_DONTWAIT,
		    (const struct sockaddr *)&p->to[i], p->to_len[i]) < 0)
			sums->failed++;
}

static void
once(void *sender, struct peers *p, unsigned batch, struct style_sums *sums)
{
	struct plain *s = sender;

	fill(s, p, batch);
	if (many(s, 0) < 0)
		sums->failed += PEERS;
}

static void
until_error(void *sender, struct peers *p, unsigned batch, struct style_sums *sums)
{
	struct plain *s = sender;
	unsigned i = 0;
	int n;

	fill(s, p, batch);
	while (i < PEERS && (n = many(s, i)) > 0)
		i += (unsigned)n;
	sums->failed += PEERS - i;
}

static void
skip_one(void *sender, struct peers *p, unsigned batch, struct style_sums *sums)
{
	struct plain *s = sender;
	unsigned i = 0;
	int n;

	fill(s, p, batch);
	while (i < PEERS) {
		n = many(s, i);
		sums->failed += n < 0;
		i += n > 0 ? (unsigned)n : 1;
	}
}

static void
credit(const struct peers *p, const struct sockaddr_storage *dst, socklen_t len,
    const void *quote, size_t quoted, struct style_sums *sums)
{
	unsigned batch, peer;

	if (len != p->to_len[p->dead] || memcmp(dst, &p->to[p->dead], len) != 0 ||
	    !peers_parse(quote, quoted, &batch, &peer) || peer != p->dead || sums->told[batch]) {
		sums->wrong++;
		return;
	}
	sums->told[batch] = true;
	sums->named++;
}

static void
drain(struct plain *s, const struct peers *p, struct style_sums *sums)
{
	struct sockaddr_storage dst;
	char data[512], ctl[512];
	struct iovec io = {data, sizeof(data)};
	struct msghdr m;
	ssize_t n;
	int left = 1024;

	while (left-- > 0) {
		memset(&dst, 0, sizeof(dst));
		m = (struct msghdr){.msg_name = &dst, .msg_namelen = sizeof(dst), .msg_iov = &io,
			.msg_iovlen = 1, .msg_control = ctl, .msg_controllen = sizeof(ctl)};
		n = recvmsg(s->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
		if (n < 0)
			return;
		credit(p, &dst, m.msg_namelen, data, (size_t)n, sums);
	}
}

static void
by_the_rules(void *sender, struct peers *p, unsigned batch, struct style_sums *sums)
{
	struct plain *s = sender;
	unsigned i = 0;
	int n;

	fill(s, p, batch);
	while (i < PEERS) {
		n = many(s, i);
		if (n < 0) {
			drain(s, p, sums);
			n = many(s, i);
		}
		sums->failed += n < 0;
		i += n > 0 ? (unsigned)n : 1;
	}
	drain(s, p, sums);
}

const struct style style_rows[] = {
	{"sendto, errors ignored", plain_open, one_by_one, plain_close},
	{"sendmmsg, short count ignored", plain_open, once, plain_close},
	{"sendmmsg, goes on, stops at an error", plain_open, until_error, plain_close},
	{"sendmmsg, goes on, skips one at an error", plain_open, skip_one, plain_close},
	{"sendmmsg, drains, tries once more", plain_open, by_the_rules, plain_close},
	{0},
};

int
style_run(const struct style *s, struct peers *p, unsigned batches, struct style_sums *sums)
{
	void *sender = s->open(p);
	unsigned b;

	memset(sums, 0, sizeof(*sums));
	if (!sender)
		return -errno;
	for (b = 0; b < batches; b++) {
		s->batch(sender, p, b, sums);
		if (b % 32 == 31)
			peers_read(p);
	}
	peers_read(p);
	s->close(sender);
	return 0;
}
