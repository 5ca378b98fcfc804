/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The retransmission timer, against figures worked out by hand from the
 * formulas of RFC 6298 and, for long runs, against them in floating point.
 */
#include "../wire/test.h"

#include <math.h>
#include <sockeye/rto.h>

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static struct sky_rto
timer(uint64_t initial, uint64_t min, uint64_t max, uint64_t g)
{
	struct sky_rto_conf c = { .size = sizeof(c), .initial_ns = initial, .min_ns = min,
	    .max_ns = max, .granularity_ns = g };
	struct sky_rto r;

	assert_int_equal(sky_rto_init(&r, &c), 0);
	return r;
}

static void
without_wishes_the_values_are_those_of_the_rfc(void **state)
{
	struct sky_rto r;

	assert_int_equal(sky_rto_init(&r, NULL), 0);
	assert_int_equal(sky_rto_value(&r), S);		/* (2.1) */
	assert_true(sky_rto_sample(&r, 10 * MS, 1, false));
	assert_int_equal(sky_rto_value(&r), S);		/* (2.4) */
	for (int i = 0; i < 5; i++)
		sky_rto_backoff(&r);
	assert_int_equal(sky_rto_value(&r), 32 * S);
	sky_rto_backoff(&r);
	assert_int_equal(sky_rto_value(&r), 60 * S);	/* (2.5) */
	sky_rto_backoff(&r);
	assert_int_equal(sky_rto_value(&r), 60 * S);
}

/* By hand: SRTT' = 7/8 SRTT + 1/8 R, RTTVAR' = 3/4 RTTVAR + 1/4 |SRTT - R|,
 * RTO = SRTT + 4 RTTVAR; in microseconds, so that no figure is rounded. */
static void
a_table_worked_by_hand(void **state)
{
	static const struct { uint64_t rtt, srtt, rttvar, rto; } rows[] = {
		{ 1600000, 1600000, 800000, 4800000 },	/* (2.2) */
		{ 1600000, 1600000, 600000, 4000000 },
		{ 3200000, 1800000, 850000, 5200000 },
		{ 1800000, 1800000, 637500, 4350000 },
		{  200000, 1600000, 878125, 5112500 },
		{       0, 1400000, 1058593, 5634372 },
	};
	struct sky_rto r = timer(0, 1, 0, 1);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(sky_rto_sample(&r, rows[i].rtt * 1000, 1, false));
		assert_int_equal(r.srtt_ns / 1000, rows[i].srtt);
		assert_int_equal(r.rttvar_ns / 1000, rows[i].rttvar);
		assert_in_range(r.rto_ns / 1000, rows[i].rto, rows[i].rto + 3);
	}
}

static void
equal_round_trips_leave_the_granularity(void **state)
{
	struct sky_rto r = timer(0, 1, 0, 10 * MS);

	for (int i = 0; i < 200; i++)
		sky_rto_sample(&r, 40 * MS, 1, false);
	assert_int_equal(r.srtt_ns, 40 * MS);
	assert_in_range(r.rttvar_ns, 0, 4);
	assert_int_equal(sky_rto_value(&r), 50 * MS);	/* SRTT + G (2.3) */
}

static void
a_retransmitted_request_is_no_sample(void **state)
{
	struct sky_rto r = timer(0, 1, 0, 1), before;

	sky_rto_sample(&r, 100 * MS, 1, false);
	before = r;
	assert_false(sky_rto_sample(&r, 900 * MS, 2, false));
	assert_memory_equal(&r, &before, sizeof(r));
	assert_true(sky_rto_sample(&r, 900 * MS, 2, true));
	assert_int_equal(r.srtt_ns, 200 * MS);
}

static void
a_doubled_value_stays_until_there_is_a_sample(void **state)
{
	struct sky_rto r = timer(0, 1, 0, 1);

	sky_rto_sample(&r, 100 * MS, 1, false);
	assert_int_equal(sky_rto_value(&r), 300 * MS);
	sky_rto_backoff(&r);
	sky_rto_backoff(&r);
	assert_int_equal(sky_rto_value(&r), 1200 * MS);
	assert_false(sky_rto_sample(&r, 100 * MS, 3, false));
	assert_int_equal(sky_rto_value(&r), 1200 * MS);
	assert_true(sky_rto_sample(&r, 100 * MS, 1, false));
	assert_int_equal(sky_rto_value(&r), 250 * MS);	/* 100 + 4 * 37.5 */
	assert_int_equal(r.backoffs, 0);
}

static void
after_many_backoffs_the_next_sample_is_a_first_one(void **state)
{
	struct sky_rto r = timer(0, 1, 0, 1);

	sky_rto_sample(&r, 100 * MS, 1, false);
	for (int i = 0; i < SKY_RTO_CLEAR - 1; i++)
		sky_rto_backoff(&r);
	assert_int_equal(r.samples, 1);
	sky_rto_backoff(&r);
	assert_int_equal(r.samples, 0);
	assert_int_equal(sky_rto_value(&r), 4800 * MS);
	sky_rto_sample(&r, 20 * MS, 1, false);
	assert_int_equal(r.srtt_ns, 20 * MS);
	assert_int_equal(r.rttvar_ns, 10 * MS);
}

static void
bounds_that_are_asked_for_hold(void **state)
{
	struct sky_rto r = timer(5 * S, 200 * MS, 2 * S, 0);
	struct sky_rto_conf c = { .size = sizeof(c), .min_ns = 2, .max_ns = 1 };

	assert_int_equal(sky_rto_value(&r), 2 * S);
	sky_rto_sample(&r, MS, 1, false);
	assert_int_equal(sky_rto_value(&r), 200 * MS);
	sky_rto_sample(&r, UINT64_MAX, 1, false);
	assert_int_equal(sky_rto_value(&r), 2 * S);
	for (int i = 0; i < 100; i++)
		sky_rto_sample(&r, UINT64_MAX - (uint64_t)i, 1, false);
	assert_int_equal(sky_rto_value(&r), 2 * S);
	assert_int_equal(sky_rto_init(&r, &c), -EINVAL);
	c.min_ns = 0;
	c.max_ns = 0;
	c.size--;
	assert_int_equal(sky_rto_init(&r, &c), -EINVAL);
	c.size = sizeof(c);
	c.max_ns = S / 2;	/* less than the least that is the default */
	assert_int_equal(sky_rto_init(&r, &c), -EINVAL);
}

/* Independent: the formulas in floating point, over noisy round trips. */
static void
long_runs_follow_the_formulas(void **state)
{
	for (unsigned seed = 1; seed <= 1000; seed++) {
		struct sky_rto r = timer(0, 1, 0, 1);
		uint32_t x = seed * 2654435761u;
		double srtt = 0, var = 0, rtt;

		for (int i = 0; i < 100; i++) {
			x ^= x << 13, x ^= x >> 17, x ^= x << 5;
			rtt = (double)(x % 2000000 + (x & 1024 ? 50000000 : 1000));
			if (i == 0)
				srtt = rtt, var = rtt / 2;
			else
				var = 0.75 * var + 0.25 * fabs(srtt - rtt), srtt = 0.875 * srtt + 0.125 * rtt;
			sky_rto_sample(&r, (uint64_t)rtt, 1, false);
			assert_true(fabs((double)r.srtt_ns - srtt) < 16);
			assert_true(fabs((double)r.rttvar_ns - var) < 16);
			assert_true(fabs((double)r.rto_ns - (srtt + 4 * var)) < 64);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_wishes_the_values_are_those_of_the_rfc),
		cmocka_unit_test(a_table_worked_by_hand),
		cmocka_unit_test(equal_round_trips_leave_the_granularity),
		cmocka_unit_test(a_retransmitted_request_is_no_sample),
		cmocka_unit_test(a_doubled_value_stays_until_there_is_a_sample),
		cmocka_unit_test(after_many_backoffs_the_next_sample_is_a_first_one),
		cmocka_unit_test(bounds_that_are_asked_for_hold),
		cmocka_unit_test(long_runs_follow_the_formulas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
