/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsend.c - probes on their way out; see pathsock.h. */
#include "sock/handle.h"
#include "sock/pathsock.h"
#include "sys/msg.h"

#include <errno.h>
#include <sys/uio.h>

enum {
	HEAD = SKY_ICMP_LEN + SKY_HOPTAG_LEN,
	TRIES = 16,		/* an error of another probe fails a send, each once */
	PADDING = 65536,
};

struct batch {
	struct mmsghdr h[SKY_PATHSOCK_BATCH];
	struct iovec iov[SKY_PATHSOCK_BATCH][2];
	uint8_t head[SKY_PATHSOCK_BATCH][HEAD];
	_Alignas(8) uint8_t ctl[SKY_PATHSOCK_BATCH][SKY_CTL_OUT];
	struct sockaddr_storage name;
	socklen_t namelen;
};

void
sky_pathsock_failed(struct sky_pathsock *s, uint32_t id, int err)
{
	struct sky_hop_answer *a = &s->fail[s->fails];

	if (s->fails == SKY_PATHSOCK_BATCH)
		return;
	*a = (struct sky_hop_answer){
		.at = sky_pathsock_when(0), .id = id, .what = SKY_HOP_LOCAL, .err = err,
		.trust = SKY_TRUST_MATCHED,
		.mtu = err == EMSGSIZE ? s->device_mtu : 0,
	};
	s->fails++;
}

/* Header and tag; a raw IPv4 socket wants the checksum, to which the zeros that
 * follow add nothing. Returns the bytes written. */
static size_t
write_head(struct sky_pathsock *s, const struct sky_pathsock_way *w, uint8_t *head,
    const struct sky_hop_probe *p)
{
	bool icmp = s->conf.method == SKY_PATHSOCK_ICMP;
	struct sky_icmp m = {
		.type = s->family == AF_INET ? 8 : 128,
		.rest = (uint32_t)w->port << 16 | (p->id & UINT16_MAX),
	};
	struct sky_wr wr = sky_wr_of(head, HEAD);
	uint8_t tag[SKY_HOPTAG_LEN];
	size_t payload = p->len - sky_pathsock_heads(s);
	size_t n = payload < sizeof(tag) ? payload : sizeof(tag);

	sky_hoptag_write(tag, s->sent.key, p->id);
	if (icmp)
		sky_icmp_encode(&m, &wr);
	sky_wr_bytes(&wr, tag, n);
	if (icmp && s->family == AF_INET)
		sky_icmp_seal(head, sky_wr_len(&wr), NULL, NULL);
	return sky_wr_len(&wr);
}

static void
prepare(struct sky_pathsock *s, const struct sky_pathsock_way *w, struct batch *b, unsigned i,
    const struct sky_hop_probe *p)
{
	static const uint8_t padding[PADDING];
	size_t body = p->len - sky_pathsock_heads(s) +
	    (s->conf.method == SKY_PATHSOCK_ICMP ? SKY_ICMP_LEN : 0);
	size_t head = write_head(s, w, b->head[i], p);
	size_t ctl = sky_ctl_put_ttl(b->ctl[i], 0, s->family, p->ttl);

	b->iov[i][0] = (struct iovec){ b->head[i], head };
	memcpy(&b->iov[i][1].iov_base, &(const void *){ padding }, sizeof(void *));
	b->iov[i][1].iov_len = body - head;
	b->h[i].msg_len = 0;
	b->h[i].msg_hdr = (struct msghdr){
		.msg_name = &b->name, .msg_namelen = b->namelen, .msg_iov = b->iov[i],
		.msg_iovlen = 2, .msg_control = b->ctl[i], .msg_controllen = ctl,
	};
}

/* The destination as the socket wants it: an ICMP one has no port, and the label
 * of the flow goes with an IPv6 address. */
static void
prepare_name(struct sky_pathsock *s, const struct sky_pathsock_way *w, struct batch *b)
{
	struct sky_addr to = s->conf.dst;
	uint32_t label = s->conf.label ? s->conf.label + w->flow : 0;
	int len;

	if (s->conf.method == SKY_PATHSOCK_ICMP)
		sky_addr_set_port(&to, 0);
	if (s->family == AF_INET6)
		to.u.in6.sin6_flowinfo = htonl(label & 0xfffff);
	len = sky_addr_to(&to, s->family, &b->name);
	b->namelen = len > 0 ? (socklen_t)len : 0;
}

static bool
is_full(int err)
{
	return err == EAGAIN || err == ENOBUFS;
}

static void
count(struct sky_pathsock *s, const struct sky_hop_probe *p, unsigned n)
{
	s->packets += n;
	while (n)
		s->bytes += p[--n].len;
}

/* Sends b[at..n): what an answer to another probe left behind fails a send of ours
 * once and is then gone; what fails again and again is its own. A probe larger
 * than the device fails for ever. Returns where it stopped for want of room. */
static unsigned
send_batch(struct sky_pathsock *s, int fd, struct batch *b, const struct sky_hop_probe *p,
    unsigned n)
{
	unsigned at = 0, tries = 0;

	while (at < n && s->fails < SKY_PATHSOCK_BATCH) {
		int r = sky_msg_send(fd, b->h + at, n - at);

		if (r > 0) {
			count(s, p + at, (unsigned)r);
			at += (unsigned)r;
			tries = 0;
			continue;
		}
		if (r < 0 && is_full(-r))
			break;
		if (udp_may_be_stale(-r) && ++tries < TRIES && p[at].len <= s->device_mtu)
			continue;
		sky_pathsock_failed(s, p[at++].id, -r);
		tries = 0;
	}
	return at;
}

/* The probes of one flow that stand together, from p on. Returns how many were
 * taken; fewer than *run if there is no room. */
static unsigned
send_run(struct sky_pathsock *s, const struct sky_hop_probe *p, unsigned n, unsigned *run)
{
	struct sky_pathsock_way *w;
	struct batch b;
	int err = 0;

	for (*run = 1; *run < n && *run < SKY_PATHSOCK_BATCH && p[*run].flow == p->flow;)
		++*run;
	w = sky_pathsock_flow(s, p->flow, &err);
	if (!w) {
		*run = 1;
		sky_pathsock_failed(s, p->id, err);
		return 1;
	}
	prepare_name(s, w, &b);
	for (unsigned i = 0; i < *run; i++) {
		if (p[i].len < sky_pathsock_least(s) || p[i].len > PADDING - 1) {
			if (i == 0) {
				sky_pathsock_failed(s, p->id, EINVAL);
				return *run = 1;
			}
			*run = i;
			break;
		}
		prepare(s, w, &b, i, &p[i]);
	}
	return send_batch(s, w->fd, &b, p, *run);
}

unsigned
sky_pathsock_send(struct sky_pathsock *s, const struct sky_hop_probe *p, unsigned n)
{
	unsigned sent = 0, run, took;

	if (s->conf.method == SKY_PATHSOCK_TCP)
		return sky_pathsock_dial(s, p, n);
	while (sent < n && s->fails < SKY_PATHSOCK_BATCH) {
		took = send_run(s, p + sent, n - sent, &run);
		for (unsigned i = 0; i < took; i++)
			if (p[sent + i].id > s->sent.last_id)
				s->sent.last_id = p[sent + i].id;
		sent += took;
		if (took < run)
			break;
	}
	return sent;
}
