/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search on thousands of simulated paths: routers of every kind, loss each
 * way, overtaking, doubled answers, forged errors, paths that change meanwhile.
 * What it says is compared with the links.
 */
#include "../wire/test.h"
#include "pathsim.h"

#include <sockeye/pmtu.h>
#include <stdio.h>

#define SEEDS 4000
#define CAP 100
#define HOUR (UINT64_C(3600000) * PATH_MS)

struct tally {
	unsigned runs, exact, wrong, open, unknown, most;
	unsigned long packets, rounds;
	uint64_t time;
};

static struct path path;
static struct sky_mtu search;
static struct sky_mtu_result result;
static uint64_t now;

/* --- a path, made up --- */

static const uint32_t usual[] = {
	1492, 1480, 1450, 1420, 1400, 1372, 1350, 1280, 1006, 576, 572, 552, 296, 68,
};

static uint32_t
some_mtu(uint32_t most)
{
	uint32_t n = path_roll(&path, 2) ? usual[path_roll(&path, sizeof(usual) / sizeof(usual[0]))]
	    : 68 + path_roll(&path, most - 68);

	return n < most ? n : most;
}

static void
some_links(uint32_t *mtu, uint32_t high)
{
	unsigned cuts = path_roll(&path, 4);

	for (unsigned i = 0; i < path.links; i++)
		mtu[i] = high;
	while (cuts--) {
		unsigned where = path_roll(&path, path.links);

		mtu[where] = some_mtu(high);
	}
}

static void
make(uint32_t seed, unsigned loss, uint32_t high)
{
	memset(&path, 0, sizeof(path));
	path.random = seed * 2654435761u + 1;
	for (unsigned i = 0; i < 8; i++)
		path_roll(&path, 2);
	path.links = 1 + path_roll(&path, PATH_LINKS);
	some_links(path.mtu, high);
	for (unsigned i = 0; i < path.links; i++)
		path.router[i] = path_roll(&path, ROUTERS);
	path.change_at = UINT64_MAX;
	path.delay = PATH_MS / 10 + path_roll(&path, 20) * PATH_MS / 2;
	path.jitter = path_roll(&path, 3) * path.delay * path.links / 2;
	path.loss_there = path.loss_back = loss;
	path.twice = path_roll(&path, 2) * 100;
	path.forge = path_roll(&path, 2) * 100;
}

static struct sky_mtu_conf
conf(uint32_t high, uint32_t batch)
{
	struct sky_mtu_conf c = { .size = sizeof(c), .high = high, .batch = batch, .packets = CAP,
	    .base = high < 1280 ? high : 0, .rto = { .size = sizeof(c.rto), .min_ns = 8 * PATH_MS,
	    .initial_ns = 1000 * PATH_MS } };

	return c;
}

/* --- one search --- */

static void
tell(const struct path_news *n)
{
	struct sky_fate f = { .size = sizeof(f), .what = SKY_TOO_BIG,
	    .have = SKY_HAVE_MTU | SKY_HAVE_BY, .mtu = n->mtu, .trust = SKY_TRUST_MATCHED };
	char by[32];

	snprintf(by, sizeof(by), "192.0.2.%u", n->hop + 1);
	sky_addr_parse(&f.by, by);
	if (n->forged)
		f.trust = n->seq % 2 ? SKY_TRUST_MISMATCH : SKY_TRUST_SHORT;
	if (n->refused)
		sky_mtu_hint(&search, now, n->seq, &f);
	else
		assert_true(sky_mtu_acked(&search, now, n->seq) == 0 || n->seq + 64 <= path.sent);
}

static void
run(void)
{
	struct sky_mtu_probe probe;
	enum sky_mtu_kind kind;
	unsigned steps = 0;

	while ((kind = sky_mtu_poll(&search, now, &probe)) != SKY_MTU_DONE) {
		uint64_t due = sky_mtu_deadline(&search), next = path_next(&path);
		struct path_news n;

		assert_true(steps++ < 20000 && now < HOUR);
		if (kind == SKY_MTU_SEND) {
			path_send(&path, now, probe.seq, probe.size);
			continue;
		}
		assert_true(due > now && due != SKY_MTU_NEVER);
		if (next > due) {
			now = due;
			continue;
		}
		now = next > now ? next : now;
		n = path_take(&path);
		tell(&n);
	}
	sky_mtu_result(&search, &result);
}

static void
start(uint32_t high, uint32_t batch)
{
	struct sky_mtu_conf c = conf(high, batch);

	now = PATH_MS;
	assert_int_equal(sky_mtu_init(&search, &c), 0);
	run();
}

static void
judge(struct tally *t, uint32_t high)
{
	uint32_t before = path_mtu(&path, 0), after = path_mtu(&path, UINT64_MAX - 1);

	assert_true(result.packets <= CAP && path.sent == result.total_packets);
	assert_true(path.highest <= high);
	t->runs++;
	t->packets += result.packets;
	t->rounds += result.rounds;
	t->time += now;
	t->most = result.packets > t->most ? result.packets : t->most;
	if (result.certainty == SKY_MTU_UNKNOWN)
		t->unknown++;
	else if (result.certainty == SKY_MTU_AT_MOST)
		t->open++;
	else if (result.mtu == before || result.mtu == after)
		t->exact++;
	else
		t->wrong++;
}

static void
print(const char *what, const struct tally *t)
{
	printf("# %s: %u runs, %u exact, %u claimed wrongly, %u open, %u unknown; packets %.1f "
	    "(at most %u), rounds %.1f, %.0f ms\n", what, t->runs, t->exact, t->wrong, t->open,
	    t->unknown, (double)t->packets / t->runs, t->most, (double)t->rounds / t->runs,
	    (double)t->time / t->runs / 1e6);
}

static const uint32_t batches[] = { 1, 2, 4, 8, 12, 32 };
static const uint32_t highs[] = { 1500, 1500, 1500, 9000, 65535, 576 };

static struct tally
campaign(const char *what, unsigned loss, unsigned seeds)
{
	struct tally t = { 0 };

	for (uint32_t seed = 1; seed <= seeds; seed++) {
		uint32_t high = highs[seed % 6];

		make(seed, loss, high);
		start(high, batches[seed / 6 % 6]);
		judge(&t, high);
		if (!loss && result.certainty != SKY_MTU_EXACT)
			printf("# seed %u, batch %u: %u to %u, is %u, %u packets\n", seed,
			    batches[seed / 6 % 6], result.mtu, result.most,
			    path_mtu(&path, 0), result.packets);
	}
	print(what, &t);
	return t;
}

static void
without_loss_to_the_byte(void **state)
{
	struct tally t = campaign("no loss", 0, SEEDS);

	(void)state;
	assert_int_equal(t.exact, SEEDS);
}

static void
with_loss_nearly_always(void **state)
{
	static const struct { const char *name; unsigned loss, least; } rows[] = {
		{ "1 % each way", 10, 990 }, { "3 % each way", 30, 990 },
		{ "5 % each way", 50, 990 }, { "10 % each way", 100, 900 },
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct tally t = campaign(rows[i].name, rows[i].loss, SEEDS);

		assert_true(t.exact * 1000 >= rows[i].least * SEEDS);
		assert_true(rows[i].loss > 50 || t.wrong * 1000 <= SEEDS);
	}
}

static void
path_that_changes(void **state)
{
	struct tally t = { 0 };

	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		make(seed, seed % 3 * 10, 1500);
		some_links(path.later, 1500);
		path.change_at = PATH_MS + path_roll(&path, 200) * path.delay * path.links / 10;
		start(1500, batches[seed % 6]);
		judge(&t, 1500);
	}
	print("path changes meanwhile, 0 to 2 % loss", &t);
	assert_true(t.wrong * 1000 <= SEEDS && t.exact * 100 >= 98 * SEEDS);
}

/* --- the figures of single cases --- */

static void
chain(uint32_t a, enum path_router ra, uint32_t b, enum path_router rb, uint32_t c)
{
	memset(&path, 0, sizeof(path));
	path.random = 1;
	path.links = 9;
	for (unsigned i = 0; i < 9; i++)
		path.mtu[i] = 1500;
	path.mtu[3] = a;
	path.router[3] = ra;
	path.mtu[5] = b;
	path.router[5] = rb;
	path.mtu[7] = c;
	path.change_at = UINT64_MAX;
	path.delay = 20500 * PATH_MS / 1000 / 18;
}

static void
figures(void **state)
{
	static const struct {
		const char *name;
		uint32_t a, b, c, packets, rtts, reason;
		enum path_router ra, rb;
	} rows[] = {
		{ "clean", 1500, 1500, 1500, 2, 2, SKY_MTU_INTERFACE, 0, 0 },
		{ "told three times", 1400, 1006, 296, 9, 5, SKY_MTU_TOLD, 0, 0 },
		{ "black hole 1400", 1400, 1500, 1500, 48, 10, SKY_MTU_BLACK_HOLE, MUTE, 0 },
		{ "black hole 1372", 1372, 1500, 1500, 48, 10, SKY_MTU_BLACK_HOLE, MUTE, 0 },
		{ "black hole 1387", 1387, 1500, 1500, 48, 10, SKY_MTU_BLACK_HOLE, MUTE, 0 },
		{ "told 1450, black hole 1400", 1450, 1400, 1500, 48, 10, SKY_MTU_BLACK_HOLE,
		    TELLS, MUTE },
		{ "MTU 0 at 1006", 1006, 1500, 1500, 40, 8, SKY_MTU_TOLD, OLD, 0 },
		{ "MTU 0 at 1111", 1111, 1500, 1500, 40, 8, SKY_MTU_TOLD, OLD, 0 },
		{ "large lie at 1006", 1006, 1500, 1500, 40, 8, SKY_MTU_TOLD, LIES_LARGE, 0 },
		{ "small lie at 1300", 1300, 1500, 1500, 40, 8, SKY_MTU_TOLD, LIES_SMALL, 0 },
		{ "60 bytes at 1006", 1006, 1500, 1500, 40, 8, SKY_MTU_TOLD, LIES_60, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double rtt = 20.5 * (double)PATH_MS, took;

		chain(rows[i].a, rows[i].ra, rows[i].b, rows[i].rb, rows[i].c);
		start(1500, 12);
		took = (double)(now - PATH_MS) / rtt;
		printf("# %s: %u, %u packets, %.1f round trips\n", rows[i].name, result.mtu,
		    result.packets, took);
		assert_int_equal(result.certainty, SKY_MTU_EXACT);
		assert_int_equal(result.mtu, path_mtu(&path, 0));
		assert_int_equal(result.reason, rows[i].reason);
		assert_true(result.packets <= rows[i].packets);
		assert_true(took <= rows[i].rtts + 0.05);
	}
}

/* A sender whose path begins to carry less, silently: it says that its large
 * packets are lost, and the search finds what is left, or that nothing changed. */
static void
black_hole_under_a_sender(void **state)
{
	static const uint32_t less[] = { 1400, 1280, 700, 68, 1500 };

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		uint32_t was = less[i % 5];

		chain(1500, TELLS, 1500, TELLS, 1500);
		path.random = i + 1;
		start(1500, batches[i % 6]);
		assert_int_equal(sky_mtu_size(&search), 1500);
		path.mtu[4] = was;
		path.router[4] = MUTE;
		path.loss_there = path.loss_back = i % 3 * 10;
		for (unsigned n = 0; n < 6; n++) {
			sky_mtu_result(&search, &result);
			assert_int_equal(result.state, SKY_MTU_COMPLETE);
			sky_mtu_data(&search, now, 1500, false);
			sky_mtu_data(&search, now, 60, true);
		}
		sky_mtu_data(&search, now, 1500, false);
		sky_mtu_result(&search, &result);
		assert_int_equal(result.state, SKY_MTU_HOLE);
		assert_int_equal(sky_mtu_size(&search), 1280);
		run();
		assert_int_equal(result.certainty, SKY_MTU_EXACT);
		assert_int_equal(result.mtu, was);
		assert_int_equal(sky_mtu_size(&search), was);
		assert_int_equal(result.changes, was < 1500);
		assert_int_equal(result.reason, was < 1500 ? SKY_MTU_BLACK_HOLE : SKY_MTU_INTERFACE);
	}
}

/* The path carries more again: found when the timer says so, not before. */
static void
raised(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 600; i++) {
		struct sky_mtu_conf c = conf(1500, batches[i % 6]);
		struct sky_mtu_probe none;
		uint64_t then;

		chain(1400, i & 1 ? TELLS : MUTE, 1006, i & 2 ? TELLS : OLD, 1500);
		path.random = i + 1;
		c.raise_ns = 600000 * PATH_MS;
		now = PATH_MS;
		assert_int_equal(sky_mtu_init(&search, &c), 0);
		run();
		assert_int_equal(result.mtu, 1006);
		then = sky_mtu_deadline(&search);
		assert_true(then == now + c.raise_ns);
		path.mtu[5] = i & 4 ? 1500 : 1006;
		assert_int_equal(sky_mtu_poll(&search, then - 1, &none), SKY_MTU_DONE);
		now = then;
		run();
		assert_int_equal(result.certainty, SKY_MTU_EXACT);
		assert_int_equal(result.mtu, i & 4 ? 1400 : 1006);
		assert_true(result.packets < CAP && result.packets < result.total_packets);
	}
}

/* An outage of many round trips is no limit. */
static void
outage(void **state)
{
	struct tally t = { 0 };

	(void)state;
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		make(seed, 0, 1500);
		path.dead_from = seed & 1 ? PATH_MS + path_roll(&path, 400) * PATH_MS / 2 : 0;
		path.dead_until = path.dead_from + path_roll(&path, 400) * PATH_MS;
		start(1500, batches[seed % 6]);
		judge(&t, 1500);
	}
	print("an outage", &t);
	assert_true(!t.wrong && t.exact * 100 >= 97 * t.runs);	/* some outlast its patience */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures),
		cmocka_unit_test(without_loss_to_the_byte),
		cmocka_unit_test(with_loss_nearly_always),
		cmocka_unit_test(path_that_changes),
		cmocka_unit_test(outage),
		cmocka_unit_test(black_hole_under_a_sender),
		cmocka_unit_test(raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
