/* SPDX-License-Identifier: BSD-2-Clause */
/* What icmpctl watch shows: networks by every length, against a bit at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/opt.h"
#include "prog/icmpctl/filter.h"

#include <stdio.h>
#include <string.h>

static const struct opt row;	/* at offset 0 */

static struct sky_fate
fate_to(const char *dst)
{
	struct sky_fate f = { .what = SKY_REFUSED, .have = SKY_HAVE_DST };

	assert_int_equal(sky_addr_parse(&f.dst, dst), 0);
	return f;
}

/* Flips bit i of a destination and asks whether it is still inside. */
static void
each_bit(const char *net, const char *inside, unsigned bits, unsigned first)
{
	for (unsigned len = 0; len <= bits; len++) {
		struct filter f = { 0 };
		char text[80];

		snprintf(text, sizeof(text), "%s/%u", net, len);
		assert_null(filter_prefix(&f, &row, text));
		for (unsigned i = 0; i < bits; i++) {
			struct sky_fate x = fate_to(inside);

			((uint8_t *)&x.dst)[first + i / 8] ^= (uint8_t)(0x80 >> i % 8);
			assert_int_equal(filter_passes(&f, &x), i >= len);
		}
	}
}

static void
a_network_is_its_first_bits(void **state)
{
	(void)state;
	each_bit("192.0.2.165", "192.0.2.165", 32, 4);
	each_bit("2001:db8::a5a5:1", "2001:db8::a5a5:1", 128, 8);
}

static void
without_a_length_it_is_one_address(void **state)
{
	struct filter f = { 0 };
	struct sky_fate in = fate_to("192.0.2.1:9"), out = fate_to("192.0.2.2:9");

	(void)state;
	assert_null(filter_prefix(&f, &row, "192.0.2.1"));
	assert_true(filter_passes(&f, &in));
	assert_false(filter_passes(&f, &out));
}

static void
any_of_a_kind_and_all_kinds(void **state)
{
	struct filter f = { 0 };
	struct sky_fate x = fate_to("192.0.2.1:53");

	(void)state;
	assert_true(filter_passes(&f, &x));
	assert_null(filter_port(&f, &row, "9"));
	assert_false(filter_passes(&f, &x));
	assert_null(filter_port(&f, &row, "53"));
	assert_true(filter_passes(&f, &x));
	assert_null(filter_fate(&f, &row, "too-big"));
	assert_false(filter_passes(&f, &x));
	assert_null(filter_fate(&f, &row, "refused"));
	assert_true(filter_passes(&f, &x));
	assert_null(filter_prefix(&f, &row, "10.0.0.0/8"));
	assert_false(filter_passes(&f, &x));
}

static void
processes_by_number_and_name(void **state)
{
	struct filter f = { 0 };

	(void)state;
	assert_true(filter_passes_process(&f, 0, ""));
	assert_null(filter_process(&f, &row, "42"));
	assert_null(filter_process(&f, &row, "dig"));
	assert_true(filter_passes_process(&f, 42, "x"));
	assert_true(filter_passes_process(&f, 7, "dig"));
	assert_false(filter_passes_process(&f, 420, "digger"));
	assert_false(filter_passes_process(&f, 0, "dig"));
}

static void
what_is_no_filter_is_said(void **state)
{
	static const char *const bad[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
					   "10.0.0.0/8x", "::/129", "192.0.2.1:9", "host/8",
					   "10.0.0.0/99999999999999999999" };
	struct filter f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(filter_prefix(&f, &row, bad[i]));
	assert_int_equal(f.prefixes, 0);
	for (int i = 0; i < FILTER_MAX; i++)
		assert_null(filter_port(&f, &row, "1"));
	assert_non_null(filter_port(&f, &row, "1"));
	assert_non_null(filter_fate(&f, &row, "nothing"));
	assert_non_null(filter_process(&f, &row, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_its_first_bits),
		cmocka_unit_test(without_a_length_it_is_one_address),
		cmocka_unit_test(any_of_a_kind_and_all_kinds),
		cmocka_unit_test(processes_by_number_and_name),
		cmocka_unit_test(what_is_no_filter_is_said),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
