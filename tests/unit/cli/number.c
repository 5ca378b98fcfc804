/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and times as the user types them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/opt.h"

#include <errno.h>

#define S UINT64_C(1000000000)

static void
numbers(void **state)
{
	static const struct { const char *text; int rc; uint64_t value; } rows[] = {
		{ "0", 0, 0 }, { "1024", 0, 1024 }, { "00012", 0, 12 },
		{ "2k", 0, 2000 }, { "2K", 0, 2000 }, { "3m", 0, 3000000 }, { "1g", 0, S },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18446744073709551615k", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "k", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 }, { " 1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 },
		{ "1kk", -EINVAL, 0 }, { "0x10", -EINVAL, 0 }, { "1.5", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 }, { "l", -EINVAL, 0 },
	};
	uint64_t n;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(opt_number(rows[i].text, &n), rows[i].rc);
		if (!rows[i].rc)
			assert_true(n == rows[i].value);
	}
}

static void
times(void **state)
{
	static const struct { const char *text; uint64_t unit; int rc; uint64_t ns; } rows[] = {
		{ "30", S, 0, 30 * S }, { "30", 1000000, 0, 30000000 },
		{ "0.5", S, 0, S / 2 }, { ".5", S, 0, S / 2 }, { "0.1", S, 0, 100000000 },
		{ "1.25", 1000000, 0, 1250000 },
		{ "20ms", S, 0, 20000000 }, { "100us", S, 0, 100000 }, { "7ns", S, 0, 7 },
		{ "1.5s", 1000000, 0, 3 * S / 2 }, { "2min", S, 0, 120 * S },
		{ "1h", S, 0, 3600 * S }, { "0.000000001", S, 0, 1 },
		{ "0.0000000019", S, 0, 1 }, { "1.5ns", S, 0, 1 },
		{ "", S, -EINVAL, 0 }, { ".", S, -EINVAL, 0 }, { "1.", S, -EINVAL, 0 },
		{ "1..2", S, -EINVAL, 0 }, { "5 s", S, -EINVAL, 0 }, { "1x", S, -EINVAL, 0 },
		{ "-1", S, -EINVAL, 0 }, { "ms", S, -EINVAL, 0 }, { "1m", S, -EINVAL, 0 },
		{ "99999999999999", S, -ERANGE, 0 },
		{ "99999999999999999999", S, -ERANGE, 0 },
	};
	uint64_t ns;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(opt_duration(rows[i].text, rows[i].unit, &ns), rows[i].rc);
		if (!rows[i].rc)
			assert_true(ns == rows[i].ns);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
