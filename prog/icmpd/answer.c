/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.c - what a client asks for; see daemon.h. */
#include "daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static void
queue_up(struct daemon *d, struct client *c, enum sky_icmpdmsg_kind kind,
    const struct sky_icmpdmsg_out *o)
{
	uint32_t before = queue_bytes(&c->queue);

	queue_add(&c->queue, kind, o);
	d->count[SKY_ICMPD_C_QUEUED] += queue_bytes(&c->queue) - before;
	client_mark(d, c);
}

static void
put_pair(struct daemon *d, struct client *c, enum sky_icmpdmsg_kind kind, uint64_t a, uint64_t b)
{
	struct sky_icmpdmsg_out o;

	if (!queue_room(&c->queue, (uint32_t)d->o.queue, &o))
		return;
	sky_icmpdmsg_put_pair(&o, a, b);
	queue_up(d, c, kind, &o);
}

static bool
take_hello(struct daemon *d, struct client *c, struct sky_icmpdmsg *m)
{
	struct sky_icmpdmsg_out o;
	uint32_t flags;

	if (sky_icmpdmsg_next_hello(m, &flags) != 1 || c->greeted)
		return false;
	c->greeted = true;
	if (!queue_room(&c->queue, (uint32_t)d->o.queue, &o))
		return false;
	sky_icmpdmsg_put_hello(&o);
	queue_up(d, c, SKY_ICMPDMSG_HELLO, &o);
	return true;
}

static uint32_t
scope_of(const struct sky_addr *a)
{
	return sky_addr_family(a) == AF_INET6 ? a->u.in6.sin6_scope_id : 0;
}

/* What the kernel is asked to prove that the client has this socket; false if there
 * is nothing to ask about: it has no port yet, or is no way to look TCP up by. */
static bool
question(const struct sky_icmpdmsg_socket *s, struct sky_diag_ask *q)
{
	int local = sky_addr_family(&s->local), remote = sky_addr_family(&s->remote);

	*q = (struct sky_diag_ask){ .proto = s->proto, .local = s->local, .remote = s->remote,
		.ifindex = s->ifindex };
	if (local == AF_UNSPEC || !sky_addr_port(&s->local))
		return false;
	if (remote == AF_UNSPEC)
		return s->proto != IPPROTO_TCP;
	if (!q->ifindex)
		q->ifindex = scope_of(&s->local) ? scope_of(&s->local) : scope_of(&s->remote);
	return local == remote;
}

/* 0, or why not. The rights are looked at again for each error, when the socket is
 * looked up: what is let through here by mistake hears nothing. */
static int
judge(const struct client *c, const struct sky_icmpdmsg_socket *s, const struct sky_diag_answer *a)
{
	if (a->err == -ENOENT)
		return -ESTALE;
	if (a->err)
		return 0;
	if (a->cookie == s->cookie)
		return a->uid == c->uid || c->uid == 0 ? 0 : -EACCES;
	/* another member of its group, or the one that the port is shared with */
	if (a->uid == c->uid)
		return 0;
	return s->flags & SKY_ICMPDMSG_GROUP ? -EACCES : -ESTALE;
}

static int
make_sense(const struct sky_icmpdmsg_socket *s)
{
	if (!s->cookie)
		return -EINVAL;
	if (s->proto != IPPROTO_UDP && s->proto != IPPROTO_UDPLITE && s->proto != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	return 0;
}

static int
put_socket(struct daemon *d, struct client *c, const struct sky_icmpdmsg_socket *s)
{
	struct table_owner o = { c->place, c->uid, &c->own };
	struct usage *u = client_usage(d, c->uid);
	int r = u && u->sockets < d->o.sockets ? table_put(&d->table, &o, s) : -ENOSPC;

	if (r <= 0)
		return r;
	u->sockets++;
	c->sockets++;
	d->count[SKY_ICMPD_C_SOCKETS]++;
	d->count[SKY_ICMPD_C_SOCKETS_EVER]++;
	return 0;
}

static void
put_result(struct daemon *d, struct client *c, const struct sky_icmpdmsg_socket *s, int err)
{
	const struct sky_icmpdmsg_result r = { .id = s->id, .cookie = s->cookie, .err = err };
	struct sky_icmpdmsg_out o;

	d->count[SKY_ICMPD_C_SOCKETS_REFUSED] += err != 0;
	if (!queue_room(&c->queue, (uint32_t)d->o.queue, &o))
		return;
	sky_icmpdmsg_put_result(&o, &r);
	queue_up(d, c, SKY_ICMPDMSG_RESULT, &o);
}

/* All of a message are read before any is believed: nothing half done. */
static bool
take_sockets(struct daemon *d, struct client *c, struct sky_icmpdmsg *m)
{
	struct sky_icmpdmsg_socket s[SKY_ICMPDMSG_RECORDS];
	struct sky_diag_ask q[SKY_ICMPDMSG_RECORDS];
	struct sky_diag_answer a[SKY_ICMPDMSG_RECORDS];
	uint8_t asked[SKY_ICMPDMSG_RECORDS];
	unsigned n = 0, questions = 0;
	int r;

	while (n < SKY_ICMPDMSG_RECORDS && (r = sky_icmpdmsg_next_socket(m, &s[n])) == 1) {
		asked[n] = UINT8_MAX;
		if (question(&s[n], &q[questions]))
			asked[n] = (uint8_t)questions++;
		n++;
	}
	if (n < SKY_ICMPDMSG_RECORDS ? r < 0 : m->left || sky_rd_left(&m->rd))
		return false;
	d->count[SKY_ICMPD_C_LOOKUPS] += questions;
	if (questions)
		sky_diag_ask(&d->diag, q, a, questions);
	for (unsigned i = 0; i < n; i++) {
		r = make_sense(&s[i]);
		if (r == 0 && asked[i] != UINT8_MAX)
			r = judge(c, &s[i], &a[asked[i]]);
		if (r == 0)
			r = put_socket(d, c, &s[i]);
		put_result(d, c, &s[i], r);
	}
	return true;
}

static bool
take_removals(struct daemon *d, struct client *c, struct sky_icmpdmsg *m)
{
	struct table_owner o = { c->place, c->uid, &c->own };
	struct usage *u = client_usage(d, c->uid);
	struct sky_icmpdmsg_result x;
	int r;

	while ((r = sky_icmpdmsg_next_result(m, &x)) == 1) {
		if (!table_remove(&d->table, &o, x.id, x.cookie))
			continue;
		if (u)
			u->sockets--;
		c->sockets--;
		d->count[SKY_ICMPD_C_SOCKETS]--;
	}
	return r == 0;
}

static bool
take_watch(struct daemon *d, struct client *c, struct sky_icmpdmsg *m)
{
	struct sky_icmpd_filter f;

	if (sky_icmpdmsg_next_filter(m, &f) != 1)
		return false;
	d->watchers += !c->watching;
	c->watching = true;
	c->filter = f;
	put_pair(d, c, SKY_ICMPDMSG_DONE, SKY_ICMPDMSG_WATCH, 0);
	return true;
}

static void
tell_counters(struct daemon *d, struct client *c)
{
	hear_drops(d);
	d->count[SKY_ICMPD_C_CLIENTS] = d->clients;
	d->count[SKY_ICMPD_C_WATCHERS] = d->watchers;
	for (unsigned i = 0; i < SKY_ICMPD_COUNTERS_N; i++)
		put_pair(d, c, SKY_ICMPDMSG_COUNTERS, i, d->count[i]);
}

static void
tell_clients(struct daemon *d, struct client *c)
{
	struct sky_icmpdmsg_out o;

	for (uint32_t i = 0; i < d->places; i++) {
		const struct client *x = d->client[i];
		struct sky_icmpd_client row;

		if (!x || (c->uid && x->uid != c->uid))
			continue;
		row = (struct sky_icmpd_client){ .pid = client_lives(x) ? x->pid : 0,
			.uid = x->uid, .sockets = x->sockets, .waiting = queue_bytes(&x->queue),
			.delivered = x->delivered, .dropped = x->dropped,
			.watching = x->watching };
		if (!queue_room(&c->queue, (uint32_t)d->o.queue, &o))
			return;
		sky_icmpdmsg_put_client(&o, &row);
		queue_up(d, c, SKY_ICMPDMSG_CLIENTS, &o);
	}
}

static bool
take_ask(struct daemon *d, struct client *c, struct sky_icmpdmsg *m)
{
	uint64_t what, b;
	int err = 0;

	if (sky_icmpdmsg_next_pair(m, &what, &b) != 1)
		return false;
	if (what == SKY_ICMPD_COUNTERS)
		tell_counters(d, c);
	else if (what == SKY_ICMPD_CLIENTS)
		tell_clients(d, c);
	else
		err = EINVAL;
	put_pair(d, c, SKY_ICMPDMSG_DONE, SKY_ICMPDMSG_ASK, (uint64_t)err);
	return true;
}

typedef bool take_fn(struct daemon *d, struct client *c, struct sky_icmpdmsg *m);
static take_fn *const takes[SKY_ICMPDMSG_KINDS] = {
	[SKY_ICMPDMSG_HELLO] = take_hello,
	[SKY_ICMPDMSG_ADD] = take_sockets,
	[SKY_ICMPDMSG_REMOVE] = take_removals,
	[SKY_ICMPDMSG_WATCH] = take_watch,
	[SKY_ICMPDMSG_ASK] = take_ask,
};

/* A kind that only a later version has is passed over; one that only a daemon sends
 * makes no sense from a client. */
bool
answer(struct daemon *d, struct client *c, const void *data, size_t len)
{
	struct sky_icmpdmsg m;

	if (sky_icmpdmsg_open(&m, data, len) < 0)
		return false;
	if (!c->greeted && m.kind != SKY_ICMPDMSG_HELLO)
		return false;
	if (m.kind >= SKY_ICMPDMSG_KINDS)
		return true;
	return takes[m.kind] && takes[m.kind](d, c, &m);
}
