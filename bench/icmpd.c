/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpd.c - what icmpd costs, beside sockets that hear for themselves.
 *
 * Errors are forged by a raw socket and come in over loopback, one namespace for
 * each way, all ways in turns in one run:
 *
 *   latency    from the kernel's stamp of the ICMP message to the client that has
 *              read it, asleep in epoll: its own error queue, and icmpd
 *   rate       errors a second, the forger held back so that nothing is lost: a
 *              bare raw socket, and icmpd with a client that reads; then a flood
 *   sockets    icmpd's processor time for an error with 10 and with 100,000
 *              registered sockets of six clients; its memory for each of them
 *   idle       wake-ups of icmpd in three seconds without errors
 */
#include "icmpd_site.h"
#include "place.h"
#include "stat.h"

#include <err.h>
#include <inttypes.h>
#include <sched.h>
#include <sockeye/icmpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RUNS 5
#define SAMPLES_MAX 5000
#define WINDOW 1500		/* errors under way, at most */
#define MANY 100000u

struct plan {
	const char *icmpd;
	unsigned samples;	/* of a run of latency */
	unsigned errors;	/* of a run of rate */
	unsigned many;		/* sockets */
	int worst;		/* exit status */
	cpu_set_t all;		/* processors; the forger is on the first */
};

/* What the site starts may run where it wants; the forger then goes back. */
static void
open_site(const struct plan *p, struct site *s)
{
	sched_setaffinity(0, sizeof(p->all), &p->all);
	site_open(s, p->icmpd);
	place_pin(0);
}

static void
judge(struct plan *p, const char *what, double got, double limit, bool at_most)
{
	bool met = at_most ? got <= limit : got >= limit;

	printf("  %s: %.2f, %s %.2f: %s\n", what, got, at_most ? "at most" : "at least", limit,
	    met ? "met" : "NOT MET");
	if (!met)
		p->worst = 4;
}

/* --- latency --- */

struct spread {
	double median[RUNS], p99[RUNS];
};

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* One error at a time, after everybody has fallen asleep. */
static uint64_t
one_latency(struct site *s)
{
	uint64_t stamp;
	char byte;

	nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	site_forge(s, 0, 9);
	if (read(s->acks, &byte, 1) != 1)
		errx(1, "a client is gone");
	stamp = site_stamp(s);
	return stamp ? s->counts[0].at_ns - stamp : 0;
}

static void
run_latency(struct site *s, unsigned samples, struct spread *out, unsigned run)
{
	static uint64_t ns[SAMPLES_MAX];

	for (unsigned i = 0; i < samples; i++)
		ns[i] = one_latency(s);
	qsort(ns, samples, sizeof(ns[0]), compare);
	out->median[run] = (double)ns[samples / 2] / 1000;
	out->p99[run] = (double)ns[samples * 99 / 100] / 1000;
}

static void
latency(struct plan *p, unsigned cpu)
{
	struct site queue = { .way = SITE_QUEUE, .clients = 1, .sockets = 1, .cpu = cpu, .ack = true };
	struct site icmpd = { .way = SITE_ICMPD, .clients = 1, .sockets = 1, .cpu = cpu, .ack = true };
	struct spread a, b;
	uint64_t spent;

	printf("latency, us, %s\n", cpu ? "forger on one processor, the others on another" :
	    "all on one processor");
	open_site(p, &queue);
	open_site(p, &icmpd);
	for (unsigned run = 0; run < RUNS; run++) {
		run_latency(&queue, p->samples, &a, run);
		spent = site_cpu_ns(&icmpd);
		run_latency(&icmpd, p->samples, &b, run);
		spent = site_cpu_ns(&icmpd) - spent;
		printf("  error queue %7.2f, p99 %7.2f   icmpd %7.2f, p99 %7.2f, its own time %.2f\n",
		    a.median[run], a.p99[run], b.median[run], b.p99[run],
		    (double)spent / 1000 / p->samples);
	}
	judge(p, "median, icmpd by queue", stat_median(b.median, RUNS) / stat_median(a.median, RUNS),
	    2, true);
	judge(p, "p99, icmpd by queue", stat_median(b.p99, RUNS) / stat_median(a.p99, RUNS), 3, true);
	site_close(&queue);
	site_close(&icmpd);
}

/* --- rate --- */

/* Forges n errors about sockets in turn, at most WINDOW ahead of the clients;
 * returns errors a second. */
static double
run_rate(struct site *s, unsigned n, unsigned sockets, uint64_t *missing)
{
	uint64_t base = site_told(s), start = site_clock(), end;

	for (unsigned i = 0; i < n; i++) {
		if (i % 64 == 0 && !site_await(s, base + (i > WINDOW ? i - WINDOW : 0)))
			break;
		site_forge(s, i % sockets, 9);
	}
	site_await(s, base + n);
	end = site_clock();
	*missing += base + n - site_told(s);
	return (double)(site_told(s) - base) * 1e9 / (double)(end - start);
}

/* As fast as can be, nobody waits for anybody. */
static void
flood(struct plan *p, struct site *s)
{
	uint64_t told = site_told(s), lost = site_lost(s), n = p->errors * 2ull, start = site_clock();
	uint64_t overrun = site_counter(s, SKY_ICMPD_C_OVERRUN), seconds;
	uint64_t dropped = site_counter(s, SKY_ICMPD_C_DROPPED);

	for (uint64_t i = 0; i < n; i++)
		site_forge(s, (unsigned)(i % s->sockets), 9);
	seconds = site_clock() - start;
	site_await(s, told + lost + n);
	told = site_told(s) - told;
	overrun = site_counter(s, SKY_ICMPD_C_OVERRUN) - overrun;
	dropped = site_counter(s, SKY_ICMPD_C_DROPPED) - dropped;
	printf("  flood: %.0f forged a second; %" PRIu64 " of %" PRIu64 " delivered, %" PRIu64
	    " dropped before icmpd, %" PRIu64 " by it; the client was told of %" PRIu64 "\n",
	    (double)n * 1e9 / (double)seconds, told, n, overrun, dropped, site_lost(s) - lost);
	judge(p, "delivered and counted, of all", (double)(told + overrun + dropped) / (double)n, 1,
	    false);
}

static void
rate(struct plan *p)
{
	struct site bare = { .way = SITE_BARE, .clients = 1, .sockets = 64, .cpu = 1 };
	struct site icmpd = { .way = SITE_ICMPD, .clients = 1, .sockets = 64, .cpu = 1 };
	double a[RUNS], b[RUNS];
	uint64_t missing[2] = { 0 };

	printf("rate, errors a second about 64 sockets of one client, without loss\n");
	open_site(p, &bare);
	open_site(p, &icmpd);
	for (unsigned run = 0; run < RUNS; run++) {
		a[run] = run_rate(&bare, p->errors, 64, &missing[0]);
		b[run] = run_rate(&icmpd, p->errors, 64, &missing[1]);
		printf("  raw socket %8.0f   icmpd %8.0f\n", a[run], b[run]);
	}
	printf("  lost: %" PRIu64 " and %" PRIu64 "\n", missing[0], missing[1]);
	judge(p, "icmpd by raw socket", stat_median(b, RUNS) / stat_median(a, RUNS), 0.75, false);
	judge(p, "lost by icmpd", (double)missing[1], 0, true);
	flood(p, &icmpd);
	site_close(&bare);
	site_close(&icmpd);
}

/* --- many sockets --- */

_Noreturn static void
show_lost(const struct site *s, unsigned forged, uint64_t base)
{
	for (int i = 1; i < SKY_ICMPD_COUNTERS_N; i++)
		fprintf(stderr, "%" PRIu64 " %s\n", site_counter(s, i),
		    sky_icmpd_counter_word((enum sky_icmpd_counter)i));
	errx(1, "of %u errors %" PRIu64 " were told", forged, site_told(s) - base);
}

/* Processor time of the daemon for an error, ns; each about a socket by chance, and a
 * flow of its own: the kernel is asked about each, however many sockets there are. */
static double
run_cost(struct site *s, unsigned n)
{
	uint64_t cpu = site_cpu_ns(s), base = site_told(s);
	unsigned at = 1;

	for (unsigned i = 0; i < n; i++) {
		if (i % 64 == 0 && !site_await(s, base + (i > WINDOW ? i - WINDOW : 0)))
			show_lost(s, i, base);
		at = at * 1664525u + 1013904223u;
		site_forge(s, (unsigned)((uint64_t)at * s->sockets >> 32),
		    (uint16_t)(1 + i % 65535));
	}
	if (!site_await(s, base + n))
		show_lost(s, n, base);
	return (double)(site_cpu_ns(s) - cpu) / n;
}

static void
many(struct plan *p)
{
	struct site few = { .way = SITE_ICMPD, .clients = 6, .sockets = 10, .cpu = 1 };
	struct site lots = { .way = SITE_ICMPD, .clients = 6, .sockets = p->many, .cpu = 1 };
	double a[RUNS], b[RUNS];
	uint64_t start, kib, asked[2];

	printf("sockets: processor time of icmpd for an error, ns, six clients\n");
	open_site(p, &few);
	start = site_clock();
	open_site(p, &lots);
	printf("  %u sockets opened and registered in %.1f s\n", p->many,
	    (double)(site_clock() - start) / 1e9);
	kib = site_kib(&lots);
	asked[0] = site_counter(&few, SKY_ICMPD_C_LOOKUPS);
	asked[1] = site_counter(&lots, SKY_ICMPD_C_LOOKUPS);
	for (unsigned run = 0; run < RUNS; run++) {
		a[run] = run_cost(&few, p->errors / 4);
		b[run] = run_cost(&lots, p->errors / 4);
		printf("  10: %6.0f   %u: %6.0f\n", a[run], p->many, b[run]);
	}
	printf("  questions to the kernel for an error: %.2f and %.2f\n",
	    (double)(site_counter(&few, SKY_ICMPD_C_LOOKUPS) - asked[0]) / (p->errors / 4 * RUNS),
	    (double)(site_counter(&lots, SKY_ICMPD_C_LOOKUPS) - asked[1]) / (p->errors / 4 * RUNS));
	judge(p, "many by 10", stat_median(b, RUNS) / stat_median(a, RUNS), 1.2, true);
	printf("  resident: %" PRIu64 " KiB without sockets, %" PRIu64 " KiB with, %" PRIu64
	    " KiB after these errors\n", lots.empty_kib, kib, site_kib(&lots));
	judge(p, "bytes for a socket", (double)(kib - lots.empty_kib) * 1024 / p->many, 256, true);

	start = site_wakes(&lots);
	nanosleep(&(struct timespec){ .tv_sec = 3 }, NULL);
	printf("idle\n");
	judge(p, "wake-ups in 3 s", (double)(site_wakes(&lots) - start), 0, true);
	site_close(&few);
	site_close(&lots);
}

/* The daemon of the same build. */
static char *
program_beside(const char *self)
{
	const char *slash = strrchr(self, '/');
	char *path;

	if (asprintf(&path, "%.*s/../prog/icmpd/icmpd", slash ? (int)(slash - self) : 1,
	    slash ? self : ".") < 0)
		err(1, "memory");
	if (access(path, X_OK) < 0)
		err(1, "%s", path);
	return path;
}

static void
latency_both(struct plan *p)
{
	latency(p, 0);
	if (CPU_COUNT(&p->all) > 1)
		latency(p, 1);
}

static const struct {
	const char *name;
	void (*run)(struct plan *p);
} parts[] = { { "latency", latency_both }, { "rate", rate }, { "sockets", many } };

/* bench-icmpd [--quick] [latency|rate|sockets ...] */
int
main(int argc, char **argv)
{
	struct plan p = { .samples = 3000, .errors = 400000, .many = MANY };
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	char machine[256];

	if (quick)
		p = (struct plan){ .samples = 500, .errors = 60000, .many = MANY };
	p.icmpd = program_beside(argv[0]);
	printf("%s\n", place_machine(machine, sizeof(machine)));
	sched_getaffinity(0, sizeof(p.all), &p.all);
	printf("scheduling: %s\n", place_fifo() < 0 ? "ordinary" : "SCHED_FIFO");
	fflush(stdout);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		bool wanted = argc == 1 + quick;

		for (int k = 1 + quick; k < argc; k++)
			wanted |= strcmp(argv[k], parts[i].name) == 0;
		if (wanted)
			parts[i].run(&p);
		fflush(stdout);
	}
	return p.worst;
}
