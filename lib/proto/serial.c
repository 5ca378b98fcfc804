/* SPDX-License-Identifier: BSD-2-Clause */
/* serial.c - hop by hop, see serial.h. */
#include "serial.h"

#include <errno.h>
#include <string.h>

#define NEVER UINT64_MAX
#define BUSY_NS 10000000u	/* this host's queue is full: so long */
#define BUSY_MOST 100		/* so often */

/* RFC 1191 (7), with the book's 2048, 1536, 552, 544. */
static const uint16_t sizes[] = {
	17914, 8166, 4464, 4352, 2048, 2002, 1536, 1500, 1492, 1006, 576, 552, 544,
	512, 508, 296, 68,
};

uint32_t
sky_serial_below(uint32_t len, uint32_t floor)
{
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] < len)
			return sizes[i] >= floor ? sizes[i] : 0;
	return 0;
}

bool
sky_serial_listed(uint32_t len)
{
	return len && sky_serial_below(len + 1, 0) == len;
}

static bool
conf_bad(const struct sky_serial_conf *c)
{
	return !c->first || c->first > c->max || !c->probes ||
	    c->probes > SKY_SERIAL_PROBES || !c->tries || !c->window || !c->wait_ns ||
	    c->floor > c->len || c->len > UINT16_MAX || (c->follow && c->window != 1);
}

int
sky_serial_init(struct sky_serial *s, const struct sky_serial_conf *c,
    struct sky_serial_cell *cells, size_t n)
{
	uint32_t need = (uint32_t)(c->max - c->first + 1) * c->probes, i;

	if (conf_bad(c))
		return -EINVAL;
	if (n < need)
		return -ENOSPC;
	memset(s, 0, sizeof(*s));
	memset(cells, 0, need * sizeof(*cells));
	s->conf = *c;
	s->cell = cells;
	s->end = need;
	s->len = c->len;
	s->why = SKY_SERIAL_HOPS;
	for (i = 0; c->brief && i < need; i++)
		if (i % c->probes)
			cells[i].state = SKY_SERIAL_SKIPPED;
	return 0;
}

static bool
settled(const struct sky_serial_cell *c)
{
	return c->state != SKY_SERIAL_UNSENT && c->state != SKY_SERIAL_WAITING;
}

static uint64_t
rtt(const struct sky_serial_cell *c)
{
	return c->answer.at > c->sent ? c->answer.at - c->sent : 0;
}

/* Some answered probe's round trip in the hop of cell n, or `other`. */
static uint64_t
hop_rtt(const struct sky_serial *s, uint32_t n, uint64_t other)
{
	uint32_t i, from = n - n % s->conf.probes;

	for (i = from; i < from + s->conf.probes; i++)
		if (s->cell[i].state == SKY_SERIAL_ANSWERED)
			return rtt(&s->cell[i]);
	return other;
}

static void
shorten(const struct sky_serial *s, uint64_t *wait, uint64_t trip, uint32_t thousandths)
{
	uint64_t t;

	if (trip == NEVER || !thousandths || trip / 1000 > *wait / thousandths)
		return;
	t = trip / 1000 * thousandths;
	if (t < s->conf.least_ns)
		t = s->conf.least_ns;
	if (t < *wait)
		*wait = t;
}

static uint64_t
expires(const struct sky_serial *s, uint32_t n, uint64_t later)
{
	uint64_t wait = s->conf.wait_ns, at;

	shorten(s, &wait, hop_rtt(s, n, NEVER), s->conf.here);
	shorten(s, &wait, later, s->conf.near);
	at = s->cell[n].sent + wait;
	return at < wait ? NEVER : at;
}

static void
lose(const struct sky_serial *s, struct sky_serial_cell *c)
{
	bool once_more = c->again || c->tries < s->conf.tries;

	c->again = false;
	c->state = once_more ? SKY_SERIAL_UNSENT : SKY_SERIAL_LOST;
}

/* From the last hop to the first, so that each knows the round trip of a later
 * one. Returns when the next probe expires. */
static uint64_t
look(const struct sky_serial *s, uint64_t now, bool losing)
{
	uint64_t first = NEVER, later = NEVER, at;
	uint32_t n;

	for (n = s->end; n-- > s->start;) {
		if (s->cell[n].state == SKY_SERIAL_WAITING) {
			at = expires(s, n, later);
			if (losing && now >= at)
				lose(s, &s->cell[n]);
			else if (at < first)
				first = at;
		}
		if (n % s->conf.probes == 0)
			later = hop_rtt(s, n, later);
	}
	return first;
}

static uint32_t
on_their_way(const struct sky_serial *s, uint32_t *last)
{
	uint32_t n, count = 0;

	for (n = s->start; n < s->end; n++)
		if (s->cell[n].state == SKY_SERIAL_WAITING) {
			count++;
			*last = n;
		}
	return count;
}

static uint64_t
may_send(const struct sky_serial *s)
{
	uint64_t at = s->last_sent ? s->last_sent + s->conf.pause_ns : 0;

	return at > s->hold ? at : s->hold;
}

/* The first probe that is to be sent, or s->end. */
static uint32_t
unsent(const struct sky_serial *s)
{
	uint32_t n, last, window = s->alone ? 1 : s->conf.window;

	if (s->err || s->has_smaller || on_their_way(s, &last) >= window)
		return s->end;
	for (n = s->start; n < s->end; n++)
		if (s->cell[n].state == SKY_SERIAL_UNSENT)
			break;
	return n;
}

static void
fill(struct sky_serial *s, uint32_t n, uint64_t now, struct sky_hop_probe *out)
{
	struct sky_serial_cell *c = &s->cell[n];

	c->id = ++s->id;
	c->sent = s->last_sent = now;
	c->state = SKY_SERIAL_WAITING;
	c->tries++;
	s->packets++;
	memset(out, 0, sizeof(*out));
	out->id = c->id;
	out->len = s->len;
	out->ttl = (uint8_t)(s->conf.first + n / s->conf.probes);
}

static bool
all_settled(const struct sky_serial *s)
{
	uint32_t n;

	for (n = s->start; n < s->end; n++)
		if (!settled(&s->cell[n]))
			return false;
	return true;
}

enum sky_serial_kind
sky_serial_poll(struct sky_serial *s, uint64_t now, struct sky_hop_probe *out)
{
	uint32_t n;

	look(s, now, true);
	if (s->err || all_settled(s))
		return SKY_SERIAL_DONE;
	n = unsent(s);
	if (n == s->end || now < may_send(s))
		return SKY_SERIAL_WAIT;
	fill(s, n, now, out);
	return SKY_SERIAL_SEND;
}

uint64_t
sky_serial_deadline(const struct sky_serial *s, uint64_t now)
{
	uint64_t at = look(s, now, false), send = NEVER;

	if (unsent(s) != s->end)
		send = may_send(s);
	return at < send ? at : send;
}

/* It goes on no further than the hop of cell n. */
static void
end_at(struct sky_serial *s, uint32_t n, enum sky_serial_why why)
{
	bool now = s->conf.brief && why == SKY_SERIAL_STOPPED;
	uint32_t end = now ? n + 1 : n - n % s->conf.probes + s->conf.probes;

	if (end < s->end)
		s->end = end;
	s->why = (uint8_t)why;
}

static void
settle(struct sky_serial *s, uint32_t n, const struct sky_hop_answer *a)
{
	struct sky_serial_cell *c = &s->cell[n];

	c->answer = *a;
	c->state = SKY_SERIAL_ANSWERED;
	if (a->what == SKY_HOP_REACHED)
		end_at(s, n, SKY_SERIAL_REACHED);
	else if (a->what != SKY_HOP_EXCEEDED)
		end_at(s, n, SKY_SERIAL_STOPPED);
}

static void
begin_again(struct sky_serial *s, uint32_t n)
{
	uint32_t from = s->conf.again ? n - n % s->conf.probes : n, i;

	for (i = from; i <= n; i++)
		if (s->cell[i].state != SKY_SERIAL_SKIPPED) {
			s->cell[i].state = SKY_SERIAL_UNSENT;
			s->cell[i].tries = 0;
		}
	if (s->start > from)
		s->start = from;
}

static void
too_big(struct sky_serial *s, uint32_t n, const struct sky_hop_answer *a)
{
	struct sky_serial_event *e = &s->smaller;
	uint32_t mtu = a->mtu;

	if (mtu >= s->len || mtu < s->conf.floor)
		mtu = sky_serial_below(s->len, s->conf.floor);
	if (!mtu || s->sizes >= SKY_SERIAL_SIZES) {
		settle(s, n, a);
		return;
	}
	memset(e, 0, sizeof(*e));
	e->what = SKY_SERIAL_SMALLER;
	e->answer = *a;
	e->rtt_ns = a->at > s->cell[n].sent ? a->at - s->cell[n].sent : 0;
	e->ttl = (uint8_t)(s->conf.first + n / s->conf.probes);
	e->number = (uint8_t)(n % s->conf.probes);
	e->len = s->len = mtu;
	s->has_smaller = true;
	s->sizes++;
	begin_again(s, n);
	if (s->conf.brief && a->what == SKY_HOP_LOCAL && s->conf.probes > 1)
		s->cell[n - n % s->conf.probes + 1].state = SKY_SERIAL_UNSENT;
}

static void
not_sent(struct sky_serial *s, uint32_t n, const struct sky_hop_answer *a)
{
	struct sky_serial_cell *c = &s->cell[n];

	if ((a->err == ENOBUFS || a->err == EAGAIN) && c->tries < BUSY_MOST) {
		c->state = SKY_SERIAL_UNSENT;
		s->hold = a->at + BUSY_NS;
	} else if (a->err == EMSGSIZE && s->conf.follow) {
		too_big(s, n, a);
	} else if (a->err == EHOSTUNREACH) {
		settle(s, n, a);
	} else {
		s->err = a->err ? a->err : EIO;
		s->why = SKY_SERIAL_FAILED;
	}
}

/* Several are on their way and the quote does not say which: one by one, then. */
static uint32_t
unnamed(struct sky_serial *s)
{
	uint32_t last = s->end, n;

	if (on_their_way(s, &last) <= 1)
		return last;
	for (n = s->start; n < s->end && !s->alone; n++)
		if (s->cell[n].state == SKY_SERIAL_WAITING)
			s->cell[n].again = true;
	s->alone = true;
	return s->end;
}

static uint32_t
whose(struct sky_serial *s, const struct sky_hop_answer *a)
{
	uint32_t n;

	if (!a->id)
		return a->trust == SKY_TRUST_SHORT ? unnamed(s) : s->end;
	for (n = s->start; n < s->end; n++)
		if (s->cell[n].state == SKY_SERIAL_WAITING && s->cell[n].id == a->id)
			break;
	return n;
}

void
sky_serial_answered(struct sky_serial *s, const struct sky_hop_answer *a)
{
	uint32_t n = whose(s, a);

	if (n >= s->end || s->ended || a->what == SKY_HOP_NOTHING)
		return;
	if (a->what == SKY_HOP_LOCAL)
		not_sent(s, n, a);
	else if (a->what == SKY_HOP_TOO_BIG && s->conf.follow)
		too_big(s, n, a);
	else
		settle(s, n, a);
}

static bool
tell_end(struct sky_serial *s, struct sky_serial_event *out)
{
	if (!s->err && s->start < s->end)
		return false;
	memset(out, 0, sizeof(*out));
	out->what = SKY_SERIAL_END;
	out->why = s->why;
	out->err = s->err;
	out->len = s->len;
	s->ended = true;
	return true;
}

bool
sky_serial_told(struct sky_serial *s, struct sky_serial_event *out)
{
	const struct sky_serial_cell *c;

	if (s->ended)
		return false;
	if (s->has_smaller) {
		*out = s->smaller;
		s->has_smaller = false;
		return true;
	}
	while (s->start < s->end && s->cell[s->start].state == SKY_SERIAL_SKIPPED)
		s->start++;
	if (s->start >= s->end || !settled(&s->cell[s->start]))
		return tell_end(s, out);
	c = &s->cell[s->start];
	memset(out, 0, sizeof(*out));
	out->what = SKY_SERIAL_PROBE;
	out->ttl = (uint8_t)(s->conf.first + s->start / s->conf.probes);
	out->number = (uint8_t)(s->start % s->conf.probes);
	out->len = s->len;
	out->answered = c->state == SKY_SERIAL_ANSWERED;
	out->answer = c->answer;
	out->rtt_ns = out->answered ? rtt(c) : 0;
	s->start++;
	return true;
}
