/* SPDX-License-Identifier: BSD-2-Clause */
/* nat.c - addresses translated: datagrams, echoes, and the quotes of errors. */
#include "bed.h"

#include <string.h>

static void
behind(struct bed *b)
{
	conf_init(b);
	b->conf.iface[1].nat = true;
	start(b);
}

/* A spec for what b sends back to the router's address. */
static struct spec
from_b(void)
{
	struct spec s = { .src = "10.0.2.2", .dst = "10.0.2.1", .ttl = 64 };

	memcpy(s.to, mac[1], 6);
	return s;
}

/* An error about what left comes back as one about what was sent. The quote has
 * its old source and right sums again, also where it is cut behind eight bytes,
 * when its UDP checksum is all that stays as it was translated. */
static void
errors_are_about_what_was_sent(void **state)
{
	static const struct {
		int type, code;
		size_t quote;
	} rows[] = { { 3, 3, 128 }, { 3, 3, 28 }, { 11, 0, 100 }, { 3, 4, 128 }, { 3, 1, 28 } };
	struct bed b;
	uint8_t left[400], e[400];
	const uint8_t *m, *q;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spec s = to_b(), back = from_b();

		behind(&b);
		assert_true(pass(&b, &s));
		assert_true(is_from(b.out.data, "10.0.2.1"));
		memcpy(left, (const uint8_t *)b.out.data + 14, b.out.len - 14);
		give(&b, 1, e, make_icmp(e, &back, rows[i].type, rows[i].code,
		    rows[i].code == 4 ? 1280 : 0, left, rows[i].quote));
		assert_true(take(&b));
		assert_int_equal(b.out.iface, 0);
		assert_true(is_to(b.out.data, "10.0.1.2") && is_from(b.out.data, "10.0.2.2"));
		assert_true(sums_right(b.out.data, b.out.len));
		m = icmp_of(b.out.data);
		q = m + 8;
		assert_int_equal(m[0] << 8 | m[1], rows[i].type << 8 | rows[i].code);
		assert_int_equal(get16(m + 6), rows[i].code == 4 ? 1280 : 0);
		make_udp(frame, &s);			/* as it was sent, but one hop less */
		assert_int_equal(plain_sum(q, 20), 0xffff);
		assert_memory_equal(q + 12, frame + 14 + 12, 8);
		assert_memory_equal(q + 20, frame + 14 + 20, rows[i].quote - 20);
		stop(&b);
	}
}

static void
errors_about_other_datagrams_are_for_the_router(void **state)
{
	struct bed b;
	struct spec s = to_b(), back = from_b();
	uint8_t e[400];

	behind(&b);
	make_udp(frame, &s);
	give(&b, 1, e, make_icmp(e, &back, 3, 3, 0, frame + 14, 28));
	assert_false(take(&b));
	assert_int_equal(b.ledger->count[RT_DELIVERED], 1);
	stop(&b);
}

static void
echoes_find_their_way_back(void **state)
{
	struct bed b;
	struct spec s = to_b(), back = from_b();
	const uint8_t *m;
	uint32_t rest;

	behind(&b);
	give(&b, 0, frame, make_icmp(frame, &s, 8, 0, 0x12340001, "abcdefgh", 8));
	assert_true(take(&b));
	assert_true(is_from(b.out.data, "10.0.2.1") && sums_right(b.out.data, b.out.len));
	m = icmp_of(b.out.data);
	rest = (uint32_t)get16(m + 4) << 16 | get16(m + 6);
	assert_true(rest >> 16 != 0x1234);
	give(&b, 1, frame, make_icmp(frame, &back, 0, 0, rest, "abcdefgh", 8));
	assert_true(take(&b));
	assert_int_equal(b.out.iface, 0);
	assert_true(is_to(b.out.data, "10.0.1.2") && sums_right(b.out.data, b.out.len));
	assert_int_equal(get16(icmp_of(b.out.data) + 4), 0x1234);
	stop(&b);
}

/* Two hosts with the same port get different ones; each answer its own host. */
static void
two_hosts_with_one_port(void **state)
{
	static const char *const hosts[] = { "10.0.1.2", "10.0.1.3" };
	struct bed b;
	struct spec s = to_b(), back = from_b();
	uint8_t f[100];
	uint16_t port[2];

	behind(&b);
	give(&b, 0, f, make_arp(f, 1, mac_c, "10.0.1.3", mac[0], "10.0.1.1"));
	assert_true(take(&b));
	for (unsigned i = 0; i < 2; i++) {
		s.src = hosts[i];
		assert_true(pass(&b, &s));
		port[i] = get16((const uint8_t *)b.out.data + 34);
	}
	assert_int_not_equal(port[0], port[1]);
	back.sport = 9;
	back.payload = 10;
	for (unsigned i = 0; i < 2; i++) {
		back.dport = port[i];
		give(&b, 1, frame, make_udp(frame, &back));
		assert_true(take(&b));
		assert_true(is_to(b.out.data, hosts[i]) && sums_right(b.out.data, b.out.len));
		assert_int_equal(get16((const uint8_t *)b.out.data + 36), 1108);
	}
	stop(&b);
}

static void
ipv6_is_left_alone(void **state)
{
	struct bed b;
	struct spec s = to_b6();

	behind(&b);
	assert_true(pass(&b, &s));
	assert_true(is_from(b.out.data, "fd01::2") && sums_right(b.out.data, b.out.len));
	stop(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_about_what_was_sent),
		cmocka_unit_test(errors_about_other_datagrams_are_for_the_router),
		cmocka_unit_test(echoes_find_their_way_back),
		cmocka_unit_test(two_hosts_with_one_port),
		cmocka_unit_test(ipv6_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
