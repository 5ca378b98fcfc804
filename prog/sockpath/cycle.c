/* SPDX-License-Identifier: BSD-2-Clause */
/* cycle.c - --cycles: a trace for the hops, then the same hops again and again. */
#include "cycle.h"
#include "drive.h"
#include "loop.h"
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TELL UINT64_C(1000000000)	/* between records */

struct state {
	struct sky_cycle engine;	/* first: drive hands it back */
	uint64_t told;
};

static enum drive_kind
due(void *engine, uint64_t now, struct sky_hop_probe *out)
{
	static const enum drive_kind kinds[] = { DRIVE_WAIT, DRIVE_SEND, DRIVE_DONE };

	return kinds[sky_cycle_poll(engine, now, out)];
}

static uint64_t
deadline(const void *engine)
{
	return sky_cycle_deadline(engine);
}

static void
answer(void *engine, uint64_t now, const struct sky_hop_answer *a)
{
	sky_cycle_answer(engine, now, a);
}

static void
stop(void *engine, uint64_t now)
{
	sky_cycle_stop(engine, now);
}

static void
news(struct run *r, void *engine)
{
	struct state *s = engine;
	uint64_t now = run_now();

	if (now - s->told < TELL)
		return;
	s->told = now;
	cycle_progress(r, &s->engine);
	if (!r->o->document)
		cycle_records(r, &s->engine);
}

static void
quiet(struct run *r, const struct sky_trace_hop *h)
{
	(void)r;
	(void)h;
}

/* The hops, by a trace that asks for nothing else. Returns 0 or an exit status. */
static int
find_hops(struct run *r, struct sky_cycle_conf *c, struct sky_trace_path *found, bool *go)
{
	struct sky_trace *t = calloc(1, sizeof(*t));
	struct sky_trace_conf conf;
	struct sky_trace_path p;
	struct sky_trace_hop h;
	int rc;

	loop_conf(r, &conf);
	conf.no_mtu = true;
	rc = t ? sky_trace_init(t, &conf) : -ENOMEM;
	if (rc < 0) {
		run_say("%s", strerror(-rc));
		free(t);
		return STATUS_SYSTEM;
	}
	*go = loop_trace(r, t, quiet);
	sky_trace_path(t, &p);
	for (unsigned i = 0; i < p.hops && c->hops < SKY_CYCLE_HOPS; i++) {
		if (sky_trace_hop(t, p.first + i, &h) || h.ttl > p.last)
			continue;
		c->hop[c->hops].ttl = h.ttl;
		c->hop[c->hops].spent = (uint16_t)h.answered;
		if (h.addrs)
			c->hop[c->hops].by = h.addr[0];
		c->hops++;
	}
	/* Numbers of probes go on. */
	c->first_id = p.packets + 64;
	free(t);
	*found = p;
	if (p.stop == SKY_TRACE_LOCAL) {
		run_say("'%s': %s", r->o->host, strerror(p.err));
		return STATUS_NOT;
	}
	return 0;
}

static bool
reached(const struct sky_cycle *c)
{
	struct sky_cycle_hop h;

	for (unsigned i = 0; sky_cycle_hop(c, i, &h) == 0; i++)
		if (h.end && h.answered)
			return true;
	return false;
}

static int
cycle(struct run *r, struct state *s)
{
	struct sky_cycle_conf c = { .size = sizeof(c), .cycles = (uint32_t)r->o->cycles,
	    .interval_ns = r->o->have_interval ? r->o->interval : 0, .len = r->len,
	    .wait_ns = r->o->wait };
	const struct drive d = { .engine = s, .poll = due, .deadline = deadline,
	    .answer = answer, .stop = stop, .news = news };
	struct sky_trace_path found = { .stop = SKY_TRACE_RUNNING };
	bool go = false;
	int rc = find_hops(r, &c, &found, &go);

	if (rc == STATUS_SYSTEM)
		return rc;
	if (rc || !c.hops || sky_cycle_init(&s->engine, &c) < 0) {
		if (!rc)
			out_line(&r->out, "nobody answers on the way to %s", r->o->host);
		cycle_end(r, &s->engine, &found, false);
		return STATUS_NOT;
	}
	s->told = run_now();
	if (go)
		drive_run(r, &d);
	if (!r->signal)
		run_wait_names(r, run_now() + TELL);
	if (r->out.text)
		cycle_table(r, &s->engine);
	cycle_end(r, &s->engine, &found, reached(&s->engine));
	return reached(&s->engine) ? STATUS_REACHED : STATUS_NOT;
}

int
path_cycle(struct run *r)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc = STATUS_SYSTEM;

	if (s)
		rc = cycle(r, s);
	else
		run_say("%s", strerror(ENOMEM));
	free(s);
	return rc;
}
