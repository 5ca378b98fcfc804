/* SPDX-License-Identifier: BSD-2-Clause */
/* tracerun.c - the loop of trace.h, with a simulated network for a socket. */
#include "../wire/test.h"
#include "tracerun.h"

#include <stdio.h>

#define HOUR (UINT64_C(3600000) * NET_MS)

void
run_conf(struct run *r)
{
	r->conf = (struct sky_trace_conf){ .size = sizeof(r->conf), .device_mtu = r->net.device,
	    .dst = net_addr(&r->net, &r->net.way, r->net.way.hops, 0) };
}

static void
tell(const struct run *r, const char *what, uint32_t id, uint32_t a, uint32_t b)
{
	if (r->chatty)
		printf("# %8.3f ms %s %u: %u %u\n", (double)(r->now - NET_MS) / 1e6, what, id, a, b);
}

/* Hops come out in order, each once, and do not change any more. */
static void
lines(struct run *r)
{
	unsigned n;

	while ((n = sky_trace_next(&r->trace)) > 0) {
		tell(r, "line", n, 0, 0);
		assert_int_equal(n, r->conf.first + r->lines + !r->conf.first);
		r->lines++;
		assert_int_equal(sky_trace_hop(&r->trace, n, &r->said[n]), 0);
		assert_true(r->said[n].final);
	}
}

static bool
same_line(const struct sky_trace_hop *a, const struct sky_trace_hop *b)
{
	return a->state == b->state && a->addrs == b->addrs && a->drop_from == b->drop_from &&
	    a->drop_to == b->drop_to && a->hole == b->hole && a->told == b->told &&
	    a->judged == b->judged && a->tries == b->tries && a->end == b->end;
}

static void
compare_lines(struct run *r)
{
	r->unkept = 0;
	for (unsigned n = r->path.first; n < r->path.first + r->path.hops; n++) {
		struct sky_trace_hop h = run_hop(r, n);

		if (same_line(&h, &r->said[n]))
			continue;
		r->unkept++;
		if (r->chatty)
			printf("# line %u: state %u %u, drop %u %u, %u %u, told %u %u, %u %u\n", n,
			    r->said[n].state, h.state, r->said[n].drop_from, h.drop_from,
			    r->said[n].drop_to, h.drop_to, r->said[n].told, h.told,
			    r->said[n].judged, h.judged);
	}
}

static void
take(struct run *r)
{
	struct sky_hop_answer a = net_take(&r->net);

	tell(r, "answer", a.id, a.what, a.mtu);
	sky_trace_answer(&r->trace, r->now, &a);
	lines(r);
}

void
run_all(struct run *r)
{
	struct sky_hop_probe p;
	enum sky_trace_kind kind;

	r->now = NET_MS;
	r->steps = r->lines = 0;
	assert_int_equal(sky_trace_init(&r->trace, &r->conf), 0);
	while ((kind = sky_trace_poll(&r->trace, r->now, &p)) != SKY_TRACE_DONE) {
		uint64_t due = sky_trace_deadline(&r->trace), next = net_next(&r->net);

		assert_true(r->steps++ < 20000 && r->now < HOUR);
		if (kind == SKY_TRACE_SEND) {
			tell(r, "send", p.id, p.ttl, p.len);
			net_send(&r->net, r->now, &p);
			continue;
		}
		assert_true(due > r->now && due != SKY_TRACE_NEVER);
		if (next > due) {
			r->now = due;
			continue;
		}
		r->now = next > r->now ? next : r->now;
		take(r);
	}
	lines(r);
	sky_trace_path(&r->trace, &r->path);
	compare_lines(r);
	tell(r, "done", r->path.packets, r->path.mtu, r->path.certainty);
}

struct sky_trace_hop
run_hop(struct run *r, unsigned ttl)
{
	struct sky_trace_hop h;

	assert_int_equal(sky_trace_hop(&r->trace, ttl, &h), 0);
	return h;
}

double
run_rounds(const struct run *r)
{
	return (double)(r->path.ended - r->path.began) / 20.5e6;
}
