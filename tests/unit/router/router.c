/* SPDX-License-Identifier: BSD-2-Clause */
/* router.c - the forwarding engine, without a network and with a clock of ours. */
#include "bed.h"

#include <stdlib.h>
#include <string.h>

static void
forwards_with_one_hop_less(void **state)
{
	struct bed b;
	struct spec s = to_b();
	const uint8_t *f;

	conf_init(&b);
	start(&b);
	assert_true(pass(&b, &s));
	f = b.out.data;
	assert_int_equal(b.out.iface, 1);
	assert_int_equal(b.out.len, 14 + 20 + 8 + 100);
	assert_memory_equal(f, mac_b, 6);
	assert_memory_equal(f + 6, mac[1], 6);
	assert_int_equal(f[14 + 8], 63);
	assert_true(sums_right(f, b.out.len));
	assert_false(take(&b));
	assert_int_equal(b.ledger->count[RT_FORWARDED], 1);
	assert_int_equal(sky_addr_port(&b.ledger->record[(b.ledger->next - 1) % SLOTS].dst), 9);
	stop(&b);
}

static void
answers_arp_and_asks_three_times(void **state)
{
	struct bed b;
	struct spec s = to_b();
	const uint8_t *f;
	const uint8_t *m;

	conf_init(&b);
	start(&b);
	s.dst = "10.0.2.99";
	for (unsigned i = 0; i < 3; i++) {
		assert_true(i ? take(&b) : pass(&b, &s));
		f = b.out.data;
		assert_int_equal(get16(f + 12), 0x0806);
		assert_int_equal(get16(f + 20), 1);
		assert_int_equal(f[41], 99);
		assert_false(take(&b));
		assert_int_equal(rt_deadline(b.r), b.now + S);
		b.now += S;
	}
	assert_true(take(&b));
	f = b.out.data;
	m = icmp_of(f);
	assert_int_equal(b.out.iface, 0);
	assert_int_equal(m[0], 3);
	assert_int_equal(m[1], 1);
	assert_true(is_from(f, "10.0.1.1") && is_to(f, "10.0.1.2"));
	assert_true(sums_right(f, b.out.len));
	assert_int_equal(get16(m + 8 + 4), 4711);
	assert_int_equal(rt_deadline(b.r), RT_NEVER);
	stop(&b);
}

static void
a_neighbour_that_answers_gets_what_waited(void **state)
{
	struct bed b;
	struct spec s = to_b();
	static const uint8_t late[6] = { 2, 9 };
	uint8_t arp[64];

	conf_init(&b);
	start(&b);
	s.dst = "10.0.2.77";
	assert_true(pass(&b, &s));	/* the question */
	assert_false(pass(&b, &s));
	give(&b, 1, arp, make_arp(arp, 2, late, "10.0.2.77", mac[1], "10.0.2.1"));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(take(&b));
		assert_memory_equal(b.out.data, late, 6);
	}
	assert_false(take(&b));
	stop(&b);
}

static void
the_last_hop_is_told(void **state)
{
	struct bed b;
	struct spec s = to_b();
	const uint8_t *m;

	conf_init(&b);
	start(&b);
	s.ttl = 1;
	m = error_about(&b, &s);
	assert_non_null(m);
	assert_int_equal(m[0], 11);
	assert_int_equal(m[1], 0);
	make_udp(frame, &s);
	assert_memory_equal(m + 8, frame + 14, 20 + 8 + 100);
	assert_int_equal(b.ledger->count[RT_TTL], 1);
	stop(&b);
}

static void
too_big_is_told_in_four_ways(void **state)
{
	static const struct {
		uint8_t how;
		int mtu;
	} ways[] = { { RT_TOOBIG_TELL, 296 }, { RT_TOOBIG_OLD, 0 }, { RT_TOOBIG_LIE, 60 },
		{ RT_TOOBIG_SILENT, -1 } };
	struct bed b;
	struct spec s = to_b();
	const uint8_t *m;

	s.payload = 400;
	for (unsigned i = 0; i < 4; i++) {
		conf_init(&b);
		b.conf.iface[1].mtu = 296;
		b.conf.iface[1].toobig = ways[i].how;
		b.conf.iface[1].lie_mtu = 60;
		start(&b);
		m = error_about(&b, &s);
		if (ways[i].mtu < 0) {
			assert_null(m);
		} else {
			assert_int_equal(m[0] << 8 | m[1], 0x304);
			assert_int_equal(get16(m + 6), ways[i].mtu);
		}
		assert_int_equal(b.ledger->count[RT_TOO_BIG], 1);
		stop(&b);
	}
}

static void
routes_refuse_as_told(void **state)
{
	static const struct {
		uint8_t kind;
		int code;
	} kinds[] = { { RT_UNREACHABLE, 1 }, { RT_PROHIBIT, 13 }, { RT_BLACKHOLE, -1 } };
	struct bed b;
	struct spec s = to_b();
	const uint8_t *m;

	for (unsigned i = 0; i < 4; i++) {
		conf_init(&b);
		if (i < 3)
			b.conf.route[b.conf.routes++] =
			    (struct rt_route){ .net = net("10.9.0.0", 16), .kind = kinds[i].kind };
		start(&b);
		s.dst = "10.9.1.1";
		m = error_about(&b, &s);
		if (i < 3 && kinds[i].code < 0)
			assert_null(m);
		else
			assert_int_equal(m[0] << 8 | m[1], 0x300 | (i < 3 ? kinds[i].code : 0));
		stop(&b);
	}
}

static void
loss_is_exact_where_asked(void **state)
{
	struct bed b;
	struct spec s = to_b();
	unsigned passed = 0;

	conf_init(&b);
	b.conf.iface[1].harm.drop_first = 3;
	b.conf.iface[1].harm.drop_every = 10;
	start(&b);
	for (unsigned i = 0; i < 100; i++)
		passed += pass(&b, &s);
	assert_int_equal(passed, 100 - 3 - 10);
	assert_int_equal(b.ledger->count[RT_LOST], 13);
	stop(&b);
}

static void
delay_keeps_order_and_jitter_too(void **state)
{
	struct bed b;
	struct spec s = to_b();
	unsigned next = 0;
	uint64_t began;

	conf_init(&b);
	b.conf.iface[1].harm.delay_ns = 10 * MS;
	b.conf.iface[1].harm.jitter_ns = 5 * MS;
	start(&b);
	began = b.now;
	for (s.id = 0; s.id < 50; s.id++)
		assert_false(pass(&b, &s));
	while (rt_deadline(b.r) != RT_NEVER) {
		b.now = rt_deadline(b.r);
		assert_in_range(b.now, began + 10 * MS, began + 15 * MS);
		while (take(&b))
			assert_int_equal(get16((const uint8_t *)b.out.data + 18), next++);
	}
	assert_int_equal(next, 50);
	stop(&b);
}

static void
reordering_overtakes(void **state)
{
	struct bed b;
	struct spec s = to_b();
	unsigned got = 0, overtaken = 0, high = 0;

	conf_init(&b);
	b.conf.iface[1].harm.reorder = 200000;
	b.conf.iface[1].harm.reorder_ns = 3 * MS;
	start(&b);
	for (s.id = 1; s.id <= 200 || rt_deadline(b.r) != RT_NEVER; s.id++) {
		b.now += MS;
		if (s.id <= 200)
			give(&b, 0, frame, make_udp(frame, &s));
		while (take(&b)) {
			unsigned id = get16((const uint8_t *)b.out.data + 18);

			overtaken += id < high;
			high = id > high ? id : high;
			got++;
		}
	}
	assert_int_equal(got, 200);
	/* but for the last ones, which nothing comes after */
	assert_in_range(overtaken, b.ledger->count[RT_REORDERED] - 3,
	    b.ledger->count[RT_REORDERED]);
	assert_in_range(overtaken, 20, 60);
	stop(&b);
}

/* The sources' SLIP line, 9600 bit/s: what its queue has no room for is lost,
 * and a source quench says so. 26 of 100 is what a 27000-byte queue took. */
static void
a_slow_line_quenches(void **state)
{
	struct bed b;
	struct spec s = to_b();
	unsigned quenched = 0, sent = 0;

	conf_init(&b);
	b.conf.iface[1].harm.rate_bps = 9600;
	b.conf.iface[1].harm.queue = 26 * 1052;
	b.conf.manners.quench = true;
	start(&b);
	s.payload = 1024;
	for (unsigned i = 0; i < 100; i++)
		if (pass(&b, &s)) {
			assert_int_equal(icmp_of(b.out.data)[0], 4);
			quenched++;
		}
	while (rt_deadline(b.r) != RT_NEVER) {
		b.now = rt_deadline(b.r);
		sent += take(&b);
	}
	assert_int_equal(quenched + sent, 100);
	assert_in_range(sent, 26, 27);
	assert_in_range((b.now - 1000 * S) / MS, 26 * 876, 27 * 877);
	stop(&b);
}

static void
errors_are_limited_as_by_a_kernel(void **state)
{
	struct bed b;
	struct spec s = to_b();
	unsigned errors = 0;

	conf_init(&b);
	b.conf.manners.limit = RT_LIMIT_KERNEL;
	start(&b);
	s.ttl = 1;
	for (unsigned i = 0; i < 500; i++)
		errors += pass(&b, &s);
	assert_int_equal(errors, 6);
	b.now += S;
	assert_true(pass(&b, &s));
	assert_false(pass(&b, &s));
	assert_int_equal(b.ledger->count[RT_ERROR_LIMITED], 495);
	stop(&b);
}

static void
balances_by_flow_or_by_packet(void **state)
{
	struct bed b;
	struct spec s = to_b();
	struct rt_route *t;

	for (unsigned mode = 0; mode < 2; mode++) {
		unsigned by[3] = { 0 };

		conf_init(&b);
		t = &b.conf.route[b.conf.routes++];
		*t = (struct rt_route){ .net = net("10.9.0.0", 16), .hops = 2,
			.balance = mode ? RT_BALANCE_PACKET : RT_BALANCE_FLOW };
		t->hop[0] = (struct rt_hop){ .iface = 1, .via = net("10.0.2.2", 0).addr };
		t->hop[1] = (struct rt_hop){ .iface = 2, .via = net("10.0.3.2", 0).addr };
		start(&b);
		s.dst = "10.9.1.1";
		for (unsigned i = 0; i < 64; i++) {
			assert_true(pass(&b, &s));
			by[b.out.iface]++;
		}
		if (mode)
			assert_int_equal(by[1], 32);
		else
			assert_true(by[1] == 64 || by[2] == 64);
		by[1] = by[2] = 0;
		for (s.sport = 5000; s.sport < 5400; s.sport++) {
			assert_true(pass(&b, &s));
			by[b.out.iface]++;
		}
		assert_in_range(by[1], 150, 250);
		stop(&b);
	}
}

static void
translation_goes_both_ways(void **state)
{
	struct bed b;
	struct spec s = to_b(), back;
	const uint8_t *f, *m;
	uint16_t port;

	conf_init(&b);
	b.conf.iface[1].nat = true;
	b.conf.iface[1].harm.delay_ns = 0;
	start(&b);
	assert_true(pass(&b, &s));
	f = b.out.data;
	assert_true(is_from(f, "10.0.2.1") && sums_right(f, b.out.len));
	port = get16(f + 34);
	back = (struct spec){ .src = "10.0.2.2", .dst = "10.0.2.1", .sport = 9, .dport = port,
		.payload = 20, .ttl = 64 };
	memcpy(back.to, mac[1], 6);
	give(&b, 1, frame, make_udp(frame, &back));
	assert_true(take(&b));
	f = b.out.data;
	assert_int_equal(b.out.iface, 0);
	assert_true(is_to(f, "10.0.1.2") && sums_right(f, b.out.len));
	assert_int_equal(get16(f + 36), 1108);
	/* to a port that nobody was given: for the router itself */
	back.dport = 40999;
	give(&b, 1, frame, make_udp(frame, &back));
	assert_true(take(&b));
	m = icmp_of(b.out.data);
	assert_int_equal(m[0] << 8 | m[1], 0x303);
	stop(&b);
}

static void
ipv6_neighbours_hops_and_sizes(void **state)
{
	struct bed b;
	struct spec s = { .v6 = true, .src = "fd01::2", .dst = "fd02::2", .sport = 1,
		.dport = 9, .payload = 100, .ttl = 64 };
	const uint8_t *f, *m;

	conf_init(&b);
	b.conf.iface[1].mtu = 1280;
	memcpy(s.to, mac[0], 6);
	start(&b);
	s.dst = "fd02::7";
	assert_true(pass(&b, &s));
	f = b.out.data;
	m = icmp_of(f);
	assert_int_equal(m[0], 135);
	assert_true(is_to(f, "ff02::1:ff00:7") && is_from(f, "fd02::1"));
	assert_true(sums_right(f, b.out.len));
	give(&b, 1, frame, make_advert(frame, mac[1], mac_b, "fd02::7", "fd02::1"));
	assert_true(take(&b));
	f = b.out.data;
	assert_memory_equal(f, mac_b, 6);
	assert_int_equal(f[14 + 7], 63);
	assert_true(sums_right(f, b.out.len));
	s.payload = 1400;
	assert_true(pass(&b, &s));
	m = icmp_of(b.out.data);
	assert_int_equal(m[0] << 8 | m[1], 0x200);
	assert_int_equal(get16(m + 6), 1280);
	assert_true(sums_right(b.out.data, b.out.len));
	assert_int_equal(b.out.len, 14 + 1280);
	stop(&b);
}

static void
hostile_frames_are_survived(void **state)
{
	struct bed b;
	struct spec s = to_b();
	size_t len = make_udp(frame, &s);
	uint8_t f[2048];

	conf_init(&b);
	start(&b);
	for (size_t n = 0; n <= len; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, frame, n);
		give(&b, 0, exact, n);
		while (take(&b))
			;
		free(exact);
	}
	srandom(1);
	for (unsigned i = 0; i < 200000; i++) {
		memcpy(f, frame, len);
		for (unsigned k = random() % 8; k < 8; k++)
			f[6 + (unsigned)random() % (len - 6)] = (uint8_t)random();
		give(&b, (unsigned)random() % 3, f, len);
		b.now += MS;
		while (take(&b))
			;
	}
	assert_true(b.ledger->count[RT_BAD_HEADER] > 0);
	stop(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_with_one_hop_less),
		cmocka_unit_test(answers_arp_and_asks_three_times),
		cmocka_unit_test(a_neighbour_that_answers_gets_what_waited),
		cmocka_unit_test(the_last_hop_is_told),
		cmocka_unit_test(too_big_is_told_in_four_ways),
		cmocka_unit_test(routes_refuse_as_told),
		cmocka_unit_test(loss_is_exact_where_asked),
		cmocka_unit_test(delay_keeps_order_and_jitter_too),
		cmocka_unit_test(reordering_overtakes),
		cmocka_unit_test(a_slow_line_quenches),
		cmocka_unit_test(errors_are_limited_as_by_a_kernel),
		cmocka_unit_test(balances_by_flow_or_by_packet),
		cmocka_unit_test(translation_goes_both_ways),
		cmocka_unit_test(ipv6_neighbours_hops_and_sizes),
		cmocka_unit_test(hostile_frames_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
