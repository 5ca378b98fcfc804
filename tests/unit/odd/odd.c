/* SPDX-License-Identifier: BSD-2-Clause */
/* odd.c - the book's hosts, without a network and with a clock of ours. */
#include "bed.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static uint8_t frame[66000], body[600];

static void
solaris(struct bed *b)
{
	bed_conf(b);
	b->conf.manners = (struct odd_manners){ .df = ODD_DF_DISCOVER, .timer = 30 * S,
		.phase = 12 * S, .learns = 2, .guess = 576, .id = 47939 };
	bed_start(b, 64);
	bed_know(b);
}

static void
bsdi(struct bed *b)
{
	bed_conf(b);
	b->conf.manners = (struct odd_manners){ .df = ODD_DF_NEVER, .arp_each = true,
		.arp_keep = 1, .copy_df = true, .id = 10863 };
}

/* Ten datagrams, one each 5 seconds; an error about each that has DF. */
static void
ten(struct bed *b, uint16_t mtu, const char *const want[10])
{
	for (unsigned i = 0; i < 10; i++) {
		const char *seen;

		bed_send(b, 650);
		seen = bed_seen(b);
		assert_string_equal(seen, want[i]);
		if (strstr(seen, "DF")) {
			b->now += 4 * MS;
			bed_too_big(b, mtu);
			assert_string_equal(bed_seen(b), "");
		}
		b->now += 4970 * MS;
	}
}

static void
a_router_that_tells_no_mtu(void **state)
{
	static const char *const want[10] = {
		"wire: udp 650 DF", "wire: udp 650 DF",
		"wire: 552@0+ 47942; wire: 106@552 47942",
		"wire: udp 650 DF",
		"wire: 552@0+ 47944; wire: 106@552 47944",
		"wire: 552@0+ 47945; wire: 106@552 47945",
		"wire: 552@0+ 47946; wire: 106@552 47946",
		"wire: 552@0+ 47947; wire: 106@552 47947",
		"wire: 552@0+ 47948; wire: 106@552 47948",
		"wire: udp 650 DF",
	};
	struct bed b;

	solaris(&b);
	ten(&b, 0, want);
	assert_int_equal(b.ledger->count[RT_DELIVERED], 4);
	assert_int_equal(b.ledger->count[RT_FRAGMENTED], 6);
	bed_stop(&b);
	(void)state;
}

static void
a_router_that_tells_its_mtu(void **state)
{
	static const char cut[] = "wire: 272@0+ 47942; wire: 272@272+ 47942; wire: 114@544 47942";
	static const char *const want[3] = { "wire: udp 650 DF", "wire: udp 650 DF", cut };
	struct bed b;

	solaris(&b);
	for (unsigned i = 0; i < 3; i++) {
		bed_send(&b, 650);
		assert_string_equal(bed_seen(&b), want[i]);
		if (i < 2)
			bed_too_big(&b, 296);
	}
	bed_send(&b, 268);
	assert_string_equal(bed_seen(&b), "wire: udp 268 DF");
	bed_stop(&b);
	(void)state;
}

static void
packets_are_whole_and_right(void **state)
{
	struct bed b;

	solaris(&b);
	bed_send(&b, 650);
	assert_true(bed_take(&b));
	assert_memory_equal(b.out.data, mac_gate, 6);
	assert_memory_equal((const uint8_t *)b.out.data + 6, mac_host, 6);
	assert_true(sums_right(b.out.data, b.out.len));
	assert_true(is_to(b.out.data, FAR));
	bed_stop(&b);
	(void)state;
}

static void
an_error_about_somebody_else_is_not_believed(void **state)
{
	struct spec s = { .src = "140.252.1.29", .dst = HOST, .ttl = 60 };
	struct spec other = { .src = "10.0.0.1", .dst = FAR, .sport = 1, .dport = 9, .ttl = 60 };
	uint8_t quoted[200];
	struct bed b;

	solaris(&b);
	make_udp(quoted, &other);
	memcpy(s.to, mac_host, 6);
	for (unsigned i = 0; i < 5; i++)
		bed_give(&b, WIRE, frame, make_icmp(frame, &s, 3, 4, 296, quoted + 14, 28));
	bed_send(&b, 650);
	assert_string_equal(bed_seen(&b), "wire: udp 650 DF");
	bed_stop(&b);
	(void)state;
}

static void
errors_in_pieces_are_errors(void **state)
{
	struct bed b;

	solaris(&b);
	for (unsigned i = 0; i < 2; i++) {
		bed_send(&b, 650);
		assert_string_equal(bed_seen(&b), "wire: udp 650 DF");
		bed_pieces(&b, 4, 400);
		assert_string_equal(bed_seen(&b), "");
	}
	bed_send(&b, 650);
	assert_string_equal(bed_seen(&b), "wire: 552@0+ 47942; wire: 106@552 47942");
	/* what the lower half does not know of is the kernel's: whole, as it fits */
	bed_pieces(&b, 3, 8);
	assert_string_equal(bed_seen(&b), "kernel: icmp 3/3");
	assert_int_equal(b.ledger->count[RT_REASSEMBLED], 6);
	bed_stop(&b);
	(void)state;
}

static void
quench_is_taken_in_and_ignored(void **state)
{
	struct spec s = { .src = "140.252.1.29", .dst = HOST, .ttl = 60 };
	struct bed b;

	solaris(&b);
	memcpy(s.to, mac_host, 6);
	bed_give(&b, WIRE, frame, make_icmp(frame, &s, 4, 0, 0, body, 28));
	assert_string_equal(bed_seen(&b), "");
	assert_int_equal(b.ledger->record[b.ledger->next - 1].type, 4);
	bed_stop(&b);
	(void)state;
}

static void
one_request_for_each_fragment_and_only_the_newest_is_kept(void **state)
{
	struct bed b;

	bsdi(&b);
	bed_start(&b, 64);
	bed_send(&b, 8192);
	assert_string_equal(bed_seen(&b),
	    "wire: arp who-has " GATE "; wire: arp who-has " GATE "; wire: arp who-has " GATE
	    "; wire: arp who-has " GATE "; wire: arp who-has " GATE "; wire: arp who-has " GATE);
	b.now += 8 * MS;
	bed_arp(&b, 2, mac_gate, GATE, HOST);
	assert_string_equal(bed_seen(&b), "wire: 800@7400 10863");
	bed_arp(&b, 2, mac_gate, GATE, HOST);
	assert_string_equal(bed_seen(&b), "");
	assert_int_equal(b.ledger->count[RT_QUEUE_FULL], 5);
	bed_stop(&b);
	(void)state;
}

static void
a_neighbour_that_never_answers_is_asked_three_times(void **state)
{
	struct bed b;

	bed_conf(&b);
	b.conf.manners = (struct odd_manners){ .df = ODD_DF_DISCOVER };
	bed_start(&b, 8);
	bed_send(&b, 10);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(bed_seen(&b), "wire: arp who-has " GATE);
		assert_int_equal(odd_deadline(b.o), b.now + S);
		b.now = odd_deadline(b.o);
	}
	assert_string_equal(bed_seen(&b), "");
	assert_int_equal(b.ledger->count[RT_NO_NEIGHBOUR], 1);
	assert_true(odd_deadline(b.o) == RT_NEVER);
	bed_stop(&b);
	(void)state;
}

static unsigned
replies(struct bed *b)
{
	unsigned n = 0;

	while (bed_take(b))
		n += get16((const uint8_t *)b->out.data + 12) == 0x0806 &&
		    ((const uint8_t *)b->out.data)[21] == 2;
	return n;
}

static void
seven_answers_to_six_requests_and_late(void **state)
{
	struct bed b;

	bed_conf(&b);
	b.conf.manners = (struct odd_manners){ .arp_extra = 1, .arp_late = 8 * MS,
		.arp_gap = MS };
	bed_start(&b, 64);
	for (unsigned i = 0; i < 6; i++) {
		bed_arp(&b, 1, mac_gate, GATE, HOST);
		assert_int_equal(replies(&b), 0);
	}
	b.now += 8 * MS;
	assert_int_equal(odd_deadline(b.o), b.now);
	assert_int_equal(replies(&b), 6);
	b.now += MS;
	assert_int_equal(replies(&b), 1);
	bed_stop(&b);
	(void)state;
}

static void
answers_as_told(void **state)
{
	static const struct {
		struct odd_manners m;
		unsigned want[4];
	} rows[] = {
		{ { 0 }, { 1, 1, 1, 1 } },
		{ { .arp_silent = true }, { 0, 0, 0, 0 } },
		{ { .arp_only = 3 }, { 0, 0, 1, 0 } },
		{ { .arp_times = 7 }, { 7, 7, 7, 7 } },
		{ { .arp_times = 2, .arp_extra = 3 }, { 5, 2, 2, 2 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bed b;

		bed_conf(&b);
		b.conf.manners = rows[i].m;
		bed_start(&b, 64);
		for (unsigned k = 0; k < 4; k++) {
			bed_arp(&b, 1, mac_gate, GATE, HOST);
			assert_int_equal(replies(&b), rows[i].want[k]);
		}
		bed_arp(&b, 1, mac_gate, GATE, "140.252.1.99");
		assert_int_equal(replies(&b), 0);
		bed_stop(&b);
	}
	(void)state;
}

static void
a_flood_ends(void **state)
{
	unsigned n = 0, rounds = 0;
	struct bed b;

	bed_conf(&b);
	b.conf.manners = (struct odd_manners){ .arp_silent = true, .arp_flood = 1000,
		.arp_most = 250 };
	bed_start(&b, 8);
	assert_true(odd_deadline(b.o) == RT_NEVER);
	bed_arp(&b, 1, mac_gate, GATE, HOST);
	while (odd_deadline(b.o) != RT_NEVER && rounds++ < 1000) {
		b.now = odd_deadline(b.o);
		n += replies(&b);
		odd_recycle(b.o);
	}
	assert_int_equal(n, 250);
	assert_int_equal(b.now, 1000 * S + 250 * MS);
	bed_stop(&b);
	(void)state;
}

static void
echo_replies_carry_the_requests_df(void **state)
{
	struct spec s = { .src = GATE, .dst = HOST, .ttl = 60, .id = 3 };
	struct bed b;

	bsdi(&b);
	bed_start(&b, 8);
	memcpy(s.to, mac_host, 6);
	for (unsigned df = 0; df < 2; df++) {
		s.df = df;
		bed_give(&b, WIRE, frame, make_icmp(frame, &s, 8, 0, 0x12340001, body, sizeof(body)));
		assert_true(bed_take(&b));
		assert_int_equal(b.out.iface, WIRE);
		assert_int_equal(((const uint8_t *)b.out.data)[20] >> 6 & 1, df);
		assert_int_equal(((const uint8_t *)b.out.data)[34], 0);
		assert_memory_equal((const uint8_t *)b.out.data + 38, "\x12\x34\0\1", 4);
		assert_true(sums_right(b.out.data, b.out.len));
		assert_true(is_from(b.out.data, HOST) && is_to(b.out.data, GATE));
		assert_false(bed_take(&b));
	}
	frame[100] ^= 1;	/* of the message: its checksum is wrong now */
	bed_give(&b, WIRE, frame, 14 + 20 + 8 + 600);
	assert_string_equal(bed_seen(&b), "kernel: icmp 8/0 DF");
	bed_stop(&b);
	(void)state;
}

static void
without_checksums(void **state)
{
	struct bed b;

	bsdi(&b);
	b.conf.manners.cksum_off = true;
	bed_start(&b, 8);
	bed_know(&b);
	bed_send(&b, 9);
	assert_true(bed_take(&b));
	assert_int_equal(get16((const uint8_t *)b.out.data + 14 + 20 + 6), 0);
	bed_stop(&b);
	(void)state;
}

static void
sizes_that_old_systems_could_not(void **state)
{
	struct spec s = { .src = GATE, .dst = HOST, .sport = 1, .dport = 9, .payload = 600, .ttl = 9 };
	struct bed b;

	bsdi(&b);
	b.conf.manners.max_in = 627;
	b.conf.manners.max_out = 1000;
	bed_start(&b, 8);
	bed_know(&b);
	memcpy(s.to, mac_host, 6);
	bed_give(&b, WIRE, frame, make_udp(frame, &s));
	assert_string_equal(bed_seen(&b), "");
	s.payload = 599;
	bed_give(&b, WIRE, frame, make_udp(frame, &s));
	assert_string_equal(bed_seen(&b), "kernel: udp 599");
	bed_send(&b, 972);
	assert_string_equal(bed_seen(&b), "wire: udp 972");
	bed_send(&b, 973);
	assert_string_equal(bed_seen(&b), "");
	assert_int_equal(b.ledger->count[RT_TOO_LONG_IN], 1);
	assert_int_equal(b.ledger->count[RT_TOO_BIG], 1);
	bed_stop(&b);
	(void)state;
}

static void
the_kernel_is_told_a_next_hop(void **state)
{
	struct bed b;

	solaris(&b);
	bed_give(&b, KERNEL, frame, make_arp(frame, 1, mac_host, HOST, mac_host, GATE));
	assert_true(bed_take(&b));
	assert_int_equal(b.out.iface, KERNEL);
	assert_memory_equal((const uint8_t *)b.out.data + 22, "\x02\x6f\x8c\xfc\1\4", 6);
	assert_false(bed_take(&b));
	bed_stop(&b);
	(void)state;
}

static void
what_is_not_its_business_passes_as_it_is(void **state)
{
	struct spec s = { .v6 = true, .src = "fd01::1", .dst = "fd01::2", .payload = 700, .ttl = 9 };
	uint8_t was[1000];
	struct bed b;
	size_t n;

	solaris(&b);
	memcpy(s.to, mac_host, 6);
	n = make_udp(frame, &s);
	memcpy(was, frame, n);
	for (unsigned port = 0; port < 2; port++) {
		bed_give(&b, port, frame, n);
		assert_true(bed_take(&b));
		assert_int_equal(b.out.iface, !port);
		assert_int_equal(b.out.len, n);
		assert_memory_equal(b.out.data, was, n);
		assert_int_equal(b.ledger->record[b.ledger->next - 1].did,
		    port ? RT_DELIVERED : RT_FORWARDED);
	}
	bed_stop(&b);
	(void)state;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_router_that_tells_no_mtu),
		cmocka_unit_test(a_router_that_tells_its_mtu),
		cmocka_unit_test(packets_are_whole_and_right),
		cmocka_unit_test(an_error_about_somebody_else_is_not_believed),
		cmocka_unit_test(errors_in_pieces_are_errors),
		cmocka_unit_test(quench_is_taken_in_and_ignored),
		cmocka_unit_test(one_request_for_each_fragment_and_only_the_newest_is_kept),
		cmocka_unit_test(a_neighbour_that_never_answers_is_asked_three_times),
		cmocka_unit_test(seven_answers_to_six_requests_and_late),
		cmocka_unit_test(answers_as_told),
		cmocka_unit_test(a_flood_ends),
		cmocka_unit_test(echo_replies_carry_the_requests_df),
		cmocka_unit_test(without_checksums),
		cmocka_unit_test(sizes_that_old_systems_could_not),
		cmocka_unit_test(the_kernel_is_told_a_next_hop),
		cmocka_unit_test(what_is_not_its_business_passes_as_it_is),
		cmocka_unit_test(hostile_frames_change_nothing),
		cmocka_unit_test(hostile_bytes_leave_all_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
