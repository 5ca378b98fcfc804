/* SPDX-License-Identifier: BSD-2-Clause */
/* hear.c - what the network says, whose it is, who is told; see daemon.h. */
#include "daemon.h"

#include "base/prefix.h"
#include "fate/heard.h"
#include "sys/clock.h"
#include "sys/sockopt.h"

#include <errno.h>
#include <string.h>

enum {
	BATCHES = 4,			/* of one family, before the others' turn */
};

/* Decodes message i of the batch into fate n; false if there is nothing to tell. */
static bool
take(struct daemon *d, int family, unsigned i, unsigned n)
{
	const struct sky_rawicmp *r = &d->heard[i];
	const struct sky_heard h = { .family = family, .data = d->data[i], .len = r->len,
		.cut = r->cut, .hop = r->hop, .have_hop = r->have_hop, .by = r->by,
		.local = r->local, .ifindex = r->ifindex,
		.time_ns = r->time_ns ? r->time_ns : sky_clock_wall() };
	int err = sky_fate_hear(&d->fate[n], &h);

	d->count[SKY_ICMPD_C_MALFORMED] += err == -EBADMSG;
	d->count[SKY_ICMPD_C_FOREIGN] += err == -EPROTONOSUPPORT;
	return err == 0;
}

static bool
same_question(const struct sky_diag_ask *a, const struct sky_diag_ask *b)
{
	return a->proto == b->proto && a->ifindex == b->ifindex &&
	    sky_addr_equal(&a->local, &b->local) && sky_addr_equal(&a->remote, &b->remote);
}

/* The question about fate n; many are about the same flow, and asked once. */
static unsigned
find_question(struct daemon *d, unsigned n, unsigned asked)
{
	const struct sky_fate *f = &d->fate[n];
	struct sky_diag_ask *q = &d->ask[asked];
	unsigned i;

	*q = (struct sky_diag_ask){ .proto = f->proto, .ifindex = f->ifindex, .local = f->src,
		.remote = f->dst };
	for (i = asked; i > 0 && !same_question(&d->ask[i - 1], q);)
		i--;
	d->asked[n] = (uint8_t)(i ? i - 1 : asked);
	return i ? asked : asked + 1;
}

static void
ask_all(struct daemon *d, unsigned asked)
{
	uint64_t cookie[SKY_RAWICMP_BATCH];

	for (unsigned i = 0; i < asked; i += SKY_DIAG_BATCH)
		sky_diag_ask(&d->diag, &d->ask[i], &d->answer[i],
		    asked - i < SKY_DIAG_BATCH ? asked - i : SKY_DIAG_BATCH);
	d->count[SKY_ICMPD_C_LOOKUPS] += asked;
	for (unsigned i = 0; i < asked; i++)
		cookie[i] = d->answer[i].cookie;
	if (asked > 1)
		table_warm(&d->table, cookie, asked);
}

static bool
tell(struct daemon *d, struct client *c, const struct sky_icmpdmsg_fate *m)
{
	struct sky_icmpdmsg_out o;
	uint32_t before = queue_bytes(&c->queue);

	client_mark(d, c);
	if (!queue_room(&c->queue, (uint32_t)d->o.queue, &o)) {
		c->lost++;
		c->dropped++;
		d->count[SKY_ICMPD_C_DROPPED]++;
		return false;
	}
	sky_icmpdmsg_put_fate(&o, m);
	queue_add(&c->queue, SKY_ICMPDMSG_FATES, &o);
	c->delivered++;
	d->count[SKY_ICMPD_C_DELIVERED]++;
	d->count[SKY_ICMPD_C_QUEUED] += queue_bytes(&c->queue) - before;
	return true;
}

/* Clients that have this very socket. A registration of one who does not own it may
 * be a mistake or an attack; the kernel's answer of now decides. */
static unsigned
tell_owners(struct daemon *d, struct sky_icmpdmsg_fate *m)
{
	unsigned told = 0;
	const struct reg *r = table_by_cookie(&d->table, m->owner.cookie);

	for (; r; r = table_next_cookie(&d->table, r)) {
		if (r->uid != m->owner.uid && r->uid != 0) {
			d->count[SKY_ICMPD_C_OTHER_USER]++;
			continue;
		}
		m->id = r->id;
		tell(d, d->client[r->client], m);
		told++;
	}
	return told;
}

/* The kernel's lookup named one of a group, but any of it may have sent: each
 * client knows what it sent. */
static unsigned
tell_group(struct daemon *d, const struct sky_icmpdmsg_fate *m)
{
	struct sky_icmpdmsg_fate other = *m;
	uint32_t local = table_local(&m->fate.src);
	unsigned told = 0;
	const struct reg *r = table_by_group(&d->table, m->fate.proto, sky_addr_port(&m->fate.src));

	for (; r; r = table_next_group(&d->table, r)) {
		if (r->uid != m->owner.uid || r->cookie == m->owner.cookie ||
		    (r->local && r->local != local))
			continue;
		other.id = r->id;
		other.owner.cookie = r->cookie;
		other.owner.inode = 0;
		tell(d, d->client[r->client], &other);
		told++;
	}
	return told;
}

static bool
in_prefix(const struct sky_addr *a, const struct sky_icmpd_filter *f)
{
	return sky_prefix_has(&f->prefix, f->bits, a);
}

static bool
passes(const struct sky_icmpd_filter *f, const struct sky_fate *x)
{
	if (f->proto && f->proto != x->proto)
		return false;
	if (f->port && f->port != sky_addr_port(&x->src) && f->port != sky_addr_port(&x->dst))
		return false;
	if (f->fates && !(f->fates >> x->what & 1))
		return false;
	if (sky_addr_family(&f->prefix) == AF_UNSPEC)
		return true;
	return in_prefix(&x->src, f) || in_prefix(&x->dst, f) || in_prefix(&x->by, f);
}

static void
tell_watchers(struct daemon *d, struct sky_icmpdmsg_fate *m)
{
	m->id = SKY_ICMPDMSG_NO_ID;
	for (uint32_t i = 0; i < d->places; i++) {
		struct client *c = d->client[i];

		if (!c || !c->watching || !passes(&c->filter, &m->fate))
			continue;
		if (c->uid == 0 || (d->compat && c->pid == (uint32_t)d->compat) ||
		    (m->owner.known && c->uid == m->owner.uid))
			tell(d, c, m);
	}
}

static void
deliver(struct daemon *d, unsigned n)
{
	const struct sky_diag_answer *a = &d->answer[d->asked[n]];
	struct sky_icmpdmsg_fate m = { .fate = d->fate[n] };
	unsigned told = 0;

	if (a->err == 0) {
		m.owner = (struct sky_icmpd_owner){ .cookie = a->cookie, .cgroup = a->cgroup,
			.inode = a->inode, .uid = a->uid, .known = true };
		m.owner.delivered = true;
		told = tell_owners(d, &m) + tell_group(d, &m);
		d->count[told ? SKY_ICMPD_C_MATCHED : SKY_ICMPD_C_UNREGISTERED]++;
	} else {
		d->count[a->err == -ENOENT ? SKY_ICMPD_C_NO_SOCKET :
		    SKY_ICMPD_C_LOOKUP_ERRORS]++;
	}
	m.owner.delivered = told != 0;
	if (d->watchers)
		tell_watchers(d, &m);
}

static void
drops_of(struct daemon *d, int fd, uint32_t *seen)
{
	struct sky_meminfo m;
	uint32_t more;

	if (sky_sockopt_meminfo(fd, &m) < 0)
		return;
	more = m.drops - *seen;
	*seen = m.drops;
	if (!more)
		return;
	d->count[SKY_ICMPD_C_OVERRUN] += more;
	for (uint32_t i = 0; i < d->places; i++)
		if (d->client[i] && (d->client[i]->sockets || d->client[i]->watching)) {
			d->client[i]->overrun += more;
			client_mark(d, d->client[i]);
		}
}

void
hear_drops(struct daemon *d)
{
	drops_of(d, d->raw4, &d->drops4);
	drops_of(d, d->raw6, &d->drops6);
}

static int
hear_some(struct daemon *d, int family, unsigned most)
{
	bool six = family == AF_INET6;
	unsigned n = 0, asked = 0;
	int got = sky_rawicmp_read(six ? d->raw6 : d->raw4, d->heard, d->data, most);

	d->count[six ? SKY_ICMPD_C_HEARD6 : SKY_ICMPD_C_HEARD4] += got > 0 ? (unsigned)got : 0;
	for (int i = 0; i < got; i++)
		if (take(d, family, (unsigned)i, n))
			asked = find_question(d, n++, asked);
	ask_all(d, asked);
	for (unsigned i = 0; i < n; i++)
		deliver(d, i);
	return got;
}

/* It came before we last went to sleep: there may be more. */
static bool
waited(const struct daemon *d)
{
	return d->heard[0].time_ns && d->heard[0].time_ns < d->asleep_ns;
}

/* In calm times an error is read alone, and told before anything else is looked
 * for; in a storm they are read by the dozen. */
void
hear(struct daemon *d, int family)
{
	unsigned want = d->storm ? SKY_RAWICMP_BATCH : 1, sum = 0;
	int got = 0;

	for (int b = 0; b < BATCHES; b++) {
		got = hear_some(d, family, want);
		sum += got > 0 ? (unsigned)got : 0;
		if (got < (int)want || (want == 1 && !waited(d)))
			break;
		want = SKY_RAWICMP_BATCH;
	}
	d->storm = sum > 1;
	if (got == SKY_RAWICMP_BATCH)
		hear_drops(d);
}
