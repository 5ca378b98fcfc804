/* SPDX-License-Identifier: BSD-2-Clause */
/* ours.c - the same traffic by libsockeye, as a program would use it. */
#include "way.h"

#include <errno.h>
#include <sockeye/udp.h>
#include <stdlib.h>

struct end {
	struct sky_udp u;
	unsigned batch;
	struct sky_msg m[WAY_BATCH];
	char *data;
};

static void
ours_close(void *p)
{
	struct end *e = p;

	sky_udp_close(&e->u);
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
	e->data = calloc(s->batch, each);
	if (!e->data) {
		free(e);
		return NULL;
	}
	for (i = 0; i < s->batch; i++) {
		e->m[i].data = e->data + i * each;
		e->m[i].cap = each;
	}
	return e;
}

static void *
start(struct end *e, struct sky_udp_conf *c)
{
	int err;

	c->size = sizeof(*c);
	err = sky_udp_open(&e->u, c);
	if (err == 0)
		return e;
	free(e->data);
	free(e);
	errno = -err;
	return NULL;
}

static void *
ours_open_tx(const struct spec *s)
{
	struct sky_udp_conf c = {.family = s->to.sa.sa_family, .sndbuf = WAY_RCVBUF};
	struct end *e = prepare(s, way_len(s));
	struct sky_addr to;
	unsigned i;

	if (!e)
		return NULL;
	sky_addr_from(&to, &s->to.sa, way_to_len(s));
	for (i = 0; i < s->batch; i++) {
		e->m[i].len = way_len(s);
		e->m[i].seg = s->segs ? (uint32_t)s->size : 0;
		e->m[i].peer = to;
		e->m[i].have = s->connected ? 0 : SKY_MSG_PEER;
	}
	c.peer = s->connected ? &to : NULL;
	return start(e, &c);
}

static const struct {
	uint32_t want, is;
} wants[] = {
	{WAY_LOCAL, SKY_WANT_LOCAL}, {WAY_TTL, SKY_WANT_TTL}, {WAY_TIME, SKY_WANT_TIME},
	{WAY_TOS, SKY_WANT_TOS}, {WAY_FRAGSIZE, SKY_WANT_FRAGSIZE}, {WAY_DROPS, SKY_WANT_DROPS},
};

static void *
ours_open_rx(const struct spec *s)
{
	struct sky_udp_conf c = {.family = s->to.sa.sa_family, .rcvbuf = WAY_RCVBUF};
	struct end *e = prepare(s, way_cap(s));
	struct sky_addr to;
	unsigned i;

	if (!e)
		return NULL;
	sky_addr_from(&to, &s->to.sa, way_to_len(s));
	c.local = &to;
	c.flags = s->segs ? SKY_UDP_GRO : 0;
	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		c.want |= s->want & wants[i].want ? wants[i].is : 0;
	return start(e, &c);
}

static int
ours_fd(const void *end)
{
	return sky_udp_fd(&((const struct end *)end)->u);
}

static int
ours_send(void *end)
{
	struct end *e = end;
	int i, n = sky_udp_send(&e->u, e->m, e->batch);

	for (i = 0; i < n; i++)
		if (e->m[i].status != 0)
			return e->m[i].status;
	return n == -EAGAIN ? 0 : n;
}

static int
ours_recv(void *end, struct taken *t)
{
	struct end *e = end;
	const struct sky_msg *m;
	int i, n = sky_udp_recv(&e->u, e->m, e->batch);

	for (i = 0; i < n; i++) {
		m = &e->m[i];
		t->datagrams += m->seg ? (m->len + m->seg - 1) / m->seg : 1;
		t->bytes += m->len;
		t->ports += m->peer.u.in.sin_port;
		t->locals += m->have & SKY_MSG_LOCAL ? m->ifindex > 0 : 0;
		t->ttls += m->have & SKY_MSG_TTL ? m->ttl > 0 : 0;
		t->times += m->have & SKY_MSG_TIME ? m->time_ns > 0 : 0;
	}
	return n;
}

const struct way way_ours = {
	"sockeye", ours_open_tx, ours_open_rx, ours_fd, ours_send, ours_recv, ours_close,
};
