/* SPDX-License-Identifier: BSD-2-Clause */
/* The way back, over simulated ones: each MTU to the byte, both families' ways of
 * cutting, echoes that forbid fragments, loss, and echoes that are not there. */
#include "../wire/test.h"

#include <proto/back.h>

#define MS UINT64_C(1000000)
#define RTT (20 * MS)
#define NEWS 64

struct way {
	uint32_t mtu, head;		/* head: before the part that is cut: 20, IPv6: 48 */
	uint32_t learned;		/* what a strict echo knows of the way */
	bool strict, deaf;		/* forbids fragments; never hears that they are too big */
	bool equal;			/* cut into equal parts, not as large as fits */
	unsigned loss, refuse_after;	/* of 1000 each way */
	unsigned full;			/* the number of the one this host has no room for */
	uint32_t random;
	unsigned count, sent;
	struct sky_hop_answer news[NEWS];
};

static struct way way;
static struct sky_back b;
static struct sky_back_result r;

static unsigned
roll(unsigned n)
{
	way.random = way.random * 1664525 + 1013904223;
	return (way.random >> 8) % n;
}

/* The largest fragment of a packet, 0 if it goes whole. */
static uint32_t
cut(uint32_t len)
{
	uint32_t most = (way.mtu - way.head) / 8 * 8, all, parts;

	if (len <= way.mtu)
		return 0;
	all = len - (way.head == 48 ? 40 : 20);
	if (way.equal) {
		parts = (all + most - 1) / most;
		most = (all / parts + 7) / 8 * 8;
	}
	/* The last part need not be a multiple, and may be the largest. */
	if (all % most > most)
		return way.head + all % most;
	return way.head + most;
}

static void
send_it(uint64_t now, const struct sky_hop_probe *p)
{
	struct sky_hop_answer a = { .at = now + RTT, .id = p->id, .what = SKY_HOP_REACHED,
	    .reply_len = p->len, .trust = SKY_TRUST_MATCHED };

	if (++way.sent == way.full) {
		a = (struct sky_hop_answer){ .at = now, .id = p->id, .what = SKY_HOP_LOCAL,
		    .err = ENOBUFS, .trust = SKY_TRUST_MATCHED };
		way.news[way.count++] = a;
		return;
	}
	assert_true(way.count < NEWS && p->flow == 0 && p->ttl == 64);
	if (roll(1000) < way.loss || roll(1000) < way.loss)
		return;
	if (way.strict && p->len > way.mtu && way.learned != way.mtu) {
		way.learned = way.deaf ? 0 : way.mtu;
		return;
	}
	a.fragsize = cut(p->len);
	way.news[way.count++] = a;
}

static uint64_t
next_news(void)
{
	uint64_t at = UINT64_MAX;

	for (unsigned i = 0; i < way.count; i++)
		at = way.news[i].at < at ? way.news[i].at : at;
	return at;
}

static void
hand_over(uint64_t now)
{
	for (unsigned i = 0; i < way.count;) {
		if (way.news[i].at > now) {
			i++;
			continue;
		}
		sky_back_answer(&b, now, &way.news[i]);
		way.news[i] = way.news[--way.count];
	}
}

static void
measure(uint64_t rtt)
{
	struct sky_back_conf c = { .size = sizeof(c), .high = 1500, .rtt_ns = rtt,
	    .small = way.head == 48 ? 80 : 64 };
	enum sky_back_kind kind;
	struct sky_hop_probe p;
	uint64_t now = MS, next;

	way.count = way.sent = way.learned = 0;
	assert_int_equal(sky_back_init(&b, &c), 0);
	while ((kind = sky_back_poll(&b, now, &p)) != SKY_BACK_DONE) {
		if (kind == SKY_BACK_SEND) {
			send_it(now, &p);
			continue;
		}
		next = sky_back_deadline(&b);
		next = next < next_news() ? next : next_news();
		assert_true(next != UINT64_MAX);
		now = next > now ? next : now;
		hand_over(now);
	}
	sky_back_result(&b, &r);
}

static void
each_mtu_to_the_byte(void **state)
{
	static const uint32_t heads[] = { 20, 48 };
	unsigned most_packets = 0;
	uint64_t longest = 0;

	for (unsigned k = 0; k < 4; k++)
		for (uint32_t mtu = k % 2 ? 1280 : 576; mtu <= 1500; mtu++) {
			way = (struct way){ .mtu = mtu, .head = heads[k % 2], .strict = k > 1 };
			measure(RTT);
			assert_int_equal(r.mtu, mtu);
			assert_int_equal(r.most, mtu);
			assert_int_equal(r.how, mtu == 1500 ? SKY_BACK_WHOLE : SKY_BACK_FRAGMENTS);
			assert_int_equal(r.packets, way.sent);
			most_packets = r.packets > most_packets ? r.packets : most_packets;
			longest = r.ended - r.began > longest ? r.ended - r.began : longest;
			assert_true(r.packets <= (k > 1 ? 6 : 5));
			assert_true(r.ended - r.began <= (k > 1 ? 85 : 60) * RTT / 20);
		}
	print_message("# at most %u packets, %.1f round trips\n", most_packets,
	    (double)longest / (double)RTT);
}

static void
no_round_trip_is_known(void **state)
{
	way = (struct way){ .mtu = 1290, .head = 48, .strict = true };
	measure(0);
	assert_int_equal(r.mtu, 1290);
	assert_true(r.packets <= 7);
}

static void
loss_changes_nothing(void **state)
{
	unsigned right = 0;

	for (unsigned seed = 1; seed <= 1000; seed++) {
		way = (struct way){ .mtu = 1280 + seed % 220, .head = seed % 2 ? 20 : 48,
		    .strict = seed % 3 == 0, .loss = 50, .random = seed };
		measure(seed % 5 ? RTT : 0);
		right += r.mtu == way.mtu && r.most == way.mtu;
	}
	print_message("# 5 %% loss each way: exact in %u of 1000\n", right);
	assert_true(right >= 990);
}

static void
equal_parts_take_longer_and_are_as_exact(void **state)
{
	for (uint32_t mtu = 1000; mtu < 1500; mtu += 7) {
		way = (struct way){ .mtu = mtu, .head = 20, .equal = true };
		measure(RTT);
		assert_int_equal(r.mtu, mtu);
		assert_int_equal(r.most, mtu);
		assert_true(r.packets <= 20);
	}
}

static void
answers_that_vanish_are_searched(void **state)
{
	way = (struct way){ .mtu = 1400, .head = 20, .strict = true, .deaf = true };
	measure(RTT);
	assert_int_equal(r.how, SKY_BACK_LOST);
	assert_int_equal(r.mtu, 1400);
	assert_int_equal(r.most, 1400);
}

/* Which one that is changes nothing but how long it takes. */
static void
no_room_is_a_probe_lost(void **state)
{
	uint64_t took;

	way = (struct way){ .mtu = 1400, .head = 20, .strict = true, .deaf = true };
	measure(RTT);
	took = r.ended - r.began;
	for (unsigned n = 5; n <= 12; n++) {	/* of the search */
		way = (struct way){ .mtu = 1400, .head = 20, .strict = true, .deaf = true,
		    .full = n };
		measure(RTT);
		assert_int_equal(r.mtu, 1400);
		assert_int_equal(r.most, 1400);
		assert_true(r.lost > 0 && r.ended - r.began <= took + 40 * RTT);
	}
}

static void
no_echo_at_all(void **state)
{
	way = (struct way){ .mtu = 1500, .head = 20, .loss = 1000 };
	measure(RTT);
	assert_int_equal(r.how, SKY_BACK_NOTHING);
	assert_int_equal(r.mtu, 0);
	assert_true(r.packets <= 8);
}

static void
refused(void **state)
{
	struct sky_back_conf c = { .size = sizeof(c) };
	struct sky_hop_answer a = { .id = 1, .what = SKY_HOP_REACHED, .type = 3, .code = 3 };
	struct sky_hop_probe p;

	assert_int_equal(sky_back_init(&b, &c), 0);
	assert_int_equal(sky_back_poll(&b, 1, &p), SKY_BACK_SEND);
	sky_back_answer(&b, 2, &a);
	assert_int_equal(sky_back_poll(&b, 3, &p), SKY_BACK_DONE);
	sky_back_result(&b, &r);
	assert_int_equal(r.how, SKY_BACK_REFUSED);
	assert_int_equal(r.type, 3);
	c.small = 1501;
	assert_int_equal(sky_back_init(&b, &c), -EINVAL);
	c.small = 0;
	c.packets = SKY_BACK_PROBES;
	assert_int_equal(sky_back_init(&b, &c), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mtu_to_the_byte),
		cmocka_unit_test(no_round_trip_is_known),
		cmocka_unit_test(loss_changes_nothing),
		cmocka_unit_test(equal_parts_take_longer_and_are_as_exact),
		cmocka_unit_test(answers_that_vanish_are_searched),
		cmocka_unit_test(no_room_is_a_probe_lost),
		cmocka_unit_test(no_echo_at_all),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
