/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as a host of a lab saw them; bytes written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "prog/socknet/capture.h"

#include <stdio.h>
#include <string.h>

#define ETHER4 "020000000002020000000001" "0800"
#define ETHER6 "020000000002020000000001" "86dd"
#define ETHERARP "ffffffffffff020000000001" "0806"
#define A4 "0a000002"
#define B4 "0a010002"
#define A6 "fd000000000000000000000000000002"
#define B6 "fd010000000000000000000000000002"

static struct seen
decode(const char *hex)
{
	struct seen s = { .kind = SEEN_OTHER };
	uint8_t frame[256];
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		frame[n++] = (uint8_t)byte;
	capture_decode(&s, frame, n, n);
	return s;
}

static const char *
text(const struct sky_addr *a)
{
	static char buf[SKY_ADDRSTRLEN];

	return sky_addr_format(a, buf, sizeof(buf));
}

static void
udp4(void **state)
{
	struct seen s = decode(ETHER4 "450000200000400040110000" A4 B4
	    "04d20007000c0000" "61626364");

	assert_int_equal(s.kind, SEEN_UDP);
	assert_int_equal(s.len, 4);
	assert_int_equal(s.ttl, 64);
	assert_string_equal(text(&s.src), "10.0.0.2:1234");
	assert_string_equal(text(&s.dst), "10.1.0.2:7");
}

static void
later_fragment(void **state)
{
	struct seen s = decode(ETHER4 "4500001c000000b940110000" A4 B4 "04d2000700080000");

	assert_int_equal(s.kind, SEEN_PIECE);
	assert_int_equal(s.off, 1480);
	assert_int_equal(s.piece, 8);
	assert_false(s.more);
}

static void
port_unreachable4(void **state)
{
	struct seen s = decode(ETHER4 "450000380000000040010000" B4 A4 "0303000000000000"
	    "4500001c000040003f110000" A4 B4 "04d2000700080000");

	assert_int_equal(s.kind, SEEN_ICMP);
	assert_int_equal(s.type, 3);
	assert_int_equal(s.code, 3);
	assert_true(s.has_about);
	assert_string_equal(text(&s.about), "10.1.0.2:7");
	assert_string_equal(text(&s.about_src), "10.0.0.2:1234");
	assert_int_equal(s.mtu, 0);
}

static void
too_big(void **state)
{
	struct seen s = decode(ETHER4 "450000380000000040010000" B4 A4 "0304000000000514"
	    "4500059400004000" "3f110000" A4 B4 "04d2000705800000");

	assert_int_equal(s.mtu, 1300);
	assert_int_equal(s.code, 4);
	s = decode(ETHER6 "6000000000383a40" B6 A6 "0200000000000514"
	    "60000000058011" "40" A6 B6 "04d2000705800000");
	assert_int_equal(s.kind, SEEN_ICMP);
	assert_int_equal(s.type, 2);
	assert_int_equal(s.mtu, 1300);
	assert_string_equal(text(&s.about), "[fd01::2]:7");
}

static void
neighbours(void **state)
{
	struct seen s = decode(ETHERARP "0001080006040001" "020000000001" A4 "000000000000" "0a00004d");

	assert_int_equal(s.kind, SEEN_ARP);
	assert_int_equal(s.type, 1);
	assert_string_equal(text(&s.dst), "10.0.0.77");
	s = decode(ETHER6 "6000000000183aff" A6 "ff0200000000000000000001ff000077"
	    "8700000000000000" "fd000000000000000000000000000077");
	assert_int_equal(s.kind, SEEN_ARP);
	assert_int_equal(s.type, 1);
	assert_string_equal(text(&s.dst), "fd00::77");
}

static void
cut_short(void **state)
{
	assert_int_equal(decode("").kind, SEEN_OTHER);
	assert_int_equal(decode(ETHER4 "4500").kind, SEEN_OTHER);
	assert_int_equal(decode(ETHER4 "450000200000400040110000" A4 B4 "04d2").kind, SEEN_OTHER);
	assert_false(decode(ETHER4 "450000380000000040010000" B4 A4 "0303000000000000"
	    "450000").has_about);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp4), cmocka_unit_test(later_fragment),
		cmocka_unit_test(port_unreachable4), cmocka_unit_test(too_big),
		cmocka_unit_test(neighbours), cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
