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
#define USER_NS 40	/* what batches may cost per datagram above by hand, both ends */
#define PORT 4711
#define SLICE_MS 25
#define CMSGS (WAY_LOCAL | WAY_TTL | WAY_TIME)

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
	enum way_net net;
	double least;		/* the ratio's interval must not reach below */
	bool sizes;		/* all of sizes[], not only USUAL */
};

#define USUAL 64

static const size_t sizes[] = {16, USUAL, 1400};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static const struct kind kinds[] = {
	{"batch", 0, 64, 0, false, WAY_V4, 0.90, true},
	{"batch+cmsgs", 0, 64, CMSGS, false, WAY_V4, 0.90, true},
	{"connected", 0, 64, 0, true, WAY_V4, 0.90, false},
	{"ipv6", 0, 64, 0, false, WAY_V6, 0.90, false},
	{"ipv6+cmsgs", 0, 64, CMSGS, false, WAY_V6, 0.90, false},
	{"mapped", 0, 64, 0, false, WAY_MAPPED, 0.90, false},
	{"one", 0, 1, 0, false, WAY_V4, 0.90, false},
	{"trains", 64, 8, 0, false, WAY_V4, 0.85, true},
	{"trains+cmsgs", 64, 8, CMSGS, false, WAY_V4, 0.85, false},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* What the pairs of one case gave; [0] by hand, [1] ours. */
struct pairs {
	double rate[2][STAT_MAX], tx[2][STAT_MAX], rx[2][STAT_MAX];
	double flood[2][STAT_MAX];	/* user ns of both ends in the flood */
	double flood_calls[2][2];	/* all of the ends', [way][tx, rx] */
	double calls[2][2];	/* per datagram in lockstep, [way][tx, rx] */
	double one_call;	/* of a whole run in lockstep, per datagram */
	double loss[2];		/* datagrams lost of all sent, per way */
	double sent[2];
};

static const struct way *const ways[2] = {&way_hand, &way_ours};

static struct spec
spec_of(const struct kind *k, size_t size)
{
	struct spec s = {.size = size, .batch = k->batch, .want = k->want,
		.connected = k->connected};

	way_loopback(&s, k->net, PORT);
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
	if (f->sent && f->tx.gate.sends == 0)
		errx(1, "%s: its system calls do not pass the gate", w->name);
}

/* What one member of a pair adds up to, slice by slice. */
struct sum {
	double seconds, sent, got, user_ns, calls[2];
};

static void
slice(struct sum *sum, const struct way *w, const struct spec *s,
    const struct setting *set)
{
	struct flow f;

	must(flow_flood(w, s, SLICE_MS, set->fifo, &f), "flood", w);
	same_work(s, &f, w);
	sum->seconds += f.seconds;
	sum->sent += (double)f.sent;
	sum->got += (double)f.got.datagrams;
	sum->calls[0] += flow_calls(&f.tx, 1);
	sum->calls[1] += flow_calls(&f.rx, 1);
	sum->user_ns += flow_user_ns(&f.tx, f.sent) * (double)f.sent +
	    flow_user_ns(&f.rx, f.got.datagrams) * (double)f.sent;
}

/* Calls of one datagram are as many as it takes to be as many datagrams. */
static unsigned
rounds(const struct spec *s, const struct setting *set)
{
	return s->batch == 1 ? set->rounds * WAY_BATCH : set->rounds;
}

static void
lockstep(struct pairs *p, unsigned which, unsigned i, const struct spec *s,
    const struct setting *set)
{
	const struct way *w = ways[which];
	struct flow f;

	must(flow_lockstep(w, s, rounds(s, set), set->fifo, &f), "lockstep", w);
	same_work(s, &f, w);
	p->tx[which][i] = flow_user_ns(&f.tx, f.sent);
	p->rx[which][i] = flow_user_ns(&f.rx, f.got.datagrams);
	p->calls[which][0] = flow_calls(&f.tx, f.sent);
	p->calls[which][1] = flow_calls(&f.rx, f.got.datagrams);
	p->one_call = 1 / (double)f.got.datagrams;
}

/* One pair: slices of both in turn, so that a burst of other work, which is
 * longer than a slice, falls on both. */
static void
pair(struct pairs *p, unsigned i, const struct spec *s, const struct setting *set)
{
	struct sum sum[2] = {0};
	unsigned slices = (set->ms + SLICE_MS - 1) / SLICE_MS, n, w;

	for (n = 0; n < 2 * slices; n++) {
		w = (n + n / 2 + i) % 2;	/* by hand, ours, ours, by hand, ... */
		slice(&sum[w], ways[w], s, set);
	}
	for (w = 0; w < 2; w++) {
		p->rate[w][i] = sum[w].got / sum[w].seconds;
		p->flood[w][i] = sum[w].user_ns / sum[w].sent;
		p->flood_calls[w][0] += sum[w].calls[0];
		p->flood_calls[w][1] += sum[w].calls[1];
		p->sent[w] += sum[w].sent;
		p->loss[w] += sum[w].sent - sum[w].got;
		lockstep(p, (w + i) % 2, i, s, set);
	}
}

static void
measure(struct pairs *p, const struct kind *k, const struct spec *s,
    const struct setting *set)
{
	unsigned i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < set->pairs; i++) {
		progress(k->name, s->size, i + 1, set->pairs);
		pair(p, i, s, set);
	}
	progress("", 0, 0, 0);
}

/* An interval that reaches across the limit shows neither. */
static const char *
verdict(bool met, bool missed)
{
	return met ? "met" : missed ? "NOT MET" : "not shown";
}

static struct stat_range
above(const double *ours, const double *hand, unsigned n)
{
	struct stat_range r;

	if (stat_difference(ours, hand, n, LEVEL, &r) != 0)
		errx(2, "%u pairs are too few for a %.0f %% interval", n, 100 * LEVEL);
	return r;
}

static bool
report_rate(const struct pairs *p, const struct kind *k, size_t size, unsigned n)
{
	struct stat_range r;
	bool met;

	if (stat_ratio(p->rate[1], p->rate[0], n, LEVEL, &r) != 0)
		errx(2, "%u pairs are too few for a %.0f %% interval", n, 100 * LEVEL);
	met = r.low >= k->least;
	printf("%-12s %4zu bytes: by hand %.1f kpps, sockeye %.1f; ratio %.3f [%.3f, %.3f] %s;"
	    " loss %.3f %%, %.3f %%\n", k->name, size, stat_median(p->rate[0], n) / 1e3,
	    stat_median(p->rate[1], n) / 1e3, r.median, r.low, r.high, verdict(met, r.high < k->least),
	    100 * p->loss[0] / p->sent[0], 100 * p->loss[1] / p->sent[1]);
	return met;
}

static const char *
user_verdict(const struct kind *k, const struct stat_range *r)
{
	if (k->batch == 1)
		return "(no limit: no batch)";
	return verdict(r->high <= USER_NS, r->low > USER_NS);
}

/* Both ends together are held to the limit. */
static bool
report_user(const struct pairs *p, const struct kind *k, unsigned n)
{
	struct stat_range tx = above(p->tx[1], p->tx[0], n), rx = above(p->rx[1], p->rx[0], n), r;
	struct stat_range flood = above(p->flood[1], p->flood[0], n);
	double sum[2][STAT_MAX];
	unsigned w, i;

	for (w = 0; w < 2; w++)
		for (i = 0; i < n; i++)
			sum[w][i] = p->tx[w][i] + p->rx[w][i];
	r = above(sum[1], sum[0], n);
	printf("    user ns: sending %.1f%+.1f [%+.1f, %+.1f], receiving %.1f%+.1f [%+.1f, %+.1f],"
	    " both %+.1f [%+.1f, %+.1f] %s\n", stat_median(p->tx[0], n), tx.median, tx.low, tx.high,
	    stat_median(p->rx[0], n), rx.median, rx.low, rx.high, r.median, r.low, r.high,
	    user_verdict(k, &r));
	printf("        both in the flood %.1f%+.1f [%+.1f, %+.1f] %s\n",
	    stat_median(p->flood[0], n), flood.median, flood.low, flood.high,
	    user_verdict(k, &flood));
	return k->batch == 1 || (r.high <= USER_NS && flood.high <= USER_NS);
}

static bool
report_calls(const struct pairs *p)
{
	const double *hand = p->calls[0], *ours = p->calls[1];
	/* One call more of a whole run: the question, after half a receive buffer
	 * taken without a pause, whether data may have kept errors out. */
	bool met = ours[0] <= hand[0] && ours[1] <= hand[1] + 1.01 * p->one_call;

	printf("    calls: sending %.5f, %.5f; receiving %.5f, %.5f %s; in the flood %.4f, %.4f;"
	    " %.4f, %.4f\n", hand[0], ours[0], hand[1], ours[1], verdict(met, !met),
	    p->flood_calls[0][0] / p->sent[0], p->flood_calls[1][0] / p->sent[1],
	    p->flood_calls[0][1] / p->sent[0], p->flood_calls[1][1] / p->sent[1]);
	return met;
}

/* Prints one case; returns how many of its limits were not met. */
static int
report(const struct pairs *p, const struct kind *k, size_t size, unsigned n)
{
	int missed = !report_rate(p, k, size, n);

	missed += !report_user(p, k, n);
	missed += !report_calls(p);
	fflush(stdout);
	return missed;
}

static void
deaf(const struct setting *set)
{
	double rate[9];
	unsigned i, z;
	struct spec s;
	struct flow f;

	printf("\nThe kernel's own end: by hand, batches of 64, to a socket nobody reads, kpps:");
	for (z = 0; z < SIZES; z++) {
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
	printf("rate: median datagrams received; ratio: sockeye / by hand, median of the pairs"
	    " [95 %% order-statistic interval],\n      each of %u ms slices in turn\nuser ns: by hand and how much sockeye takes"
	    " beyond, per datagram, full batches in lockstep;\n      then in the flood, where a receiver is woken for a few at a time\ncalls: by hand, sockeye; system calls per"
	    " datagram in lockstep\nlimits: the ratio's interval from 0.90 (trains 0.85), user"
	    " both ends at most +%d ns, calls equal (but for one of a run)\n\n", SLICE_MS, USER_NS);
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
	const struct kind *k;
	struct spec s;
	unsigned i;
	int missed = 0;

	heading(set);
	for (i = 0; i < KINDS * SIZES; i++) {
		k = &kinds[i / SIZES];
		if (!chosen(set, k) || (!k->sizes && sizes[i % SIZES] != USUAL))
			continue;
		s = spec_of(k, sizes[i % SIZES]);
		measure(&p, k, &s, set);
		missed += report(&p, k, s.size, set->pairs);
	}
	if (!set->only)
		deaf(set);
	if (missed)
		printf("%d limits not met, or not shown to be met: was the machine quiet?\n", missed);
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
	s = spec_of(k, USUAL);
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
"  --case NAME  only batch, batch+cmsgs, connected, ipv6, ipv6+cmsgs, mapped, one (a\n"
"               call for each datagram), trains or trains+cmsgs\n"
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
