/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many targets: the order that a seed decides, and the lists they come from,
 * against sets that are written out one by one.
 */
#include "../wire/test.h"

#include "proto/perm.h"
#include "proto/targets.h"

#include <arpa/inet.h>
#include <stdio.h>

static void
each_place_once(uint64_t n, uint64_t seed)
{
	static uint8_t seen[70000];
	struct sky_perm p;

	memset(seen, 0, n);
	sky_perm_init(&p, n, seed);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t x = sky_perm_at(&p, i);

		assert_true(x < n);
		assert_int_equal(seen[x]++, 0);
		assert_int_equal(sky_perm_place(&p, x), i);
	}
}

static void
every_number_has_one_place(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 2000,
	    4095, 4097, 65536, 65537 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (uint64_t seed = 0; seed < 3; seed++)
			each_place_once(sizes[i], seed);
}

static void
large_numbers_come_back(void **state)
{
	static const uint64_t sizes[] = { UINT64_C(4294967296), UINT64_C(4294967297),
	    UINT64_C(1) << 40, SKY_PERM_MAX };
	struct sky_perm p;

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		sky_perm_init(&p, sizes[k], 7);
		for (uint64_t i = 0; i < 2000; i++) {
			uint64_t x = i * (sizes[k] / 2000), y = sky_perm_at(&p, x);

			assert_true(y < sizes[k]);
			assert_int_equal(sky_perm_place(&p, y), x);
		}
	}
}

/* Of 256 parts of the numbers, 4096 places in a row must meet all; a chi-squared
 * of 255 degrees of freedom is below 400 but for one seed in 10^7. */
static void
neighbours_are_spread(void **state)
{
	for (uint64_t seed = 0; seed < 8; seed++) {
		uint32_t part[256] = { 0 };
		struct sky_perm p;
		double chi = 0;

		sky_perm_init(&p, 1000000, seed);
		for (uint64_t i = 0; i < 4096; i++)
			part[sky_perm_at(&p, 5000 + i) * 256 / 1000000]++;
		for (int i = 0; i < 256; i++)
			chi += (part[i] - 16.0) * (part[i] - 16.0) / 16.0;
		assert_true(chi < 400);
	}
}

static void
seeds_decide(void **state)
{
	struct sky_perm a, b;
	unsigned same = 0;

	sky_perm_init(&a, 100000, 1);
	sky_perm_init(&b, 100000, 2);
	for (uint64_t i = 0; i < 1000; i++)
		same += sky_perm_at(&a, i) == sky_perm_at(&b, i);
	assert_true(same < 10);
}

static void
shards_share_everything(void **state)
{
	for (uint64_t n = 0; n < 40; n++)
		for (uint64_t k = 1; k < 12; k++) {
			uint64_t sum = 0;

			for (uint64_t i = 0; i < k; i++) {
				uint64_t want = 0;

				for (uint64_t x = i; x < n; x += k)
					want++;
				assert_int_equal(sky_perm_share(n, i, k), want);
				sum += want;
			}
			assert_int_equal(sum, n);
		}
}

static struct sky_range range[4096];
static struct sky_targets list;
static char word[64];
static const char *why;

static int
add(const char *line)
{
	return sky_targets_add(&list, line, word, sizeof(word), &why);
}

static void
start(void)
{
	sky_targets_init(&list, range, sizeof(range) / sizeof(range[0]));
}

static void
is_at(uint64_t number, const char *want)
{
	struct sky_addr a;
	char text[SKY_ADDRSTRLEN];

	sky_targets_at(&list, number, &a);
	assert_string_equal(sky_addr_format_host(&a, text, sizeof(text)), want);
	assert_int_equal(sky_targets_find(&list, &a), number);
}

static void
lines_of_all_forms(void **state)
{
	start();
	assert_int_equal(add("# nothing\n"), 0);
	assert_int_equal(add("   \r\n"), 0);
	assert_int_equal(add(""), 0);
	assert_int_equal(list.ranges, 0);
	assert_int_equal(add("2001:db8::8/126\n"), 0);
	assert_int_equal(add(" 192.0.2.1 \t# a host\r\n"), 0);
	assert_int_equal(add("198.51.100.0/30"), 0);
	assert_int_equal(add("203.0.113.4/31"), 0);
	assert_int_equal(add("192.0.2.255"), 0);
	assert_int_equal(sky_targets_seal(&list), 0);
	assert_int_equal(list.count, 10);
	is_at(0, "192.0.2.1");
	is_at(1, "192.0.2.255");
	is_at(2, "198.51.100.1");
	is_at(3, "198.51.100.2");
	is_at(4, "203.0.113.4");
	is_at(5, "203.0.113.5");
	is_at(6, "2001:db8::8");
	is_at(9, "2001:db8::b");
	start();
	assert_int_equal(add("::ffff:192.0.2.1"), 0);
	assert_int_equal(add("::ffff:192.0.2.0/127"), 0);
	assert_int_equal(sky_targets_seal(&list), 0);
	assert_int_equal(list.count, 2);
	is_at(0, "192.0.2.0");
}

static void
what_is_no_target_is_refused(void **state)
{
	static const struct { const char *line; int rc; } rows[] = {
		{ "example.com", -EINVAL }, { "192.0.2", -EINVAL }, { "192.0.2.1 192.0.2.2", -EINVAL },
		{ "192.0.2.1/33", -EINVAL }, { "192.0.2.0/-1", -EINVAL }, { "192.0.2.0/", -EINVAL },
		{ "/24", -EINVAL }, { "2001:db8::/129", -EINVAL }, { "fe80::1%eth0", -EINVAL },
		{ "192.0.2.1/24", -EDOM }, { "2001:db8::1/64", -EDOM }, { "::1:2:3:4:5:6:7:8:9", -EINVAL },
		{ "224.0.0.1", -EADDRNOTAVAIL }, { "239.255.255.255", -EADDRNOTAVAIL },
		{ "255.255.255.255", -EADDRNOTAVAIL }, { "0.0.0.0", -EADDRNOTAVAIL },
		{ "0.0.0.0/0", -EADDRNOTAVAIL }, { "128.0.0.0/1", -EADDRNOTAVAIL },
		{ "224.0.0.0/24", -EADDRNOTAVAIL }, { "ff02::1", -EADDRNOTAVAIL },
		{ "ff00::/100", -EADDRNOTAVAIL }, { "::", -EADDRNOTAVAIL },
		{ "2001:db8::/64", -E2BIG }, { "2001:db8::/87", -E2BIG },
		{ "::ffff:224.0.0.1", -EADDRNOTAVAIL },
		{ "10.0.0.0/000000000000000000000000000000000000000000000000000024999", -EINVAL },
		{ "1111111111111111111111111111111111111111111111111111111111111111111111", -EINVAL },
	};

	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why = NULL;
		assert_int_equal(add(rows[i].line), rows[i].rc);
		assert_non_null(why);
		assert_memory_equal(word, rows[i].line, strlen(word));
	}
	assert_int_equal(list.ranges, 0);
	assert_int_equal(add("2001:db8::/88"), 0);
	assert_int_equal(add("2001:db9::/88"), 0);
	assert_int_equal(sky_targets_seal(&list), -E2BIG);
}

static void
duplicates_count_once(void **state)
{
	uint64_t digest;

	start();
	add("10.0.0.0/24");
	add("10.0.0.7");
	add("10.0.0.128/25");
	add("10.0.1.0/24");
	add("10.0.0.255");
	assert_int_equal(list.named, 254 + 1 + 126 + 254 + 1);
	assert_int_equal(sky_targets_seal(&list), 0);
	assert_int_equal(list.count, 254 + 254 + 1);
	assert_int_equal(list.ranges, 2);
	digest = list.digest;
	start();
	add("10.0.1.0/24");
	add("10.0.0.255");
	add("10.0.0.0/24");
	sky_targets_seal(&list);
	assert_true(list.digest == digest);
	add("10.0.2.1");
	sky_targets_seal(&list);
	assert_true(list.digest != digest);
}

/* 256 addresses, named a thousand times in ways that a generator picks, against
 * a table with one place for each. */
static void
random_lists_are_sets(void **state)
{
	uint32_t x = 1;

	for (int run = 0; run < 60; run++) {
		bool in[257] = { false };
		uint64_t want = 0;
		char line[40];

		start();
		for (int i = 0; i < run * 2; i++) {
			unsigned at, bits, first;

			x = x * 1664525 + 1013904223;
			at = x >> 24;
			bits = 27 + (x >> 8) % 6;
			first = at & ~((1u << (32 - bits)) - 1);
			snprintf(line, sizeof(line), "10.0.0.%u/%u", first, bits);
			assert_int_equal(add(line), 0);
			for (unsigned k = first; k < first + (1u << (32 - bits)); k++)
				if (bits > 30 || (k != first && k + 1 != first + (1u << (32 - bits))))
					in[k] = true;
		}
		assert_int_equal(sky_targets_seal(&list), 0);
		for (unsigned k = 0; k < 256; k++) {
			struct sky_addr a = { .u.in = { .sin_family = AF_INET,
			    .sin_addr = { htonl(0x0a000000 + k) } } };

			assert_true(sky_targets_find(&list, &a) == (in[k] ? want : UINT64_MAX));
			want += in[k];
		}
		assert_int_equal(list.count, want);
	}
}

static void
room_ends_and_grows(void **state)
{
	static struct sky_range small[2];

	sky_targets_init(&list, small, 2);
	assert_int_equal(add("10.0.0.1"), 0);
	assert_int_equal(add("10.0.0.3"), 0);
	assert_int_equal(add("10.0.0.5"), -ENOSPC);
	assert_int_equal(list.named, 2);
	sky_targets_move(&list, range, 4096);
	assert_int_equal(add("10.0.0.5"), 0);
	assert_int_equal(sky_targets_seal(&list), 0);
	is_at(2, "10.0.0.5");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_has_one_place),
		cmocka_unit_test(large_numbers_come_back),
		cmocka_unit_test(neighbours_are_spread),
		cmocka_unit_test(seeds_decide),
		cmocka_unit_test(shards_share_everything),
		cmocka_unit_test(lines_of_all_forms),
		cmocka_unit_test(what_is_no_target_is_refused),
		cmocka_unit_test(duplicates_count_once),
		cmocka_unit_test(random_lists_are_sets),
		cmocka_unit_test(room_ends_and_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
