/* SPDX-License-Identifier: BSD-2-Clause */
/* The ledger's promises, one situation each, with the sums worked out by hand. */
#include <errno.h>
#include <setjmp.h>
#include <sockeye/ledger.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t room[1 << 16];
static struct sky_ledger l;

static int
setup(void **unused)
{
	return sky_ledger_init(&l, room, sizeof room, 8, 32, 16);
}

static struct sky_addr
host(unsigned n)
{
	struct sky_addr a = { 0 };

	a.u.in.sin_family = AF_INET;
	a.u.in.sin_addr.s_addr = htonl(0xc0000200u + n);
	a.u.in.sin_port = htons(9);
	return a;
}

static void
sent(unsigned to, uint64_t seq, uint64_t time)
{
	struct sky_addr dst = host(to);

	assert_int_equal(sky_ledger_sent(&l, &dst, seq, time), 0);
}

static struct sky_fate
fate(enum sky_what what, enum sky_evidence e, unsigned about)
{
	struct sky_fate f = { .size = sizeof f, .have = SKY_HAVE_DST };

	f.what = (uint8_t)what;
	f.evidence = (uint8_t)e;
	f.dst = host(about);
	return f;
}

static int
told(enum sky_what what, enum sky_evidence e, unsigned about)
{
	struct sky_fate f = fate(what, e, about);

	return sky_ledger_take(&l, &f);
}

static int
told_seq(enum sky_what what, enum sky_evidence e, unsigned about, uint64_t seq)
{
	struct sky_fate f = fate(what, e, about);

	f.have |= SKY_HAVE_SEQ;
	f.seq = seq;
	return sky_ledger_take(&l, &f);
}

static uint64_t
count(enum sky_what what)
{
	struct sky_ledger_dest d;

	sky_ledger_total(&l, &d);
	return d.counts[what];
}

static void
nothing_comes_back(void **unused)
{
	sent(1, 0, 0);
	sent(1, 1, 0);
	assert_int_equal(sky_ledger_open(&l), 2);
	assert_int_equal(count(SKY_SENT), 2);
	sky_ledger_close(&l, false);
	assert_int_equal(count(SKY_SENT), 2);
	sky_ledger_close(&l, true);
	assert_int_equal(count(SKY_SILENT), 2);
	assert_int_equal(sky_ledger_open(&l), 0);
}

static void
three_errors_for_two_datagrams(void **unused)
{
	sent(1, 0, 0);
	sent(1, 1, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(told(SKY_REFUSED, SKY_BY_QUEUE, 1), 1);
	assert_int_equal(count(SKY_REFUSED), 2);
	assert_int_equal(count(SKY_STRAY), 1);
}

static void
two_reporters_of_one_error(void **unused)
{
	struct sky_ledger_row row;

	sent(1, 0, 0);
	sent(1, 1, 0);
	assert_int_equal(told(SKY_REFUSED, SKY_BY_QUEUE, 1), 1);
	assert_int_equal(told(SKY_REFUSED, SKY_BY_ICMPD, 1), 0);
	assert_int_equal(count(SKY_REFUSED), 1);
	assert_int_equal(told(SKY_REFUSED, SKY_BY_ICMPD, 1), 1);
	assert_int_equal(told(SKY_REFUSED, SKY_BY_QUEUE, 1), 0);
	assert_int_equal(count(SKY_REFUSED), 2);
	assert_int_equal(sky_ledger_rows(&l), 1);
	assert_int_equal(sky_ledger_row(&l, 0, &row), 0);
	assert_int_equal(row.count, 2);
}

static void
two_reporters_that_know_the_datagram(void **unused)
{
	sent(1, 7, 0);
	sent(1, 8, 0);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_QUEUE, 1, 7), 1);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_QUEUE, 1, 7), 0);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_ICMPD, 1, 8), 1);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_ICMPD, 1, 7), 0);
	assert_int_equal(count(SKY_REFUSED), 2);
	assert_int_equal(count(SKY_STRAY), 0);
}

static void
a_reporter_that_repeats_itself(void **unused)
{
	for (unsigned i = 0; i < 4; i++)
		sent(1, i, 0);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_QUEUE, 1, 0), 1);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_QUEUE, 1, 0), 0);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_QUEUE, 1, 0), 0);
	assert_int_equal(told(SKY_REFUSED, SKY_BY_QUEUE, 1), 1);
	assert_int_equal(count(SKY_REFUSED), 2);
	assert_int_equal(count(SKY_SENT), 2);
}

static void
an_answer_overrules_an_error_and_stays(void **unused)
{
	sent(1, 7, 0);
	told_seq(SKY_REFUSED, SKY_BY_QUEUE, 1, 7);
	assert_int_equal(told_seq(SKY_ANSWERED, SKY_BY_REPLY, 1, 7), 1);
	assert_int_equal(count(SKY_ANSWERED), 1);
	assert_int_equal(count(SKY_REFUSED), 0);
	assert_int_equal(told_seq(SKY_HOP_LIMIT, SKY_BY_QUEUE, 1, 7), 1);
	assert_int_equal(count(SKY_ANSWERED), 1);
	assert_int_equal(count(SKY_HOP_LIMIT), 0);
}

static void
a_second_reply(void **unused)
{
	struct sky_ledger_dest d;

	sent(1, 7, 0);
	told_seq(SKY_ANSWERED, SKY_BY_REPLY, 1, 7);
	assert_int_equal(told_seq(SKY_ANSWERED, SKY_BY_CAPTURE, 1, 7), 0);
	assert_int_equal(told_seq(SKY_ANSWERED, SKY_BY_REPLY, 1, 7), 1);
	assert_int_equal(told_seq(SKY_ANSWERED, SKY_BY_CAPTURE, 1, 7), 0);
	assert_int_equal(told(SKY_ANSWERED, SKY_BY_REPLY, 1), 1);
	sky_ledger_total(&l, &d);
	assert_int_equal(d.counts[SKY_ANSWERED], 1);
	assert_int_equal(d.counts[SKY_DUPLICATED], 2);
	assert_int_equal(d.received, 3);
}

static void
news_after_the_deadline(void **unused)
{
	sent(1, 7, 0);
	sent(1, 8, 0);
	sky_ledger_close(&l, true);
	assert_int_equal(told_seq(SKY_ANSWERED, SKY_BY_REPLY, 1, 8), 1);
	assert_int_equal(told(SKY_NO_NEIGHBOUR, SKY_BY_QUEUE, 1), 1);
	assert_int_equal(count(SKY_SILENT), 0);
	assert_int_equal(count(SKY_ANSWERED), 1);
	assert_int_equal(count(SKY_NO_NEIGHBOUR), 1);
	assert_int_equal(count(SKY_LATE), 2);
}

static void
not_to_be_believed(void **unused)
{
	struct sky_fate f = fate(SKY_REFUSED, SKY_BY_QUEUE, 1);
	struct sky_ledger_row row;

	sent(1, 0, 0);
	f.trust = SKY_TRUST_MISMATCH;
	assert_int_equal(sky_ledger_take(&l, &f), 1);
	assert_int_equal(told(SKY_REFUSED, SKY_BY_QUEUE, 2), 1);
	assert_int_equal(count(SKY_STRAY), 2);
	assert_int_equal(count(SKY_REFUSED), 0);
	assert_int_equal(sky_ledger_open(&l), 1);
	assert_int_equal(sky_ledger_row(&l, 0, &row), 0);
	assert_int_equal(row.what, SKY_STRAY);
	assert_int_equal(row.last.what, SKY_REFUSED);
}

static void
refused_by_the_call(void **unused)
{
	struct sky_fate own = fate(SKY_FILTERED_LOCAL, SKY_BY_QUEUE, 1);
	struct sky_fate plain = fate(SKY_REFUSED, SKY_BY_CALL, 2);
	struct sky_ledger_dest d;

	told(SKY_FILTERED_LOCAL, SKY_BY_CALL, 1);
	told(SKY_TOO_BIG, SKY_BY_CALL, 1);
	own.have |= SKY_HAVE_BY | SKY_HAVE_ICMP;
	own.by = host(9);
	own.icmp_type = own.icmp_code = 3;
	assert_int_equal(sky_ledger_take(&l, &own), 0);
	sent(2, 0, 0);
	plain.origin = SKY_ORIGIN_ICMP;
	assert_int_equal(sky_ledger_take(&l, &plain), 1);
	sky_ledger_total(&l, &d);
	assert_int_equal(d.sent, 3);
	assert_int_equal(d.counts[SKY_FILTERED_LOCAL], 1);
	assert_int_equal(d.counts[SKY_TOO_BIG], 1);
	assert_int_equal(d.counts[SKY_REFUSED], 1);
}

static void
round_trips(void **unused)
{
	struct sky_fate f = fate(SKY_ANSWERED, SKY_BY_REPLY, 1);
	struct sky_ledger_dest d;

	sent(1, 5, 1000);
	sent(1, 6, 2000);
	sent(1, 7, 3000);
	f.have |= SKY_HAVE_TIME;
	f.time_ns = 1400;
	assert_int_equal(sky_ledger_take(&l, &f), 1);
	assert_int_equal(f.have & (SKY_HAVE_SEQ | SKY_HAVE_RTT), SKY_HAVE_SEQ | SKY_HAVE_RTT);
	assert_int_equal(f.seq, 5);
	assert_int_equal(f.rtt_ns, 400);
	f.seq = 7;
	f.time_ns = 3100;
	f.have &= ~(uint32_t)SKY_HAVE_RTT;
	assert_int_equal(sky_ledger_take(&l, &f), 1);
	sky_ledger_dest(&l, 0, &d);
	assert_int_equal(d.rtts, 2);
	assert_int_equal(d.rtt_min_ns, 100);
	assert_int_equal(d.rtt_mean_ns, 250);
	assert_int_equal(d.rtt_max_ns, 400);
	assert_int_equal(d.counts[SKY_SENT], 1);
}

static void
more_than_are_held(void **unused)
{
	struct sky_addr dst = host(1);

	assert_int_equal(sky_ledger_sent_many(&l, &dst, 0, 1000000000000u, 0), 0);
	assert_int_equal(sky_ledger_open(&l), 1000000000000u);
	assert_int_equal(told_seq(SKY_REFUSED, SKY_BY_QUEUE, 1, 3), 1);
	assert_int_equal(told_seq(SKY_ANSWERED, SKY_BY_REPLY, 1, 999999999999u), 1);
	assert_int_equal(count(SKY_SENT), 999999999998u);
	sky_ledger_close(&l, true);
	assert_int_equal(count(SKY_SILENT), 999999999998u);
}

static void
no_room(void **unused)
{
	struct sky_addr dst = host(2);
	struct sky_ledger_dest d;

	assert_int_equal(sky_ledger_init(&l, room, sizeof room, 1, 0, 4), 0);
	sent(1, 0, 0);
	assert_int_equal(sky_ledger_sent(&l, &dst, 1, 0), -ENOSPC);
	assert_int_equal(told(SKY_REFUSED, SKY_BY_QUEUE, 2), -ENOSPC);
	assert_int_equal(told(SKY_ANSWERED, SKY_BY_REPLY, 1), -ENOSPC);
	sky_ledger_total(&l, &d);
	assert_int_equal(d.sent, 2);
	assert_int_equal(d.counts[SKY_REFUSED], 1);
	assert_int_equal(d.counts[SKY_ANSWERED], 1);
	assert_int_equal(sky_ledger_overflow(&l), 3);
	assert_int_equal(sky_ledger_dests(&l), 1);
}

static void
an_error_without_a_port(void **unused)
{
	struct sky_fate f = fate(SKY_HOST_UNREACHABLE, SKY_BY_CAPTURE, 1);

	sent(1, 0, 0);
	sky_addr_set_port(&f.dst, 0);
	assert_int_equal(sky_ledger_take(&l, &f), 1);
	assert_int_equal(count(SKY_HOST_UNREACHABLE), 1);
}

static void
replies_to_a_group(void **unused)
{
	struct sky_fate f = fate(SKY_ANSWERED, SKY_BY_REPLY, 1);
	struct sky_ledger_row row;

	sent(1, 0, 0);
	f.have |= SKY_HAVE_BY;
	for (unsigned i = 5; i < 8; i++) {
		f.by = host(i);
		assert_int_equal(sky_ledger_take(&l, &f), 1);
	}
	assert_int_equal(count(SKY_ANSWERED), 1);
	assert_int_equal(count(SKY_DUPLICATED), 2);
	assert_int_equal(sky_ledger_rows(&l), 3);
	assert_int_equal(sky_ledger_row(&l, 2, &row), 0);
	assert_int_equal(row.count, 1);
}

static void
losses_of_a_server(void **unused)
{
	struct sky_fate f = fate(SKY_DROPPED_RECEIVING, SKY_BY_COUNTER, 1);
	struct sky_addr client = host(3);
	struct sky_ledger_dest d;

	assert_int_equal(sky_ledger_heard(&l, &client, 4), 0);
	f.have = 0;
	f.count = 5;
	assert_int_equal(sky_ledger_take(&l, &f), 1);
	f.evidence = SKY_BY_KERNEL;
	assert_int_equal(sky_ledger_take(&l, &f), 0);
	assert_int_equal(told(SKY_TRUNCATED, SKY_BY_REPLY, 3), 1);
	sky_ledger_total(&l, &d);
	assert_int_equal(d.sent, 0);
	assert_int_equal(d.received, 4);
	assert_int_equal(d.lost[SKY_DROPPED_RECEIVING], 5);
	assert_int_equal(d.counts[SKY_DROPPED_RECEIVING], 0);
	assert_int_equal(d.counts[SKY_TRUNCATED], 1);
}

#define SITUATION(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SITUATION(nothing_comes_back),
		SITUATION(three_errors_for_two_datagrams),
		SITUATION(two_reporters_of_one_error),
		SITUATION(two_reporters_that_know_the_datagram),
		SITUATION(a_reporter_that_repeats_itself),
		SITUATION(an_answer_overrules_an_error_and_stays),
		SITUATION(a_second_reply),
		SITUATION(news_after_the_deadline),
		SITUATION(not_to_be_believed),
		SITUATION(refused_by_the_call),
		SITUATION(round_trips),
		SITUATION(more_than_are_held),
		SITUATION(no_room),
		SITUATION(an_error_without_a_port),
		SITUATION(replies_to_a_group),
		SITUATION(losses_of_a_server),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
