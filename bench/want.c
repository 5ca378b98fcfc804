/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * want.c - what it costs to learn more about each datagram received.
 *
 * Batches of 64 go there and back in one thread, with and without each of the
 * things that may be asked for, one right after the other. The difference is
 * the price, the kernel's part and ours.
 */
#include "flow.h"
#include "place.h"
#include "stat.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PAIRS 41
#define ROUNDS 200

static const struct {
	const char *name;
	unsigned want;
} rows[] = {
	{"local", WAY_LOCAL}, {"ttl", WAY_TTL}, {"tos", WAY_TOS}, {"time", WAY_TIME},
	{"fragsize", WAY_FRAGSIZE}, {"drops", WAY_DROPS}, {"all six", (1u << WAY_WANTS) - 1},
};

struct price {
	double all, user;	/* ns per datagram, sent and received */
};

static struct price
cost(unsigned want)
{
	struct spec s = {.size = 64, .batch = WAY_BATCH, .want = want};
	struct price p;
	struct flow f;

	way_loopback(&s, WAY_V4, 4711);
	errno = -flow_lockstep(&way_ours, &s, ROUNDS, true, &f);
	if (errno != 0)
		err(1, "lockstep");
	p.all = f.tx.cpu_s * 1e9 / (double)f.sent;
	p.user = flow_user_ns(&f.rx, f.got.datagrams);
	return p;
}

static void
row(const char *name, unsigned want, unsigned pairs)
{
	double all[2][PAIRS], user[2][PAIRS];
	struct stat_range a, u;
	struct price p;
	unsigned i, w;

	for (i = 0; i < pairs; i++)
		for (w = 0; w < 2; w++) {
			p = cost((w + i) % 2 ? want : 0);
			all[(w + i) % 2][i] = p.all;
			user[(w + i) % 2][i] = p.user;
		}
	stat_difference(all[1], all[0], pairs, 0.95, &a);
	stat_difference(user[1], user[0], pairs, 0.95, &u);
	printf("%-10s %+7.1f [%+.1f, %+.1f]   of this in user space %+6.1f [%+.1f, %+.1f]\n",
	    name, a.median, a.low, a.high, u.median, u.low, u.high);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	unsigned i, pairs = quick ? 9 : PAIRS;
	char machine[256];
	struct price p;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("usage: bench-want [--quick]\n  --quick  9 pairs instead of %u\n", PAIRS);
		return 0;
	}
	if (argc > 1 && !quick)
		errx(2, "\"%s\": no such argument; see --help", argv[1]);
	if (place_network() != 0)
		warnx("no namespace of our own: measured on this one's loopback");
	p = cost(0);
	printf("%s\n64 bytes there and back, one thread: %.0f ns of processor per datagram, of this"
	    " %.1f ns in sky_udp_recv() itself\nwhat asking for more adds, ns per datagram,"
	    " median of %u pairs [95 %% order-statistic interval]\n\n",
	    place_machine(machine, sizeof(machine)), p.all, p.user, pairs);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		row(rows[i].name, rows[i].want, pairs);
	return 0;
}
