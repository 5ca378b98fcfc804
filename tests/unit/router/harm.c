/* SPDX-License-Identifier: BSD-2-Clause */
/* harm.c - what happens to packets on their way out, and that it can be repeated. */
#include "bed.h"

#include <string.h>

static unsigned
bits_that_differ(const uint8_t *a, const uint8_t *b, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned d = a[i] ^ b[i]; d; d &= d - 1)
			bits++;
	return bits;
}

/* One bit of the payload; with mended sums only that and the checksum differ. */
static void
one_bit_is_turned(void **state)
{
	uint8_t before[300];

	for (unsigned i = 0; i < 4; i++) {
		bool v6 = i & 1, mend = i & 2;
		struct spec s = v6 ? to_b6() : to_b();
		size_t h = 14 + (v6 ? 40 : 20);
		struct bed b;

		conf_init(&b);
		b.conf.iface[1].harm.corrupt = 1000000;
		b.conf.iface[1].harm.mend_sums = mend;
		start(&b);
		for (unsigned k = 0; k < 500; k++) {
			const uint8_t *f;

			s.payload = (uint16_t)(2 + k % 99);
			s.id = (uint16_t)k;
			memcpy(before, frame, make_udp(frame, &s));
			assert_true(pass(&b, &s));
			f = b.out.data;
			assert_int_equal(sums_right(f, b.out.len), mend);
			assert_int_equal(bits_that_differ(f + h + 8, before + h + 8, s.payload), 1);
			assert_memory_equal(f + h, before + h, 6);
			assert_false(take(&b));
		}
		assert_int_equal(b.ledger->count[RT_CORRUPTED], 500);
		stop(&b);
	}
}

static void
duplicates_are_equal(void **state)
{
	struct bed b;
	uint8_t first[400];

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct spec s = v6 ? to_b6() : to_b();
		unsigned copies = 0;

		conf_init(&b);
		b.conf.iface[1].harm.duplicate = 250000;
		start(&b);
		for (unsigned k = 0; k < 1000; k++) {
			size_t len;

			assert_true(pass(&b, &s));
			len = b.out.len;
			memcpy(first, b.out.data, len);
			if (!take(&b))
				continue;
			copies++;
			assert_int_equal(b.out.len, len);
			assert_memory_equal(b.out.data, first, len);
			assert_false(take(&b));
		}
		assert_int_equal(copies, b.ledger->count[RT_DUPLICATED]);
		assert_in_range(copies, 200, 300);
		stop(&b);
	}
}

#define STEPS 600

/* All that a router does to so many packets, with a clock that runs on. */
static size_t
history(uint64_t seed, uint8_t *log, bool v6)
{
	struct rt_harm h = { .delay_ns = 3 * MS, .jitter_ns = 4 * MS, .loss = 100000,
		.duplicate = 100000, .reorder = 100000, .reorder_ns = 9 * MS, .corrupt = 100000 };
	struct spec s = v6 ? to_b6() : to_b();
	struct bed b;
	size_t n = 0;

	conf_init(&b);
	b.conf.seed = seed;
	b.conf.iface[1].harm = h;
	start(&b);
	for (unsigned i = 0; i < STEPS || rt_deadline(b.r) != RT_NEVER; i++) {
		s.id = s.sport = (uint16_t)i;
		b.now += MS;
		if (i < STEPS)
			give(&b, 0, frame, make_udp(frame, &s));
		while (take(&b)) {
			const uint8_t *f = b.out.data;
			size_t ip = 14 + (v6 ? 40 : 20);

			log[n++] = f[ip];
			log[n++] = f[ip + 1];
			log[n++] = (uint8_t)i;
			log[n++] = sums_right(f, b.out.len);
		}
		rt_recycle(b.r);
	}
	stop(&b);
	return n;
}

static void
the_same_seed_the_same_fate(void **state)
{
	static uint8_t a[STEPS * 16], b[STEPS * 16], c[STEPS * 16];

	for (unsigned v6 = 0; v6 < 2; v6++) {
		size_t n = history(1, a, v6), m = history(1, b, v6), o = history(2, c, v6);

		assert_int_equal(n, m);
		assert_memory_equal(a, b, n);
		assert_true(n != o || memcmp(a, c, n) != 0);
		assert_in_range(n / 4, STEPS * 85 / 100, STEPS * 115 / 100);
	}
}

/* What is held is not lost: what came in comes out, or is written down as lost. */
static void
every_packet_is_accounted_for(void **state)
{
	struct bed b;
	struct spec s = to_b();
	uint64_t out = 0;

	conf_init(&b);
	b.conf.iface[1].harm = (struct rt_harm){ .delay_ns = 5 * MS, .jitter_ns = 2 * MS,
		.loss = 50000, .duplicate = 50000, .rate_bps = 1000000, .queue = 2000 };
	start(&b);
	for (unsigned i = 0; i < 2000 || rt_deadline(b.r) != RT_NEVER; i++) {
		b.now += MS / 2;
		if (i < 2000)
			give(&b, 0, frame, make_udp(frame, &s));
		while (take(&b))
			out++;
		rt_recycle(b.r);
	}
	assert_int_equal(out, b.ledger->count[RT_FORWARDED] + b.ledger->count[RT_DUPLICATED]);
	assert_int_equal(2000, b.ledger->count[RT_FORWARDED] + b.ledger->count[RT_LOST] +
	    b.ledger->count[RT_QUEUE_FULL]);
	assert_true(b.ledger->count[RT_QUEUE_FULL] > 100);
	assert_int_equal(b.ledger->count[RT_NO_BUFFER], 0);
	stop(&b);
}

/* 1 Mbit/s: a packet of 1250 bytes every 10 ms. */
static void
a_slow_line_has_its_rate(void **state)
{
	struct bed b;
	struct spec s = to_b();
	unsigned got = 0;
	uint64_t began;

	conf_init(&b);
	b.conf.iface[1].harm.rate_bps = 1000000;
	b.conf.iface[1].harm.queue = 100000;
	start(&b);
	began = b.now;
	s.payload = 1222;
	for (unsigned i = 0; i < 20; i++)
		assert_false(pass(&b, &s));
	while (rt_deadline(b.r) != RT_NEVER) {
		b.now = rt_deadline(b.r);
		assert_true(take(&b));
		got++;
		assert_int_equal(b.now - began, got * 10 * MS);
		rt_recycle(b.r);
	}
	assert_int_equal(got, 20);
	stop(&b);
}

/* An error in the name of the machine at the near end does not cross the line. */
static void
what_the_near_end_says_is_not_held(void **state)
{
	struct bed b;
	struct spec s = to_b();

	for (unsigned named = 0; named < 2; named++) {
		conf_init(&b);
		b.conf.iface[0].harm.delay_ns = 10 * MS;
		if (named)
			b.conf.iface[0].answer_from4 = net("10.9.9.9", 0).addr;
		start(&b);
		s.ttl = 1;
		assert_int_equal(pass(&b, &s), named);
		stop(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_bit_is_turned),
		cmocka_unit_test(duplicates_are_equal),
		cmocka_unit_test(the_same_seed_the_same_fate),
		cmocka_unit_test(every_packet_is_accounted_for),
		cmocka_unit_test(a_slow_line_has_its_rate),
		cmocka_unit_test(what_the_near_end_says_is_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
