/* SPDX-License-Identifier: BSD-2-Clause */
/* pathtake.c - what comes back: errors, replies, raw ICMP; see pathsock.h. */
#include "sock/pathsock.h"
#include "sys/errq.h"
#include "sys/msg.h"
#include "sys/poller.h"
#include "wire/ip.h"

#include <errno.h>
#include <sys/uio.h>

enum {
	TAKE = 16,
	PACKET = 1536,		/* bytes kept of what arrives: a raw error is not longer */
	TOKEN_RAW = UINT16_MAX,
};

/* An error that this host made about its own packet: it did not leave. */
static bool
is_own(const struct sky_pathsock *s, const struct sky_errq *e)
{
	return (e->type == (s->family == AF_INET ? 3 : 1)) &&
	    sky_addr_same_host(&e->by, &s->sent.src) &&
	    !sky_addr_same_host(&s->conf.dst, &s->sent.src);
}

/* Bytes of headers that stand before data in the packet that is quoted. */
static size_t
before(const struct sky_pathsock *s)
{
	uint32_t heads = sky_pathsock_heads(s);

	return s->conf.method == SKY_PATHSOCK_UDP ? heads : heads - SKY_ICMP_LEN;
}

static bool
has_identifier(const struct sky_pathsock *s, uint16_t id)
{
	for (unsigned i = 0; i < s->ways; i++)
		if (s->way[i].port == id)
			return true;
	return false;
}

/* A raw socket hears of the echo requests of others, too. */
static bool
whose(const struct sky_pathsock *s, struct sky_hop_answer *a, const uint8_t *data, size_t len)
{
	bool echo = s->conf.method == SKY_PATHSOCK_ICMP;
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_icmp m = { 0 };

	if (echo && sky_icmp_decode(&m, &rd) == 0 && s->ping_raw &&
	    !has_identifier(s, sky_icmp_id(&m)))
		return false;
	a->trust = (uint8_t)sky_hoptag_read(s->sent.key, rd.at, sky_rd_left(&rd), &a->id);
	if (echo && a->trust == SKY_TRUST_SHORT)
		sky_hopin_echo(a, &s->sent, &m);
	return true;
}

static bool
take_error(struct sky_pathsock *s, struct sky_hop_answer *a, const struct sky_errq *e,
    const uint8_t *data)
{
	size_t quote = e->ext_at ? e->ext_at : e->len;

	*a = (struct sky_hop_answer){ .at = sky_pathsock_when(e->time_ns) };
	if (e->origin == SKY_ORIGIN_LOCAL) {
		if (e->err == EMSGSIZE && e->info && e->info < s->device_mtu)
			s->device_mtu = e->info;
		return false;		/* the send told it */
	}
	if ((e->origin != SKY_ORIGIN_ICMP && e->origin != SKY_ORIGIN_ICMP6) ||
	    !sky_hopin_error(a, &s->conf.dst, e->type, e->code, e->info, &e->by))
		return false;
	if (!whose(s, a, data, quote))
		return false;
	if (is_own(s, e)) {
		a->what = SKY_HOP_LOCAL;
		a->err = e->err;
	}
	if (e->flags & SKY_ERRQ_TTL)
		a->ttl = e->ttl;
	if (e->ext_at && !(e->flags & SKY_ERRQ_EXT_BAD))
		sky_hopin_labels(a, data + e->ext_at, (size_t)e->len - e->ext_at);
	else if (!e->ext_at && !(e->flags & SKY_ERRQ_CUT))
		sky_hopin_guess(a, data, e->len, before(s));
	return true;
}

/* With a raw socket the same errors come there, and whole: what is here only
 * makes room. What this host says itself comes here alone. */
unsigned
sky_pathsock_errors(struct sky_pathsock *s, struct sky_pathsock_way *w,
    struct sky_hop_answer *a, unsigned n)
{
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	struct sky_errq e[SKY_ERRQ_BATCH];
	unsigned got = 0;
	int r = sky_errq_read(w->fd, e, data, n < SKY_ERRQ_BATCH ? n : SKY_ERRQ_BATCH);

	for (int i = 0; i < r; i++) {
		if (!take_error(s, &a[got], &e[i], data[i]))
			continue;
		if (s->raw < 0 || a[got].what == SKY_HOP_LOCAL)
			got++;
	}
	return got;
}

struct take {
	struct mmsghdr h[TAKE];
	struct iovec iov[TAKE];
	struct sky_addr from[TAKE];
	uint8_t data[TAKE][PACKET];
	_Alignas(8) uint8_t ctl[TAKE][SKY_CTL_IN];
};

static int
take(int fd, struct take *t, unsigned n)
{
	for (unsigned i = 0; i < n && i < TAKE; i++) {
		t->iov[i] = (struct iovec){ t->data[i], PACKET };
		memset(&t->from[i], 0, sizeof(t->from[i]));
		t->h[i].msg_hdr = (struct msghdr){
			.msg_name = &t->from[i], .msg_namelen = sizeof(t->from[i]),
			.msg_iov = &t->iov[i], .msg_iovlen = 1,
			.msg_control = t->ctl[i], .msg_controllen = SKY_CTL_IN,
		};
	}
	return sky_msg_recv(fd, t->h, n < TAKE ? n : TAKE);
}

/* Raw IPv4 sockets give the IP header as well. */
static struct sky_rd
message_of(const struct sky_pathsock *s, const struct take *t, unsigned i, uint32_t *ip)
{
	size_t len = t->h[i].msg_len < PACKET ? t->h[i].msg_len : PACKET;
	struct sky_ip head;

	*ip = 40;
	if (s->family == AF_INET6)
		return sky_rd_of(t->data[i], len);
	*ip = 0;
	if (sky_ip_decode(&head, t->data[i], len) != 0 || head.proto != IPPROTO_ICMP)
		return sky_rd_of(NULL, 0);
	*ip = head.head_len;
	return head.payload;
}

/* Whose flow it is decides the port or identifier to look for. */
static bool
find_flow(struct sky_pathsock *s, const struct sky_addr *from, struct sky_rd rd,
    struct sky_hop_answer *a)
{
	struct sky_hop_answer one;
	bool found = false;

	for (unsigned k = 0; k < s->ways; k++) {
		sky_addr_set_port(&s->sent.src, s->way[k].port);
		if (!sky_hopin_icmp(&one, &s->sent, from, rd.at, sky_rd_left(&rd)))
			continue;
		*a = one;
		found = true;
		if (!one.rewritten)	/* else perhaps another flow has these ends */
			break;
	}
	return found;
}

/* Echo replies come to the flow's own socket. */
static bool
take_raw(struct sky_pathsock *s, const struct take *t, unsigned i, struct sky_hop_answer *a)
{
	uint32_t ip;

	return find_flow(s, &t->from[i], message_of(s, t, i, &ip), a) && !a->reply_len;
}

/* The echo reply of a ping socket, or of a raw one, which hears all. */
static bool
take_echo(struct sky_pathsock *s, const struct sky_pathsock_way *w, const struct take *t,
    unsigned i, struct sky_hop_answer *a)
{
	uint32_t ip = s->family == AF_INET ? 20 : 40;
	size_t len = t->h[i].msg_len < PACKET ? t->h[i].msg_len : PACKET;
	struct sky_rd rd = sky_rd_of(t->data[i], len);
	bool ours;

	if (s->ping_raw) {
		ours = find_flow(s, &t->from[i], message_of(s, t, i, &ip), a);
	} else {
		sky_addr_set_port(&s->sent.src, w->port);
		ours = sky_hopin_icmp(a, &s->sent, &t->from[i], rd.at, sky_rd_left(&rd));
	}
	if (!ours || !a->reply_len)
		return false;
	a->reply_len = t->h[i].msg_len + (s->ping_raw && s->family == AF_INET ? 0 : ip);
	return true;
}

/* A datagram: with our tag it is an answer whoever sends it; without, it is one
 * only if the destination does, and to which probe nobody knows. */
static bool
take_datagram(struct sky_pathsock *s, const struct take *t, unsigned i,
    struct sky_hop_answer *a)
{
	size_t len = t->h[i].msg_len < PACKET ? t->h[i].msg_len : PACKET;
	bool dst = sky_addr_equal(&t->from[i], &s->conf.dst);

	memset(a, 0, sizeof(*a));
	a->what = SKY_HOP_REACHED;
	a->trust = (uint8_t)sky_hoptag_read(s->sent.key, t->data[i], len, &a->id);
	if (dst && a->trust == SKY_TRUST_MISMATCH)
		a->trust = SKY_TRUST_SHORT;
	if (!dst && a->trust != SKY_TRUST_MATCHED)
		return false;
	a->reply_len = t->h[i].msg_len + (s->family == AF_INET ? 28 : 48);
	a->by = t->from[i];
	sky_addr_set_port(&a->by, 0);
	return true;
}

static bool
take_one(struct sky_pathsock *s, const struct sky_pathsock_way *w, struct take *t, unsigned i,
    struct sky_hop_answer *a)
{
	struct sky_ctl c;
	bool ours;

	sky_msg_unmap(&t->from[i]);
	if (!w)
		ours = take_raw(s, t, i, a);
	else if (s->conf.method == SKY_PATHSOCK_ICMP)
		ours = take_echo(s, w, t, i, a);
	else
		ours = take_datagram(s, t, i, a);
	if (!ours)
		return false;
	sky_ctl_decode(&c, t->ctl[i], t->h[i].msg_hdr.msg_controllen);
	a->at = sky_pathsock_when(c.have & SKY_CTL_TIME ? c.time_ns : 0);
	a->ttl = c.have & SKY_CTL_TTL ? c.ttl : 0;
	a->fragsize = c.have & SKY_CTL_FRAGSIZE ? c.fragsize : 0;
	return true;
}

/* w NULL: the raw socket beside. */
static unsigned
replies(struct sky_pathsock *s, const struct sky_pathsock_way *w, struct sky_hop_answer *a,
    unsigned n)
{
	struct take t;
	unsigned got = 0;
	int r = take(w ? w->fd : s->raw, &t, n);

	for (int i = 0; i < r; i++) {
		if (take_one(s, w, &t, (unsigned)i, &a[got]))
			got++;
		else
			s->strays++;
	}
	return got;
}

static unsigned
take_failed(struct sky_pathsock *s, struct sky_hop_answer *a, unsigned n)
{
	unsigned got = s->fails < n ? s->fails : n;

	memcpy(a, s->fail, got * sizeof(*a));
	s->fails -= got;
	memmove(s->fail, s->fail + got, s->fails * sizeof(*a));
	return got;
}

static unsigned
take_token(struct sky_pathsock *s, uint32_t token, struct sky_hop_answer *a, unsigned n)
{
	struct sky_pathsock_way *w;
	unsigned got;

	if (token == TOKEN_RAW)
		return replies(s, NULL, a, n);
	if (token >= s->ways || s->way[token].fd < 0)
		return 0;
	w = &s->way[token];
	if (s->conf.method == SKY_PATHSOCK_TCP)
		return sky_pathsock_dialled(s, w, a, n);
	got = sky_pathsock_errors(s, w, a, n);
	return got < n ? got + replies(s, w, a + got, n - got) : got;
}

unsigned
sky_pathsock_collect(struct sky_pathsock *s, struct sky_hop_answer *a, unsigned n)
{
	uint32_t token[SKY_POLLER_BATCH];
	unsigned got = take_failed(s, a, n);
	int ready = 1;

	/* what is only noise must not look like the end of it */
	for (int round = 0; round < TAKE && got == 0 && ready > 0; round++) {
		ready = sky_poller_take(s->wait, token);
		for (int i = 0; i < ready && got < n; i++)
			got += take_token(s, token[i], a + got, n - got);
	}
	if (s->conf.method == SKY_PATHSOCK_TCP)
		sky_pathsock_tend(s);
	return got;
}
