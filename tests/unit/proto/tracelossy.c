/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chain of eight routers that loses 5 % each way, a thousand seeds of each limit:
 * the MTU is right in 99 of 100, a wrong one is told in none. SEED=n shows one,
 * SLOW=1 lists those that took more than 20 round trips.
 */
#include "../wire/test.h"
#include "tracerun.h"

#include <stdio.h>

static struct run run;

static void
chain(unsigned routers, uint32_t mtu, uint32_t seed)
{
	run.chatty = getenv("CHATTY") && !strcmp(getenv("CHATTY"), "all");
	net_chain(&run.net, routers + 1, mtu, false, seed);
	run_conf(&run);
}

static void
cut(unsigned link, uint32_t mtu, enum net_ptb ptb)
{
	run.net.way.node[link].mtu = mtu;
	run.net.way.node[link - 1].ptb = ptb;
}

struct lossy {
	const char *name;
	struct {
		unsigned link;
		uint32_t mtu;
		enum net_ptb ptb;
	} cut[3];
	uint32_t mtu;
	uint8_t limit;
};

static const struct lossy lossy[] = {
	{ "H clean", { { 0 } }, 1500, SKY_TRACE_BY_DEVICE },
	{ "H 1400", { { 6, 1400, 0 } }, 1400, SKY_TRACE_BY_ROUTER },
	{ "H three", { { 4, 1400, 0 }, { 6, 1006, 0 }, { 8, 296, 0 } }, 296, SKY_TRACE_BY_ROUTER },
	{ "H zero", { { 6, 1006, NET_ZERO } }, 1006, SKY_TRACE_BY_ROUTER },
	{ "H hole", { { 3, 1450, 0 }, { 6, 1400, NET_MUTE } }, 1400, SKY_TRACE_BY_HOLE },
};

static int
by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
loss(void **state)
{
	const struct lossy *c = *state;
	unsigned right = 0, wrong = 0, hops = 0, packets = 0, slow = 0, far = 0;
	static double rounds[1000];

	for (uint32_t seed = 1; seed <= 1000; seed++) {
		chain(8, 1500, seed);
		run.chatty = getenv("SEED") && strtoul(getenv("SEED"), NULL, 10) == seed;
		for (unsigned i = 0; i < 3 && c->cut[i].link; i++)
			cut(c->cut[i].link, c->cut[i].mtu, c->cut[i].ptb);
		run.net.loss_there = run.net.loss_back = 50;
		run_all(&run);
		right += run.path.mtu == c->mtu && run.path.certainty == SKY_TRACE_MTU_EXACT &&
		    run.path.limit == c->limit;
		wrong += run.path.mtu != c->mtu && run.path.certainty == SKY_TRACE_MTU_EXACT;
		if (run.path.mtu != c->mtu || run.path.limit != c->limit)
			printf("# seed %u: %u %s\n", seed, run.path.mtu,
			    sky_trace_certainty_word(run.path.certainty));
		if (getenv("SLOW") && run_rounds(&run) > 20)
			printf("# seed %u: slow %.1f\n", seed, run_rounds(&run));
		for (unsigned i = 1; i <= 9; i++)
			hops += run_hop(&run, i).state == SKY_TRACE_ANSWERED;
		rounds[seed - 1] = run_rounds(&run);
		slow += run_rounds(&run) > 20;
		far += run.path.distance != 9;
		packets = run.path.packets > packets ? run.path.packets : packets;
	}
	qsort(rounds, 1000, sizeof(rounds[0]), by_number);
	printf("# %s: right %u of 1000, wrong %u, hops %u of 9000, at most %u packets; %.1f R (median), "
	    "%.1f (90 of 100), %.1f (99), %u above 20; "
	    "%u at another distance\n", c->name, right, wrong, hops, packets,
	    rounds[499], rounds[899], rounds[989], slow, far);
	assert_true(right >= 990);
	assert_true(wrong <= 1);
	assert_true(hops >= 8950);
	assert_true(packets <= 100);
	assert_true(far <= 10);
}

int
main(void)
{
	struct CMUnitTest t[sizeof(lossy) / sizeof(lossy[0])];

	for (size_t i = 0; i < sizeof(lossy) / sizeof(lossy[0]); i++)
		t[i] = (struct CMUnitTest){ lossy[i].name, loss, NULL, NULL,
		    (void *)(uintptr_t)&lossy[i] };
	return cmocka_run_group_tests_name("tracelossy", t, NULL, NULL);
}
