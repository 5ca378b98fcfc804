/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_say.c - records of a run over many targets, and how far it is; see mass.h. */
#include "mass.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

enum {
	LIMITED = 16,		/* routers named at the end */
	EVERY = 10,		/* s between lines of progress */
	EVERY_TERMINAL_MS = 250,
};

static const char *const ends[] = {
	[SKY_HOP_NOTHING] = "silent", [SKY_HOP_EXCEEDED] = "loop", [SKY_HOP_REACHED] = "reached",
	[SKY_HOP_UNREACHABLE] = "unreachable", [SKY_HOP_LOCAL] = "not-sent",
};
static const char *const hows[] = {
	[SKY_MASS_SILENT] = "silent", [SKY_MASS_MEASURED] = "measured",
	[SKY_MASS_SHARED] = "shared", [SKY_MASS_ASSUMED] = "assumed",
};

/* A run that goes on has its record already. */
void
mass_say_run(struct mass *m)
{
	const struct sky_mass_conf *c = &m->conf;
	struct out *o = &m->out;
	char seed[24], digest[24];

	if (m->resume.done)
		return;
	snprintf(seed, sizeof(seed), "%" PRIu64, c->seed);
	snprintf(digest, sizeof(digest), "%" PRIu64, c->targets->digest);
	out_begin(o, "run", run_wall());
	out_str(o, "seed", seed);
	out_str(o, "digest", digest);
	out_u64(o, "targets", c->targets->count);
	out_u64(o, "named", c->targets->named);
	out_u64(o, "shard", c->shard + 1);
	out_u64(o, "shards", c->shards);
	out_u64(o, "rate", c->rate);
	out_u64(o, "hop_rate", c->hop_rate);
	if (m->io.mtu[0])
		out_u64(o, "device_mtu", m->io.mtu[0]);
	if (m->io.mtu[1])
		out_u64(o, "device_mtu6", m->io.mtu[1]);
	out_end(o);
	fflush(o->json);
}

static void
say_hops(struct out *o, const struct sky_mass_result *r)
{
	out_open_array(o, "hops");
	for (unsigned i = 0; i < r->hops; i++) {
		const struct sky_mass_hop *h = &r->hop[i];

		out_open_object(o, NULL);
		out_u64(o, "hop", h->ttl);
		if (h->how != SKY_MASS_SILENT)
			out_addr(o, "by", NULL, &h->by);
		out_str(o, "how", hows[h->how]);
		if (h->how == SKY_MASS_MEASURED)
			out_u64(o, "rtt_ns", (uint64_t)h->rtt_us * 1000);
		out_close_object(o);
	}
	out_close_array(o);
}

static void
say_mtu(struct out *o, const struct sky_mass_result *r)
{
	if (r->pmtu)
		out_u64(o, "pmtu", r->pmtu);
	if (r->pmtu_below && r->pmtu_below != r->pmtu + 1)
		out_u64(o, "pmtu_below", r->pmtu_below);
	if (sky_addr_family(&r->mtu_by))
		out_addr(o, "set_by", NULL, &r->mtu_by);
	if (r->flags & SKY_MASS_BLACK_HOLE)
		out_bool(o, "hole", true);
	if (r->flags & SKY_MASS_LIED)
		out_bool(o, "lied", true);
}

static void
say_end(struct out *o, const struct sky_mass_result *r)
{
	out_str(o, "end", ends[r->end]);
	if (sky_addr_family(&r->by) && !sky_addr_same_host(&r->by, &r->dst))
		out_addr(o, "by", NULL, &r->by);
	if (r->end == SKY_HOP_UNREACHABLE) {
		out_u64(o, "icmp_type", r->type);
		out_u64(o, "icmp_code", r->code);
	}
	if (r->err)
		out_str(o, "errno", strerrorname_np(r->err));
	if (r->end == SKY_HOP_REACHED && r->rtt_us)
		out_u64(o, "rtt_ns", (uint64_t)r->rtt_us * 1000);
	if (r->distance)
		out_u64(o, "distance", r->distance);
	if (r->distance && !(r->flags & SKY_MASS_CHECKED))
		out_bool(o, "guessed", true);
	if (r->flags & SKY_MASS_SHORT)
		out_bool(o, "short_quote", true);
}

void
mass_say_target(struct mass *m, const struct sky_mass_result *r)
{
	struct out *o = &m->out;

	if (m->o->expect && r->pmtu && r->pmtu < m->o->expect_mtu)
		m->below++;
	out_begin(o, "target", run_wall());
	out_u64(o, "n", r->position);
	out_addr(o, "dst", NULL, &r->dst);
	say_end(o, r);
	say_mtu(o, r);
	out_u64(o, "sent", r->probes);
	say_hops(o, r);
	out_end(o);
}

/* --- how far --- */

/* Seconds as people say them. */
static char *
span(uint64_t s, char *buf, size_t size)
{
	if (s < 120)
		snprintf(buf, size, "%" PRIu64 " s", s);
	else if (s < 7200)
		snprintf(buf, size, "%" PRIu64 " min", (s + 30) / 60);
	else if (s < 172800)
		snprintf(buf, size, "%.1f h", (double)s / 3600);
	else
		snprintf(buf, size, "%.1f days", (double)s / 86400);
	return buf;
}

void
mass_say_progress(struct mass *m, uint64_t now)
{
	const struct sky_mass_stats *s = sky_mass_stats(m->engine);
	uint64_t every = m->o->progress ? m->o->progress : m->out.terminal ?
	    EVERY_TERMINAL_MS * UINT64_C(1000000) : EVERY * SECOND;
	uint64_t all = s->all - m->resume.count, took = now - m->began;
	char left[32] = "time left not known yet", rest[24];

	if (now < m->told + every)
		return;
	m->told = now;
	if (s->done)
		snprintf(left, sizeof(left), "%s left", span((uint64_t)((double)took / 1e9 *
		    (double)(all - s->done) / (double)s->done + 0.5), rest, sizeof(rest)));
	if (m->out.terminal)
		out_progress(&m->out, "%" PRIu64 " of %" PRIu64 " targets, %.0f probes/s, %s",
		    s->done, all, (double)s->probes * 1e9 / (double)took, left);
	else
		out_line(&m->out, "%" PRIu64 " of %" PRIu64 " targets, %.0f probes/s, %s", s->done,
		    all, (double)s->probes * 1e9 / (double)took, left);
}

/* --- the end --- */

/* Those that could have told more, if they might have been asked. Insertion into
 * a short list; n of it. */
static unsigned
limited(const struct sky_hops *h, const struct sky_iface *top[LIMITED])
{
	unsigned n = 0, k;

	for (uint32_t i = 0; i < h->ifaces; i++) {
		const struct sky_iface *f = &h->iface[i];

		if (!f->denied)
			continue;
		if (n == LIMITED && top[n - 1]->denied >= f->denied)
			continue;
		n += n < LIMITED;
		for (k = n - 1; k && top[k - 1]->denied < f->denied; k--)
			top[k] = top[k - 1];
		top[k] = f;
	}
	return n;
}

static void
json_limited(struct out *o, const struct sky_iface *const *top, unsigned n)
{
	out_open_array(o, "limited");
	for (unsigned i = 0; i < n; i++) {
		out_open_object(o, NULL);
		out_addr(o, "by", NULL, &top[i]->addr);
		out_u64(o, "asked", top[i]->asked);
		out_u64(o, "answered", top[i]->answered);
		out_u64(o, "lost", top[i]->lost);
		out_u64(o, "denied", top[i]->denied);
		out_u64(o, "limit_ns", top[i]->gap);
		out_close_object(o);
	}
	out_close_array(o);
}

static void
json_end(struct mass *m, uint64_t took, const struct sky_iface *const *top, unsigned n)
{
	const struct sky_mass_stats *s = sky_mass_stats(m->engine);
	struct out *o = &m->out;

	out_begin(o, "summary", run_wall());
	out_u64(o, "targets", s->all);
	out_u64(o, "left_out", m->resume.count);
	out_u64(o, "done", s->done);
	out_u64(o, "reached", s->reached);
	out_u64(o, "unreachable", s->unreachable);
	out_u64(o, "silent", s->silent);
	out_u64(o, "not_sent", s->local);
	out_u64(o, "with_pmtu", s->with_mtu);
	out_open_object(o, "hops");
	for (unsigned i = 0; i < 4; i++)
		out_u64(o, hows[i], s->hops[i]);
	out_close_object(o);
	out_u64(o, "sent", s->probes);
	out_u64(o, "received", s->answers);
	out_u64(o, "strays", s->strays);
	out_u64(o, "forged", m->io.forged);
	out_u64(o, "duplicated", s->repeats);
	out_u64(o, "denied", s->denied);
	out_u64(o, "routers", sky_mass_hops(m->engine)->ifaces);
	out_u64(o, "forgotten", sky_mass_hops(m->engine)->full);
	out_u64(o, "took_ns", took);
	out_u64(o, "longest_ns", s->rtt_max_us * 1000);
	if (s->denied)
		out_u64(o, "debt_ns", sky_mass_debt(m->engine));
	json_limited(o, top, n);
	if (m->cut)
		out_bool(o, "cut", true);
	out_end(o);
}

static void
text_end(struct mass *m, uint64_t took, const struct sky_iface *const *top, unsigned n)
{
	const struct sky_mass_stats *s = sky_mass_stats(m->engine);
	uint64_t hops = s->hops[0] + s->hops[1] + s->hops[2] + s->hops[3];
	char by[SKY_ADDRSTRLEN], time[32];
	struct out *o = &m->out;

	out_line(o, "%" PRIu64 " of %" PRIu64 " targets: %" PRIu64 " reached, %" PRIu64
	    " unreachable, %" PRIu64 " silent, %" PRIu64 " not sent; path MTU of %" PRIu64,
	    s->done, s->all - m->resume.count, s->reached, s->unreachable, s->silent, s->local,
	    s->with_mtu);
	out_line(o, "%" PRIu64 " hops: %" PRIu64 " measured, %" PRIu64 " shared, %" PRIu64
	    " assumed, %" PRIu64 " silent; %u routers", hops, s->hops[SKY_MASS_MEASURED],
	    s->hops[SKY_MASS_SHARED], s->hops[SKY_MASS_ASSUMED], s->hops[SKY_MASS_SILENT],
	    sky_mass_hops(m->engine)->ifaces);
	out_line(o, "%" PRIu64 " probes (%.2f a target), %" PRIu64 " answers, %s; seed %" PRIu64,
	    s->probes, s->done ? (double)s->probes / (double)s->done : 0.0, s->answers,
	    out_duration(took, time, sizeof(time)), m->conf.seed);
	if (!n)
		return;
	sky_addr_format_host(&top[0]->addr, by, sizeof(by));
	out_line(o, "%" PRIu64 " questions not asked, because routers answer no more; to ask them all "
	    "would take %s (%s: %u)", s->denied, span(sky_mass_debt(m->engine) / SECOND + 1, time,
	    sizeof(time)), by, top[0]->denied);
}

void
mass_say_end(struct mass *m)
{
	const struct sky_iface *top[LIMITED];
	unsigned n = limited(sky_mass_hops(m->engine), top);
	uint64_t took = run_now() - m->began;

	json_end(m, took, top, n);
	text_end(m, took, top, n);
}
