/* SPDX-License-Identifier: BSD-2-Clause */
/* mass.c - the run over many targets: engine, sockets, records; see mass.h. */
#include "mass.h"
#include "open.h"

#include "cli/sig.h"
#include "sys/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum {
	RATE = 1000,
	HOP_RATE = 6, HOP_BURST = 6,	/* what Linux gives in one second, at first */
	PATIENCE = 5,			/* s */
	WINDOW_LEAST = 256, WINDOW_MOST = 65536,
	ROUTERS_LEAST = 1 << 16, ROUTERS_MOST = 1 << 22,
	HOPS = 32, SPLIT = 16, GAP = 5, TRIES = 2,
	TURNS = 4096,			/* answers taken before the next probes */
	FLUSH_MS = 100,
};

/* --- opening --- */

/* As many at a time as two seconds of the rate, which silence needs. */
static uint32_t
window(const struct mass *m, uint64_t share)
{
	uint64_t n = (uint64_t)m->conf.rate * 2;

	if (n > WINDOW_MOST)
		n = WINDOW_MOST;
	if (n < WINDOW_LEAST)
		n = WINDOW_LEAST;
	return (uint32_t)(share && share < n ? share : n);
}

/* Interfaces to remember: no more than there are targets, or nearly so. */
static uint32_t
routers(const struct mass *m)
{
	uint64_t n = m->list.all.count;

	return (uint32_t)(n < ROUTERS_LEAST ? ROUTERS_LEAST : n > ROUTERS_MOST ? ROUTERS_MOST : n);
}

static int
configure(struct mass *m)
{
	const struct opts *o = m->o;
	struct sky_mass_conf *c = &m->conf;
	uint64_t random;

	if (sky_device_random(&random, sizeof(random)) < 0)
		random = run_wall();
	*c = (struct sky_mass_conf){
		.targets = &m->list.all, .seed = o->have_seed ? o->seed : random >> 1,
		.shard = o->shards ? o->shard - 1 : 0, .shards = o->shards ? o->shards : 1,
		.routers = routers(m), .rate = o->rate ? (uint32_t)o->rate : RATE,
		.hop_rate = o->have_hop_rate ? (uint32_t)o->hop_rate : HOP_RATE,
		.hop_burst = HOP_BURST, .mtu = m->io.mtu[0] ? m->io.mtu[0] : m->io.mtu[1],
		.mtu6 = m->io.mtu[1],
		.max_ttl = (uint8_t)(o->have_max ? o->max : HOPS),
		.split = SPLIT, .gap = GAP, .tries = TRIES, .every_hop = o->every_hop,
		.patience_ns = o->have_patience ? o->patience : PATIENCE * SECOND,
		.wait_ns = o->wait,
	};
	if (o->resume && m->resume.done) {
		c->seed = m->resume.seed;
		c->done = m->resume.done;
	}
	if (o->no_mtu)
		c->mtu = 0;
	c->window = window(m, (m->list.all.count + c->shards - 1) / c->shards);
	m->memory = malloc(sky_mass_size(c));
	m->engine = m->memory ? sky_mass_init(m->memory, sky_mass_size(c), c) : NULL;
	if (m->engine)
		return 0;
	run_say("%s", strerror(ENOMEM));
	return STATUS_SYSTEM;
}

static int
open_out(struct mass *m)
{
	const struct opts *o = m->o;
	const char *to = o->json ? o->json_to : "-";
	int rc;

	if (o->resume) {
		rc = mass_resume_open(&m->resume, o, &m->list);
		if (rc)
			return rc;
		to = m->resume.to;
	}
	rc = out_open(&m->out, stderr, to);
	m->out.lazy = true;
	if (rc == 0)
		return 0;
	run_say("cannot write to '%s': %s", to, strerror(-rc));
	return STATUS_SYSTEM;
}

static int
open_all(struct mass *m)
{
	int rc = mass_list_read(&m->list, m->o);

	if (rc == 0)
		rc = mass_io_open(&m->io, m->o, &m->list);
	if (rc == 0)
		rc = open_drop();
	if (rc == 0)
		rc = open_out(m);
	if (rc == 0)
		rc = configure(m);
	if (rc)
		return rc;
	m->signals = sig_open();
	if (m->signals >= 0)
		return mass_io_start(&m->io);
	run_say("%s", strerror(-m->signals));
	return STATUS_SYSTEM;
}

/* --- the loop --- */

static bool
hear(struct mass *m)
{
	struct sky_mass_answer a, more[MASS_BATCH];
	unsigned i = 0, n = mass_io_help(&m->io, more);

	for (unsigned k = 0; k < n; k++)
		sky_mass_answer(m->engine, &more[k], run_now());
	while (i < TURNS && mass_io_take(&m->io, &a)) {
		sky_mass_answer(m->engine, &a, run_now());
		i++;
	}
	return i + n > 0;
}

static bool
tell(struct mass *m)
{
	static struct sky_mass_result r;
	bool any = false;

	while (sky_mass_result(m->engine, &r)) {
		mass_say_target(m, &r);
		any = true;
	}
	if (m->out.failed && !m->cut) {		/* nobody listens any more */
		sky_mass_stop(m->engine);
		m->cut = true;
	}
	return any;
}

/* The kernel did not send it: the engine is told, as if somebody had answered. */
static void
failed(struct mass *m, const struct sky_mass_probe *p, int err)
{
	struct sky_mass_answer a = { .mark = p->mark, .dst = p->dst, .by = p->dst,
	    .at = run_now(), .err = -err, .what = SKY_HOP_LOCAL };

	if (err == -EMSGSIZE)
		a.mtu = mass_io_mtu(&m->io, &p->dst);
	sky_mass_answer(m->engine, &a, a.at);
}

static bool
no_room(int err)
{
	return err == -EAGAIN || err == -ENOBUFS || err == -ENOMEM;
}

/* What has no room now is waited for: it is not the network's fault. */
static void
send_all(struct mass *m, const struct sky_mass_probe *p, unsigned n)
{
	unsigned at = 0, tries = 0;
	int err = 0;

	while (at < n) {
		unsigned sent = mass_io_send(&m->io, p + at, n - at, &err);

		at += sent;
		if (sent)
			continue;
		if (no_room(err) && tries++ < 1000) {
			m->unsent++;
			hear(m);
			m->signal |= mass_io_wait(&m->io, m->signals, run_now() + MS / 4) ? -1 : 0;
			continue;
		}
		failed(m, &p[at++], err ? err : -EIO);
	}
}

static bool
ask(struct mass *m, uint64_t *deadline)
{
	struct sky_mass_probe p[MASS_BATCH];
	unsigned n = 0;

	*deadline = 0;
	while (n < MASS_BATCH && sky_mass_next(m->engine, run_now(), &p[n], deadline))
		n++;
	send_all(m, p, n);
	return n == MASS_BATCH;
}

static void
flush(struct mass *m, uint64_t now)
{
	if (now < m->flushed + FLUSH_MS * MS)
		return;
	m->flushed = now;
	if (m->out.json && fflush(m->out.json) == EOF && !m->out.failed)
		m->out.failed = errno;
}

static void
rest(struct mass *m, uint64_t deadline)
{
	uint64_t now = run_now();

	flush(m, now);
	mass_say_progress(m, now);
	if (deadline > now + FLUSH_MS * MS)
		deadline = now + FLUSH_MS * MS;
	if (mass_io_wait(&m->io, m->signals, deadline))
		m->signal = -1;
}

static void
loop(struct mass *m)
{
	uint64_t deadline;

	while (!sky_mass_over(m->engine) && !m->cut) {
		bool busy = hear(m);

		busy |= ask(m, &deadline);
		busy |= tell(m);
		if (!busy)
			rest(m, deadline);
		else
			mass_say_progress(m, run_now());
		if (m->signal) {
			m->signal = sig_read(m->signals);
			m->cut = m->signal > 0;
		}
	}
	tell(m);
}

/* --- the end --- */

static int
status_of(const struct mass *m)
{
	const struct sky_mass_stats *s = sky_mass_stats(m->engine);

	if (m->below)
		return STATUS_MTU;
	return s->reached == s->done && !m->cut ? STATUS_REACHED : STATUS_NOT;
}

static int
close_all(struct mass *m, int status)
{
	int rc;

	mass_io_close(&m->io);
	rc = m->out.json ? out_close(&m->out) : 0;
	if (rc < 0 && rc != -EPIPE) {
		run_say("cannot write: %s", strerror(-rc));
		status = STATUS_SYSTEM;
	}
	mass_list_free(&m->list);
	mass_resume_free(&m->resume);
	free(m->memory);
	if (m->signals >= 0)
		close(m->signals);
	return sig_status(m->signal > 0 ? m->signal : 0, status);
}

int
path_mass(const struct opts *o)
{
	struct mass *m = calloc(1, sizeof(*m));
	int status;

	if (!m) {
		run_say("%s", strerror(ENOMEM));
		return STATUS_SYSTEM;
	}
	m->o = o;
	m->signals = m->io.wake = m->io.halt = m->resume.fd = -1;
	status = open_all(m);
	if (status == 0) {
		m->began = m->told = run_now();
		mass_say_run(m);
		loop(m);
		mass_say_end(m);
		status = status_of(m);
	}
	status = close_all(m, status);
	free(m);
	return status;
}
