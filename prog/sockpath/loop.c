/* SPDX-License-Identifier: BSD-2-Clause */
/* loop.c - see loop.h. */
#include "loop.h"
#include "names.h"

#include "sys/route.h"

#include <errno.h>
#include <string.h>

enum {
	BATCH = SKY_PATHSOCK_BATCH,
	HURRY = 2000000,	/* ns until a full buffer is tried again */
	PATIENCE = 500,		/* times */
	FORGED_TOLD = 10,
};

#define FIRST_WAIT UINT64_C(1000000000)

struct queue {
	struct sky_hop_probe p[BATCH];
	unsigned n, tries;
	uint32_t last;			/* id that left */
};

void
loop_conf(const struct run *r, struct sky_trace_conf *c)
{
	const struct opts *o = r->o;
	uint32_t least = sky_pathsock_least(&r->sock);

	*c = (struct sky_trace_conf){
		.size = sizeof(*c), .device_mtu = r->sock.device_mtu,
		.cached_mtu = r->sock.cached_mtu, .len = r->len, .dst = r->dst,
		.first = (uint8_t)o->first, .max = (uint8_t)o->max,
		.far = o->have_max ? (uint8_t)o->max : 0,
		.probes = (uint8_t)o->probes, .flying = (uint8_t)o->flying,
		.packets = (uint32_t)o->packets, .wait_ns = o->wait, .pause_ns = o->pause,
		.no_mtu = o->no_mtu || o->tcp,
	};
	/* what has no room for a tag is never sent */
	if (least > 68)
		c->floor = least;
	sky_addr_set_port(&c->dst, 0);
}

/* The whole queue, or as much as there is room for. What stays for long is told
 * as not sent. */
static void
flush(struct run *r, struct sky_trace *t, struct queue *q)
{
	uint64_t before = run_now(), now;
	unsigned sent = q->n ? run_send(r, q->p, q->n) : 0;

	now = run_now();
	for (unsigned i = 0; i < sent; i++)	/* one after the other */
		sky_trace_sent(t, q->p[i].id, before + (now - before) * i / sent);
	if (sent)
		q->last = q->p[sent - 1].id;
	q->tries = sent ? 0 : q->tries + (q->n > 0);
	q->n -= sent;
	memmove(q->p, q->p + sent, q->n * sizeof(q->p[0]));
	if (q->tries < PATIENCE)
		return;
	for (unsigned i = 0; i < q->n; i++) {
		struct sky_hop_answer a = {
			.at = now, .id = q->p[i].id, .what = SKY_HOP_LOCAL, .err = ENOBUFS,
			.trust = SKY_TRUST_MATCHED,
		};

		sky_trace_answer(t, now, &a);
	}
	q->n = q->tries = 0;
}

/* All that is due now. */
static enum sky_trace_kind
send_due(struct run *r, struct sky_trace *t, struct queue *q)
{
	enum sky_trace_kind kind = SKY_TRACE_WAIT;

	do {
		flush(r, t, q);
		if (q->n)
			return SKY_TRACE_WAIT;
		while (q->n < BATCH) {
			kind = sky_trace_poll(t, run_now(), &q->p[q->n]);
			if (kind != SKY_TRACE_SEND)
				break;
			q->n++;
		}
	} while (q->n);
	return kind;
}

/* With -v: who sends what does not have our tag. */
static void
tell_forged(struct run *r, const struct sky_hop_answer *a)
{
	char host[SKY_ADDRSTRLEN];

	if (!r->o->verbose || r->forged++ >= FORGED_TOLD)
		return;
	out_line(&r->out, "ignored: %u/%u from %s, about what was never sent", a->type, a->code,
	    sky_addr_format_host(&a->by, host, sizeof(host)));
}

static void
take_answers(struct run *r, struct sky_trace *t)
{
	struct sky_hop_answer a[BATCH];
	unsigned n = run_collect(r, a, BATCH);

	for (unsigned i = 0; i < n; i++) {
		sky_trace_answer(t, run_now(), &a[i]);
		if (a[i].trust == SKY_TRUST_MISMATCH)
			tell_forged(r, &a[i]);
		else if (a[i].what != SKY_HOP_LOCAL)
			names_want(r->names, &a[i].by);
	}
}

/* Nothing came in the time that a first answer is waited for, and this host's table
 * has no neighbour to send it to: there is nobody to ask again. */
static void
look_round(struct run *r, struct sky_trace *t, uint32_t last)
{
	struct sky_hop_answer a = { .at = run_now(), .id = last, .what = SKY_HOP_LOCAL,
	    .err = EHOSTUNREACH, .trust = SKY_TRUST_MATCHED };
	struct sky_trace_path p;
	uint32_t probes;
	int state;

	sky_trace_path(t, &p);
	if (!last || p.answers || p.stop != SKY_TRACE_RUNNING ||
	    a.at < r->began + (r->o->wait ? r->o->wait : FIRST_WAIT))
		return;
	state = sky_route_neighbour(&r->dst, &probes);
	if (state == 1 || state == 2)
		sky_trace_answer(t, a.at, &a);
}

static void
tell_final(struct run *r, struct sky_trace *t,
    void (*tell)(struct run *, const struct sky_trace_hop *))
{
	struct sky_trace_path p;
	struct sky_trace_hop h;
	unsigned ttl;

	while ((ttl = sky_trace_next(t)) > 0) {
		if (sky_trace_hop(t, ttl, &h))
			continue;
		sky_trace_path(t, &p);	/* nobody is silent where nothing left */
		if (p.stop != SKY_TRACE_LOCAL || h.state == SKY_TRACE_ANSWERED)
			tell(r, &h);
	}
}

bool
loop_trace(struct run *r, struct sky_trace *t,
    void (*tell)(struct run *, const struct sky_trace_hop *))
{
	struct queue q = { .n = 0 };
	uint64_t deadline;
	bool go = true;

	while (send_due(r, t, &q) != SKY_TRACE_DONE) {
		deadline = q.n ? run_now() + HURRY : sky_trace_deadline(t);
		if (go && !run_wait(r, deadline)) {
			go = false;
			q.n = 0;
			sky_trace_stop(t, run_now());
		}
		take_answers(r, t);
		look_round(r, t, q.last);
		tell_final(r, t, tell);
	}
	tell_final(r, t, tell);
	return go;
}
