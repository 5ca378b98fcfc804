/* SPDX-License-Identifier: BSD-2-Clause */
/* All balanced paths, over simulated networks whose truth is known: nothing false,
 * nothing missed more often than was said, no router asked for more than it gives.
 * SKY_SEEDS=N runs N seeds of each instead of 200. */
#include "../wire/test.h"
#include "webshape.h"

#include <stdio.h>

static struct web w;
static struct sky_paths p;
static struct web_run run;

static unsigned
seeds(void)
{
	const char *text = getenv("SKY_SEEDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : 200;
}

struct sums {
	unsigned runs, fails, false_links, unclaimed, packets_over, slow, silent, most;
	double packets, rounds, miss, worst;
};

struct manner {
	double rate;			/* of errors; 0: no limit */
	unsigned loss;			/* of 1000, each way */
	uint32_t full, narrow;		/* narrow: MTU of the first branch's first link */
	bool by_packet, in_turn;	/* the first balancer */
	bool silent;			/* its first next hop */
	uint64_t patience;
};

static void
once(enum web_shape shape, uint64_t seed, const struct manner *m, unsigned percent)
{
	struct sky_paths_conf c = { .full = m->full, .patience_ns = m->patience,
	    .percent = percent };

	web_init(&w, seed);
	w.burst = 6;
	w.rate = m->rate;
	w.loss_there = w.loss_back = m->loss;
	web_shape(&w, shape);
	w.router[0].by_packet = m->by_packet;
	w.router[0].in_turn = m->in_turn;
	w.router[1].silent = m->silent;
	if (m->narrow)
		w.router[0].mtu[0] = m->narrow;
	web_run(&w, &p, &c, &run);
}

static struct sums
all(enum web_shape shape, const struct manner *m, unsigned percent)
{
	struct sums s = { .runs = seeds() };

	for (unsigned seed = 1; seed <= s.runs; seed++) {
		double rounds;

		once(shape, seed, m, percent);
		rounds = (double)run.took / (double)w.delay;
		s.fails += run.missing > 0;
		s.false_links += run.false_links;
		s.unclaimed += run.unclaimed;
		s.silent += run.silent;
		s.packets += run.r.packets;
		s.most = run.r.packets > s.most ? run.r.packets : s.most;
		s.packets_over += run.r.packets > 90;
		s.rounds += rounds;
		s.slow += rounds > 8;
		s.worst = rounds > s.worst ? rounds : s.worst;
		s.miss += run.r.miss;
		assert_true(run.r.packets <= p.conf.packets);
	}
	s.packets /= s.runs;
	s.rounds /= s.runs;
	s.miss /= s.runs;
	return s;
}

static void
say(const char *what, enum web_shape shape, const struct sums *s)
{
	print_message("# %s, %s: missed in %u of %u (said: %.1f %%), %u false links, %u not claimed; "
	    "packets %.0f, at most %u; round trips %.1f, at most %.1f\n", what,
	    web_shape_name[shape], s->fails, s->runs, 100 * s->miss, s->false_links, s->unclaimed,
	    s->packets, s->most, s->rounds, s->worst);
}

/* --- numbers --- */

static double
power(double x, unsigned n)
{
	double all = 1;

	while (n--)
		all *= x;
	return all;
}

/* Inclusion and exclusion; the engine counts otherwise. */
static double
chance(unsigned all, unsigned n)
{
	double sum = 0, choose = 1;

	for (unsigned i = 1; i <= all; i++) {
		choose = choose * (all - i + 1) / i;
		sum += (i % 2 ? 1 : -1) * choose * power(1 - (double)i / all, n);
	}
	return sum;
}

static void
flows_needed_are_those_of_the_paper(void **state)
{
	static const unsigned at95[] = { 6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70, 76, 83,
	    90, 96 };
	static const unsigned at99[] = { 8, 15, 21, 28, 36, 43, 51, 58, 66, 74, 82, 90, 98, 106,
	    115, 123 };

	for (unsigned k = 1; k <= 16; k++) {
		unsigned n = at95[k - 1];

		assert_int_equal(sky_paths_need(k, 95), n);
		assert_int_equal(sky_paths_need(k, 99), at99[k - 1]);
		assert_true(chance(k + 1, n) <= 0.05 && chance(k + 1, n - 1) > 0.05);
		assert_true(sky_paths_missed(k, n) - chance(k + 1, n) < 1e-9);
		assert_true(chance(k + 1, n) - sky_paths_missed(k, n) < 1e-9);
	}
	assert_int_equal(sky_paths_need(0, 95), 0);
	assert_int_equal(sky_paths_need(SKY_PATHS_WIDE + 1, 95), 0);
	assert_true(sky_paths_missed(3, 0) == 1);
}

static void
conf_is_checked(void **state)
{
	struct sky_paths_conf c = { .size = sizeof(c) };

	assert_int_equal(sky_paths_init(&p, NULL), -EINVAL);
	c.size--;
	assert_int_equal(sky_paths_init(&p, &c), -EINVAL);
	c.size++;
	assert_int_equal(sky_paths_init(&p, &c), 0);
	c.full = 67;
	assert_int_equal(sky_paths_init(&p, &c), -EINVAL);
	c.full = 1500;
	c.packets = SKY_PATHS_PACKETS + 1;
	assert_int_equal(sky_paths_init(&p, &c), -EINVAL);
	c.packets = 0;
	c.max = SKY_PATHS_HOPS;
	assert_int_equal(sky_paths_init(&p, &c), -EINVAL);
}

/* --- the bound --- */

/* Three standard deviations above what was said. */
static bool
within_bound(const struct sums *s)
{
	double said = s->miss * s->runs, x = s->fails - said;

	return x <= 0 || x * x <= 9 * (said + 1);
}

static void
missed_no_more_often_than_said(void **state)
{
	static const struct manner plain = { 0 }, limited = { .rate = 1 };

	for (unsigned shape = 0; shape < WEB_SHAPES; shape++) {
		struct sums s = all(shape, &plain, 95);

		say("no limits", shape, &s);
		assert_true(within_bound(&s));
		assert_int_equal(s.false_links, 0);
		s = all(shape, &limited, 95);
		say("6, then 1/s", shape, &s);
		assert_true(within_bound(&s));
		assert_int_equal(s.false_links, 0);
	}
}

static void
more_certainty_misses_less(void **state)
{
	static const struct manner plain = { 0 };
	struct sums s = all(WEB_NESTED, &plain, 99);

	say("99 %, no limits", WEB_NESTED, &s);
	assert_true(within_bound(&s) && s.miss < 0.05 && s.fails * 50 <= s.runs);
}

/* --- the targets --- */

static void
two_paths_within_the_budget(void **state)
{
	static const struct manner limited = { .rate = 1, .full = 1500 };
	struct sums s = all(WEB_LONG, &limited, 95);

	say("6, then 1/s, with MTU", WEB_LONG, &s);
	assert_int_equal(s.false_links, 0);
	assert_true(s.fails * 20 <= s.runs);		/* 95 of 100 */
	assert_true(s.packets_over * 20 <= s.runs && s.slow * 20 <= s.runs);
}

static unsigned
mtus_told(void)
{
	struct sky_paths_branch b;
	unsigned told = 0;

	for (unsigned i = 0; sky_paths_branch(&p, i, &b) == 0; i++) {
		told |= b.size == SKY_PATHS_SIZE_TOLD && b.mtu == 1400 && b.by_hop == 1 ? 1 : 0;
		told |= b.size == SKY_PATHS_SIZE_DEVICE && b.mtu == 1500 ? 2 : 0;
		assert_true(b.mtu == 0 || b.mtu == 1400 || b.mtu == 1500);
		assert_true(b.mtu <= b.most && b.hops > 0);
	}
	return told;
}

static void
each_branch_has_its_mtu(void **state)
{
	static const struct manner limited = { .rate = 1, .full = 1500, .narrow = 1400 };
	unsigned both = 0, runs = seeds();

	for (unsigned seed = 1; seed <= runs; seed++) {
		once(WEB_LONG, seed, &limited, 95);
		both += mtus_told() == 3 && run.took <= 10 * w.delay;
	}
	print_message("# both MTUs within 10 round trips in %u of %u\n", both, runs);
	assert_true(both * 20 >= runs * 19);
}

static void
a_branch_that_swallows_or_lies_is_a_range(void **state)
{
	struct sky_paths_branch b;
	unsigned holes = 0, ranges = 0;

	for (unsigned kind = 0; kind < 2; kind++) {
		struct sky_paths_conf c = { .full = 1500 };

		web_init(&w, 7);
		web_shape(&w, WEB_LONG);
		w.router[0].mtu[0] = 1400;
		w.router[0].mute = kind == 0;
		w.router[0].lies = kind == 1;
		web_run(&w, &p, &c, &run);
		for (unsigned i = 0; sky_paths_branch(&p, i, &b) == 0; i++) {
			holes += b.size == SKY_PATHS_SIZE_HOLE;
			ranges += b.size == SKY_PATHS_SIZE_RANGE;
			if (b.size == SKY_PATHS_SIZE_HOLE || b.size == SKY_PATHS_SIZE_RANGE)
				assert_true(b.mtu <= 1400 && b.most >= 1400);
		}
	}
	assert_int_equal(holes, 1);
	assert_int_equal(ranges, 1);
}

/* --- what is odd --- */

static bool
said_by_packet(void)
{
	struct sky_paths_node n;
	bool any = false;

	for (unsigned i = 0; sky_paths_node(&p, i, &n) == 0; i++)
		any = any || n.spread == SKY_PATHS_BY_PACKET;
	return any;
}

static void
packets_spread_one_by_one_are_told(void **state)
{
	static const struct manner packet = { .by_packet = true }, flow = { 0 },
	    turn = { .in_turn = true },
	    patient = { .by_packet = true, .rate = 1, .patience = 5000 * WEB_MS };
	static const struct { const struct manner *m; enum web_shape shape; bool by_packet; }
	    rows[] = { { &packet, WEB_SIMPLEST, true }, { &packet, WEB_LONG, true },
	    { &turn, WEB_SIMPLEST, true }, { &turn, WEB_LONG, true },
	    { &patient, WEB_SIMPLEST, true }, { &flow, WEB_SIMPLEST, false },
	    { &flow, WEB_LONG, false } };

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned right = 0, false_links = 0;

		for (unsigned seed = 1; seed <= 100; seed++) {
			once(rows[i].shape, seed, rows[i].m, 95);
			right += said_by_packet() == rows[i].by_packet;
			false_links += run.missing ? 0 : run.false_links;
		}
		print_message("# %s, by %s: recognised in %u of 100, %u false links\n",
		    web_shape_name[rows[i].shape], rows[i].by_packet ? "packet" : "flow", right,
		    false_links);
		assert_true(right >= (rows[i].by_packet ? 90 : 100));
		assert_true(false_links <= 1);
	}
}

static void
a_silent_one_of_several_is_told(void **state)
{
	static const struct manner plain = { .silent = true },
	    limited = { .rate = 1, .silent = true };
	struct sums s = all(WEB_SIMPLEST, &plain, 95);

	say("one silent, no limits", WEB_SIMPLEST, &s);
	assert_true(within_bound(&s));
	assert_int_equal(s.false_links, 0);
	assert_true(s.silent * 100 >= s.runs * 85 && s.silent <= s.runs);
	s = all(WEB_SIMPLEST, &limited, 95);
	say("one silent, 6, then 1/s", WEB_SIMPLEST, &s);
	assert_int_equal(s.false_links, 0);
	assert_true(s.silent * 100 >= s.runs * 85 && s.silent <= s.runs);
}

static void
loss_is_lived_with(void **state)
{
	static const struct manner lossy = { .loss = 50, .full = 1500 },
	    both = { .loss = 50, .rate = 1, .full = 1500 };

	for (unsigned shape = 0; shape < WEB_EIGHT; shape++) {
		struct sums s = all(shape, &lossy, 95);

		say("5 % loss each way", shape, &s);
		assert_true(within_bound(&s) && s.silent * 50 <= s.runs);
		assert_int_equal(s.false_links, 0);
		s = all(shape, &both, 95);
		say("the same, and 1/s", shape, &s);
		assert_true(within_bound(&s));
		assert_int_equal(s.false_links, 0);
	}
}

/* --- ends --- */

static void
nothing_answers(void **state)
{
	struct sky_paths_conf c = { .gap = 4 };

	web_init(&w, 1);
	w.loss_there = 1000;
	web_shape(&w, WEB_CHAIN);
	web_run(&w, &p, &c, &run);
	assert_int_equal(run.r.stop, SKY_PATHS_GAP);
	assert_false(run.r.reached);
	assert_true(run.r.packets < 40);
}

/* Whoever asked before left nothing in the buckets. */
static void
empty_buckets_are_waited_for(void **state)
{
	struct sky_paths_conf c = { .patience_ns = 3000 * WEB_MS };

	web_init(&w, 1);
	w.burst = 6;
	w.rate = 1;
	web_shape(&w, WEB_CHAIN);
	for (unsigned i = 0; i < w.routers; i++)
		w.router[i].tokens = 0;
	web_run(&w, &p, &c, &run);
	assert_true(run.r.reached);
	assert_int_equal(run.missing, 0);
	assert_int_equal(run.false_links, 0);
}

static void
interrupted(void **state)
{
	struct sky_paths_conf c = { .size = sizeof(c) };
	struct sky_paths_result r;
	struct sky_hop_probe probe;

	assert_int_equal(sky_paths_init(&p, &c), 0);
	assert_int_equal(sky_paths_poll(&p, 1, &probe), SKY_PATHS_SEND);
	assert_int_equal(probe.id, 1);
	sky_paths_stop(&p, 2);
	assert_int_equal(sky_paths_poll(&p, 3, &probe), SKY_PATHS_DONE);
	sky_paths_result(&p, &r);
	assert_int_equal(r.stop, SKY_PATHS_INTERRUPTED);
	assert_int_equal(r.packets, 1);
	assert_string_equal(sky_paths_stop_word(r.stop), "interrupted");
	assert_string_equal(sky_paths_spread_word(SKY_PATHS_BY_PACKET), "packet");
	assert_string_equal(sky_paths_size_word(SKY_PATHS_SIZE_HOLE), "hole");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_needed_are_those_of_the_paper),
		cmocka_unit_test(conf_is_checked),
		cmocka_unit_test(missed_no_more_often_than_said),
		cmocka_unit_test(more_certainty_misses_less),
		cmocka_unit_test(two_paths_within_the_budget),
		cmocka_unit_test(each_branch_has_its_mtu),
		cmocka_unit_test(a_branch_that_swallows_or_lies_is_a_range),
		cmocka_unit_test(packets_spread_one_by_one_are_told),
		cmocka_unit_test(a_silent_one_of_several_is_told),
		cmocka_unit_test(loss_is_lived_with),
		cmocka_unit_test(nothing_answers),
		cmocka_unit_test(empty_buckets_are_waited_for),
		cmocka_unit_test(interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
