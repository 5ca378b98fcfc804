/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The named cases: a chain of routers with a round trip of 20.5 ms to each and
 * the default limits of Linux. Each has a limit in round trips and packets.
 */
#include "../wire/test.h"
#include "tracerun.h"

#include <stdio.h>

enum { TOP = 1500, ROUTERS = 8 };

struct cut {
	unsigned link;
	uint32_t mtu;
	enum net_ptb ptb;		/* of the router before it */
};

struct named {
	const char *name;
	unsigned routers;
	bool six;
	struct cut cut[4];
	unsigned silent_from, silent_to;
	bool dst_silent;
	double rounds;
	unsigned packets;
	uint32_t mtu;
	uint8_t certainty, limit, by_hop, stop;
	unsigned drops;
};

#define DONE SKY_TRACE_MTU_EXACT
#define REACHED SKY_TRACE_REACHED

static const struct named cases[] = {
	{ "A0", 8, false, { { 0 } }, 0, 0, false, 2.5, 13, 1500, DONE, SKY_TRACE_BY_DEVICE, 0, REACHED, 0 },
	{ "A", 8, false, { { 4, 1400, 0 }, { 6, 1006, 0 }, { 8, 296, 0 } }, 0, 0, false, 5, 20, 296,
	    DONE, SKY_TRACE_BY_ROUTER, 7, REACHED, 3 },
	{ "A30", 30, false, { { 12, 1400, 0 }, { 24, 1006, 0 } }, 0, 0, false, 4, 40, 1006, DONE,
	    SKY_TRACE_BY_ROUTER, 23, REACHED, 2 },
	{ "B", 8, false, { { 3, 1450, 0 }, { 6, 1400, NET_MUTE } }, 0, 0, false, 10, 60, 1400, DONE,
	    SKY_TRACE_BY_HOLE, 5, REACHED, 2 },
	{ "B 1372", 8, false, { { 6, 1372, NET_MUTE } }, 0, 0, false, 10, 60, 1372, DONE,
	    SKY_TRACE_BY_HOLE, 5, REACHED, 1 },
	{ "B odd", 8, false, { { 6, 1337, NET_MUTE } }, 0, 0, false, 10, 60, 1337, DONE,
	    SKY_TRACE_BY_HOLE, 5, REACHED, 1 },
	{ "B last", 8, false, { { 9, 1404, NET_MUTE } }, 0, 0, false, 600, 60, 1404, DONE,
	    SKY_TRACE_BY_HOLE, 8, REACHED, 1 },
	{ "B first", 8, false, { { 1, 1404, NET_MUTE } }, 0, 0, false, 10, 60, 1404, DONE,
	    SKY_TRACE_BY_HOLE, 0, REACHED, 0 },
	{ "C", 8, false, { { 7, 1400, 0 } }, 4, 4, false, 5, 18, 1400, DONE, SKY_TRACE_BY_ROUTER, 6,
	    REACHED, 1 },
	{ "C3", 8, false, { { 8, 1400, 0 } }, 3, 5, false, 5, 18, 1400, DONE, SKY_TRACE_BY_ROUTER, 7,
	    REACHED, 1 },
	{ "D", 8, false, { { 6, 1400, 0 } }, 0, 0, true, 12, 33, 1400, SKY_TRACE_MTU_BOUNDED,
	    SKY_TRACE_BY_ROUTER, 5, SKY_TRACE_GAP, 1 },
	{ "E", 8, false, { { 6, 1006, NET_ZERO } }, 0, 0, false, 8, 40, 1006, DONE,
	    SKY_TRACE_BY_ROUTER, 5, REACHED, 1 },
	{ "E odd", 8, false, { { 6, 1123, NET_ZERO } }, 0, 0, false, 8, 40, 1123, DONE,
	    SKY_TRACE_BY_ROUTER, 5, REACHED, 1 },
	{ "E2", 8, false, { { 6, 1006, NET_SAME } }, 0, 0, false, 8, 40, 1006, DONE,
	    SKY_TRACE_BY_ROUTER, 5, REACHED, 1 },
	{ "E one less", 8, false, { { 6, 1006, NET_LESS_BY_ONE } }, 0, 0, false, 9, 45, 1006, DONE,
	    SKY_TRACE_BY_ROUTER, 5, REACHED, 1 },
	{ "E small", 8, false, { { 6, 1006, NET_SMALLER } }, 0, 0, false, 9, 45, 1006, DONE,
	    SKY_TRACE_BY_ROUTER, 5, REACHED, 1 },
	{ "E 60", 8, false, { { 6, 1006, NET_SIXTY } }, 0, 0, false, 8, 40, 1006, DONE,
	    SKY_TRACE_BY_ROUTER, 5, REACHED, 1 },
	{ "G", 8, true, { { 4, 1400, 0 }, { 6, 1280, 0 } }, 0, 0, false, 5, 20, 1280, DONE,
	    SKY_TRACE_BY_ROUTER, 5, REACHED, 2 },
	{ "GB", 8, true, { { 3, 1450, 0 }, { 6, 1400, NET_MUTE } }, 0, 0, false, 10, 60, 1400, DONE,
	    SKY_TRACE_BY_HOLE, 5, REACHED, 2 },
};

static struct run run;

static void
build(const struct named *c)
{
	net_chain(&run.net, c->routers + 1, TOP, c->six, 1);
	for (unsigned i = 0; i < 4 && c->cut[i].link; i++) {
		run.net.way.node[c->cut[i].link].mtu = c->cut[i].mtu;
		run.net.way.node[c->cut[i].link - 1].ptb = c->cut[i].ptb;
	}
	for (unsigned i = c->silent_from; i && i <= c->silent_to; i++)
		run.net.way.node[i].silent = true;
	run.net.way.node[run.net.way.hops].silent = c->dst_silent;
	run_conf(&run);
}

static unsigned
check_hops(const struct named *c)
{
	unsigned drops = 0;

	for (unsigned i = 1; i <= c->routers + !c->dst_silent; i++) {
		struct sky_trace_hop h = run_hop(&run, i);
		struct sky_addr a = net_addr(&run.net, &run.net.way, i, 0);

		if (run.net.way.node[i].silent) {
			assert_int_equal(h.state, SKY_TRACE_SILENT);
			continue;
		}
		assert_int_equal(h.state, SKY_TRACE_ANSWERED);
		assert_int_equal(h.addrs, 1);
		assert_true(sky_addr_same_host(&h.addr[0], &a));
		assert_true(h.end == (i > c->routers));
		assert_false(h.asymmetric);
		drops += h.drop_to != 0;
	}
	return drops;
}

static void
one(void **state)
{
	const struct named *c = *state;
	unsigned drops;

	run.chatty = getenv("CHATTY") && !strcmp(getenv("CHATTY"), c->name);
	build(c);
	run_all(&run);
	printf("# %-10s %5.2f R (%4.1f) %3u packets (%u) MTU %u %s, %s after hop %u\n", c->name,
	    run_rounds(&run), c->rounds, run.path.packets, c->packets, run.path.mtu,
	    sky_trace_certainty_word(run.path.certainty), sky_trace_limit_word(run.path.limit),
	    run.path.set_by_hop);
	drops = check_hops(c);
	assert_int_equal(run.path.mtu, c->mtu);
	assert_int_equal(run.path.certainty, c->certainty);
	assert_int_equal(run.path.limit, c->limit);
	assert_int_equal(run.path.set_by_hop, c->by_hop);
	assert_int_equal(run.path.stop, c->stop);
	assert_int_equal(drops, c->drops);
	assert_true(run.path.packets <= c->packets);
	assert_true(run_rounds(&run) <= c->rounds);
	assert_int_equal(run.path.packets, run.net.sent);
}

int
main(void)
{
	struct CMUnitTest t[sizeof(cases) / sizeof(cases[0])];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		t[i] = (struct CMUnitTest){ cases[i].name, one, NULL, NULL, (void *)(uintptr_t)&cases[i] };
	return cmocka_run_group_tests_name("trace", t, NULL, NULL);
}
