/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd_recv.c - what icmpd(8) says, as events; see sockeye/icmpd.h. */
#include "sock/icmpd.h"
#include "sys/clock.h"
#include "sys/local.h"

#include <errno.h>
#include <string.h>

/* The caller's buffer for quotes. */
struct quotes {
	uint8_t *at;
	size_t left;
};

static void
clear(struct sky_icmpd_event *e, enum sky_icmpd_kind kind)
{
	memset(e, 0, sizeof(*e));
	e->size = sizeof(*e);
	e->kind = (uint8_t)kind;
	e->id = -1;
}

/* Moves bytes from the message into the caller's buffer, cut to room. */
static const void *
keep(struct quotes *q, const void *data, uint32_t *len, size_t room)
{
	const void *at = q->at;

	if (*len > room)
		*len = (uint32_t)room;
	if (!data || !*len) {
		*len = 0;
		return NULL;
	}
	memcpy(q->at, data, *len);
	q->at += *len;
	q->left -= *len;
	return at;
}

/* room: this event's share of the caller's buffer. */
static void
keep_quote(struct sky_fate *f, struct quotes *q, size_t room)
{
	uint32_t quote = f->quote_len, ext = f->ext_len;

	f->quote = keep(q, f->quote, &f->quote_len, room);
	f->ext = keep(q, f->ext, &f->ext_len, room - f->quote_len);
	if (f->quote_len < quote || f->ext_len < ext)
		f->flags |= SKY_FATE_QUOTE_CUT;
}

static struct icmpd_entry *
entry_of(struct icmpd *d, uint32_t id, uint64_t cookie)
{
	struct icmpd_entry *e = id < d->touched ? &d->entry[id] : NULL;

	if (!e || e->cookie != cookie || e->state == ENTRY_FREE || e->state == ENTRY_LEAVING)
		return NULL;
	return e;
}

/* Each take: 1 and an event, 0 if the record needs no event, 2 at the message's
 * end, or a negative errno. */
enum { NO_EVENT, EVENT, END };

static int
take_fate(struct icmpd *d, struct sky_icmpd_event *e)
{
	struct sky_icmpdmsg_fate m;
	int r = sky_icmpdmsg_next_fate(&d->msg, &m);
	const struct icmpd_entry *entry;

	if (r <= 0)
		return r < 0 ? r : END;
	clear(e, SKY_ICMPD_FATE);
	if (m.id != SKY_ICMPDMSG_NO_ID) {
		entry = entry_of(d, m.id, m.owner.cookie);
		if (!entry)
			return NO_EVENT;
		e->id = (int32_t)m.id;
		e->tag = entry->tag;
	}
	e->owner = m.owner;
	e->fate = m.fate;
	d->fates++;
	return EVENT;
}

static int
take_result(struct icmpd *d, struct sky_icmpd_event *e)
{
	struct sky_icmpdmsg_result m;
	int r = sky_icmpdmsg_next_result(&d->msg, &m);
	struct icmpd_entry *entry;

	if (r <= 0)
		return r < 0 ? r : END;
	entry = entry_of(d, m.id, m.cookie);
	if (!entry)
		return NO_EVENT;
	clear(e, m.err ? SKY_ICMPD_REFUSED : SKY_ICMPD_ADDED);
	d->accepted += !m.err && entry->state != ENTRY_ACCEPTED;
	entry->state = m.err ? ENTRY_REFUSED : ENTRY_ACCEPTED;
	e->id = (int32_t)m.id;
	e->tag = entry->tag;
	e->owner.cookie = m.cookie;
	e->err = m.err;
	return EVENT;
}

static int
take_client(struct icmpd *d, struct sky_icmpd_event *e)
{
	int r;

	clear(e, SKY_ICMPD_CLIENT);
	r = sky_icmpdmsg_next_client(&d->msg, &e->client);
	return r < 0 ? r : r ? EVENT : END;
}

static int
take_pair(struct icmpd *d, struct sky_icmpd_event *e)
{
	uint64_t a, b;
	int r = sky_icmpdmsg_next_pair(&d->msg, &a, &b);

	if (r <= 0)
		return r < 0 ? r : END;
	if (d->msg.kind == SKY_ICMPDMSG_LOST) {
		clear(e, SKY_ICMPD_LOST);
		e->count = a;
		e->err = b ? -ENOBUFS : 0;
		d->lost += b ? 0 : a;
	} else if (d->msg.kind == SKY_ICMPDMSG_COUNTERS) {
		if (a >= SKY_ICMPD_COUNTERS_N)
			return NO_EVENT;
		clear(e, SKY_ICMPD_COUNTER);
		e->counter = (uint8_t)a;
		e->count = b;
	} else {
		clear(e, SKY_ICMPD_DONE);
		e->count = a;
		e->err = b < 4096 ? -(int32_t)b : -EPROTO;
	}
	return EVENT;
}

static int
take_hello(struct icmpd *d, struct sky_icmpd_event *e)
{
	uint32_t flags;
	int r = sky_icmpdmsg_next_hello(&d->msg, &flags);

	if (r <= 0)
		return r < 0 ? r : END;
	d->pause_ns = 0;
	if (d->greeted)
		return NO_EVENT;
	d->greeted = true;
	clear(e, SKY_ICMPD_UP);
	e->count = ++d->ups;
	return EVENT;
}

typedef int take_fn(struct icmpd *d, struct sky_icmpd_event *e);
static take_fn *const takes[SKY_ICMPDMSG_KINDS] = {
	[SKY_ICMPDMSG_HELLO] = take_hello,
	[SKY_ICMPDMSG_RESULT] = take_result,
	[SKY_ICMPDMSG_FATES] = take_fate,
	[SKY_ICMPDMSG_LOST] = take_pair,
	[SKY_ICMPDMSG_COUNTERS] = take_pair,
	[SKY_ICMPDMSG_CLIENTS] = take_client,
	[SKY_ICMPDMSG_DONE] = take_pair,
};

/* The next event of the message that is being read, or END. */
static int
next_record(struct icmpd *d, struct sky_icmpd_event *e)
{
	take_fn *take = d->msg.kind < SKY_ICMPDMSG_KINDS ? takes[d->msg.kind] : NULL;
	int r = NO_EVENT;

	while (take && r == NO_EVENT)
		r = take(d, e);
	return take ? r : END;
}

/* The next message, -EAGAIN if there is none. */
static int
next_message(struct icmpd *d)
{
	int r;

	if (d->fd < 0) {
		if (sky_clock_steady() < d->next_try_ns)
			return -EAGAIN;
		r = icmpd_connect(d);
		return r < 0 ? -EAGAIN : 0;
	}
	if (d->wants_room)
		icmpd_tell(d);
	r = sky_local_recv(d->fd, d->data, sizeof(d->data));
	/* a daemon that was killed left unread what we said; what it said is still here */
	if (r == -ECONNRESET)
		r = sky_local_recv(d->fd, d->data, sizeof(d->data));
	if (r == -EAGAIN)
		return r;
	if (r <= 0)
		return r < 0 ? r : -ECONNRESET;
	r = sky_icmpdmsg_open(&d->msg, d->data, (size_t)r);
	d->reading = r == 0;
	d->full = d->msg.left == SKY_ICMPDMSG_RECORDS;
	return r;
}

/* 1 and an event, or 0 when there is none for now. */
static int
next_event(struct icmpd *d, struct sky_icmpd_event *e)
{
	int r = END;

	for (;;) {
		if (d->news_down) {
			d->news_down = false;
			clear(e, SKY_ICMPD_DOWN);
			e->err = d->down_err;
			return 1;
		}
		if (d->reading)
			r = next_record(d, e);
		if (d->reading && r == EVENT)
			return 1;
		if (d->reading && r == END)
			d->reading = false;
		r = r < 0 ? r : next_message(d);
		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			icmpd_down(d, r);
		r = END;
	}
}

int
sky_icmpd_recv_stride(struct sky_icmpd *sd, struct sky_icmpd_event *e, unsigned n,
    size_t stride, void *buf, size_t size)
{
	struct icmpd *d = icmpd_of(sd);
	struct quotes q = { buf, buf ? size : 0 };
	unsigned done = 0;

	if (d->magic != SKY_ICMPD_MAGIC || stride < sizeof(*e))
		return -EINVAL;
	for (; done < n; done++) {
		struct sky_icmpd_event *at = (void *)((char *)e + done * stride);

		/* behind a message that is not full there is rarely another: the
		 * descriptor says so, and a client that has news gets it now */
		if (done && !d->msg.left && !d->full && !d->news_down)
			break;
		if (!next_event(d, at))
			break;
		keep_quote(&at->fate, &q, q.left / (n - done));
	}
	return (int)done;
}

unsigned
sky_icmpd_pending(const struct sky_icmpd *sd)
{
	const struct icmpd *d = icmpd_of_const(sd);

	return (d->reading ? d->msg.left : 0) + d->news_down;
}
