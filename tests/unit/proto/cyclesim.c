/* SPDX-License-Identifier: BSD-2-Clause */
/* Repeats over simulated routers: what they limit is not loss, and loss is. */
#include "../wire/test.h"
#include "websim.h"

#include <proto/cycle.h>

#include <errno.h>
#include <stdio.h>

#define HOPS 4

static struct web w;
static struct sky_cycle c;

struct weather {
	uint64_t out_from, out_until;	/* nothing passes */
};

static void
hand_over(uint64_t now)
{
	while (web_next(&w) <= now) {
		struct web_news n = web_take(&w);
		struct sky_hop_answer a = { .at = n.at, .id = n.id, .trust = SKY_TRUST_MATCHED,
		    .what = n.what == WEB_REACHED ? SKY_HOP_REACHED : SKY_HOP_EXCEEDED };

		a.by.u.in.sin_family = AF_INET;
		a.by.u.in.sin_addr.s_addr = htonl(0x0a000001 + n.router);
		sky_cycle_answer(&c, now, &a);
	}
}

/* A chain of HOPS; the last is the host. */
static void
network(uint64_t seed, double burst, double rate, unsigned loss)
{
	unsigned at = 0;

	web_init(&w, seed);
	w.burst = burst;
	w.rate = rate;
	w.loss_there = w.loss_back = loss;
	w.jitter = WEB_MS;
	for (unsigned i = 1; i < HOPS; i++)
		at = web_add(&w, 1, &at);
	for (unsigned i = 0; i < HOPS; i++)
		w.router[i].tokens = burst;
}

static void
cycles(unsigned n, uint64_t interval, const struct weather *weather)
{
	struct sky_cycle_conf conf = { .size = sizeof(conf), .hops = HOPS, .cycles = n,
	    .interval_ns = interval };
	enum sky_cycle_kind kind;
	struct sky_hop_probe p;
	uint64_t now = WEB_MS, next;

	for (unsigned i = 0; i < HOPS; i++)
		conf.hop[i].ttl = i + 1;
	assert_int_equal(sky_cycle_init(&c, &conf), 0);
	while ((kind = sky_cycle_poll(&c, now, &p)) != SKY_CYCLE_DONE) {
		if (kind == SKY_CYCLE_SEND) {
			if (!weather || now < weather->out_from || now >= weather->out_until)
				web_send(&w, now, p.id, 0, p.ttl, p.len);
			continue;
		}
		next = sky_cycle_deadline(&c);
		next = next < web_next(&w) ? next : web_next(&w);
		assert_true(next != UINT64_MAX);
		now = next > now ? next : now;
		hand_over(now);
	}
}

static void
tell(const char *what, const struct sky_cycle_hop *h)
{
	print_message("# %s, hop %u, %s: sent %u answered %u lost %u limited %u open %u, "
	    "loss %.2f %% (%.2f to %.2f), burst %u, one in %.2f s\n", what, h->ttl,
	    sky_cycle_mode_word(h->mode), (unsigned)h->sent, (unsigned)h->answered,
	    (unsigned)h->lost, (unsigned)h->limited, (unsigned)h->open, 100 * h->loss,
	    100 * h->loss_low, 100 * h->loss_high, h->burst, (double)h->period_ns / 1e9);
}

static void
add_up(const struct sky_cycle_hop *h)
{
	assert_true(h->lost + h->limited + h->open + h->answered + h->pending == h->sent);
	assert_true(h->fair <= h->answered && h->loss_low <= h->loss && h->loss <= h->loss_high);
}

/* More are under way than are remembered: each is judged, and the end comes. */
static void
the_oldest_are_given_up(void **state)
{
	struct sky_cycle_conf conf = { .size = sizeof(conf), .hops = SKY_CYCLE_HOPS,
	    .cycles = 500, .interval_ns = 10 * WEB_MS };
	enum sky_cycle_kind kind;
	struct sky_hop_probe p;
	struct sky_cycle_hop h;
	uint64_t now = WEB_MS;

	for (unsigned i = 0; i < conf.hops; i++)
		conf.hop[i].ttl = i + 1;
	assert_int_equal(sky_cycle_init(&c, &conf), 0);
	while ((kind = sky_cycle_poll(&c, now, &p)) != SKY_CYCLE_DONE) {
		if (kind == SKY_CYCLE_WAIT)
			now = sky_cycle_deadline(&c);
		assert_true(now < 20000 * WEB_MS);
	}
	for (unsigned i = 0; i < conf.hops; i++) {
		assert_int_equal(sky_cycle_hop(&c, i, &h), 0);
		add_up(&h);
		assert_true(h.sent == 500 && h.pending == 0);
	}
	assert_int_equal(sky_cycle_hop(&c, SKY_CYCLE_HOPS, &h), -ENOENT);
}

static void
default_limits_are_no_loss(void **state)
{
	for (unsigned seed = 1; seed <= 50; seed++) {
		network(seed, 6, 1, 0);
		cycles(600, 100 * WEB_MS, NULL);
		for (unsigned i = 0; i < HOPS; i++) {
			struct sky_cycle_hop h;

			assert_int_equal(sky_cycle_hop(&c, i, &h), 0);
			add_up(&h);
			if (seed == 1)
				tell("6, then 1/s", &h);
			assert_true(h.loss <= 0.01);
			assert_true(h.limited_rate && h.mode == SKY_CYCLE_SPACED);
			assert_true(h.burst >= 5 && h.burst <= 7);
			assert_true(h.period_ns >= 900 * WEB_MS && h.period_ns <= 1200 * WEB_MS);
			assert_true(h.answered >= 40);
		}
	}
}

/* Other buckets at 10 a second: burst, rate. */
static void
any_bucket_is_no_loss(void **state)
{
	static const double rows[][2] = { { 6, 10 }, { 3, 20 }, { 6, 5 }, { 1, 5 }, { 6, 9 },
	    { 10, 2 }, { 1, 1 }, { 6, 0.5 }, { 6, 3 }, { 6, 7 } };

	for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		double worst = 0;

		for (unsigned seed = 1; seed <= 20; seed++) {
			network(seed, rows[k][0], rows[k][1], 0);
			cycles(1200, 100 * WEB_MS, NULL);
			for (unsigned i = 0; i < HOPS; i++) {
				struct sky_cycle_hop h;

				sky_cycle_hop(&c, i, &h);
				add_up(&h);
				worst = h.loss > worst ? h.loss : worst;
				if (seed == 1 && i == 0)
					tell("bucket", &h);
			}
		}
		print_message("# burst %.0f, %.1f/s: false loss at most %.2f %%\n", rows[k][0],
		    rows[k][1], 100 * worst);
		assert_true(worst <= 0.01);
	}
}

/* The truth lies within the interval as often as it says. */
static void
real_loss(double burst, double rate, unsigned each_way, unsigned n, const char *what)
{
	double truth = 1 - (1 - each_way / 1000.0) * (1 - each_way / 1000.0), sum = 0;
	unsigned inside = 0, runs = 0, free = 0;

	for (unsigned seed = 1; seed <= 100; seed++) {
		network(seed, burst, rate, each_way);
		cycles(n, 100 * WEB_MS, NULL);
		for (unsigned i = 0; i < HOPS; i++, runs++) {
			struct sky_cycle_hop h;

			sky_cycle_hop(&c, i, &h);
			add_up(&h);
			if (seed == 1)
				tell(what, &h);
			sum += h.loss;
			inside += h.loss_low <= truth && truth <= h.loss_high;
			free += h.mode == SKY_CYCLE_FREE;
		}
	}
	print_message("# %s: loss %.2f %%, measured %.2f %% on average, within its interval in %u "
	    "of %u; %u at full speed\n", what, 100 * truth, 100 * sum / runs, inside, runs, free);
	assert_true(inside * 100 >= runs * 92);
}

static void
loss_is_measured(void **state)
{
	real_loss(0, 0, 25, 600, "5 %, no limits");
	real_loss(0, 0, 50, 600, "10 %, no limits");
	real_loss(0, 0, 0, 600, "none");
	real_loss(0, 0, 200, 600, "36 %, no limits");
}

static void
loss_is_measured_beside_limits(void **state)
{
	real_loss(6, 1, 25, 3000, "5 %, 6 then 1/s");
	real_loss(6, 10, 25, 600, "5 %, 6 then 10/s");
}

static void
an_outage_is_loss(void **state)
{
	struct weather weather = { 10000 * WEB_MS, 13000 * WEB_MS };

	for (unsigned seed = 1; seed <= 20; seed++) {
		network(seed, 0, 0, 0);
		cycles(300, 100 * WEB_MS, &weather);
		for (unsigned i = 0; i < HOPS; i++) {
			struct sky_cycle_hop h;

			sky_cycle_hop(&c, i, &h);
			add_up(&h);
			assert_int_equal(h.lost, 30);
			assert_false(h.limited_rate);
		}
	}
}

static void
silence_to_the_end_is_open(void **state)
{
	struct weather weather = { 10000 * WEB_MS, UINT64_MAX };
	struct sky_cycle_hop h;

	network(1, 0, 0, 0);
	cycles(150, 100 * WEB_MS, &weather);
	assert_int_equal(sky_cycle_hop(&c, 0, &h), 0);
	assert_int_equal(h.lost, 0);
	assert_int_equal(h.open, 50);
	assert_true(h.loss_high > 0.3);
	assert_int_equal(sky_cycle_hop(&c, HOPS, &h), -ENOENT);
}

static void
wilson(void **state)
{
	/* Newcombe, Statistics in Medicine 17 (1998), table I, method 3. */
	static const struct { unsigned bad, n; double low, high; } rows[] = {
		{ 81, 263, 0.2553, 0.3662 }, { 15, 148, 0.0624, 0.1605 },
		{ 0, 20, 0.0000, 0.1611 }, { 1, 29, 0.0061, 0.1718 },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double low, high;

		sky_cycle_wilson(rows[i].bad, rows[i].n, &low, &high);
		assert_true(low > rows[i].low - 6e-5 && low < rows[i].low + 6e-5);
		assert_true(high > rows[i].high - 6e-5 && high < rows[i].high + 6e-5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_are_given_up),
		cmocka_unit_test(wilson),
		cmocka_unit_test(default_limits_are_no_loss),
		cmocka_unit_test(any_bucket_is_no_loss),
		cmocka_unit_test(loss_is_measured),
		cmocka_unit_test(loss_is_measured_beside_limits),
		cmocka_unit_test(an_outage_is_loss),
		cmocka_unit_test(silence_to_the_end_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
