/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine on thousands of simulated networks, each from a seed: limits told
 * truly, wrongly or not at all, routers that do not answer or quote eight bytes,
 * buckets of errors, loss each way, overtaking, doubled and forged answers, ways
 * back of another length, routes that change. What it says is compared with the
 * links. SEED=n shows one of them, SEEDS=n takes so many others of each kind.
 */
#include "../wire/test.h"
#include "tracerun.h"

#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct tally {
	unsigned runs, exact, wrong, bounded, open, none, most, capped, misplaced, slow, changed;
	unsigned hops, hops_missed, misnamed, unkept;
	unsigned long packets;
	double rounds;
};

static struct run run;
static struct tally tally;

/* --- a network, made up --- */

static const uint32_t usual[] = {
	1492, 1480, 1472, 1450, 1420, 1400, 1380, 1372, 1350, 1280, 1006, 576, 552, 296, 68,
};

static unsigned
roll(unsigned below)
{
	return net_roll(&run.net, below);
}

static uint32_t
some_mtu(void)
{
	uint32_t floor = run.net.six ? 1280 : 68, m = usual[roll(COUNT(usual))];

	if (roll(3) == 0)
		m = floor + roll(run.net.device - floor);
	if (run.net.six && m < floor)
		m = floor;
	return m < run.net.device ? m : run.net.device;
}

static void
some_cuts(struct net_way *w, bool honest)
{
	unsigned cuts = roll(4);

	while (cuts--) {
		unsigned link = 1 + roll(w->hops);

		w->node[link].mtu = some_mtu();
		w->node[link - 1].ptb = honest || roll(2) ? NET_TELLS : roll(NET_PTBS);
	}
}

static void
some_times(struct net_way *w)
{
	static const unsigned starts[] = { 64, 128, 255 };
	unsigned longest = roll(3) == 0 ? 10000 : 3000;
	bool detour = roll(4) == 0;

	for (unsigned i = 1; i <= w->hops; i++) {
		w->node[i].delay = (10 + (uint64_t)roll(longest)) * 1000;
		w->node[i].start_ttl = starts[roll(3)];
		w->node[i].back_hops = detour ? roll(5) : 0;
		w->node[i].back = detour ? roll(5000) * UINT64_C(1000) : 0;
	}
}

static uint64_t
round_trip(const struct net_way *w)
{
	uint64_t ns = 0;

	for (unsigned i = 1; i <= w->hops; i++)
		ns += 2 * w->node[i].delay;
	return ns;
}

/* shape: bits of what may happen. */
enum { SILENT = 1, LOSSY = 2, LIES = 4, NOISE = 8, EIGHT = 16, DEAF = 32, SLOW = 64 };

static void
make(uint32_t seed, unsigned shape)
{
	struct net *n = &run.net;

	net_chain(n, 2, 1500, seed % 4 == 3, seed);
	n->device = roll(8) == 0 && !n->six ? 9000 : 1500;
	n->way.hops = 1 + roll(roll(5) == 0 ? 40 : 16);
	for (unsigned i = 1; i <= n->way.hops; i++)
		n->way.node[i].mtu = n->device;
	some_times(&n->way);
	some_cuts(&n->way, !(shape & LIES));
	for (unsigned i = 1; i < n->way.hops; i++) {
		n->way.node[i].silent = shape & SILENT && roll(8) == 0;
		n->way.node[i].eight = shape & EIGHT && roll(8) == 0;
	}
	n->way.node[n->way.hops].silent = (shape & DEAF) != 0;
	if (shape & LOSSY)
		n->loss_there = n->loss_back = 50;
	if (shape & NOISE) {
		n->jitter = roll(3) * round_trip(&n->way) / 6;
		n->twice = roll(2) * 100;
		n->forge = roll(2) * 100;
	}
	run_conf(&run);
}

/* --- the judgement --- */

static void
print_bad(uint32_t seed, const char *what)
{
	const struct sky_trace_path *p = &run.path;

	printf("# seed %u: %s: MTU %u %s, truth %u, after hop %u (%u), %u packets, %s\n", seed, what,
	    p->mtu, sky_trace_certainty_word(p->certainty), net_mtu(&run.net.way), p->set_by_hop,
	    net_limit(&run.net.way) - 1, p->packets, sky_trace_stop_word(p->stop));
}

static uint32_t
mtu_to(unsigned hop)
{
	uint32_t least = UINT32_MAX;

	for (unsigned i = 1; i <= hop; i++)
		least = run.net.way.node[i].mtu < least ? run.net.way.node[i].mtu : least;
	return least;
}

static void
judge_hops(uint32_t seed)
{
	unsigned before = tally.misnamed;

	for (unsigned i = 1; i <= run.path.hops && i <= run.net.way.hops; i++) {
		struct sky_trace_hop h = run_hop(&run, i);
		struct sky_addr a = net_addr(&run.net, &run.net.way, i, 0);

		if (h.state == SKY_TRACE_ANSWERED && (!sky_addr_same_host(&h.addr[0], &a) || h.addrs > 1))
			tally.misnamed++;
		tally.hops++;
		tally.hops_missed += (h.state == SKY_TRACE_ANSWERED) == run.net.way.node[i].silent;
		if (tally.misnamed > before)
			print_bad(seed, "misnamed");
		before = tally.misnamed;
	}
}

static void
judge_place(uint32_t seed)
{
	unsigned hop = net_limit(&run.net.way) - 1;

	if (run.path.limit == SKY_TRACE_BY_DEVICE || run.path.limit == SKY_TRACE_BY_NOBODY)
		return;
	if (run.path.limit == SKY_TRACE_BY_ROUTER && !run.path.set_by_hop &&
	    run.net.way.node[hop].silent)
		return;
	if (run.path.set_by_hop <= hop && hop <= run.path.set_by_last)
		return;
	tally.misplaced++;
	print_bad(seed, "misplaced");
}

static void
judge(uint32_t seed, unsigned shape)
{
	const struct sky_trace_path *p = &run.path;
	uint32_t truth = net_mtu(&run.net.way);
	double rounds = (double)(p->ended - p->began) / (double)round_trip(&run.net.way);

	assert_int_equal(p->packets, run.net.sent);
	assert_true(p->packets <= 100 + 2 * run.net.way.hops);
	assert_true(run.net.highest <= run.net.device);
	tally.runs++;
	tally.packets += p->packets;
	tally.rounds += rounds;
	tally.most = p->packets > tally.most ? p->packets : tally.most;
	tally.capped += p->capped;
	tally.unkept += run.unkept;
	if (run.unkept && !(shape & (LOSSY | NOISE)))
		print_bad(seed, "line changed");
	judge_hops(seed);
	if (p->certainty == SKY_TRACE_MTU_EXACT && p->mtu != truth) {
		tally.wrong++;
		print_bad(seed, "wrong");
	} else if (p->certainty == SKY_TRACE_MTU_EXACT) {
		tally.exact++;
		judge_place(seed);
	} else if (p->certainty == SKY_TRACE_MTU_BOUNDED) {
		tally.bounded++;
		assert_true(p->mtu <= mtu_to(p->mtu_hop));
	} else if (p->certainty == SKY_TRACE_MTU_AT_LEAST) {
		tally.open++;
		assert_true(p->mtu <= truth && truth <= p->mtu_most);
	} else {
		tally.none++;
	}
	if (!(shape & DEAF) && p->certainty != SKY_TRACE_MTU_EXACT)
		print_bad(seed, "not exact");
}

static void
sum(const char *what)
{
	printf("# %s: %u runs, %u exact, %u bounded, %u at least, %u nothing, %u wrong, %u misplaced, "
	    "%u capped; %.1f packets (most %u), %.1f round trips; %u of %u hops missed, "
	    "%u misnamed, %u lines changed\n", what,
	    tally.runs, tally.exact, tally.bounded, tally.open, tally.none, tally.wrong,
	    tally.misplaced, tally.capped, (double)tally.packets / tally.runs, tally.most,
	    tally.rounds / tally.runs, tally.hops_missed, tally.hops,
	    tally.misnamed, tally.unkept);
}

static void
many(unsigned from, unsigned n, unsigned shape, const char *what)
{
	unsigned only = getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : 0;

	memset(&tally, 0, sizeof(tally));
	run.chatty = only != 0;
	if (getenv("SEEDS")) {		/* other ones, and more */
		from += 100000;
		n = (unsigned)strtoul(getenv("SEEDS"), NULL, 10);
	}
	for (uint32_t seed = from; seed < from + n; seed++) {
		if (only && seed != only)
			continue;
		make(seed, shape);
		run_all(&run);
		judge(seed, shape);
	}
	if (tally.runs)
		sum(what);
}

static void
quiet(void **state)
{
	many(1, 1000, SILENT, "no loss, honest");
	assert_int_equal(tally.wrong, 0);
	assert_true(tally.exact * 100 >= tally.runs * 99);
	assert_true(tally.misplaced * 100 <= tally.runs);
	assert_int_equal(tally.unkept, 0);
	assert_int_equal(tally.hops_missed + tally.misnamed, 0);
}

static void
liars(void **state)
{
	many(2001, 1000, SILENT | LIES, "no loss, lies");
	assert_int_equal(tally.wrong, 0);
	assert_int_equal(tally.unkept, 0);
	assert_true(tally.exact * 100 >= tally.runs * 97);
}

static void
lossy(void **state)
{
	many(4001, 1000, SILENT | LOSSY, "5 % loss each way, honest");
	assert_true(tally.exact * 100 >= tally.runs * 97);
	assert_true(tally.wrong * 300 <= tally.runs);
}

static void
lossy_liars(void **state)
{
	many(6001, 1000, SILENT | LOSSY | LIES | NOISE, "5 % loss, lies, noise");
	assert_true(tally.wrong * 100 <= tally.runs);
}

static void
deaf(void **state)
{
	many(8001, 500, SILENT | DEAF | LIES, "silent destination");
	assert_int_equal(tally.wrong, 0);
}

static void
eight(void **state)
{
	many(9001, 500, EIGHT | SILENT | NOISE, "eight bytes quoted");
	assert_int_equal(tally.wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(quiet), cmocka_unit_test(liars), cmocka_unit_test(lossy),
		cmocka_unit_test(lossy_liars), cmocka_unit_test(deaf), cmocka_unit_test(eight),
	};

	return cmocka_run_group_tests_name("tracesim", t, NULL, NULL);
}
