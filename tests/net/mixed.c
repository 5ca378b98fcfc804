/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed.c - one dead peer costs the live ones nothing, and is named.
 *
 * Judged by sockets of its own that count what reached them, and by the batch
 * number that each error quotes.
 */
#include "bench/peers.h"
#include "bench/place.h"
#include "bench/style.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	unsigned dead;
} places[] = {{"first", 0}, {"in the middle", PEERS / 2}, {"last", PEERS - 1}};
#define PLACES (sizeof(places) / sizeof(places[0]))

static unsigned tests, failures;

static void
ok(bool good, const char *what, enum peers_family f, const char *where)
{
	failures += !good;
	printf("%sok %u - %s: %s, dead peer %s\n", good ? "" : "not ", ++tests, what,
	    peers_word(f), where);
}

static void
ours(enum peers_family f, unsigned at)
{
	static struct peers p;
	struct style_sums s = {0};
	int err = peers_open(&p, f, places[at].dead);

	if (err == 0) {
		err = style_run(&style_ours, &p, PEERS_BATCHES, &s);
		peers_close(&p);
	}
	if (err != 0)
		printf("# %s\n", strerror(-err));
	printf("# arrived %llu, twice %llu, strange %llu, failed %u, told %u, wrong %u\n",
	    (unsigned long long)p.arrived, (unsigned long long)p.twice,
	    (unsigned long long)p.strange, s.failed, s.named, s.wrong);
	ok(err == 0 && p.arrived == (PEERS - 1) * PEERS_BATCHES && !p.twice && !p.strange,
	    "all datagrams for live peers arrive, once", f, places[at].word);
	ok(err == 0 && !s.failed, "no send is told that it failed", f, places[at].word);
	ok(err == 0 && s.named == PEERS_BATCHES && !s.wrong,
	    "every error is told once, of the dead peer", f, places[at].word);
}

/* What the socket calls alone make of it is shown, not judged. */
static void
others(void)
{
	static struct peers p;
	const struct style *s;
	struct style_sums sums;

	for (s = style_rows; s->name; s++) {
		if (peers_open(&p, PEERS_V4, PEERS - 1) != 0)
			continue;
		if (style_run(s, &p, PEERS_BATCHES, &sums) == 0)
			printf("# %s: %.1f %% arrive\n", s->name, peers_share(&p, PEERS_BATCHES));
		peers_close(&p);
	}
}

int
main(void)
{
	int err = place_network();
	unsigned f, at;

	if (err != 0) {
		printf("1..0 # SKIP no network namespace: %s\n", strerror(-err));
		return 0;
	}
	others();
	for (f = 0; f < PEERS_FAMILIES; f++)
		for (at = 0; at < PLACES; at++)
			ours((enum peers_family)f, at);
	printf("1..%u\n", tests);
	return failures != 0;
}
