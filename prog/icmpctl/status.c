/* SPDX-License-Identifier: BSD-2-Clause */
/* status.c - icmpctl status; see status.h. */
#include "status.h"
#include "link.h"
#include "opts.h"

#include "cli/out.h"
#include "cli/sig.h"
#include "sys/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct counters {
	uint64_t value[SKY_ICMPD_COUNTERS_N];
	bool have[SKY_ICMPD_COUNTERS_N];
};

static void
take_counter(void *arg, const struct sky_icmpd_event *e)
{
	struct counters *c = arg;

	if (e->kind != SKY_ICMPD_COUNTER || e->counter >= SKY_ICMPD_COUNTERS_N)
		return;
	c->value[e->counter] = e->count;
	c->have[e->counter] = true;
}

static void
since_text(const struct counters *c, char *buf, size_t size)
{
	time_t sec = (time_t)c->value[SKY_ICMPD_C_STARTED];
	struct tm tm;

	localtime_r(&sec, &tm);
	if (strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		buf[0] = '\0';
}

static void
show_daemon(struct out *o, const struct link *l, const struct counters *c)
{
	struct sky_icmpd_status s = { .size = sizeof(s) };
	char since[32];

	sky_icmpd_status(&l->d, &s);
	since_text(c, since, sizeof(since));
	out_line(o, "icmpd at %s: process %u, user %u, since %s", l->path, s.pid, s.uid, since);
	for (int i = SKY_ICMPD_C_STARTED + 1; i < SKY_ICMPD_COUNTERS_N; i++)
		if (c->have[i])
			out_line(o, "%10" PRIu64 "  %-17s %s", c->value[i],
			    sky_icmpd_counter_word((enum sky_icmpd_counter)i),
			    sky_icmpd_counter_help((enum sky_icmpd_counter)i));
	out_begin(o, "icmpd", sky_clock_wall());
	out_str(o, "path", l->path);
	out_u64(o, "pid", s.pid);
	out_u64(o, "uid", s.uid);
	out_open_object(o, "counters");
	for (int i = 0; i < SKY_ICMPD_COUNTERS_N; i++)
		if (c->have[i])
			out_u64(o, sky_icmpd_counter_word((enum sky_icmpd_counter)i), c->value[i]);
	out_close_object(o);
	out_end(o);
}

static void
show_client(void *arg, const struct sky_icmpd_event *e)
{
	const struct sky_icmpd_client *c = &e->client;
	struct out *o = arg;

	if (e->kind != SKY_ICMPD_CLIENT)
		return;
	out_line(o, "client: process %u, user %u, %u socket%s%s, %" PRIu64 " delivered, %" PRIu64
	    " dropped, %u bytes waiting", c->pid, c->uid, c->sockets, c->sockets == 1 ? "" : "s",
	    c->watching ? ", watching" : "", c->delivered, c->dropped, c->waiting);
	out_begin(o, "client", sky_clock_wall());
	out_u64(o, "pid", c->pid);
	out_u64(o, "uid", c->uid);
	out_u64(o, "sockets", c->sockets);
	out_u64(o, "waiting", c->waiting);
	out_u64(o, "delivered", c->delivered);
	out_u64(o, "dropped", c->dropped);
	out_bool(o, "watching", c->watching);
	out_end(o);
}

int
status_run(const struct opts *opts)
{
	const char *to = opts->json ? opts->json_to ? opts->json_to : "-" : NULL;
	struct link *l = link_open(opts);
	struct counters c = { 0 };
	struct out o;
	int r, status;

	if (!l)
		return 1;
	r = out_open(&o, to && strcmp(to, "-") == 0 ? NULL : stdout, to);
	if (r < 0) {
		fprintf(stderr, "icmpctl: cannot write to '%s': %s\n", to, strerror(-r));
		link_close(l);
		return 1;
	}
	status = link_ask(l, SKY_ICMPD_COUNTERS, take_counter, &c);
	if (status == 0) {
		show_daemon(&o, l, &c);
		status = link_ask(l, SKY_ICMPD_CLIENTS, show_client, &o);
	}
	r = out_close(&o);
	if (r < 0)
		fprintf(stderr, "icmpctl: cannot write: %s\n", strerror(-r));
	status = sig_status(l->sig, r < 0 ? 1 : status);
	link_close(l);
	return status;
}

/* --- OpenMetrics --- */

/* A counter's sample has the suffix _total, its family has not. */
static void
print_metric(FILE *f, enum sky_icmpd_counter i, uint64_t value)
{
	const char *word = sky_icmpd_counter_word(i);
	bool gauge = sky_icmpd_counter_is_gauge(i) || i == SKY_ICMPD_C_STARTED;
	char name[80];

	if (i == SKY_ICMPD_C_STARTED)
		snprintf(name, sizeof(name), "icmpd_start_time_seconds");
	else
		snprintf(name, sizeof(name), "icmpd_%.60s", word);
	for (char *s = name; *s; s++)
		if (*s == '-')
			*s = '_';
	fprintf(f, "# TYPE %s %s\n", name, gauge ? "gauge" : "counter");
	if (i == SKY_ICMPD_C_STARTED)
		fprintf(f, "# UNIT %s seconds\n", name);
	fprintf(f, "# HELP %s %s.\n", name, sky_icmpd_counter_help(i));
	fprintf(f, "%s%s %" PRIu64 "\n", name, gauge ? "" : "_total", value);
}

static int
print_metrics(FILE *f, const struct counters *c)
{
	for (int i = 0; i < SKY_ICMPD_COUNTERS_N; i++)
		if (c->have[i])
			print_metric(f, (enum sky_icmpd_counter)i, c->value[i]);
	fputs("# EOF\n", f);
	return fflush(f) == EOF || ferror(f) ? -errno : 0;
}

/* Beside the file first, then in its place: a collector never sees half of it. */
static int
replace(const char *path, const struct counters *c)
{
	char beside[4096];
	int r = snprintf(beside, sizeof(beside), "%s.new", path);
	FILE *f;

	if (r >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	/* in a folder of others a link may lie there: it is not followed */
	(void)unlink(beside);
	f = fopen(beside, "wxe");
	if (!f)
		return -errno;
	r = print_metrics(f, c);
	if (fclose(f) == EOF && !r)
		r = -errno;
	if (!r && rename(beside, path) < 0)
		r = -errno;
	if (r)
		remove(beside);
	return r;
}

int
metrics_run(const struct opts *opts)
{
	struct link *l = link_open(opts);
	struct counters c = { 0 };
	int r, status;

	if (!l)
		return 1;
	status = link_ask(l, SKY_ICMPD_COUNTERS, take_counter, &c);
	if (status == 0) {
		r = opts->output ? replace(opts->output, &c) : print_metrics(stdout, &c);
		if (r < 0)
			fprintf(stderr, "icmpctl: cannot write to '%s': %s\n",
			    opts->output ? opts->output : "-", strerror(-r));
		status = r < 0;
	}
	status = sig_status(l->sig, status);
	link_close(l);
	return status;
}
