/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd_link.c - the connection to icmpd(8), and what goes out by it. */
#include "sock/icmpd.h"
#include "sys/alarm.h"
#include "sys/clock.h"
#include "sys/local.h"
#include "sys/sockfd.h"
#include "sys/sockid.h"
#include "sys/poller.h"

#include <errno.h>
#include <string.h>

static const uint64_t first_pause_ns = 20000000u;
static const uint64_t last_pause_ns = 2000000000u;

/* Tries again later, less and less often. */
static void
set_alarm(struct icmpd *d)
{
	if (!d->pause_ns)
		d->pause_ns = first_pause_ns;
	d->next_try_ns = sky_clock_steady() + d->pause_ns;
	sky_alarm_set(d->alarm, d->pause_ns);
	d->pause_ns = d->pause_ns * 2 < last_pause_ns ? d->pause_ns * 2 : last_pause_ns;
}

void
icmpd_free_entry(struct icmpd *d, uint32_t i)
{
	d->entry[i].state = ENTRY_FREE;
	d->entry[i].next_free = d->free;
	d->free = i;
	d->used--;
}

/* A descriptor that is another socket by now was closed without a word. */
static bool
still_there(const struct icmpd_entry *e)
{
	return sky_sockid_cookie(e->fd) == e->cookie;
}

/* A daemon that comes up knows nothing. */
static void
forget_told(struct icmpd *d)
{
	d->backlog = d->cursor = d->accepted = 0;
	for (uint32_t i = 0; i < d->touched; i++) {
		struct icmpd_entry *e = &d->entry[i];

		if (e->state == ENTRY_LEAVING)
			icmpd_free_entry(d, i);
		if (e->state == ENTRY_FREE)
			continue;
		e->state = ENTRY_UNTOLD;
		d->backlog++;
	}
	d->watch_untold = d->watching;
	d->asks = 0;
}

void
icmpd_down(struct icmpd *d, int err)
{
	sky_sockfd_close(d->fd);
	d->fd = -1;
	if (d->greeted) {
		d->news_down = true;
		d->down_err = err;
		d->downs++;
		d->pause_ns = 0;
	}
	d->greeted = d->reading = d->wants_room = false;
	d->uid = d->pid = 0;
	forget_told(d);
	set_alarm(d);
}

static int
send_out(struct icmpd *d, struct sky_icmpdmsg_out *o)
{
	int r = sky_local_send(d->fd, o->wr.start, sky_icmpdmsg_end(o));

	if (r == -EAGAIN && !d->wants_room) {
		d->wants_room = true;
		sky_poller_change(d->wait, d->fd, 1, 1, 0);
	}
	/* another failure shows again, and is told, when the end is read */
	return r;
}

static int
send_hello(struct icmpd *d)
{
	struct sky_icmpdmsg_out o;
	uint8_t buf[64];
	int r;

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_HELLO, buf, sizeof(buf));
	sky_icmpdmsg_put_hello(&o);
	r = send_out(d, &o);
	/* turned away already: why is there to be read, before the end */
	return r == -EPIPE ? 0 : r;
}

int
icmpd_connect(struct icmpd *d)
{
	struct sky_local_peer peer;
	int r = sky_local_connect(d->path);

	if (r >= 0) {
		d->fd = r;
		r = sky_poller_add(d->wait, d->fd, 0, 0);
		if (r == 0)
			r = send_hello(d);
		if (r < 0)
			sky_sockfd_close(d->fd);
	}
	d->connect_err = r < 0 ? r : 0;
	if (r < 0) {
		d->fd = -1;
		set_alarm(d);
		return r;
	}
	sky_alarm_set(d->alarm, 0);
	if (sky_local_peer(d->fd, &peer) == 0) {
		d->uid = peer.uid;
		d->pid = peer.pid;
		if (peer.pidfd >= 0)
			sky_sockfd_close(peer.pidfd);
	}
	icmpd_tell(d);
	return 0;
}

/* The next question that was not sent yet. */
static int
tell_ask(struct icmpd *d)
{
	unsigned q = (unsigned)__builtin_ctz(d->asks);
	struct sky_icmpdmsg_out o;
	uint8_t buf[64];
	int r;

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_ASK, buf, sizeof(buf));
	sky_icmpdmsg_put_pair(&o, q, 0);
	r = send_out(d, &o);
	if (r == 0)
		d->asks &= ~(1u << q);
	return r;
}

static int
tell_watch(struct icmpd *d)
{
	struct sky_icmpdmsg_out o;
	uint8_t buf[128];
	int r;

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_WATCH, buf, sizeof(buf));
	sky_icmpdmsg_put_filter(&o, &d->filter);
	r = send_out(d, &o);
	if (r == 0)
		d->watch_untold = false;
	return r;
}

/* Messages that are put together: entries of one kind, their new state is given
 * to them only when the message is out. */
struct batch {
	struct sky_icmpdmsg_out o;
	uint32_t at[SKY_ICMPDMSG_RECORDS];
	unsigned n;
	uint8_t state;			/* of entries that belong to it */
	uint8_t buf[SKY_ICMPDMSG_HEAD + SKY_ICMPDMSG_RECORDS * 96];
};

static void
begin(struct batch *b, uint8_t state)
{
	b->n = 0;
	b->state = state;
	sky_icmpdmsg_begin(&b->o, state == ENTRY_UNTOLD ? SKY_ICMPDMSG_ADD : SKY_ICMPDMSG_REMOVE,
	    b->buf, sizeof(b->buf));
}

static void
put_add(struct icmpd *d, struct batch *b, uint32_t i)
{
	const struct icmpd_entry *e = &d->entry[i];
	struct sky_sockid s;
	struct sky_icmpdmsg_socket m = { .id = i, .cookie = e->cookie };

	if (sky_sockid_ask(e->fd, &s) < 0)
		return;
	m.proto = (uint8_t)s.protocol;
	m.family = (uint8_t)s.family;
	m.flags = s.group ? SKY_ICMPDMSG_GROUP : 0;
	m.ifindex = s.ifindex;
	m.local = s.local;
	m.remote = s.remote;
	if (sky_icmpdmsg_put_socket(&b->o, &m) == 0)
		b->at[b->n++] = i;
}

static void
put_remove(struct icmpd *d, struct batch *b, uint32_t i)
{
	struct sky_icmpdmsg_result m = { .id = i, .cookie = d->entry[i].cookie };

	if (sky_icmpdmsg_put_result(&b->o, &m) == 0)
		b->at[b->n++] = i;
}

static int
finish(struct icmpd *d, struct batch *b)
{
	int r = b->n ? send_out(d, &b->o) : 0;

	if (r < 0)
		return r;
	for (unsigned i = 0; i < b->n; i++) {
		if (b->state == ENTRY_UNTOLD)
			d->entry[b->at[i]].state = ENTRY_TOLD;
		else
			icmpd_free_entry(d, b->at[i]);
	}
	d->backlog -= b->n;
	return 0;
}

/* True if entry i needs a word; one whose descriptor is another socket by now is
 * dropped. */
static bool
is_due(struct icmpd *d, uint32_t i)
{
	struct icmpd_entry *e = &d->entry[i];

	if (e->state == ENTRY_LEAVING)
		return true;
	if (e->state != ENTRY_UNTOLD)
		return false;
	if (still_there(e))
		return true;
	icmpd_free_entry(d, i);
	d->backlog--;
	return false;
}

/* Puts entry i into the message; false if it is for the next one. */
static bool
put_entry(struct icmpd *d, struct batch *b, uint32_t i)
{
	uint8_t state = d->entry[i].state;

	if (!b->n)
		begin(b, state);
	if (b->state != state || b->n == SKY_ICMPDMSG_RECORDS)
		return false;
	if (state == ENTRY_UNTOLD)
		put_add(d, b, i);
	else
		put_remove(d, b, i);
	return true;
}

/* One message: 1 if there may be more to say, 0 at the end, or a negative errno. */
static int
tell_batch(struct icmpd *d)
{
	uint32_t from = d->cursor, left = d->touched;
	struct batch b = { .n = 0 };
	int r;

	for (; left && b.n < d->backlog; left--) {
		uint32_t i = d->cursor < d->touched ? d->cursor : 0;

		if (is_due(d, i) && !put_entry(d, &b, i))
			break;
		d->cursor = i + 1;
	}
	r = finish(d, &b);
	if (r < 0)
		d->cursor = from;
	return r < 0 ? r : b.n != 0;
}

void
icmpd_tell(struct icmpd *d)
{
	int r = 1;

	if (d->fd < 0)
		return;
	if (d->wants_room) {
		d->wants_room = false;
		sky_poller_change(d->wait, d->fd, 1, 0, 0);
	}
	if (d->watch_untold && tell_watch(d) < 0)
		return;
	while (d->backlog && r > 0)
		r = tell_batch(d);
	/* behind what was said before: its answer says that the rest was heard */
	while (d->asks && !d->wants_room)
		if (tell_ask(d) < 0)
			return;
}
