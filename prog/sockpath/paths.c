/* SPDX-License-Identifier: BSD-2-Clause */
/* paths.c - --paths: runs the engine, and says what it found. */
#include "paths.h"
#include "drive.h"
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE UINT64_C(3000000000)	/* for routers' next errors, where links are in doubt */
#define NAMES UINT64_C(1500000000)

static enum drive_kind
due(void *engine, uint64_t now, struct sky_hop_probe *out)
{
	static const enum drive_kind kinds[] = { DRIVE_WAIT, DRIVE_SEND, DRIVE_DONE };

	return kinds[sky_paths_poll(engine, now, out)];
}

static uint64_t
deadline(const void *engine)
{
	return sky_paths_deadline(engine);
}

static void
answer(void *engine, uint64_t now, const struct sky_hop_answer *a)
{
	sky_paths_answer(engine, now, a);
}

static void
stop(void *engine, uint64_t now)
{
	sky_paths_stop(engine, now);
}

unsigned
paths_port(const struct run *r, unsigned flow)
{
	for (unsigned i = 0; i < r->sock.ways; i++)
		if (r->sock.way[i].fd >= 0 && r->sock.way[i].flow == flow)
			return r->sock.way[i].port;
	return 0;
}

static void
conf(const struct run *r, struct sky_paths_conf *c)
{
	const struct opts *o = r->o;
	bool six = sky_addr_family(&r->dst) == AF_INET6;

	*c = (struct sky_paths_conf){ .size = sizeof(*c), .len = r->len,
	    .full = o->no_mtu ? 0 : r->sock.device_mtu, .floor = six ? 1280 : 68,
	    .packets = o->packets ? (uint32_t)o->packets : 0, .flying = (uint8_t)o->flying,
	    .max = !o->have_max ? 0 : o->max < SKY_PATHS_HOPS ? (uint8_t)o->max :
	    SKY_PATHS_HOPS - 1,
	    .refill_ns = six ? 100000000 : 0, .patience_ns = PATIENCE, .wait_ns = o->wait,
	    .dst = r->dst };
	if (c->packets > SKY_PATHS_PACKETS)
		c->packets = SKY_PATHS_PACKETS;
	if (c->full && c->floor > c->full)
		c->floor = c->full;
	if (c->full && c->floor < c->len)
		c->floor = c->len;
	sky_addr_set_port(&c->dst, 0);
}

static int
status(const struct run *r, struct sky_paths *p, const struct sky_paths_result *s)
{
	struct sky_paths_branch b;

	if (!s->reached)
		return STATUS_NOT;
	for (unsigned i = 0; r->o->expect && sky_paths_branch(p, i, &b) == 0; i++)
		if (b.mtu < (uint32_t)r->o->expect_mtu)
			return STATUS_MTU;
	return STATUS_REACHED;
}

static int
run(struct run *r, struct sky_paths *p)
{
	const struct drive d = { .engine = p, .poll = due, .deadline = deadline,
	    .answer = answer, .stop = stop };
	struct sky_paths_result s;
	char host[SKY_ADDRSTRLEN];

	out_line(&r->out, "paths to %s (%s), %u hops at most", r->o->host,
	    sky_addr_format_host(&r->dst, host, sizeof(host)), p->conf.max);
	drive_run(r, &d);
	sky_paths_result(p, &s);
	if (s.stop == SKY_PATHS_LOCAL) {
		run_say("'%s' (%s): %s", r->o->host, host, strerror(s.err));
		paths_records(r, p, &s);
		return STATUS_NOT;
	}
	if (!r->signal)
		run_wait_names(r, run_now() + NAMES);
	if (r->out.text) {
		paths_draw(r, p, &s);
		paths_tell(r, p, &s);
	}
	paths_records(r, p, &s);
	return status(r, p, &s);
}

int
path_paths(struct run *r)
{
	struct sky_paths *p = calloc(1, sizeof(*p));
	struct sky_paths_conf c;
	int rc;

	conf(r, &c);
	rc = p ? sky_paths_init(p, &c) : -ENOMEM;
	if (rc < 0)
		run_say("--paths: %s", strerror(-rc));
	rc = rc < 0 ? STATUS_SYSTEM : run(r, p);
	free(p);
	return rc;
}
