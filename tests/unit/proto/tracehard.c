/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hard cases by name: loops, refusals, failures of this host, paths that
 * change meanwhile, one probe at a time, forged answers.
 */
#include "../wire/test.h"
#include "tracerun.h"

#include <stdio.h>

static struct run run;

static void
chain(unsigned routers, uint32_t mtu, uint32_t seed)
{
	run.chatty = getenv("CHATTY") && !strcmp(getenv("CHATTY"), "all");
	net_chain(&run.net, routers + 1, mtu, false, seed);
	run_conf(&run);
}

static void
cut(unsigned link, uint32_t mtu, enum net_ptb ptb)
{
	run.net.way.node[link].mtu = mtu;
	run.net.way.node[link - 1].ptb = ptb;
}

static void
say(const char *name)
{
	printf("# %-22s %6.2f R %3u packets, %s, MTU %u %s, %s after hop %u (%u)\n", name,
	    run_rounds(&run), run.path.packets, sky_trace_stop_word(run.path.stop), run.path.mtu,
	    sky_trace_certainty_word(run.path.certainty), sky_trace_limit_word(run.path.limit),
	    run.path.set_by_hop, run.path.set_by_last);
}

/* --- the way ends early --- */

static void
prohibited(void **state)
{
	chain(8, 1500, 1);
	run.net.way.node[5].refuses = 13;
	run_all(&run);
	say("prohibited by 5");
	assert_int_equal(run.path.stop, SKY_TRACE_UNREACHABLE);
	assert_false(run.path.reached);
	assert_int_equal(run.path.code, 13);
	assert_int_equal(run.path.distance, 6);
	assert_int_equal(run_hop(&run, 5).what, SKY_HOP_EXCEEDED);
	assert_int_equal(run_hop(&run, 6).what, SKY_HOP_UNREACHABLE);
	assert_int_equal(run.path.mtu, 1500);
	assert_true(run.path.packets <= 25);
}

/* The destination's own firewall: it is reached all the same. */
static void
prohibited_there(void **state)
{
	chain(8, 1500, 1);
	cut(4, 1400, NET_TELLS);
	run.net.way.node[9].refuses = 10;
	run_all(&run);
	say("prohibited by the host");
	assert_int_equal(run.path.stop, SKY_TRACE_REACHED);
	assert_true(run.path.reached);
	assert_int_equal(run.path.code, 10);
	assert_int_equal(run.path.distance, 9);
	assert_int_equal(run_hop(&run, 9).what, SKY_HOP_UNREACHABLE);
	assert_int_equal(run.path.mtu, 1400);
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_EXACT);
}

/* Each packet takes one of three routers, at two hops. */
static void
spray(void **state)
{
	for (uint32_t seed = 1; seed <= 200; seed++) {
		chain(8, 1500, seed);
		cut(6, 1400, seed % 2 ? NET_TELLS : NET_MUTE);
		run.net.spray = true;
		run.net.way.node[5].width = run.net.way.node[6].width = 3;
		run_all(&run);
		assert_int_equal(run.path.mtu, 1400);
		assert_int_equal(run.path.certainty, SKY_TRACE_MTU_EXACT);
		assert_int_equal(run.path.distance, 9);
		assert_true(run.path.packets <= 60);
		assert_true(!run.path.set_by_hop || run.path.set_by_hop == 5);
	}
	say("spray of three");
}

/* A router that answers everything, even what ends there, with an error. */
static void
refuses_all(void **state)
{
	chain(8, 1500, 1);
	run.net.way.node[2].refuses = 1;
	run.net.way.node[2].refuses_all = true;
	run_all(&run);
	say("all unreachable");
	assert_int_equal(run.path.stop, SKY_TRACE_UNREACHABLE);
	assert_int_equal(run.path.distance, 2);
	assert_true(run.path.packets <= 25);
}

static void
all_too_big(void **state)
{
	chain(8, 1500, 1);
	cut(3, 20, NET_TELLS);
	run_all(&run);
	say("all too big");
	assert_int_equal(run.path.stop, SKY_TRACE_REFUSES);
	assert_false(run.path.reached);
	assert_true(run.path.packets <= 40);
	assert_true(run.path.certainty != SKY_TRACE_MTU_EXACT);
}

static void
loop(void **state)
{
	chain(60, 1500, 1);
	for (unsigned i = 6; i <= 60; i++)
		run.net.way.node[i].alias = 4 + i % 2;
	run.net.way.node[61].silent = true;
	run_all(&run);
	say("loop");
	assert_int_equal(run.path.stop, SKY_TRACE_LOOP);
	assert_false(run.path.reached);
	assert_true(run.path.packets <= 40);
	assert_int_equal(run.path.mtu, 1500);
}

static void
loop_itself(void **state)
{
	chain(60, 1500, 1);
	for (unsigned i = 4; i <= 60; i++)
		run.net.way.node[i].alias = 3;
	run.net.way.node[61].silent = true;
	run_all(&run);
	say("loop of one");
	assert_int_equal(run.path.stop, SKY_TRACE_LOOP);
	assert_true(run.path.packets <= 40);
}

static void
nobody(void **state)
{
	chain(8, 1500, 1);
	for (unsigned i = 1; i <= 9; i++)
		run.net.way.node[i].silent = true;
	run_all(&run);
	say("nobody answers");
	assert_int_equal(run.path.stop, SKY_TRACE_GAP);
	assert_int_equal(run.path.last, 0);
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_NONE);
	assert_true(run.path.packets <= 40);
	assert_true(run.path.ended - run.path.began <= 10000 * NET_MS);
}

static void
max_hops(void **state)
{
	chain(30, 1500, 1);
	run.conf.max = run.conf.far = 7;
	run_all(&run);
	say("max 7 of 31");
	assert_int_equal(run.path.stop, SKY_TRACE_MAX);
	assert_int_equal(run.path.last, 7);
	assert_int_equal(run.path.hops, 7);
	assert_int_equal(run.path.mtu, 1500);
	assert_int_equal(run.path.mtu_hop, 7);
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_BOUNDED);
	assert_true(run.path.packets <= 20);
}

static void
first_hop(void **state)
{
	chain(8, 1500, 1);
	run.conf.first = 4;
	run_all(&run);
	say("from hop 4");
	assert_int_equal(run.path.first, 4);
	assert_int_equal(run.path.hops, 6);
	assert_int_equal(run.lines, 6);
	assert_int_equal(run.path.mtu, 1500);
}

static void
near(void **state)
{
	chain(0, 1500, 1);
	run_all(&run);
	say("next door");
	assert_int_equal(run.path.distance, 1);
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_EXACT);
	assert_true(run.path.packets <= 8);
}

/* --- this host --- */

static void
no_permission(void **state)
{
	chain(8, 1500, 1);
	run.net.local_err = EPERM;
	run.net.local_fails = 1000;
	run_all(&run);
	say("EPERM");
	assert_int_equal(run.path.stop, SKY_TRACE_LOCAL);
	assert_int_equal(run.path.err, EPERM);
	assert_true(run.path.packets <= 5);	/* others of the same moment are not told */
	assert_true(run.net.local <= 10);
}

static void
no_room(void **state)
{
	chain(8, 1500, 1);
	run.net.local_err = ENOBUFS;
	run.net.local_fails = 7;
	run_all(&run);
	say("ENOBUFS seven times");
	assert_int_equal(run.path.stop, SKY_TRACE_REACHED);
	assert_int_equal(run.path.mtu, 1500);
}

static void
never_room(void **state)
{
	chain(8, 1500, 1);
	run.net.local_err = ENOBUFS;
	run.net.local_fails = 100000;
	run_all(&run);
	say("ENOBUFS always");
	assert_true(run.net.local <= 100);
	assert_int_equal(run.path.packets, 0);
}

static void
device(void **state)
{
	chain(8, 1500, 1);
	run.conf.device_mtu = 9000;
	run_all(&run);
	say("device says less");
	assert_int_equal(run.path.mtu, 1500);
	assert_int_equal(run.path.device_mtu, 1500);
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_EXACT);
	assert_int_equal(run.path.limit, SKY_TRACE_BY_DEVICE);
}

/* --- the path changes --- */

static void
shrinks(void **state)
{
	for (unsigned ms = 5; ms < 90; ms += 5) {
		chain(8, 1500, ms);
		run.net.later = run.net.way;
		run.net.later.node[5].mtu = 1300;
		run.net.change_at = ms * NET_MS;
		run_all(&run);
		assert_int_equal(run.path.stop, SKY_TRACE_REACHED);
		assert_true(run.path.packets <= 60);
		if (run.path.certainty == SKY_TRACE_MTU_EXACT)
			assert_true(run.path.mtu == 1300 || run.path.mtu == 1500);
	}
	say("shrinks meanwhile");
}

static void
grows(void **state)
{
	for (unsigned ms = 5; ms < 120; ms += 5) {
		chain(8, 1500, ms);
		run.net.later = run.net.way;
		cut(4, 1400, NET_TELLS);
		cut(6, 1300, NET_TELLS);
		run.net.change_at = ms * NET_MS;
		run.chatty = getenv("CHATTY") && strtoul(getenv("CHATTY"), NULL, 10) == ms;
		run_all(&run);
		assert_int_equal(run.path.stop, SKY_TRACE_REACHED);
		assert_true(run.path.packets <= 60);
		if (run.path.certainty == SKY_TRACE_MTU_EXACT)
			assert_true(run.path.mtu == 1300 || run.path.mtu == 1500);
	}
	say("grows meanwhile");
}

static void
moves(void **state)
{
	for (unsigned ms = 5; ms < 90; ms += 5)
		for (unsigned hops = 3; hops < 14; hops++) {
			chain(8, 1500, ms);
			run.net.later = run.net.way;
			run.net.later.hops = hops;
			for (unsigned i = 1; i <= hops; i++)
				run.net.later.node[i] = run.net.way.node[1];
			for (unsigned i = 2; i <= hops; i++)
				run.net.later.node[i].delay = 1000;
			run.net.change_at = ms * NET_MS;
			run_all(&run);
			assert_int_equal(run.path.stop, SKY_TRACE_REACHED);
			assert_int_equal(run.path.mtu, 1500);
			assert_true(run.path.packets <= 60);
			assert_true(run.path.distance <= (hops > 9 ? hops : 9));
		}
	say("another path meanwhile");
}

/* --- one at a time, forgers, many probes --- */

static void
serial(void **state)
{
	static const uint32_t mtu[] = { 1500, 1400, 1006, 1333 };

	for (unsigned i = 0; i < 8; i++) {
		chain(8, 1500, 1);
		if (i % 4)
			cut(6, mtu[i % 4], i < 4 ? NET_TELLS : NET_MUTE);
		run.conf.flying = 1;
		run.conf.untagged = i % 2;
		run_all(&run);
		say("one at a time");
		assert_int_equal(run.path.mtu, mtu[i % 4]);
		assert_int_equal(run.path.certainty, SKY_TRACE_MTU_EXACT);
		assert_true(run.path.packets <= 80);
	}
}

static void
forger(void **state)
{
	chain(8, 1500, 1);
	cut(4, 1400, NET_TELLS);
	run.net.forge = 1000;
	run_all(&run);
	say("forger");
	assert_int_equal(run.path.mtu, 1400);
	assert_true(run.path.forged + 1 >= run.path.packets);	/* the last may be late */
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_EXACT);
}

static void
three(void **state)
{
	chain(8, 1500, 1);
	cut(4, 1400, NET_TELLS);
	run.conf.probes = 3;
	run_all(&run);
	say("three probes each");
	assert_int_equal(run.path.mtu, 1400);
	for (unsigned i = 1; i <= 9; i++) {
		struct sky_trace_hop h = run_hop(&run, i);

		assert_int_equal(h.tries, 3);
		for (unsigned j = 0; j < 3; j++)
			assert_true(h.try[j].rtt_ns > 20 * NET_MS && h.try[j].rtt_ns < 22 * NET_MS);
	}
	assert_true(run_rounds(&run) <= 6);
}

/* More than a bucket holds: waited for, not lost. */
static void
ten(void **state)
{
	chain(3, 1500, 1);
	run.chatty = getenv("CHATTY") && !strcmp(getenv("CHATTY"), "ten");
	run.conf.probes = 10;
	run_all(&run);
	say("ten probes each");
	for (unsigned i = 1; i <= 4; i++) {
		struct sky_trace_hop h = run_hop(&run, i);

		assert_int_equal(h.tries, 10);
		for (unsigned j = 0; j < 10; j++)
			assert_true(h.try[j].rtt_ns > 0);
	}
	assert_true(run.path.ended - run.path.began < 12000 * NET_MS);
}

/* Routers that give two errors at once, and then one a second. */
static void
limited(void **state)
{
	chain(3, 1500, 1);
	run.net.burst = 2;
	run.conf.probes = 10;
	run_all(&run);
	say("bucket of two");
	for (unsigned i = 1; i <= 3; i++) {
		struct sky_trace_hop h = run_hop(&run, i);

		assert_true(h.limited);
		assert_int_equal(h.limit_burst, 2);
		assert_true(h.limit_ns > 900 * NET_MS && h.limit_ns < 3300 * NET_MS);
	}
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_EXACT);
}

/* Loss is not taken for it. */
static void
not_limited(void **state)
{
	unsigned n = 0;

	for (uint32_t seed = 1; seed <= 200; seed++) {
		chain(8, 1500, seed);
		run.conf.probes = 6;
		run.net.loss_there = run.net.loss_back = 50;
		run_all(&run);
		for (unsigned i = 1; i <= 9; i++)
			n += run_hop(&run, i).limited;
	}
	printf("# %u of 1800 hops that lose are called limited\n", n);
	assert_true(n <= 9);
}

static void
no_mtu(void **state)
{
	chain(8, 1500, 1);
	cut(4, 1400, NET_TELLS);
	run.conf.no_mtu = true;
	run_all(&run);
	say("hops only");
	assert_int_equal(run.path.certainty, SKY_TRACE_MTU_NONE);
	assert_int_equal(run.net.highest, 60);
	assert_int_equal(run.path.packets, 10);
}

/* As with a packet length: what a router refuses ends the path there. */
static void
long_hops(void **state)
{
	chain(8, 1500, 1);
	cut(4, 1400, NET_TELLS);
	run.conf.no_mtu = true;
	run.conf.len = 1450;
	run_all(&run);
	say("hops of 1450");
	assert_false(run.path.reached);
	assert_int_equal(run.path.stop, SKY_TRACE_REFUSES);
	assert_int_equal(run.path.distance, 4);
}

static void
long_search(void **state)
{
	chain(8, 1500, 1);
	cut(4, 1400, NET_TELLS);
	run.conf.len = 1450;
	run_all(&run);
	say("search with hops of 1450");
	assert_int_equal(run.path.mtu, 1400);
	assert_int_equal(run.path.distance, 9);
	assert_true(run.path.reached);
}

/* Echo replies are not limited: a black hole on the last link takes no longer. */
static void
echo(void **state)
{
	chain(8, 1500, 1);
	cut(9, 1404, NET_MUTE);
	run.net.burst = 0;
	run.conf.free_end = true;
	run_all(&run);
	say("last link, by echo");
	assert_int_equal(run.path.mtu, 1404);
	assert_int_equal(run.path.limit, SKY_TRACE_BY_HOLE);
	assert_int_equal(run.path.set_by_hop, 8);
	assert_true(run_rounds(&run) <= 10);
	assert_true(run.path.packets <= 60);
}

/* --- wrong use --- */

static void
refused(void **state)
{
	struct sky_trace_conf c;

	chain(1, 1500, 1);
#define WRONG(change) (c = run.conf, change, \
	assert_int_equal(sky_trace_init(&run.trace, &c), -EINVAL))
	WRONG(c.size--);
	WRONG(c.dst.u.sa.sa_family = AF_UNSPEC);
	WRONG(c.device_mtu = 65536);
	WRONG(c.len = 1501);
	WRONG(c.floor = 1501);
	WRONG((c.first = 9, c.max = 8));
	WRONG(c.probes = 11);
	assert_int_equal(sky_trace_init(&run.trace, NULL), -EINVAL);
}

static void
interrupted(void **state)
{
	struct sky_hop_probe p;
	struct sky_trace_hop h;

	chain(8, 1500, 1);
	assert_int_equal(sky_trace_init(&run.trace, &run.conf), 0);
	assert_int_equal(sky_trace_poll(&run.trace, 1, &p), SKY_TRACE_SEND);
	sky_trace_stop(&run.trace, 5);
	assert_int_equal(sky_trace_poll(&run.trace, 6, &p), SKY_TRACE_DONE);
	assert_true(sky_trace_deadline(&run.trace) == SKY_TRACE_NEVER);
	sky_trace_path(&run.trace, &run.path);
	assert_int_equal(run.path.stop, SKY_TRACE_INTERRUPTED);
	assert_int_equal(run.path.packets, 1);
	assert_true(run.path.ended - run.path.began == 4);
	assert_int_equal(sky_trace_hop(&run.trace, 0, &h), -ENOENT);
	assert_int_equal(sky_trace_hop(&run.trace, 255, &h), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(prohibited), cmocka_unit_test(prohibited_there), cmocka_unit_test(spray),
		cmocka_unit_test(refuses_all),
		cmocka_unit_test(all_too_big), cmocka_unit_test(loop), cmocka_unit_test(loop_itself),
		cmocka_unit_test(nobody), cmocka_unit_test(max_hops), cmocka_unit_test(first_hop),
		cmocka_unit_test(near), cmocka_unit_test(no_permission), cmocka_unit_test(no_room),
		cmocka_unit_test(never_room), cmocka_unit_test(device), cmocka_unit_test(shrinks),
		cmocka_unit_test(grows), cmocka_unit_test(moves), cmocka_unit_test(serial),
		cmocka_unit_test(forger), cmocka_unit_test(three), cmocka_unit_test(ten),
		cmocka_unit_test(limited), cmocka_unit_test(not_limited),
		cmocka_unit_test(no_mtu), cmocka_unit_test(long_hops), cmocka_unit_test(long_search),
		cmocka_unit_test(echo),
		cmocka_unit_test(refused), cmocka_unit_test(interrupted),
	};
	return cmocka_run_group_tests_name("tracehard", t, NULL, NULL);
}
