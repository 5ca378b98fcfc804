/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed.c - 64 peers, one of them dead, one socket: which share of the
 * datagrams for the others arrives, and who is told about the dead one.
 */
#include "peers.h"
#include "place.h"
#include "style.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const unsigned places[] = {0, PEERS / 2, PEERS - 1};
#define PLACES (sizeof(places) / sizeof(places[0]))

/* One line: three shares, three counts. Returns 0 if nothing was lost. */
static int
row(const struct style *s, enum peers_family f)
{
	static struct peers p;
	struct style_sums sums[PLACES];
	double share[PLACES];
	unsigned i, bad = 0;

	for (i = 0; i < PLACES; i++) {
		errno = -peers_open(&p, f, places[i]);
		if (errno != 0)
			err(1, "peers, %s", peers_word(f));
		errno = -style_run(s, &p, PEERS_BATCHES, &sums[i]);
		if (errno != 0)
			err(1, "%s, %s", s->name, peers_word(f));
		share[i] = peers_share(&p, PEERS_BATCHES);
		bad += share[i] < 100 || p.twice || p.strange || sums[i].wrong ||
		    sums[i].failed || sums[i].named != PEERS_BATCHES;
		peers_close(&p);
	}
	printf("%-13s  %-42s %6.1f %% %6.1f %% %6.1f %%   %3u %3u %3u\n", peers_word(f),
	    s->name, share[0], share[1], share[2], sums[0].named, sums[1].named, sums[2].named);
	fflush(stdout);
	return bad != 0;
}

static int
table(enum peers_family f)
{
	const struct style *s;

	for (s = style_rows; s->name; s++)
		row(s, f);
	return row(&style_ours, f);
}

static void
heading(void)
{
	char machine[256];

	printf("%s\n%u peers on loopback, one dead, %u batches from one unconnected socket with"
	    " IP_RECVERR:\nshare of the datagrams for live peers that arrived, and batches whose"
	    " error was told, by the dead peer's place\n\n%-13s  %-42s %8s %8s %8s   %s\n",
	    place_machine(machine, sizeof(machine)), PEERS, PEERS_BATCHES, "addresses",
	    "sender", "first", "middle", "last", "told");
}

int
main(int argc, char **argv)
{
	int error, f, missed = 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		printf("usage: bench-mixed [--quick]\n  --quick  all of it: it takes a few seconds\n");
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--quick") != 0)
		errx(2, "\"%s\": no such argument; see --help", argv[1]);
	error = place_network();
	if (error != 0)
		errx(1, "no namespace of our own: %s", strerror(-error));
	heading();
	for (f = 0; f < PEERS_FAMILIES; f++)
		missed += table((enum peers_family)f);
	printf("\nsockeye: %s\n", missed ? "NOT everything arrived and was told" :
	    "everything arrived, once, and every error was told of the right peer");
	return missed ? 4 : 0;
}
