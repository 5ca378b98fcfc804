/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses: what is read, what is written, what is the same. */
#include "base/addrtext.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
every_form_is_read(void **unused)
{
	static const struct {
		const char *text, *written, *ifname;
	} good[] = {
		{ "192.0.2.1", "192.0.2.1", "" },
		{ "192.0.2.1:53", "192.0.2.1:53", "" },
		{ "192.0.2.1.53", "192.0.2.1:53", "" },
		{ "192.0.2.1:0", "192.0.2.1", "" },
		{ "140.252.13.35.65535", "140.252.13.35:65535", "" },
		{ "2001:db8::1", "2001:db8::1", "" },
		{ "[2001:db8::1]", "2001:db8::1", "" },
		{ "[2001:DB8::1]:53", "[2001:db8::1]:53", "" },
		{ "::", "::", "" },
		{ "fe80::1%2", "fe80::1%2", "" },
		{ "[fe80::1%2]:9", "[fe80::1%2]:9", "" },
		{ "fe80::1%4294967295", "fe80::1%4294967295", "" },
		{ "fe80::1%eth0", "fe80::1", "eth0" },
		{ "[fe80::1%eth0.5]:9", "[fe80::1]:9", "eth0.5" },
		{ "::ffff:192.0.2.1", "192.0.2.1", "" },
		{ "[::ffff:192.0.2.1]:53", "192.0.2.1:53", "" },
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char ifname[SKY_IFNAME], text[SKY_ADDRSTRLEN];
		struct sky_addr a;

		assert_int_equal(sky_addr_scan(&a, ifname, good[i].text), 0);
		assert_string_equal(sky_addr_format(&a, text, sizeof text), good[i].written);
		assert_string_equal(ifname, good[i].ifname);
	}
}

static void
nothing_else_is_read(void **unused)
{
	static const struct {
		const char *text;
		int error;
	} bad[] = {
		{ "", -EINVAL }, { "localhost", -EINVAL }, { "192.0.2", -EINVAL },
		{ "192.0.2.256", -EINVAL }, { "192.0.2.1:", -EINVAL },
		{ "192.0.2.1.", -EINVAL }, { "192.0.2.1:x", -EINVAL },
		{ "192.0.2.1:-1", -EINVAL }, { "192.0.2.1: 1", -EINVAL },
		{ "192.0.2.1:65536", -ERANGE }, { "192.0.2.1.65536", -ERANGE },
		{ "192.0.2.1:99999999999999999999999", -ERANGE },
		{ "192.0.2.1.5.6", -EINVAL }, { "192.0.2.1%2", -EINVAL },
		{ " 192.0.2.1", -EINVAL }, { "192.0.2.1 ", -EINVAL },
		{ "[192.0.2.1]:5", -EINVAL }, { "[2001:db8::1", -EINVAL },
		{ "[2001:db8::1]x", -EINVAL }, { "[2001:db8::1]:", -EINVAL },
		{ "[2001:db8::1]:65536", -ERANGE }, { "2001:db8::1]", -EINVAL },
		{ "2001:db8:::1", -EINVAL }, { "2001:db8::g", -EINVAL },
		{ "fe80::1%", -EINVAL }, { "fe80::1%0", -EINVAL },
		{ "fe80::1%4294967296", -ENODEV }, { "fe80::1%a b", -EINVAL },
		{ "fe80::1%sixteen-letters1", -ENODEV }, { "::ffff:192.0.2.1%2", -EINVAL },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char ifname[SKY_IFNAME];
		struct sky_addr a;

		assert_int_equal(sky_addr_scan(&a, ifname, bad[i].text), bad[i].error);
		assert_int_equal(sky_addr_family(&a), AF_UNSPEC);
		assert_string_equal(ifname, "");
	}
}

static struct sky_addr
read_address(const char *text)
{
	char ifname[SKY_IFNAME];
	struct sky_addr a;

	assert_int_equal(sky_addr_scan(&a, ifname, text), 0);
	return a;
}

static void
interface_names_are_looked_up(void **unused)
{
	struct sky_addr a;

	assert_int_equal(sky_addr_parse(&a, "fe80::1%no-such-link"), -ENODEV);
	assert_int_equal(sky_addr_family(&a), AF_UNSPEC);
	errno = 77;
	assert_int_equal(sky_addr_parse(&a, "[fe80::1%no-such-link]:5"), -ENODEV);
	assert_int_equal(errno, 77);
	assert_int_equal(sky_addr_parse(&a, "fe80::1%7"), 0);
	assert_int_equal(a.u.in6.sin6_scope_id, 7);
}

static void
a_mapped_address_is_plain_ipv4(void **unused)
{
	struct sky_addr a = read_address("192.0.2.1:53"), back;
	struct sockaddr_storage ss;
	char text[INET6_ADDRSTRLEN];
	int len = sky_addr_to(&a, AF_INET6, &ss);

	assert_int_equal(len, sizeof(struct sockaddr_in6));
	inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&ss)->sin6_addr, text, sizeof text);
	assert_string_equal(text, "::ffff:192.0.2.1");
	assert_int_equal(sky_addr_from(&back, (struct sockaddr *)&ss, (socklen_t)len), 0);
	assert_memory_equal(&a, &back, sizeof a);
	a = read_address("2001:db8::1");
	assert_int_equal(sky_addr_to(&a, AF_INET, &ss), -EAFNOSUPPORT);
	assert_int_equal(sky_addr_from(&a, (struct sockaddr *)&ss, 1), -EAFNOSUPPORT);
}

static void
equality_and_hash(void **unused)
{
	struct sky_addr a = read_address("fe80::1%2"), b = read_address("fe80::1%3");
	struct sky_addr any = read_address("fe80::1"), port = read_address("[fe80::1]:5");

	assert_false(sky_addr_equal(&a, &b));
	assert_true(sky_addr_equal(&a, &any));
	assert_true(sky_addr_equal(&any, &b));
	assert_int_equal(sky_addr_hash(&a), sky_addr_hash(&any));
	assert_false(sky_addr_equal(&any, &port));
	assert_true(sky_addr_same_host(&any, &port));
}

static void
kinds(void **unused)
{
	static const struct {
		const char *text;
		bool any, multicast, link_local, loopback;
	} rows[] = {
		{ "0.0.0.0", true, false, false, false },
		{ "::", true, false, false, false },
		{ "224.0.0.1", false, true, false, false },
		{ "239.255.255.255", false, true, false, false },
		{ "240.0.0.1", false, false, false, false },
		{ "ff02::1", false, true, false, false },
		{ "169.254.1.1", false, false, true, false },
		{ "fe80::1", false, false, true, false },
		{ "febf::1", false, false, true, false },
		{ "fec0::1", false, false, false, false },
		{ "127.255.0.1", false, false, false, true },
		{ "::1", false, false, false, true },
		{ "192.0.2.1", false, false, false, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sky_addr a = read_address(rows[i].text);

		assert_int_equal(sky_addr_is_any(&a), rows[i].any);
		assert_int_equal(sky_addr_is_multicast(&a), rows[i].multicast);
		assert_int_equal(sky_addr_is_link_local(&a), rows[i].link_local);
		assert_int_equal(sky_addr_is_loopback(&a), rows[i].loopback);
	}
}

static void
a_short_buffer_is_filled_and_ended(void **unused)
{
	struct sky_addr a = read_address("[2001:db8::1]:53"), none = { 0 };
	char buf[8];

	assert_string_equal(sky_addr_format(&a, buf, sizeof buf), "[2001:d");
	buf[0] = 'x';
	sky_addr_format(&a, buf, 0);
	assert_int_equal(buf[0], 'x');
	assert_string_equal(sky_addr_format(&none, buf, sizeof buf), "-");
}

static void
numbers_at_their_limits(void **unused)
{
	uint64_t n = 5;

	assert_int_equal(sky_num_parse("18446744073709551615", 20, UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(sky_num_parse("18446744073709551616", 20, UINT64_MAX, &n), -ERANGE);
	assert_int_equal(sky_num_parse("0", 1, 0, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(sky_num_parse("1", 1, 0, &n), -ERANGE);
	assert_int_equal(sky_num_parse("00012", 5, 12, &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(sky_num_parse("13", 2, 12, &n), -ERANGE);
	assert_int_equal(sky_num_parse("99999999999999999999x", 21, 5, &n), -EINVAL);
	assert_int_equal(sky_num_parse("", 0, 5, &n), -EINVAL);
	assert_int_equal(n, 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(nothing_else_is_read),
		cmocka_unit_test(interface_names_are_looked_up),
		cmocka_unit_test(a_mapped_address_is_plain_ipv4),
		cmocka_unit_test(equality_and_hash),
		cmocka_unit_test(kinds),
		cmocka_unit_test(a_short_buffer_is_filled_and_ended),
		cmocka_unit_test(numbers_at_their_limits),
	};

	return cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
}
