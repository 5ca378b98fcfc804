/* SPDX-License-Identifier: BSD-2-Clause */
/* pieces.c - packets cut and put together; figures of the sources, by hand. */
#include "bed.h"

#include <string.h>

static char text[1000];

static void
narrow(struct bed *b, uint16_t mtu)
{
	conf_init(b);
	b->conf.iface[1].mtu = mtu;
	b->conf.iface[0].mtu = 9000;
	start(b);
}

static size_t
without_df(uint16_t payload)
{
	struct spec s = to_b();

	s.df = false;
	s.payload = payload;
	return make_udp(frame, &s);
}

static void
one_packet_is_cut(void **state)
{
	static const struct {
		uint16_t payload, mtu;
		const char *pieces;
	} rows[] = {
		{ 650, 296, "272@0+ 272@272+ 114@544" },		/* 11.16 */
		{ 650, 576, "552@0+ 106@552" },				/* 11.14 */
		{ 1473, 1500, "1480@0+ 1@1480" },			/* 11.7 */
		{ 1472, 1500, "1480@0" },
		{ 268, 296, "276@0" }, { 269, 296, "272@0+ 5@272" },
		{ 40, 68, "48@0" }, { 41, 68, "48@0+ 1@48" },		/* the least MTU */
		{ 8192, 1500, "1480@0+ 1480@1480+ 1480@2960+ 1480@4440+ 1480@5920+ 800@7400" },
	};
	struct bed b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		narrow(&b, rows[i].mtu);
		give(&b, 0, frame, without_df(rows[i].payload));
		assert_string_equal(pieces(&b, 1, text, sizeof(text)), rows[i].pieces);
		stop(&b);
	}
}

/* 552 and 106 bytes through an MTU of 296: figure 11.15. */
static void
pieces_are_cut_again(void **state)
{
	struct bed b;
	uint8_t f[1000];

	narrow(&b, 296);
	without_df(650);
	give(&b, 0, f, cut(f, frame, 0, 552, true));
	assert_string_equal(pieces(&b, 1, text, sizeof(text)), "272@0+ 272@272+ 8@544+");
	give(&b, 0, f, cut(f, frame, 552, 106, false));
	assert_string_equal(pieces(&b, 1, text, sizeof(text)), "106@552");
	assert_int_equal(b.ledger->count[RT_FRAGMENTED], 1);
	assert_int_equal(b.ledger->count[RT_FORWARDED], 4);
	stop(&b);
}

/* Exercise 11.4: the six pieces of 8192 bytes through an MTU of 552. */
static void
six_pieces_become_seventeen(void **state)
{
	static const char want[] =
	    "528@0+ 528@528+ 424@1056+ 528@1480+ 528@2008+ 424@2536+ 528@2960+ 528@3488+ "
	    "424@4016+ 528@4440+ 528@4968+ 424@5496+ 528@5920+ 528@6448+ 424@6976+ 528@7400+ "
	    "272@7928";
	struct bed b;
	uint8_t f[2000];
	size_t used = 0;

	narrow(&b, 552);
	without_df(8192);
	for (unsigned off = 0; off < 8200; off += 1480) {
		unsigned n = off + 1480 < 8200 ? 1480 : 8200 - off;

		give(&b, 0, f, cut(f, frame, off, n, off + n < 8200));
		used += off ? 1 : 0;
		if (off)
			text[used - 1] = ' ';
		pieces(&b, 1, text + used, sizeof(text) - used);
		used = strlen(text);
	}
	assert_string_equal(text, want);
	stop(&b);
}

/* The same through a router that puts them together first: one piece fewer. */
static void
together_first_they_are_sixteen(void **state)
{
	struct bed b;
	uint8_t f[2000];
	unsigned n = 0;

	conf_init(&b);
	b.conf.iface[1].mtu = 552;
	b.conf.manners.reassemble = true;
	start(&b);
	without_df(8192);
	for (unsigned off = 0; off < 8200; off += 1480) {
		unsigned len = off + 1480 < 8200 ? 1480 : 8200 - off;

		assert_false(take(&b));
		give(&b, 0, f, cut(f, frame, off, len, off + len < 8200));
	}
	pieces(&b, 1, text, sizeof(text));
	for (const char *at = text; at; at = strchr(at + 1, ' '))
		n++;
	assert_int_equal(n, 16);
	assert_string_equal(text + strlen(text) - 8, "280@7920");
	assert_int_equal(b.ledger->count[RT_REASSEMBLED], 6);
	stop(&b);
}

/* What arrives is what was sent: its checksum says so. */
static void
put_together_in_any_order(void **state)
{
	static const unsigned order[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 }, { 2, 0, 1 } };
	struct bed b;
	uint8_t f[2000], whole[2000];
	size_t len;

	for (size_t i = 0; i < 4; i++) {
		conf_init(&b);
		b.conf.manners.reassemble = true;
		start(&b);
		len = without_df(1200);
		memcpy(whole, frame, len);
		for (unsigned k = 0; k < 3; k++) {
			unsigned at = order[i][k];

			assert_false(take(&b));
			give(&b, 0, f, cut(f, whole, at * 480, at == 2 ? 248 : 480, at != 2));
		}
		assert_true(take(&b));
		assert_int_equal(b.out.len, len);
		assert_true(sums_right(b.out.data, b.out.len));
		assert_memory_equal((const uint8_t *)b.out.data + 34, whole + 34, len - 34);
		assert_int_equal(((const uint8_t *)b.out.data)[14 + 8], 63);
		stop(&b);
	}
}

/* RFC 792: a time-out is told if the first piece came, else not. */
static void
a_piece_that_never_comes(void **state)
{
	struct bed b;
	uint8_t f[2000];
	const uint8_t *m;

	for (unsigned first = 0; first < 2; first++) {
		conf_init(&b);
		b.conf.manners.reassemble = true;
		start(&b);
		without_df(1000);
		give(&b, 0, f, first ? cut(f, frame, 0, 480, true) :
		    cut(f, frame, 480, 528, false));
		assert_false(take(&b));
		assert_in_range(rt_deadline(b.r), b.now + 29 * S, b.now + 31 * S);
		b.now = rt_deadline(b.r);
		assert_int_equal(take(&b), first);
		if (first) {
			m = icmp_of(b.out.data);
			assert_int_equal(m[0] << 8 | m[1], 0xb01);
			assert_true(sums_right(b.out.data, b.out.len));
		}
		assert_int_equal(b.ledger->count[RT_REASSEMBLY_TIMEOUT], 1);
		stop(&b);
	}
}

static void
ipv6_is_never_cut_on_the_way(void **state)
{
	struct bed b;
	struct spec s = to_b6();
	const uint8_t *m;

	for (s.payload = 1232; s.payload <= 1233; s.payload++) {
		narrow(&b, 1280);
		if (s.payload == 1232) {
			assert_true(pass(&b, &s));
			assert_int_equal(b.out.iface, 1);
		} else {
			m = error_about(&b, &s);
			assert_int_equal(m[0] << 8 | m[1], 0x200);
			assert_int_equal(get16(m + 6), 1280);
		}
		stop(&b);
	}
}

/* An echo request of 2000 bytes to the router itself, in pieces; its answer is
 * cut by its source, the router, and by nobody else. */
static void
ipv6_echo_in_pieces(void **state)
{
	struct bed b;
	struct spec s = to_b6();
	unsigned total = 0, more = 1;

	conf_init(&b);
	start(&b);
	s.dst = "fd01::1";
	s.id = 77;
	give(&b, 0, frame, make_echo6_piece(frame, &s, 2000, 1000, 1000));
	assert_false(take(&b));
	give(&b, 0, frame, make_echo6_piece(frame, &s, 2000, 0, 1000));
	while (take(&b)) {
		const uint8_t *ip = (const uint8_t *)b.out.data + 14;

		assert_int_equal(b.out.iface, 0);
		assert_true(b.out.len <= 1514);
		assert_int_equal(ip[6], 44);
		assert_int_equal(get16(ip + 42) & 0xfff8, total);
		if (total == 0)
			assert_int_equal(ip[48], 129);
		more = get16(ip + 42) & 1;
		total += get16(ip + 4) - 8u;
	}
	assert_int_equal(more, 0);
	assert_int_equal(total, 2000);
	assert_int_equal(b.ledger->count[RT_DELIVERED], 1);
	stop(&b);
}

static void
what_is_larger_than_the_mru_is_not_taken_in(void **state)
{
	struct bed b;
	struct spec s = to_b();

	conf_init(&b);
	b.conf.iface[0].mru = 128;
	start(&b);
	s.payload = 100;
	assert_true(pass(&b, &s));
	s.payload = 101;
	assert_false(pass(&b, &s));
	assert_int_equal(b.ledger->count[RT_TOO_LONG_IN], 1);
	stop(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_packet_is_cut),
		cmocka_unit_test(pieces_are_cut_again),
		cmocka_unit_test(six_pieces_become_seventeen),
		cmocka_unit_test(together_first_they_are_sixteen),
		cmocka_unit_test(put_together_in_any_order),
		cmocka_unit_test(a_piece_that_never_comes),
		cmocka_unit_test(ipv6_is_never_cut_on_the_way),
		cmocka_unit_test(ipv6_echo_in_pieces),
		cmocka_unit_test(what_is_larger_than_the_mru_is_not_taken_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
