/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stat.c - the statistics that the benches rest on, against values from printed
 * tables of the binomial distribution and small sets worked by hand.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/stat.h"

static bool
near(double a, double b, double by)
{
	return fabs(a - b) <= by;
}

static void
medians(void **state)
{
	const double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2}, one[] = {7};

	assert_true(near(stat_median(odd, 3), 5, 0));
	assert_true(near(stat_median(even, 4), 2.5, 0));
	assert_true(near(stat_median(one, 1), 7, 0));
	assert_true(near(stat_median(one, 0), 0, 0));
	assert_true(near(odd[0], 9, 0));
}

/* Ranks for a level of 0.95 and what they cover. */
static const struct {
	unsigned n, k;
	double coverage;
} ranks[] = {
	{6, 1, 0.9688}, {8, 1, 0.9922}, {9, 2, 0.9609}, {10, 2, 0.9785},
	{15, 4, 0.9648}, {20, 6, 0.9586}, {21, 6, 0.9734}, {25, 8, 0.9567},
};

static void
intervals(void **state)
{
	double v[STAT_MAX];
	struct stat_range r;
	size_t t;
	unsigned i;

	for (t = 0; t < sizeof(ranks) / sizeof(ranks[0]); t++) {
		for (i = 0; i < ranks[t].n; i++)
			v[i] = ranks[t].n - i;
		assert_int_equal(stat_interval(v, ranks[t].n, 0.95, &r), 0);
		assert_true(near(r.low, ranks[t].k, 0));
		assert_true(near(r.high, ranks[t].n + 1 - ranks[t].k, 0));
		assert_true(near(r.median, (ranks[t].n + 1) / 2.0, 0));
		assert_true(near(r.coverage, ranks[t].coverage, 0.00006));
	}
}

static void
too_few(void **state)
{
	const double v[5] = {1, 2, 3, 4, 5};
	struct stat_range r;

	assert_int_equal(stat_interval(v, 0, 0.95, &r), -ERANGE);
	assert_int_equal(stat_interval(v, 5, 0.95, &r), -ERANGE);
	assert_int_equal(stat_interval(v, STAT_MAX + 1, 0.95, &r), -ERANGE);
	assert_int_equal(stat_interval(v, 5, 0.90, &r), 0);
}

/* What drifts in both of a pair alike must not widen the interval. */
static void
pairs_cancel_drift(void **state)
{
	double a[21], b[21];
	struct stat_range r;
	unsigned i;

	for (i = 0; i < 21; i++) {
		b[i] = 100 + 50 * i;
		a[i] = 0.9 * b[i];
	}
	assert_int_equal(stat_ratio(a, b, 21, 0.95, &r), 0);
	assert_true(near(r.low, 0.9, 1e-12) && near(r.high, 0.9, 1e-12));
	for (i = 0; i < 21; i++)
		a[i] = b[i] + (i % 2 ? 1 : -1);
	assert_int_equal(stat_difference(a, b, 21, 0.95, &r), 0);
	assert_true(near(r.low, -1, 1e-9) && near(r.high, 1, 1e-9));
	assert_true(near(r.median, -1, 1e-9));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(medians),
		cmocka_unit_test(intervals),
		cmocka_unit_test(too_few),
		cmocka_unit_test(pairs_cancel_drift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
