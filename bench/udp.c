/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.c - datagrams per second on loopback: libsockeye against a loop written
 * by hand with the same asks, and both against the kernel's own end.
 *
 * Every comparison is of pairs measured one right after the other, in
 * alternating order, so that what else the machine does falls on both.
 */
#include "flow.h"
#include "place.h"
#include "stat.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEVEL 0.95
#define USER_NS 40	/* what the library may cost per datagram above by hand */
#define PORT 4711
#define CUSHION "what else runs here: the limits judge a quiet machine"

struct setting {
	unsigned pairs, ms, rounds;
	bool fifo, list;
	const char *only;	/* the one case to run, or NULL */
	const char *way;	/* one way in lockstep, and nothing else */
};

struct kind {
	const char *name;
	unsigned train;		/* most datagrams per train; 0: no trains */
	unsigned batch, want;
	bool connected;
	double least;		/* the ratio's interval must not reach below */
	unsigned sizes;		/* how many of sizes[] */
};

static const size_t sizes[] = {64, 16, 1400};

static const struct kind kinds[] = {
	{"batch", 0, 64, 0, false, 0.90, 3},
	{"batch+cmsgs", 0, 64, WAY_LOCAL | WAY_TTL | WAY_TIME, false, 0.90, 3},
	{"connected", 0, 64, 0, true, 0.90, 1},
	{"trains", 64, 8, 0, false, 0.85, 3},
	{"trains+cmsgs", 64, 8, WAY_LOCAL | WAY_TTL | WAY_TIME, false, 0.85, 1},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* What the pairs of one case gave; [0] by hand, [1] ours. */
struct pairs {
	double rate[2][STAT_MAX], tx[2][STAT_MAX], rx[2][STAT_MAX];
	double calls[2][2];	/* per datagram in lockstep, [way][tx, rx] */
	double loss[2];		/* datagrams lost of all sent, per way */
	double sent[2];
	struct flow last[2];
};

static const struct way *const ways[2] = {&way_hand, &way_ours};

static struct spec
spec_of(const struct kind *k, size_t size)
{
	struct spec s = {.size = size, .batch = k->batch, .want = k->want,
		.connected = k->connected};

	s.to.sin_family = AF_INET;
	s.to.sin_port = htons(PORT);
	s.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s.segs = k->train;
	while (s.segs && s.segs * size > 65507)
		s.segs--;
	return s;
}

static void
progress(const char *name, size_t size, unsigned i, unsigned n)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%-14s %4zu bytes, pair %u of %u \r", name, size, i, n);
}

static void
must(int error, const char *what, const struct way *w)
{
	if (error == 0)
		return;
	errno = -error;
	err(1, "%s, %s", w->name, what);
}

/* Both must have learnt the same of every datagram, or they did not do the
 * same work. */
static void
same_work(const struct spec *s, const struct flow *f, const struct way *w)
{
	const struct taken *t = &f->got;
	uint64_t messages = s->segs ? t->datagrams / s->segs : t->datagrams;

	if (t->bytes != t->datagrams * s->size)
		errx(1, "%s: %llu bytes in %llu datagrams of %zu", w->name,
		    (unsigned long long)t->bytes, (unsigned long long)t->datagrams, s->size);
	if ((s->want & WAY_LOCAL && t->locals < messages) ||
	    (s->want & WAY_TTL && t->ttls < messages) ||
	    (s->want & WAY_TIME && t->times < messages))
		errx(1, "%s: not every datagram came with what was asked for", w->name);
	if (f->tx.gate.sends == 0)
		errx(1, "%s: its system calls do not pass the gate", w->name);
}

static void
one(struct pairs *p, unsigned which, unsigned i, const struct spec *s,
    const struct setting *set)
{
	const struct way *w = ways[which];
	struct flow f;

	must(flow_flood(w, s, set->ms, set->fifo, &f), "flood", w);
	same_work(s, &f, w);
	p->rate[which][i] = flow_rate(&f);
	p->sent[which] += (double)f.sent;
	p->loss[which] += (double)(f.sent - f.got.datagrams);
	p->last[which] = f;
	must(flow_lockstep(w, s, set->rounds, set->fifo, &f), "lockstep", w);
	same_work(s, &f, w);
	p->tx[which][i] = flow_user_ns(&f.tx, f.sent);
	p->rx[which][i] = flow_user_ns(&f.rx, f.got.datagrams);
	p->calls[which][0] = flow_calls(&f.tx, f.sent);
	p->calls[which][1] = flow_calls(&f.rx, f.got.datagrams);
}

static void
measure(struct pairs *p, const struct kind *k, const struct spec *s,
    const struct setting *set)
{
	unsigned i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < set->pairs; i++) {
		progress(k->name, s->size, i + 1, set->pairs);
		one(p, i % 2, i, s, set);
		one(p, !(i % 2), i, s, set);
	}
	progress("", 0, 0, 0);
}

static const char *
verdict(bool met)
{
	return met ? "met" : "NOT MET";
}

/* Prints one case; returns how many of its limits were not met. */
static int
report(const struct pairs *p, const struct kind *k, const struct spec *s,
    const struct setting *set)
{
	struct stat_range ratio, tx, rx;
	double hand[2], user;
	bool rate_met, user_met, calls_met;
	unsigned n = set->pairs;

	if (stat_ratio(p->rate[1], p->rate[0], n, LEVEL, &ratio) != 0 ||
	    stat_difference(p->tx[1], p->tx[0], n, LEVEL, &tx) != 0 ||
	    stat_difference(p->rx[1], p->rx[0], n, LEVEL, &rx) != 0)
		errx(2, "%u pairs are too few for a %.0f %% interval", n, 100 * LEVEL);
	hand[0] = stat_median(p->tx[0], n);
	hand[1] = stat_median(p->rx[0], n);
	user = tx.high > rx.high ? tx.high : rx.high;
	rate_met = ratio.low >= k->least;
	user_met = user <= USER_NS;
	calls_met = p->calls[0][0] >= p->calls[1][0] && p->calls[0][1] >= p->calls[1][1];
	printf("%-12s %5zu  %8.1f %8.1f  %.3f [%.3f, %.3f] %-7s", k->name, s->size,
	    stat_median(p->rate[0], n) / 1e3, stat_median(p->rate[1], n) / 1e3,
	    ratio.median, ratio.low, ratio.high, verdict(rate_met));
	printf("  tx %5.1f %+5.1f [%+.1f, %+.1f]  rx %5.1f %+5.1f [%+.1f, %+.1f] %-7s",
	    hand[0], tx.median, tx.low, tx.high, hand[1], rx.median, rx.low, rx.high,
	    verdict(user_met));
	printf("  %.4f %.4f %-7s  %.3f %.3f\n", p->calls[0][0] + p->calls[0][1],
	    p->calls[1][0] + p->calls[1][1], verdict(calls_met),
	    100 * p->loss[0] / p->sent[0], 100 * p->loss[1] / p->sent[1]);
	fflush(stdout);
	return !rate_met + !user_met + !calls_met;
}

static void
deaf(const struct setting *set)
{
	double rate[9];
	unsigned i, z;
	struct spec s;
	struct flow f;

	printf("\nthe kernel's own end: by hand, batches of 64, to a socket nobody reads, kpps:");
	for (z = 0; z < sizeof(sizes) / sizeof(sizes[0]); z++) {
		s = spec_of(&kinds[0], sizes[z]);
		for (i = 0; i < 9; i++) {
			must(flow_deaf(&way_hand, &s, set->ms / 2 + 1, set->fifo, &f), "deaf",
			    &way_hand);
			rate[i] = (double)f.sent / f.seconds;
		}
		printf("  %zu: %.1f", sizes[z], stat_median(rate, 9) / 1e3);
	}
	printf("\n");
}

static void
heading(const struct setting *set)
{
	char machine[256];
	struct spec s = spec_of(&kinds[0], 64);
	struct flow f;

	must(flow_flood(&way_hand, &s, 10, set->fifo, &f), "first run", &way_hand);
	printf("%s\nsender on processor %d, receiver on %d, %s; %u pairs of %u ms\n",
	    place_machine(machine, sizeof(machine)), f.tx.cpu, f.rx.cpu,
	    f.tx.fifo && f.rx.fifo ? "SCHED_FIFO" : "the ordinary scheduler", set->pairs, set->ms);
	printf("rate: median kpps received; ratio: sockeye / by hand, median of pairs"
	    " [95 %% order-statistic interval]\n"
	    "user: ns per datagram by hand, and sockeye's difference [95 %%], batches in"
	    " lockstep\ncalls: system calls per datagram sent and received, in lockstep;"
	    " loss: %% of datagrams\nlimits: ratio's interval at least 0.90 (trains 0.85),"
	    " user at most +%d ns each end, calls equal\n\n", USER_NS);
	printf("%-12s %5s  %8s %8s  %-29s  %-66s  %-21s  %s\n", "case", "bytes", "by hand",
	    "sockeye", "ratio", "user ns", "calls", "loss %");
	fflush(stdout);
}

static bool
chosen(const struct setting *set, const struct kind *k)
{
	return !set->only || strcmp(set->only, k->name) == 0;
}

static int
all(const struct setting *set)
{
	static struct pairs p;
	struct spec s;
	unsigned i, z;
	int missed = 0;

	heading(set);
	for (i = 0; i < KINDS; i++)
		for (z = 0; z < kinds[i].sizes && chosen(set, &kinds[i]); z++) {
			s = spec_of(&kinds[i], sizes[z]);
			measure(&p, &kinds[i], &s, set);
			missed += report(&p, &kinds[i], &s, set);
		}
	if (!set->only)
		deaf(set);
	if (missed)
		printf("%d limits not met (%s)\n", missed, CUSHION);
	return missed ? 4 : 0;
}

/* For strace and callgrind: nothing but one way, in lockstep. */
static int
alone(const struct setting *set)
{
	const struct kind *k = &kinds[0];
	const struct way *w = strcmp(set->way, "hand") == 0 ? ways[0] : ways[1];
	struct spec s;
	struct flow f;
	unsigned i;

	for (i = 0; i < KINDS && set->only; i++)
		if (strcmp(set->only, kinds[i].name) == 0)
			k = &kinds[i];
	s = spec_of(k, sizes[0]);
	must(flow_lockstep(w, &s, set->rounds, set->fifo, &f), "lockstep", w);
	same_work(&s, &f, w);
	printf("%s, %s, %zu bytes: %llu datagrams sent, %llu received, %llu sends, %llu receives,"
	    " %llu others\n", w->name, k->name, s.size, (unsigned long long)f.sent,
	    (unsigned long long)f.got.datagrams, (unsigned long long)f.tx.gate.sends,
	    (unsigned long long)f.rx.gate.recvs,
	    (unsigned long long)(f.tx.gate.others + f.rx.gate.others + f.rx.gate.waits));
	return 0;
}

static const struct option options[] = {
	{"quick", no_argument, NULL, 'q'},
	{"pairs", required_argument, NULL, 'n'},
	{"ms", required_argument, NULL, 'm'},
	{"rounds", required_argument, NULL, 'r'},
	{"case", required_argument, NULL, 'c'},
	{"alone", required_argument, NULL, 'a'},
	{"no-fifo", no_argument, NULL, 'F'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const char usage[] =
"usage: bench-udp [--quick] [--pairs N] [--ms N] [--rounds N] [--case NAME]\n"
"                 [--no-fifo] [--alone hand|sockeye]\n"
"  --quick      7 pairs of 50 ms\n"
"  --pairs N    pairs per case, 6..256 (21)\n"
"  --ms N       of each run, 1..10000 (250)\n"
"  --rounds N   batches in lockstep of each run (500)\n"
"  --case NAME  only batch, batch+cmsgs, connected, trains or trains+cmsgs\n"
"  --no-fifo    stay with the ordinary scheduler\n"
"  --alone WAY  only this way, only in lockstep: for strace and callgrind\n";

static unsigned
number(const char *text, unsigned low, unsigned high)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || v < low || v > high)
		errx(2, "\"%s\": expected a number from %u to %u", text, low, high);
	return (unsigned)v;
}

static void
choose(struct setting *s, int option)
{
	switch (option) {
	case 'q':
		s->pairs = 7;
		s->ms = 50;
		s->rounds = 200;
		break;
	case 'n':
		s->pairs = number(optarg, 6, STAT_MAX);
		break;
	case 'm':
		s->ms = number(optarg, 1, 10000);
		break;
	case 'r':
		s->rounds = number(optarg, 1, 1000000);
		break;
	case 'c':
		s->only = optarg;
		break;
	case 'a':
		s->way = optarg;
		break;
	case 'F':
		s->fifo = false;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void
check_names(const struct setting *s)
{
	unsigned i, found = !s->only;

	for (i = 0; i < KINDS && s->only; i++)
		found |= strcmp(s->only, kinds[i].name) == 0;
	if (!found)
		errx(2, "\"%s\": no such case; see --help", s->only);
	if (s->way && strcmp(s->way, "hand") != 0 && strcmp(s->way, "sockeye") != 0)
		errx(2, "\"%s\": expected hand or sockeye", s->way);
}

int
main(int argc, char **argv)
{
	struct setting set = {.pairs = 21, .ms = 250, .rounds = 500, .fifo = true};
	int o, error;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		choose(&set, o);
	if (optind < argc)
		errx(2, "\"%s\": no such argument; see --help", argv[optind]);
	check_names(&set);
	error = place_network();
	if (error != 0)
		warnx("no namespace of our own (%s): measured on this one's loopback",
		    strerror(-error));
	return set.way ? alone(&set) : all(&set);
}
