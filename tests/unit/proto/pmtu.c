/* SPDX-License-Identifier: BSD-2-Clause */
/* The search by hand: each rule about hints, losses and limits, one at a time. */
#include "../wire/test.h"

#include <sockeye/pmtu.h>

#define MS UINT64_C(1000000)
#define RTT (20 * MS)

static struct sky_mtu m;
static struct sky_mtu_probe got[256];	/* by number */
static struct sky_mtu_result r;
static uint64_t now;

static void
begin_with(uint32_t batch, uint32_t floor, uint32_t base)
{
	struct sky_mtu_conf c = { .size = sizeof(c), .high = 1500, .batch = batch, .floor = floor,
	    .base = base, .rto = { .size = sizeof(c.rto), .min_ns = 8 * MS,
	    .initial_ns = 1000 * MS } };

	now = MS;
	memset(got, 0, sizeof(got));
	assert_int_equal(sky_mtu_init(&m, &c), 0);
}

/* Takes all that is to be sent now; returns how many, the first number in seq. */
static unsigned
sends(uint32_t *seq)
{
	struct sky_mtu_probe p;
	unsigned n = 0;

	*seq = 0;
	while (sky_mtu_poll(&m, now, &p) == SKY_MTU_SEND) {
		*seq = *seq ? *seq : p.seq;
		assert_true(p.seq < 256 && n++ < 40);
		got[p.seq] = p;
	}
	return n;
}

static void
answer(uint32_t seq)
{
	assert_int_equal(sky_mtu_acked(&m, now, seq), 0);
}

static enum sky_mtu_heed
told(uint32_t seq, uint32_t mtu, enum sky_trust trust)
{
	struct sky_fate f = { .size = sizeof(f), .what = SKY_TOO_BIG, .trust = trust,
	    .have = SKY_HAVE_MTU | SKY_HAVE_BY, .mtu = mtu };

	sky_addr_parse(&f.by, "192.0.2.9");
	return sky_mtu_hint(&m, now, seq, &f);
}

static const struct sky_mtu_result *
result(void)
{
	sky_mtu_result(&m, &r);
	return &r;
}

/* Base and top are out; the base is answered. Returns the top's number. */
static uint32_t
base_is_fine(uint32_t base)
{
	uint32_t seq;

	assert_int_equal(sends(&seq), 2);
	assert_int_equal(seq, 1);
	assert_int_equal(got[1].size, base);
	assert_int_equal(got[2].size, 1500);
	assert_int_equal(result()->state, SKY_MTU_BASE);
	now += RTT;
	answer(1);
	assert_int_equal(result()->state, SKY_MTU_SEARCH);
	return 2;
}

static void
clean_path_takes_two_packets(void **state)
{
	uint32_t seq;

	begin_with(4, 0, 0);
	answer(base_is_fine(1280));
	assert_int_equal(sends(&seq), 0);
	assert_int_equal(result()->state, SKY_MTU_COMPLETE);
	assert_int_equal(r.certainty, SKY_MTU_EXACT);
	assert_int_equal(r.reason, SKY_MTU_INTERFACE);
	assert_int_equal(r.mtu, 1500);
	assert_int_equal(r.packets, 2);
	assert_true(sky_mtu_deadline(&m) == SKY_MTU_NEVER);
	assert_int_equal(sky_mtu_size(&m), 1500);
}

static void
told_mtu_is_followed_and_checked_on_both_sides(void **state)
{
	uint32_t seq;
	char by[64];

	begin_with(4, 0, 0);
	assert_int_equal(told(base_is_fine(1280), 1400, SKY_TRUST_MATCHED), SKY_MTU_FOLLOWED);
	assert_int_equal(sends(&seq), 2);
	assert_int_equal(got[seq].size, 1400);
	assert_int_equal(got[seq + 1].size, 1401);
	answer(seq);
	assert_int_equal(result()->certainty, SKY_MTU_AT_MOST);
	assert_int_equal(r.most, 1499);
	assert_int_equal(told(seq + 1, 1400, SKY_TRUST_MATCHED), SKY_MTU_OLD_NEWS);
	assert_int_equal(sends(&seq), 0);
	assert_int_equal(result()->certainty, SKY_MTU_EXACT);
	assert_int_equal(r.mtu, 1400);
	assert_int_equal(r.most, 1400);
	assert_int_equal(r.reason, SKY_MTU_TOLD);
	assert_int_equal(r.told_mtu, 1400);
	sky_addr_format_host(&r.by, by, sizeof(by));
	assert_string_equal(by, "192.0.2.9");
}

static void
only_vouched_hints_count(void **state)
{
	static const enum sky_trust doubtful[] = {
		SKY_TRUST_UNKNOWN, SKY_TRUST_MISMATCH, SKY_TRUST_SHORT,
	};
	struct sky_fate other = { .size = sizeof(other), .what = SKY_REFUSED,
	    .trust = SKY_TRUST_MATCHED };
	uint32_t seq, top;

	begin_with(4, 0, 0);
	top = base_is_fine(1280);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(told(top, 600, doubtful[i]), SKY_MTU_UNVOUCHED);
	assert_int_equal(sky_mtu_hint(&m, now, top, &other), SKY_MTU_UNVOUCHED);
	assert_int_equal(sends(&seq), 0);
	assert_int_equal(result()->most, 1500);
	assert_int_equal(r.unvouched, 4);
	assert_int_equal(r.told, 0);
	assert_int_equal(told(99, 1400, SKY_TRUST_MATCHED), SKY_MTU_OLD_NEWS);
	answer(top);
	sends(&seq);
	assert_int_equal(result()->mtu, 1500);
}

static void
false_numbers_are_not_followed(void **state)
{
	static const struct { uint32_t floor, base, mtu; enum sky_mtu_heed heed; } rows[] = {
		{ 68, 1280, 1500, SKY_MTU_LIE_LARGE }, { 68, 1280, 1501, SKY_MTU_LIE_LARGE },
		{ 68, 1280, UINT32_MAX, SKY_MTU_LIE_LARGE }, { 68, 1280, 67, SKY_MTU_LIE_SMALL },
		{ 68, 1280, 60, SKY_MTU_LIE_SMALL }, { 68, 1280, 1279, SKY_MTU_LIE_SMALL },
		{ 1280, 1280, 1279, SKY_MTU_LIE_SMALL }, { 1280, 1280, 1, SKY_MTU_LIE_SMALL },
		{ 68, 576, 575, SKY_MTU_LIE_SMALL }, { 68, 1280, 0, SKY_MTU_OLD_FORMAT },
		{ 68, 1280, 1280, SKY_MTU_FOLLOWED }, { 68, 1280, 1499, SKY_MTU_FOLLOWED },
		{ 68, 576, 576, SKY_MTU_FOLLOWED },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t seq, n;

		begin_with(8, rows[i].floor, rows[i].base);
		n = base_is_fine(rows[i].base);
		assert_int_equal(told(n, rows[i].mtu, SKY_TRUST_MATCHED), rows[i].heed);
		assert_int_equal(result()->most, 1499);	/* refused it was */
		assert_int_equal(r.lies, rows[i].heed == SKY_MTU_LIE_LARGE ||
		    rows[i].heed == SKY_MTU_LIE_SMALL);
		assert_int_equal(r.mtu, rows[i].base);
		n = sends(&seq);
		assert_true(n > 0);
		for (uint32_t k = seq; k < seq + n; k++)
			assert_true(got[k].size >= rows[i].base && got[k].size < 1500);
	}
}

static void
old_format_goes_by_the_table(void **state)
{
	static const uint32_t table[] = { 17914, 8166, 4464, 4352, 2048, 2002, 1536, 1500, 1492,
	    1006, 576, 552, 544, 512, 508, 296, 68, 0 };
	uint32_t seq, below = UINT32_MAX;

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		below = sky_mtu_plateau(below);
		assert_int_equal(below, table[i]);
	}
	begin_with(32, 0, 576);
	told(base_is_fine(576), 0, SKY_TRUST_MATCHED);
	assert_int_equal(sends(&seq), 2);
	assert_int_equal(got[seq].size, 1492);
	assert_int_equal(got[seq + 1].size, 1006);
}

/* The byte above is a limit when it was lost four times beside a control. */
static void
losses_that_make_a_limit(void **state)
{
	uint32_t seq, n, lost = 0, high = 1500;

	begin_with(2, 0, 0);
	base_is_fine(1280);
	while (sky_mtu_deadline(&m) != SKY_MTU_NEVER) {
		now = sky_mtu_deadline(&m) > now ? sky_mtu_deadline(&m) : now;
		n = sends(&seq);
		now += RTT;
		for (uint32_t k = seq; k < seq + n; k++) {
			if (got[k].size <= 1400)
				answer(k);
			high = got[k].size > 1400 && got[k].size < high ? got[k].size : high;
			lost += got[k].size == 1401;
		}
		assert_true(result()->packets < 100);
	}
	assert_int_equal(result()->certainty, SKY_MTU_EXACT);
	assert_int_equal(r.reason, SKY_MTU_BLACK_HOLE);
	assert_int_equal(r.mtu, 1400);
	assert_int_equal(high, 1401);
	assert_int_equal(lost, 4);
	/* its answer comes after all: it is no limit */
	for (seq = 255; got[seq].size != 1401; seq--)
		;
	answer(seq);
	assert_int_equal(result()->state, SKY_MTU_SEARCH);
	assert_int_equal(r.mtu, 1401);
	assert_true(sends(&seq) > 0);
}

/* Lost together with its controls, it proves nothing; silence ends the search. */
static void
silence_is_no_limit(void **state)
{
	uint32_t seq;
	unsigned rounds = 0;

	begin_with(4, 0, 0);
	base_is_fine(1280);
	while (sky_mtu_deadline(&m) != SKY_MTU_NEVER) {
		now = sky_mtu_deadline(&m) > now ? sky_mtu_deadline(&m) : now;
		sends(&seq);
		assert_true(rounds++ < 20);
	}
	assert_int_equal(result()->certainty, SKY_MTU_AT_MOST);
	assert_int_equal(r.reason, SKY_MTU_UNFINISHED);
	assert_int_equal(r.mtu, 1280);
	assert_int_equal(r.most, 1500);
	begin_with(4, 0, 0);
	for (rounds = 0; sky_mtu_deadline(&m) != SKY_MTU_NEVER; rounds++) {
		assert_true(rounds < 20);
		now = sky_mtu_deadline(&m) > now ? sky_mtu_deadline(&m) : now;
		sends(&seq);
	}
	assert_int_equal(result()->certainty, SKY_MTU_UNKNOWN);
	assert_int_equal(r.reason, SKY_MTU_NO_ANSWER);
	assert_int_equal(r.mtu, 0);
	assert_true(now >= 7000 * MS);		/* 1, 2, 4 s and more: RFC 6298 (5.5) */
	assert_int_equal(sky_mtu_size(&m), 1280);
}

static void
interface_that_refuses(void **state)
{
	uint32_t seq, top;

	begin_with(4, 0, 0);
	top = base_is_fine(1280);
	assert_int_equal(sky_mtu_local(&m, now, top, 1430), 0);
	assert_int_equal(sends(&seq), 1);
	assert_int_equal(got[seq].size, 1430);
	answer(seq);
	sends(&seq);
	assert_int_equal(result()->reason, SKY_MTU_INTERFACE);
	assert_int_equal(r.mtu, 1430);
	assert_int_equal(r.most, 1430);
	sky_mtu_again(&m, now);			/* the route may have changed */
	assert_int_equal(sends(&seq), 1);
	assert_int_equal(got[seq].size, 1500);
	begin_with(4, 0, 0);
	top = base_is_fine(1280);
	assert_int_equal(sky_mtu_local(&m, now, top, 0), 0);
	assert_int_equal(result()->most, 1499);
	assert_true(sends(&seq) > 1);		/* not byte by byte */
}

/* Before anything came through, the floor alone can tell. */
static void
below_the_floor_is_no_mtu(void **state)
{
	uint32_t seq;

	begin_with(4, 0, 0);
	assert_int_equal(sends(&seq), 2);
	assert_int_equal(told(2, 60, SKY_TRUST_MATCHED), SKY_MTU_LIE_SMALL);
	assert_int_equal(told(2, 67, SKY_TRUST_MATCHED), SKY_MTU_LIE_SMALL);
	assert_int_equal(sends(&seq), 0);
	assert_int_equal(told(2, 68, SKY_TRUST_MATCHED), SKY_MTU_FOLLOWED);
	assert_int_equal(sends(&seq), 2);
	assert_int_equal(got[seq].size, 68);
}

/* What came through is refused, twice: the path changed, and what is answered to
 * packets from before does not count. */
static void
size_that_fitted_is_refused(void **state)
{
	uint32_t seq, control;

	begin_with(4, 0, 0);
	told(base_is_fine(1280), 1400, SKY_TRUST_MATCHED);
	assert_int_equal(sends(&seq), 2);
	answer(seq);
	now = sky_mtu_deadline(&m);
	assert_int_equal(sends(&control), 4);
	assert_int_equal(got[control].size, 1400);
	assert_int_equal(told(control, 1300, SKY_TRUST_MATCHED), SKY_MTU_OLD_NEWS);
	assert_int_equal(result()->mtu, 1400);
	now = sky_mtu_deadline(&m);
	sends(&seq);
	assert_int_equal(got[seq].size, 1400);
	assert_int_equal(told(seq, 1300, SKY_TRUST_MATCHED), SKY_MTU_FOLLOWED);
	assert_int_equal(result()->mtu, 0);
	assert_int_equal(r.changes, 1);
	answer(control);
	assert_int_equal(result()->mtu, 0);
	assert_int_equal(sends(&seq), 2);
	assert_int_equal(got[seq].size, 1300);
	answer(seq);
	assert_int_equal(result()->mtu, 1300);
}

static void
doubles_strangers_and_the_unsent(void **state)
{
	uint32_t seq, top;

	begin_with(4, 0, 0);
	assert_int_equal(sky_mtu_acked(&m, now, 1), -ENOENT);
	top = base_is_fine(1280);
	answer(1);
	assert_int_equal(sky_mtu_acked(&m, now, 3), -ENOENT);
	assert_int_equal(sky_mtu_lost(&m, now, 0), -ENOENT);
	assert_int_equal(sky_mtu_unsent(&m, now, 77), -ENOENT);
	assert_int_equal(sky_mtu_local(&m, now, 77, 1000), -ENOENT);
	assert_int_equal(sky_mtu_unsent(&m, now, top), 0);
	assert_int_equal(result()->most, 1500);
	assert_true(sends(&seq) > 0);
	assert_int_equal(result()->lost, 0);
}

static void
senseless_wishes(void **state)
{
	struct sky_mtu_conf c = { .size = sizeof(c), .high = 1000, .base = 1280 };

	assert_int_equal(sky_mtu_init(&m, NULL), -EINVAL);
	assert_int_equal(sky_mtu_init(&m, &c), -EINVAL);
	c.base = 576;
	assert_int_equal(sky_mtu_init(&m, &c), 0);
	c.floor = 577;
	assert_int_equal(sky_mtu_init(&m, &c), -EINVAL);
	c.floor = 0;
	c.high = 65536;
	assert_int_equal(sky_mtu_init(&m, &c), -EINVAL);
	c.high = 1000;
	c.size = 4;
	assert_int_equal(sky_mtu_init(&m, &c), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_path_takes_two_packets),
		cmocka_unit_test(told_mtu_is_followed_and_checked_on_both_sides),
		cmocka_unit_test(only_vouched_hints_count),
		cmocka_unit_test(false_numbers_are_not_followed),
		cmocka_unit_test(old_format_goes_by_the_table),
		cmocka_unit_test(losses_that_make_a_limit),
		cmocka_unit_test(silence_is_no_limit),
		cmocka_unit_test(interface_that_refuses),
		cmocka_unit_test(below_the_floor_is_no_mtu),
		cmocka_unit_test(size_that_fitted_is_refused),
		cmocka_unit_test(doubles_strangers_and_the_unsent),
		cmocka_unit_test(senseless_wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
