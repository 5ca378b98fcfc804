/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prober and mirror against a network and a receive queue that are made here and
 * so know the truth: which datagram was lost where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/probe.h"
#include "proto/track.h"
#include "wire/tally.h"

static uint32_t random_state;

static unsigned
chance(unsigned of)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % of;
}

/* --- the histogram against a sorted array --- */

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
quantiles(void **state)
{
	static struct sky_hist h;
	static int64_t v[10007];

	for (unsigned round = 0; round < 40; round++) {
		int64_t shift = round % 4 == 3 ? INT64_C(3600000000000) : round % 4 == 2 ? -50000 : 0;
		unsigned n = round < 10 ? round + 1 : 10007 / (round - 8);

		memset(&h, 0, sizeof(h));
		for (unsigned i = 0; i < n; i++) {
			v[i] = (int64_t)chance(1u << (8 + chance(16))) + shift;
			sky_hist_add(&h, v[i]);
		}
		qsort(v, n, sizeof(v[0]), compare);
		assert_int_equal(h.min, v[0]);
		assert_int_equal(h.max, v[n - 1]);
		for (unsigned q = 1; q <= 100; q++) {
			int64_t want = v[(n * q + 99) / 100 - 1];
			int64_t got = sky_hist_quantile(&h, q, 100);

			assert_true(llabs(got - want) * 127 <= llabs(want - h.base) + 127);
		}
	}
}

/* --- one direction --- */

/* Sends n numbers through a network and into a queue of `room` that is read from
 * time to time; the receiver is told what a kernel would tell it. */
struct truth {
	uint64_t network, queue, received, unread, duplicated, reordered;
};

static void
deliver(struct sky_track *t, struct truth *truth, uint32_t seq, uint32_t *drops, unsigned *queued,
    unsigned room)
{
	if (*queued == room) {
		++*drops;
		truth->queue++;
		return;
	}
	++*queued;
	/* Queue order is arrival order: it can be told at once. */
	sky_track_take(t, seq, 100, *drops, false);
	truth->received++;
}

static void
loss_at_two_places(void **state)
{
	static struct sky_track t;

	for (unsigned round = 0; round < 300; round++) {
		struct truth truth = { 0 };
		struct sky_way w = { .size = sizeof(w) };
		uint32_t drops = UINT32_MAX - chance(100);	/* it wraps */
		unsigned queued = 0, room = 1 + chance(50), n = 1 + chance(3000);
		unsigned lossy = chance(2) ? 1 + chance(20) : 0, slow = 1 + chance(60);

		sky_track_init(&t, drops);
		for (unsigned i = 0; i < n; i++) {
			if (lossy && chance(lossy + 1) == 0)
				truth.network++;
			else
				deliver(&t, &truth, i, &drops, &queued, room);
			if (queued && chance(slow) == 0)
				queued = chance(2) ? 0 : queued - 1;
		}
		sky_track_way(&t, n, drops, 0, &w);
		assert_int_equal(w.received, truth.received);
		assert_int_equal(w.lost[SKY_LOST_QUEUE], truth.queue);
		assert_int_equal(w.lost[SKY_LOST_NETWORK], truth.network);
		assert_int_equal(w.lost[SKY_LOST_UNEXPLAINED], 0);
		assert_int_equal(w.reordered + w.duplicated + w.late, 0);
	}
}

/* Copies and swaps beside losses in the network alone. */
static void
copies_and_order(void **state)
{
	static struct sky_track t;
	static uint32_t order[2000];

	for (unsigned round = 0; round < 200; round++) {
		struct sky_way w = { .size = sizeof(w) };
		uint64_t lost = 0, reordered = 0, copies = 0;
		int64_t highest = -1;
		unsigned n = 2000;

		sky_track_init(&t, 0);
		for (unsigned i = 0; i < n; i++)
			order[i] = i;
		for (unsigned i = 0; i + 30 < n; i += 1 + chance(20)) {
			unsigned k = i + chance(30);
			uint32_t swap = order[i];

			order[i] = order[k];
			order[k] = swap;
		}
		for (unsigned i = 0; i < n; i++) {
			if (chance(10) == 0) {
				lost++;
				continue;
			}
			/* RFC 4737, 3.3 */
			if ((int64_t)order[i] < highest)
				reordered++;
			else
				highest = order[i];
			sky_track_take(&t, order[i], 1, 0, false);
			if (chance(10) == 0) {
				copies++;
				assert_int_equal(sky_track_take(&t, order[i], 1, 0, false), SKY_TRACK_COPY);
			}
		}
		sky_track_way(&t, n, 0, 0, &w);
		assert_int_equal(w.received, n - lost);
		assert_int_equal(w.duplicated, copies);
		assert_int_equal(w.reordered, reordered);
		assert_int_equal(w.lost[SKY_LOST_NETWORK], lost);
		assert_int_equal(w.lost[SKY_LOST_QUEUE] + w.lost[SKY_LOST_UNEXPLAINED], 0);
	}
}

static void
what_cannot_be_known_is_unexplained(void **state)
{
	static struct sky_track t;
	struct sky_way w = { .size = sizeof(w) };

	/* 3 drops, 5 missing, and others on the socket: 2 are the network's */
	sky_track_init(&t, 0);
	sky_track_take(&t, 0, 1, 0, false);
	sky_track_mixed(&t);
	sky_track_take(&t, 6, 1, 3, false);
	sky_track_way(&t, 7, 3, 0, &w);
	assert_int_equal(w.lost[SKY_LOST_NETWORK], 2);
	assert_int_equal(w.lost[SKY_LOST_QUEUE], 0);
	assert_int_equal(w.lost[SKY_LOST_UNEXPLAINED], 3);
	/* a tail in which one drop may have been a message's */
	sky_track_init(&t, 0);
	sky_track_take(&t, 0, 1, 0, false);
	sky_track_way(&t, 11, 4, 1, &w);
	assert_int_equal(w.lost[SKY_LOST_NETWORK], 6);
	assert_int_equal(w.lost[SKY_LOST_QUEUE], 3);
	assert_int_equal(w.lost[SKY_LOST_UNEXPLAINED], 1);
	/* drops where no number is missing, a gap where nothing was dropped */
	sky_track_init(&t, 0);
	sky_track_take(&t, 0, 1, 0, false);
	sky_track_take(&t, 3, 1, 0, false);
	sky_track_take(&t, 4, 1, 1, false);
	sky_track_way(&t, 5, 1, 0, &w);
	assert_int_equal(w.lost[SKY_LOST_NETWORK], 1);
	assert_int_equal(w.lost[SKY_LOST_UNEXPLAINED], 1);
}

static void
jitter_of_rfc_3550(void **state)
{
	static struct sky_track t;
	struct sky_way w = { .size = sizeof(w) };
	double j = 0, last = 0;

	sky_track_init(&t, 0);
	for (unsigned i = 0; i < 5000; i++) {
		int64_t d = 1000000 + chance(500000);

		if (i)
			j += ((d > last ? d - last : last - d) - j) / 16;
		last = (double)d;
		sky_track_delay(&t, d);
	}
	sky_track_way(&t, 0, 0, 0, &w);
	assert_true((double)w.jitter > j * 0.999 && (double)w.jitter < j * 1.001);
}

static void
any_numbers(void **state)
{
	static struct sky_track t;
	struct sky_way w = { .size = sizeof(w) };

	sky_track_init(&t, 0);
	for (unsigned i = 0; i < 200000; i++) {
		uint32_t seq = chance(3) ? random_state : random_state % 100000;

		sky_track_take(&t, seq, chance(2000), chance(4) ? 0 : random_state, chance(9) == 0);
		if (chance(100) == 0)
			sky_track_corrupted(&t, random_state);
	}
	sky_track_way(&t, 1, 0, 0, &w);
	assert_true(w.received > 0);
}

/* --- both machines --- */

struct both {
	struct sky_prober p;
	struct sky_mirror m;
	uint64_t *room;
	struct sky_addr from;
	uint64_t now;
	int session;
	unsigned char packet[1500], back[1500];
};

static struct both b;

static void
start(uint32_t flags)
{
	memset(&b, 0, sizeof(b));
	b.room = malloc(sky_mirror_room(4));
	b.session = -1;
	b.now = UINT64_C(1763757600000000000);
	assert_int_equal(sky_mirror_init(&b.m, b.room, sky_mirror_room(4) - 1, 4, 1, 0), -EINVAL);
	assert_int_equal(sky_mirror_init(&b.m, b.room, sky_mirror_room(4), 4, 77, 0), 0);
	assert_int_equal(sky_prober_init(&b.p, 0x12345678, flags, 0), 0);
	sky_addr_parse(&b.from, "192.0.2.1:4000");
}

static struct sky_mirror_in
in_of(const void *data, size_t len)
{
	return (struct sky_mirror_in){ .size = sizeof(struct sky_mirror_in), .data = data,
	    .len = len, .from = b.from, .time_ns = b.now, .now = b.now };
}

/* All messages that are due, there and back. */
static void
talk(void)
{
	unsigned char to[SKY_MEASURE_CONTROL], fro[SKY_MEASURE_CONTROL];
	struct sky_mirror_out out = { .size = sizeof(out) };
	struct sky_mirror_in in;
	size_t n;
	int s;

	while ((n = sky_prober_control(&b.p, b.now, to)) > 0) {
		in = in_of(to, n);
		n = sky_mirror_control(&b.m, &in, fro, &out);
		if (n)
			assert_int_equal(sky_prober_take(&b.p, fro, n, b.now, 0, b.now),
			    SKY_MEASURED_CONTROL);
	}
	while ((n = sky_mirror_due(&b.m, b.now, 0, fro, &s)) > 0)
		sky_prober_take(&b.p, fro, n, b.now, 0, b.now);
}

static size_t
one(size_t len, bool there)
{
	struct sky_mirror_out out = { .size = sizeof(out) };
	struct sky_mirror_in in;

	assert_int_equal(sky_prober_make(&b.p, b.packet, len, b.now), 0);
	sky_prober_sent(&b.p, true);
	b.now += 1000;
	if (!there)
		return 0;
	in = in_of(b.packet, len);
	len = sky_mirror_take(&b.m, &in, b.now + 500, b.back, &out);
	assert_int_equal(out.what, SKY_MEASURED_BACK);
	b.session = out.session;
	if (len)
		sky_mirror_sent(&b.m, b.session, true);
	b.now += 1500;
	return len;
}

static void
a_whole_measurement(void **state)
{
	struct sky_way out = { .size = sizeof(out) }, back = out;
	uint64_t later;
	size_t len;

	start(0);
	talk();
	assert_true(sky_prober_ready(&b.p) && sky_prober_knows(&b.p));
	for (unsigned i = 0; i < 1000; i++) {
		len = one(44 + i, i % 10 != 3);
		assert_int_equal(len, i % 10 == 3 ? 0 : 44 + i);
		if (len && i % 10 != 5)
			assert_int_equal(sky_prober_take(&b.p, b.back, len, b.now, 0, b.now),
			    SKY_MEASURED_BACK);
	}
	sky_prober_sent(&b.p, false);
	sky_prober_end(&b.p, b.now, 1000000000);
	for (unsigned i = 0; i < 20 && !sky_prober_over(&b.p); i++) {
		talk();
		later = sky_mirror_deadline(&b.m);
		b.now = sky_prober_deadline(&b.p);
		if (later < b.now)
			b.now = later;
	}
	assert_true(sky_prober_over(&b.p) && sky_prober_reported(&b.p));
	sky_prober_way(&b.p, SKY_WAY_OUT, 0, &out);
	sky_prober_way(&b.p, SKY_WAY_BACK, 0, &back);
	assert_int_equal(out.sent, 1001);
	assert_int_equal(out.received, 900);
	assert_int_equal(out.lost[SKY_LOST_HOST], 1);
	assert_int_equal(out.lost[SKY_LOST_NETWORK], 100);
	assert_int_equal(out.lost[SKY_LOST_UNEXPLAINED], 0);
	assert_int_equal(out.delay_median, 1000);
	assert_int_equal(out.delay_min, 1000);
	assert_int_equal(back.sent, 900);
	assert_int_equal(back.received, 800);
	assert_int_equal(back.lost[SKY_LOST_NETWORK], 100);
	assert_int_equal(back.delay_max, 1000);
	assert_int_equal(back.jitter, 0);
	free(b.room);
}

static void
corrupted_and_strange(void **state)
{
	struct sky_mirror_out out = { .size = sizeof(out) };
	struct sky_mirror_in in;
	struct sky_way w = { .size = sizeof(w) };
	size_t len;

	start(0);
	talk();
	for (size_t at = 0; at < 200; at++) {
		sky_prober_make(&b.p, b.packet, 200, b.now);
		sky_prober_sent(&b.p, true);
		b.packet[at] ^= (unsigned char)(1u << at % 8);
		in = in_of(b.packet, 200);
		len = sky_mirror_take(&b.m, &in, b.now, b.back, &out);
		/* a broken session identifier makes it a stranger's */
		assert_int_equal(len, at == 14 || at == 15 ? 200 : 0);
		assert_true(len || out.what == SKY_MEASURED_CORRUPTED);
	}
	len = one(200, true);
	b.back[100] ^= 1;
	assert_int_equal(sky_prober_take(&b.p, b.back, len, b.now, 0, b.now), SKY_MEASURED_CORRUPTED);
	for (len = 0; len < 44; len++)
		assert_int_equal(sky_prober_take(&b.p, b.back, len, b.now, 0, b.now),
		    SKY_MEASURED_STRAY);
	sky_prober_way(&b.p, SKY_WAY_BACK, 0, &w);
	assert_int_equal(w.corrupted, 1);
	free(b.room);
}

static void
nobody_of_ours_answers(void **state)
{
	unsigned char buf[SKY_MEASURE_CONTROL];
	struct sky_way w = { .size = sizeof(w) };
	unsigned n = 0;

	start(0);
	while (!sky_prober_ready(&b.p) && n < 20) {
		b.now = sky_prober_deadline(&b.p) > b.now ? sky_prober_deadline(&b.p) : b.now;
		n += sky_prober_control(&b.p, b.now, buf) > 0;
		/* too short for any other reflector to count */
		assert_true(sky_prober_deadline(&b.p) - b.now <= 2000000000 || sky_prober_ready(&b.p));
	}
	assert_int_equal(n, 4);
	assert_false(sky_prober_knows(&b.p));
	one(100, false);
	sky_prober_end(&b.p, b.now, 1000);
	b.now += 1000;
	assert_int_equal(sky_prober_control(&b.p, b.now, buf), 0);
	assert_true(sky_prober_over(&b.p));
	sky_prober_way(&b.p, SKY_WAY_OUT, 0, &w);
	assert_int_equal(w.told, SKY_WAY_SENT | 1u << SKY_LOST_HOST);
	sky_prober_way(&b.p, SKY_WAY_ROUND, 0, &w);
	assert_int_equal(w.lost[SKY_LOST_UNEXPLAINED], 1);
	for (unsigned i = 0; i < 3; i++)
		sky_prober_lost(&b.p, i);	/* 0 is the only one; once */
	sky_prober_lost(&b.p, 0);
	sky_prober_way(&b.p, SKY_WAY_ROUND, 0, &w);
	assert_int_equal(w.lost[SKY_LOST_NETWORK], 1);
	assert_int_equal(w.lost[SKY_LOST_UNEXPLAINED], 0);
	free(b.room);
}

static void
a_table_that_is_full(void **state)
{
	struct sky_mirror_out out = { .size = sizeof(out) };
	struct sky_mirror_sums sums = { .size = sizeof(sums) };
	struct sky_mirror_in in;

	start(0);
	/* three that have sent two and more, and a flood of others */
	for (unsigned round = 0; round < 3; round++) {
		sky_prober_make(&b.p, b.packet, 44, b.now);
		sky_prober_sent(&b.p, true);
		for (uint16_t port = 1; port <= (round == 2 ? 3 : round ? 10 : 3); port++) {
			sky_addr_set_port(&b.from, port);
			in = in_of(b.packet, 44);
			assert_int_equal(sky_mirror_take(&b.m, &in, b.now, b.back, &out), 44);
			assert_int_equal(out.opened, round == 0 || port > 3);
		}
	}
	sky_mirror_sums(&b.m, &sums);
	assert_int_equal(sums.refused, 6);
	assert_int_equal(sky_mirror_sessions(&b.m), 4);
	free(b.room);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles),
		cmocka_unit_test(loss_at_two_places),
		cmocka_unit_test(copies_and_order),
		cmocka_unit_test(what_cannot_be_known_is_unexplained),
		cmocka_unit_test(jitter_of_rfc_3550),
		cmocka_unit_test(any_numbers),
		cmocka_unit_test(a_whole_measurement),
		cmocka_unit_test(corrupted_and_strange),
		cmocka_unit_test(nobody_of_ours_answers),
		cmocka_unit_test(a_table_that_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
