/* SPDX-License-Identifier: BSD-2-Clause */
/* trace.c - the outside of the engine: what is sent when, and when it ends. */
#include "proto/tracebook.h"

#include <errno.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define LONG_PATH 24
#define IDLE 32		/* waits in a row that end in nothing: it ends, whatever is planned */

_Static_assert(sizeof(struct trace) <= sizeof(struct sky_trace), "struct sky_trace is too small");

static struct trace *
inside(struct sky_trace *t)
{
	return (struct trace *)t->opaque;
}

static void
byte_default(uint8_t *given, unsigned by_default)
{
	if (!*given)
		*given = (uint8_t)by_default;
}

static void
word_default(uint32_t *given, uint32_t by_default)
{
	if (!*given)
		*given = by_default;
}

static void
time_default(uint64_t *given, uint64_t by_default)
{
	if (!*given)
		*given = by_default;
}

static void
defaults(struct sky_trace_conf *c)
{
	bool six = sky_addr_family(&c->dst) == AF_INET6;

	word_default(&c->device_mtu, 1500);
	word_default(&c->len, six ? 80 : 60);
	word_default(&c->floor, six ? 1280 : 68);
	byte_default(&c->first, 1);
	byte_default(&c->max, 64);
	byte_default(&c->far, c->max > 64 ? c->max : 64);
	byte_default(&c->ahead, 4);
	byte_default(&c->gap, 8);
	byte_default(&c->probes, 1);
	byte_default(&c->tries, 2);
	byte_default(&c->burst, 6);
	byte_default(&c->flying, 64);
	byte_default(&c->confirm, 3);
	time_default(&c->refill_ns, six ? 100 * MS : 1000 * MS);
	time_default(&c->wait_ns, 1000 * MS);
	time_default(&c->min_wait_ns, 8 * MS);
	time_default(&c->max_wait_ns, 3000 * MS);
	c->refill_ns += c->refill_ns / 16;	/* nobody's clock is exact */
	if (c->untagged)
		c->flying = 1;
}

int
sky_trace_init(struct sky_trace *handle, const struct sky_trace_conf *given)
{
	struct trace *t = inside(handle);
	struct sky_trace_conf *c = &t->conf;

	memset(handle, 0, sizeof(*handle));
	if (!given || given->size != sizeof(*given))
		return -EINVAL;
	*c = *given;
	defaults(c);
	if (sky_addr_family(&c->dst) == AF_UNSPEC || c->device_mtu > 65535 ||
	    c->len > c->device_mtu || c->first > c->max || c->probes > SKY_TRACE_TRIES)
		return -EINVAL;
	if (c->floor > c->device_mtu && !c->no_mtu)
		return -EINVAL;
	t->top_mtu = c->device_mtu;
	t->hop_len = c->len;
	t->next = c->first;
	t->mtu_done = c->no_mtu;
	t->epoch = 1;
	t->wake = SKY_TRACE_NEVER;
	sky_trace_review(t);
	return 0;
}

/* --- what plans may do --- */

void
sky_trace_ask(struct trace *t, unsigned ttl, uint32_t len, bool hop)
{
	struct trace_ask *a = &t->queue[t->queued];

	if (t->queued == TRACE_QUEUE)
		return;
	t->queued++;
	a->ttl = (uint8_t)ttl;
	a->len = len;
	a->hop = hop;
}

void
sky_trace_wake(struct trace *t, uint64_t at)
{
	if (at <= t->now)
		at = t->now + MS;
	if (at < t->wake)
		t->wake = at;
}

static enum sky_trace_stop
why_done(const struct trace *t)
{
	if (t->stop != SKY_TRACE_RUNNING)
		return t->stop;
	if (t->reached)
		return SKY_TRACE_REACHED;
	return t->capped ? SKY_TRACE_CAP : SKY_TRACE_GAP;
}

void
sky_trace_end(struct trace *t, enum sky_trace_stop why)
{
	if (t->done)
		return;
	t->done = true;
	sky_trace_limit(t, &t->limit);
	t->queued = t->queue_at = 0;
	t->ended = t->now;
	t->stop = why != SKY_TRACE_RUNNING ? why : why_done(t);
	t->serial++;
}

/* --- sending --- */

static uint32_t
cap(const struct trace *t)
{
	uint32_t n = t->conf.packets;

	if (!n) {
		n = 100 + t->horizon * (t->conf.probes - 1u);
		if (t->horizon > LONG_PATH)
			n += 2u * (t->horizon - LONG_PATH);
	}
	return n < TRACE_PROBES ? n : TRACE_PROBES;
}

static uint32_t
flying(const struct trace *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->probes; i++)
		n += t->probe[i].is == TRACE_FLYING;
	return n;
}

static bool
may_send(const struct trace *t)
{
	if (t->now < t->paused_until)
		return false;
	return flying(t) < (t->alone && t->hops_done ? 1 : t->conf.flying);
}

static void
put(struct trace *t, struct sky_hop_probe *out)
{
	const struct trace_ask *a = &t->queue[t->queue_at++];
	struct trace_probe *b = &t->probe[t->probes++];

	memset(b, 0, sizeof(*b));
	b->sent = t->now;
	b->len = a->len;
	b->ttl = a->ttl;
	b->hop = a->hop;
	if (a->ttl == t->conf.far && !t->far_sent)
		t->far_sent = t->now;
	t->packets++;
	t->bytes += a->len;
	t->paused_until = t->now + t->conf.pause_ns;
	sky_trace_take(t, a->ttl, false);
	*out = (struct sky_hop_probe){ .id = t->probes, .len = a->len, .ttl = a->ttl };
	t->hop[a->ttl].serial = ++t->serial;
	t->hop[a->ttl].sent += a->hop;
	t->hop[a->ttl].flying += a->hop;
	t->news = true;
}

static void
plan(struct trace *t)
{
	t->queued = t->queue_at = 0;
	if (!t->capped) {
		sky_trace_plan_mtu(t);
		sky_trace_plan_hops(t);
		if (!t->queued && t->hops_done)
			sky_trace_plan_mtu(t);	/* may have waited for the hops */
	}
	sky_trace_limit(t, &t->limit);	/* the hops may have ended */
	if (t->queued && t->packets + t->retries >= cap(t)) {
		t->capped = true;
		t->queued = 0;
	}
	if (t->queued || flying(t)) {
		t->idle = 0;
		if (t->queued || !t->hops_done || !t->mtu_done)
			return;
	}
	if ((t->hops_done && t->mtu_done) || t->wake == SKY_TRACE_NEVER || ++t->idle > IDLE)
		sky_trace_end(t, SKY_TRACE_RUNNING);
}

enum sky_trace_kind
sky_trace_poll(struct sky_trace *handle, uint64_t now, struct sky_hop_probe *out)
{
	struct trace *t = inside(handle);

	if (now > t->now)
		t->now = now;
	if (!t->started) {
		t->started = t->news = true;
		t->began = t->now;
	}
	if (t->done)
		return SKY_TRACE_DONE;
	if (sky_trace_expire(t) || t->now >= t->wake)
		t->news = true;
	if (t->news && (t->queue_at == t->queued || t->packets + t->retries >= cap(t))) {
		t->wake = SKY_TRACE_NEVER;
		t->news = false;
		plan(t);
	}
	if (t->done)
		return SKY_TRACE_DONE;
	if (t->queue_at < t->queued && may_send(t)) {
		put(t, out);
		return SKY_TRACE_SEND;
	}
	if (t->queue_at < t->queued)
		t->wake = SKY_TRACE_NEVER;	/* what blocks it ends first */
	else
		t->rounds++;
	return SKY_TRACE_WAIT;
}

uint64_t
sky_trace_deadline(const struct sky_trace *handle)
{
	const struct trace *t = (const struct trace *)handle->opaque;
	uint64_t first = t->wake, due;

	if (t->done)
		return SKY_TRACE_NEVER;
	if (t->queue_at < t->queued && may_send(t))
		return 0;
	if (t->queue_at < t->queued && t->paused_until > t->now)
		first = t->paused_until < first ? t->paused_until : first;
	for (uint32_t i = 0; i < t->probes; i++) {
		if (t->probe[i].is != TRACE_FLYING)
			continue;
		due = sky_trace_due(t, &t->probe[i]);
		first = due < first ? due : first;
	}
	return first;
}

void
sky_trace_sent(struct sky_trace *handle, uint32_t id, uint64_t at)
{
	struct trace *t = inside(handle);

	if (id && id <= t->probes && t->probe[id - 1].is == TRACE_FLYING)
		t->probe[id - 1].sent = at;
}

void
sky_trace_stop(struct sky_trace *handle, uint64_t now)
{
	struct trace *t = inside(handle);

	if (now > t->now)
		t->now = now;
	sky_trace_end(t, SKY_TRACE_INTERRUPTED);
}
