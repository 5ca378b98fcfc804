/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports, services and ends as the user types them; no name server is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/host.h"

#include <string.h>

static void
ports(void **state)
{
	static const struct { const char *text; int rc; unsigned port; } rows[] = {
		{ "1", 0, 1 }, { "65535", 0, 65535 }, { "0007", 0, 7 },
		{ "0", -1, 0 }, { "65536", -1, 0 }, { "99999999999", -1, 0 },
		{ "echo", 0, 7 }, { "discard", 0, 9 }, { "daytime", 0, 13 }, { "time", 0, 37 },
		{ "chargen", 0, 19 }, { "domain", 0, 53 }, { "tftp", 0, 69 }, { "ntp", 0, 123 },
		{ "snmp", 0, 161 }, { "syslog", 0, 514 },
		{ "no-such-service", -1, 0 }, { "", -1, 0 }, { "-1", -1, 0 }, { "7x", -1, 0 },
	};
	struct host_fault why;
	uint16_t port;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(host_port(rows[i].text, "udp", &port, &why), rows[i].rc);
		if (rows[i].rc == 0) {
			assert_int_equal(port, rows[i].port);
			continue;
		}
		assert_string_equal(why.text, rows[i].text);
		assert_non_null(why.expected);
	}
}

static void
whole_ends(void **state)
{
	static const struct { const char *text; bool whole; int rc; unsigned port; } rows[] = {
		{ "140.252.13.35.4444", true, 0, 4444 }, { "192.0.2.1:53", true, 0, 53 },
		{ "[2001:db8::1]:53", true, 0, 53 },
		{ "192.0.2.1", false, -1, 0 }, { "2001:db8::1", false, -1, 0 },
		{ "192.0.2.1.70000", true, -1, 0 }, { "[::1]:70000", true, -1, 0 },
		{ "host", false, -1, 0 }, { "1.2.3.4.5.6", false, -1, 0 },
		{ "256.1.1.1.5", false, -1, 0 },
	};
	struct host_fault why;
	struct sky_addr a;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(host_is_end(rows[i].text), rows[i].whole);
		assert_int_equal(host_end(rows[i].text, &a, &why), rows[i].rc);
		if (rows[i].rc == 0)
			assert_int_equal(sky_addr_port(&a), rows[i].port);
		else
			assert_string_equal(why.text, rows[i].text);
	}
}

static void
hosts(void **state)
{
	struct host_fault why;
	struct sky_addr a;

	assert_int_equal(host_find("127.0.0.1", AF_UNSPEC, &a, &why), 0);
	assert_int_equal(sky_addr_family(&a), AF_INET);
	assert_int_equal(host_find("::1", AF_UNSPEC, &a, &why), 0);
	assert_int_equal(sky_addr_family(&a), AF_INET6);
	assert_int_equal(host_find("::1", AF_INET, &a, &why), -1);
	assert_string_equal(why.text, "::1");
	assert_non_null(strstr(why.expected, "IPv4"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports),
		cmocka_unit_test(whole_ends),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
