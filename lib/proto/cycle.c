/* SPDX-License-Identifier: BSD-2-Clause */
/* cycle.c - when each hop is asked, and what its answers took. */
#include "proto/cyclein.h"

#include <errno.h>
#include <string.h>

#define PATIENCE 2			/* waits, of the round trip's; then it is silent */

int
sky_cycle_init(struct sky_cycle *c, const struct sky_cycle_conf *conf)
{
	struct sky_rto_conf rto = { .size = sizeof(rto), .min_ns = 50000000 };
	struct sky_cycle_conf *o = &c->conf;

	memset(c, 0, sizeof(*c));
	if (!conf || conf->size != sizeof(*conf) || !conf->hops || conf->hops > SKY_CYCLE_HOPS)
		return -EINVAL;
	*o = *conf;
	o->len = conf->len ? conf->len : 60;
	o->interval_ns = conf->interval_ns ? conf->interval_ns : 1000000000;
	c->next = conf->first_id ? conf->first_id : 1;
	rto.initial_ns = conf->wait_ns ? conf->wait_ns : 1000000000;
	for (unsigned i = 0; i < o->hops; i++) {
		struct cycle_hop *h = &c->hop[i];

		if (!o->hop[i].ttl || sky_rto_init(&h->rto, &rto) < 0)
			return -EINVAL;
		h->h.ttl = o->hop[i].ttl;
		h->h.by = o->hop[i].by;
		h->h.spacing_ns = o->interval_ns;
		h->spent = o->hop[i].spent;
	}
	return 0;
}

static const struct cycle_probe *
look(const struct sky_cycle *c, uint32_t id)
{
	const struct cycle_probe *p = &c->probe[id % SKY_CYCLE_PROBES];

	return id && p->id == id && p->out != CYCLE_NONE ? p : NULL;
}

static struct cycle_probe *
find(struct sky_cycle *c, uint32_t id)
{
	return look(c, id) ? &c->probe[id % SKY_CYCLE_PROBES] : NULL;
}

static uint64_t
due(const struct cycle_hop *h, const struct cycle_probe *p)
{
	return p->sent + PATIENCE * sky_rto_value(&h->rto);
}

/* Outcomes are judged in the order of sending. */
static void
judge(struct sky_cycle *c, struct cycle_hop *h)
{
	struct cycle_probe *p;

	while ((p = find(c, h->oldest)) && p->out != CYCLE_PENDING) {
		p->judged = true;
		if (p->out != CYCLE_UNSENT)
			sky_cycle_feed(h, c->conf.interval_ns, p->sent,
			    p->out == CYCLE_ANSWERED);
		h->oldest = p->next;
		if (!p->next)
			h->newest = 0;
	}
}

static void
expire(struct sky_cycle *c, uint64_t now)
{
	for (unsigned i = 0; i < c->conf.hops; i++) {
		struct cycle_hop *h = &c->hop[i];
		struct cycle_probe *p;

		while ((p = find(c, h->oldest)) && p->out == CYCLE_PENDING && due(h, p) <= now) {
			p->out = CYCLE_SILENT;
			h->h.pending--;
			judge(c, h);
		}
	}
}

static void
start(struct sky_cycle *c, uint64_t now)
{
	c->started = true;
	c->began = now;
	c->end = c->conf.cycles ? now + c->conf.cycles * c->conf.interval_ns : SKY_CYCLE_NEVER;
	for (unsigned i = 0; i < c->conf.hops; i++)
		c->hop[i].next_at = now + i * (c->conf.interval_ns / c->conf.hops);
}

/* Its place is taken: it is given up before its time. */
static void
give_up(struct sky_cycle *c, struct cycle_probe *p)
{
	struct cycle_hop *h = &c->hop[p->hop];

	if (p->out != CYCLE_PENDING)
		return;
	p->out = CYCLE_SILENT;
	h->h.pending--;
	judge(c, h);
}

static void
put(struct sky_cycle *c, unsigned hop, uint64_t now, struct sky_hop_probe *out)
{
	struct cycle_probe *p = &c->probe[c->next % SKY_CYCLE_PROBES], *last;
	struct cycle_hop *h = &c->hop[hop];

	give_up(c, p);
	last = find(c, h->newest);
	*p = (struct cycle_probe){ .sent = now, .id = c->next, .hop = hop, .out = CYCLE_PENDING };
	*out = (struct sky_hop_probe){ .id = c->next, .len = c->conf.len, .ttl = h->h.ttl };
	if (last)
		last->next = c->next;
	else
		h->oldest = c->next;
	h->newest = c->next++;
	h->h.sent++;
	h->h.pending++;
	h->last_sent = now;
	h->next_at += h->h.spacing_ns;
	/* What was missed in a sleep is not made up for. */
	if (h->next_at + c->conf.interval_ns / 2 < now)
		h->next_at = now + h->h.spacing_ns;
}

static bool
pending(const struct sky_cycle *c)
{
	for (unsigned i = 0; i < c->conf.hops; i++)
		if (c->hop[i].h.pending)
			return true;
	return false;
}

enum sky_cycle_kind
sky_cycle_poll(struct sky_cycle *c, uint64_t now, struct sky_hop_probe *out)
{
	if (!c->started)
		start(c, now);
	expire(c, now);
	for (unsigned i = 0; i < c->conf.hops && !c->stopped && !c->done; i++)
		if (c->hop[i].next_at <= now && c->hop[i].next_at < c->end) {
			put(c, i, now, out);
			return SKY_CYCLE_SEND;
		}
	for (unsigned i = 0; i < c->conf.hops && !c->stopped; i++)
		if (c->hop[i].next_at < c->end)
			return SKY_CYCLE_WAIT;
	if (!c->stopped && pending(c))
		return SKY_CYCLE_WAIT;
	c->done = true;
	return SKY_CYCLE_DONE;
}

uint64_t
sky_cycle_deadline(const struct sky_cycle *c)
{
	uint64_t first = SKY_CYCLE_NEVER;

	if (!c->started || c->stopped)
		return 0;
	for (unsigned i = 0; i < c->conf.hops; i++) {
		const struct cycle_hop *h = &c->hop[i];
		const struct cycle_probe *p = look(c, h->oldest);

		if (h->next_at < c->end && h->next_at < first)
			first = h->next_at;
		if (p && p->out == CYCLE_PENDING && due(h, p) < first)
			first = due(h, p);
	}
	return first;
}

static void
measure(struct cycle_hop *h, uint64_t rtt)
{
	struct sky_cycle_hop *o = &h->h;

	sky_rto_sample(&h->rto, rtt, 1, true);
	if (h->rtt_count++)
		h->jitter_sum += rtt > o->rtt_last ? rtt - o->rtt_last : o->rtt_last - rtt;
	h->rtt_sum += rtt;
	o->rtt_last = rtt;
	o->rtt_min = !o->rtt_min || rtt < o->rtt_min ? rtt : o->rtt_min;
	o->rtt_max = rtt > o->rtt_max ? rtt : o->rtt_max;
}

/* It comes after it was given up: it was not lost. What it would have changed in the
 * pattern is past. */
static void
late(struct cycle_hop *h, const struct cycle_probe *p)
{
	if (!p->judged)
		return;
	if (h->run)
		h->run--;
	else if (h->meter_open)
		h->meter_open--;
	else if (h->h.lost)
		h->h.lost--;
	h->h.fair++;
}

void
sky_cycle_answer(struct sky_cycle *c, uint64_t now, const struct sky_hop_answer *a)
{
	struct cycle_probe *p = find(c, a->id);
	uint64_t at = a->at ? a->at : now;
	struct cycle_hop *h;

	if (!p || p->out == CYCLE_ANSWERED || p->out == CYCLE_UNSENT ||
	    a->what == SKY_HOP_NOTHING)
		return;
	h = &c->hop[p->hop];
	if (a->what == SKY_HOP_LOCAL) {		/* it was not sent */
		if (p->out != CYCLE_PENDING)
			return;
		h->h.sent--;
		h->h.pending--;
		p->out = CYCLE_UNSENT;
		judge(c, h);
		return;
	}
	h->h.pending -= p->out == CYCLE_PENDING;
	if (p->out == CYCLE_SILENT)
		late(h, p);
	p->out = CYCLE_ANSWERED;
	h->h.answered++;
	h->h.end = a->what == SKY_HOP_REACHED;
	if (sky_addr_family(&h->h.by) && !sky_addr_same_host(&h->h.by, &a->by))
		h->h.changes++;
	h->h.by = a->by;
	measure(h, at > p->sent ? at - p->sent : 1);
	judge(c, h);
}

void
sky_cycle_stop(struct sky_cycle *c, uint64_t now)
{
	c->stopped = true;
}

/* --- results --- */

static double
root(double x)
{
	double r = x > 1 ? x : 1;

	for (unsigned i = 0; i < 60; i++)
		r = (r + x / r) / 2;
	return r;
}

void
sky_cycle_wilson(uint64_t bad, uint64_t n, double *low, double *high)
{
	const double z = 1.959964;
	double p, z2 = z * z, half, middle, by;

	*low = 0;
	*high = 1;
	if (!n)
		return;
	p = (double)bad / (double)n;
	by = 1 + z2 / (double)n;
	middle = (p + z2 / (2 * (double)n)) / by;
	half = z * root(p * (1 - p) / (double)n + z2 / (4 * (double)n * (double)n)) / by;
	*low = bad && middle > half ? middle - half : 0;
	*high = bad < n && middle + half < 1 ? middle + half : 1;
}

int
sky_cycle_hop(const struct sky_cycle *c, unsigned i, struct sky_cycle_hop *out)
{
	const struct cycle_hop *h;
	double ignored;

	if (i >= c->conf.hops)
		return -ENOENT;
	h = &c->hop[i];
	*out = h->h;
	out->open = h->run * (h->h.mode != SKY_CYCLE_TRIAL) + h->meter_open;
	out->rtt_mean = h->rtt_count ? h->rtt_sum / h->rtt_count : 0;
	out->jitter = h->rtt_count > 1 ? h->jitter_sum / (h->rtt_count - 1) : 0;
	out->loss = out->fair + out->lost ? (double)out->lost / (double)(out->fair + out->lost) : 0;
	sky_cycle_wilson(out->lost, out->fair + out->lost, &out->loss_low, &ignored);
	sky_cycle_wilson(out->lost + out->open, out->fair + out->lost + out->open, &ignored,
	    &out->loss_high);
	return 0;
}

uint64_t
sky_cycle_count(const struct sky_cycle *c, uint64_t now)
{
	uint64_t n = c->started ? (now - c->began) / c->conf.interval_ns + 1 : 0;

	return c->conf.cycles && n > c->conf.cycles ? c->conf.cycles : n;
}

const char *
sky_cycle_mode_word(enum sky_cycle_mode m)
{
	static const char *const words[] = { "free", "meter", "trial", "spaced" };

	return (unsigned)m < sizeof(words) / sizeof(words[0]) ? words[m] : "?";
}
