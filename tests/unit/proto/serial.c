/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hop by hop, over a small network of routers in a row: what is told, in which
 * order, with how many packets, and when.
 */
#include "../wire/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include "proto/serial.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define FLIGHTS 512
#define TEXT 4096

enum too_big { TELL, OLD, LIE, QUIET };

/* Router i (from 1) is hop i; its link onward carries mtu[i] bytes. */
static struct net {
	uint64_t trip;		/* of every hop */
	int hops;		/* the destination is hop hops + 1 */
	uint32_t device, mtu[32];
	enum too_big way[32];
	bool silent[32], cut[32];	/* no error; quotes 8 bytes */
	uint8_t refuse;		/* this router answers 3/13 */
	unsigned lose_every;	/* each nth packet is lost; 0: none */
	bool deaf;		/* the destination says nothing */
	int err;		/* this host cannot send */
} net;

static struct sky_serial s;
static struct sky_serial_cell cells[SKY_SERIAL_CELLS];
static struct sky_hop_answer flight[FLIGHTS];
static unsigned flights, sent, most, small_ms;
static uint64_t now, ended;
static char text[TEXT];
static size_t used;

static struct sky_addr
hop_addr(int hop)
{
	struct sky_addr a;
	char t[32];

	snprintf(t, sizeof(t), "10.0.%d.1", hop);
	assert_int_equal(sky_addr_parse(&a, t), 0);
	return a;
}

static void
answer(const struct sky_hop_probe *p, uint64_t after, int hop, int what, uint32_t mtu)
{
	struct sky_hop_answer *a = &flight[flights];

	if (hop && net.silent[hop])
		return;
	assert_true(flights++ < FLIGHTS);
	memset(a, 0, sizeof(*a));
	a->at = now + after;
	a->what = (uint8_t)what;
	a->mtu = mtu;
	a->id = p->id;
	a->trust = SKY_TRUST_MATCHED;
	if (hop)
		a->by = hop_addr(hop);
	if (net.cut[hop]) {
		a->id = 0;
		a->trust = SKY_TRUST_SHORT;
	}
}

static void
refuse_size(const struct sky_hop_probe *p, int hop)
{
	static const int says[] = { [OLD] = 0, [LIE] = 1500 };

	if (net.way[hop] == TELL)
		answer(p, net.trip, hop, SKY_HOP_TOO_BIG, net.mtu[hop]);
	else if (net.way[hop] != QUIET)
		answer(p, net.trip, hop, SKY_HOP_TOO_BIG, (uint32_t)says[net.way[hop]]);
}

static void
carry(const struct sky_hop_probe *p)
{
	int hop;

	for (hop = 1; hop <= net.hops; hop++) {
		if (net.refuse == hop) {
			answer(p, net.trip, hop, SKY_HOP_UNREACHABLE, 0);
			return;
		}
		if (p->ttl == hop) {
			answer(p, net.trip, hop, SKY_HOP_EXCEEDED, 0);
			return;
		}
		if (net.mtu[hop] && p->len > net.mtu[hop]) {
			refuse_size(p, hop);
			return;
		}
	}
	if (!net.deaf)
		answer(p, net.trip, hop, SKY_HOP_REACHED, 0);
}

static void
send_probe(const struct sky_hop_probe *p)
{
	assert_true(p->id > 0 && p->ttl > 0);
	if (net.err) {
		answer(p, 0, 0, SKY_HOP_LOCAL, 0);
		flight[flights - 1].err = net.err;
	} else if (net.device && p->len > net.device) {
		answer(p, 0, 0, SKY_HOP_LOCAL, net.device);
		flight[flights - 1].err = EMSGSIZE;
	} else if (++sent % (net.lose_every ? net.lose_every : UINT32_MAX)) {
		carry(p);
	}
}

/* "1.0 r1 12; " for the first probe of hop 1, answered by router 1 in 12 ms. */
static void
write_down(const struct sky_serial_event *e)
{
	static const char *const why[] = { "reached", "stopped", "hops", "failed" };
	char *to = text + used;
	size_t room = sizeof(text) - used;
	int who = (ntohl(e->answer.by.u.in.sin_addr.s_addr) >> 8) & 0xff;
	int n;

	if (e->what == SKY_SERIAL_END)
		n = snprintf(to, room, "%s %d", why[e->why], e->err);
	else if (e->what == SKY_SERIAL_SMALLER)
		n = snprintf(to, room, "%u<%u r%d; ", e->ttl, e->len, who);
	else if (!e->answered)
		n = snprintf(to, room, "%u.%u *; ", e->ttl, e->number);
	else
		n = snprintf(to, room, "%u.%u r%d %u%s; ", e->ttl, e->number, who,
		    (unsigned)(e->rtt_ns / MS),
		    e->answer.what == SKY_HOP_UNREACHABLE ? " !" :
		    e->answer.what == SKY_HOP_TOO_BIG ? " !F" : "");
	assert_true(n > 0 && (size_t)n < room);
	used += (size_t)n;
}

static unsigned
arrive(void)
{
	unsigned i = 0, did = 0;

	while (i < flights) {
		if (flight[i].at > now) {
			i++;
			continue;
		}
		sky_serial_answered(&s, &flight[i]);
		flight[i] = flight[--flights];
		did++;
	}
	return did;
}

static uint64_t
next_time(void)
{
	uint64_t at = sky_serial_deadline(&s, now);

	for (unsigned i = 0; i < flights; i++)
		if (flight[i].at < at)
			at = flight[i].at;
	return at;
}

static unsigned
waiting(void)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < SKY_SERIAL_CELLS; i++)
		n += cells[i].state == SKY_SERIAL_WAITING;
	return n;
}

static void
go(const struct sky_serial_conf *c)
{
	struct sky_hop_probe p;
	struct sky_serial_event e;
	enum sky_serial_kind kind;
	int turns = 0;

	flights = sent = most = 0;
	used = 0;
	now = S;
	memset(cells, 0, sizeof(cells));
	assert_int_equal(sky_serial_init(&s, c, cells, SKY_SERIAL_CELLS), 0);
	while ((kind = sky_serial_poll(&s, now, &p)) != SKY_SERIAL_DONE) {
		assert_true(turns++ < 100000);
		if (kind == SKY_SERIAL_SEND) {
			send_probe(&p);
			if (waiting() > most)
				most = waiting();
		} else {
			assert_true(next_time() != UINT64_MAX && next_time() >= now);
			now = next_time();
		}
		arrive();
		while (sky_serial_told(&s, &e))
			write_down(&e);
	}
	while (sky_serial_told(&s, &e))
		write_down(&e);
	ended = now - S;
	small_ms = (unsigned)(ended / MS);
	assert_false(sky_serial_told(&s, &e));
}

static const struct sky_serial_conf plain = { .wait_ns = 5 * S, .least_ns = 50 * MS,
	.here = 3000, .near = 10000, .len = 60, .floor = 44, .window = 16, .first = 1,
	.max = 30, .probes = 3, .tries = 1 };
static const struct sky_serial_conf book = { .wait_ns = 5 * S, .here = 3000,
	.least_ns = 50 * MS, .len = 65000, .floor = 44, .window = 1, .first = 1, .max = 30,
	.probes = 3, .tries = 1, .follow = true, .again = true };
static const struct sky_serial_conf brief = { .wait_ns = S, .len = 65000, .floor = 44,
	.window = 1, .first = 1, .max = 30, .probes = 2, .tries = 3, .follow = true,
	.again = true, .brief = true };

static int
clean(void **state)
{
	memset(&net, 0, sizeof(net));
	net.trip = 20 * MS;
	net.hops = 2;
	net.device = 1500;
	return 0;
}

static void
three_probes_for_each_hop_until_the_end(void **state)
{
	go(&plain);
	assert_string_equal(text, "1.0 r1 20; 1.1 r1 20; 1.2 r1 20; 2.0 r2 20; 2.1 r2 20; "
	    "2.2 r2 20; 3.0 r3 20; 3.1 r3 20; 3.2 r3 20; reached 0");
	assert_int_equal(sent, 16);	/* a window, and the end is known */
	assert_int_equal(most, 16);
	assert_int_equal(small_ms, 20);
}

static void
one_at_a_time_takes_a_round_trip_each(void **state)
{
	struct sky_serial_conf c = plain;

	c.window = 1;
	go(&c);
	assert_int_equal(sent, 9);
	assert_int_equal(most, 1);
	assert_int_equal(small_ms, 180);
}

static void
a_pause_is_kept(void **state)
{
	struct sky_serial_conf c = plain;

	c.pause_ns = 100 * MS;
	go(&c);
	assert_int_equal(sent, 9);
	assert_int_equal(small_ms, 820);
}

static void
a_silent_hop_costs_ten_round_trips_of_a_later_one(void **state)
{
	net.hops = 4;
	net.silent[2] = true;
	go(&plain);
	assert_non_null(strstr(text, "1.2 r1 20; 2.0 *; 2.1 *; 2.2 *; 3.0 r3 20;"));
	assert_int_equal(small_ms, 200);
}

static void
a_lost_probe_costs_three_round_trips_of_its_hop(void **state)
{
	struct sky_serial_conf c = plain;

	c.window = 3;
	c.near = 0;
	net.lose_every = 5;
	go(&c);
	assert_string_equal(text, "1.0 r1 20; 1.1 r1 20; 1.2 r1 20; 2.0 r2 20; 2.1 *; "
	    "2.2 r2 20; 3.0 r3 20; 3.1 r3 20; 3.2 r3 20; reached 0");
	assert_int_equal(small_ms, 80);
}

static void
silence_takes_the_whole_wait_and_ends_at_the_last_hop(void **state)
{
	struct sky_serial_conf c = plain;

	c.max = 4;
	c.wait_ns = S;
	net.deaf = true;
	go(&c);
	assert_non_null(strstr(text, "3.2 *; 4.0 *; 4.1 *; 4.2 *; hops 0"));
	assert_int_equal(small_ms, 1000);
	assert_int_equal(sent, 12);
}

static void
who_refuses_ends_it(void **state)
{
	net.refuse = 2;
	go(&plain);
	assert_non_null(strstr(text, "1.2 r1 20; 2.0 r2 20 !; 2.1 r2 20 !; 2.2 r2 20 !; "
	    "stopped 0"));
}

static void
too_big_is_followed_by_the_same_probe(void **state)
{
	struct sky_serial_conf c = book;

	c.again = false;
	c.probes = 1;
	net.mtu[1] = 1400;
	net.mtu[2] = 296;
	go(&c);
	assert_string_equal(text, "1<1500 r0; 1.0 r1 20; 2<1400 r1; 2.0 r2 20; 3<296 r2; "
	    "3.0 r3 20; reached 0");
	assert_int_equal(sent, 5);
}

static void
or_it_ends_there(void **state)
{
	struct sky_serial_conf c = plain;

	c.len = 1500;
	net.mtu[2] = 1400;
	go(&c);
	assert_non_null(strstr(text, "3.0 r2 20 !F; 3.1 r2 20 !F; 3.2 r2 20 !F; stopped 0"));
}

static void
the_book_goes_down_the_table_and_begins_the_hop_again(void **state)
{
	net.hops = 1;
	net.mtu[1] = 296;
	net.way[1] = OLD;
	go(&book);
	assert_string_equal(text, "1<1500 r0; 1.0 r1 20; 1.1 r1 20; 1.2 r1 20; "
	    "2<1492 r1; 2<1006 r1; 2<576 r1; 2<552 r1; 2<544 r1; 2<512 r1; 2<508 r1; "
	    "2<296 r1; 2.0 r2 20; 2.1 r2 20; 2.2 r2 20; reached 0");
	assert_int_equal(sent, 14);
	net.way[1] = TELL;
	go(&book);
	assert_string_equal(text, "1<1500 r0; 1.0 r1 20; 1.1 r1 20; 1.2 r1 20; "
	    "2<296 r1; 2.0 r2 20; 2.1 r2 20; 2.2 r2 20; reached 0");
}

static void
a_lie_is_taken_for_no_size(void **state)
{
	net.hops = 1;
	net.mtu[1] = 1006;
	net.way[1] = LIE;
	go(&book);
	assert_non_null(strstr(text, "2<1492 r1; 2<1006 r1; 2.0 r2 20;"));
}

static void
below_the_table_it_ends(void **state)
{
	net.hops = 1;
	net.mtu[1] = 60;
	net.way[1] = OLD;
	go(&book);
	assert_non_null(strstr(text, "2<68 r1; 2.0 r1 20 !F; 2.1 r1 20 !F; 2.2 r1 20 !F; "
	    "stopped 0"));
}

/* Told one byte less each time: it does not go on for ever. */
static void
a_router_that_shrinks_byte_by_byte_is_given_up(void **state)
{
	struct sky_hop_probe p;
	struct sky_hop_answer a = { .what = SKY_HOP_TOO_BIG, .trust = SKY_TRUST_MATCHED };
	struct sky_serial_event e;
	unsigned n = 0, t = 1;

	assert_int_equal(sky_serial_init(&s, &book, cells, SKY_SERIAL_CELLS), 0);
	while (sky_serial_poll(&s, t, &p) == SKY_SERIAL_SEND && n++ < 1000) {
		a.id = p.id;
		a.at = t++;
		a.mtu = p.len - 1;
		sky_serial_answered(&s, &a);
		while (sky_serial_told(&s, &e))
			;
	}
	assert_int_equal(n, SKY_SERIAL_SIZES + 3);
	assert_int_equal(e.what, SKY_SERIAL_END);
	assert_int_equal(e.why, SKY_SERIAL_STOPPED);
}

static void
short_quotes_are_asked_for_again_one_by_one(void **state)
{
	net.cut[2] = true;
	go(&plain);
	assert_string_equal(text, "1.0 r1 20; 1.1 r1 20; 1.2 r1 20; 2.0 r2 20; 2.1 r2 20; "
	    "2.2 r2 20; 3.0 r3 20; 3.1 r3 20; 3.2 r3 20; reached 0");
	assert_true(sent <= 16 + 4);
}

static void
with_one_on_its_way_a_short_quote_is_its_own(void **state)
{
	net.hops = 1;
	net.mtu[1] = 296;
	net.way[1] = OLD;
	net.cut[1] = true;
	go(&book);
	assert_non_null(strstr(text, "2<296 r1; 2.0 r2 20; 2.1 r2 20; 2.2 r2 20; reached 0"));
	assert_int_equal(sent, 14);
}

static void
forged_and_late_answers_change_nothing(void **state)
{
	struct sky_hop_probe p;
	struct sky_hop_answer a = { .what = SKY_HOP_REACHED, .at = 5 };
	struct sky_serial_event e;

	assert_int_equal(sky_serial_init(&s, &plain, cells, SKY_SERIAL_CELLS), 0);
	assert_int_equal(sky_serial_poll(&s, 1, &p), SKY_SERIAL_SEND);
	a.trust = SKY_TRUST_MISMATCH;
	sky_serial_answered(&s, &a);
	a.trust = SKY_TRUST_MATCHED;
	a.id = p.id + 7;
	sky_serial_answered(&s, &a);
	assert_false(sky_serial_told(&s, &e));
	while (sky_serial_poll(&s, 2, &p) == SKY_SERIAL_SEND)
		;
	while (sky_serial_poll(&s, 6 * S, &p) == SKY_SERIAL_SEND)
		;
	assert_true(sky_serial_told(&s, &e) && !e.answered);
	a.id = 1;
	sky_serial_answered(&s, &a);
	assert_true(sky_serial_told(&s, &e) && !e.answered && e.number == 1);
}

static void
one_answer_for_each_hop_and_three_tries(void **state)
{
	net.mtu[2] = 296;
	go(&brief);
	assert_string_equal(text, "1<1500 r0; 1.0 r1 20; 1.1 r1 20; 2.0 r2 20; 3<296 r2; "
	    "3.0 r3 20; reached 0");
	assert_int_equal(sent, 5);
	net.silent[1] = true;
	go(&brief);
	assert_string_equal(text, "1<1500 r0; 1.0 *; 1.1 *; 2.0 r2 20; 3<296 r2; 3.0 r3 20; "
	    "reached 0");
	assert_int_equal(sent, 9);
	assert_int_equal(small_ms, 6060);
}

static void
what_this_host_cannot_send_is_said(void **state)
{
	net.err = ENETUNREACH;
	go(&plain);
	assert_string_equal(text, "failed 101");
	net.err = EPERM;
	go(&book);
	assert_string_equal(text, "failed 1");
	net.err = ENOBUFS;
	go(&book);
	assert_string_equal(text, "failed 105");
	net.err = EHOSTUNREACH;
	go(&plain);
	assert_non_null(strstr(text, "1.0 r0 0; 1.1 r0 0; 1.2 r0 0; stopped 0"));
}

static void
bad_values_are_refused(void **state)
{
	struct sky_serial_conf c;

#define BAD(field, value) do { c = plain; c.field = value; \
	assert_int_equal(sky_serial_init(&s, &c, cells, SKY_SERIAL_CELLS), -EINVAL); } while (0)
	BAD(first, 0);
	BAD(first, 31);
	BAD(probes, 0);
	BAD(probes, 11);
	BAD(tries, 0);
	BAD(window, 0);
	BAD(wait_ns, 0);
	BAD(floor, 61);
	BAD(len, 65536);
	BAD(follow, true);
	assert_int_equal(sky_serial_init(&s, &plain, cells, 89), -ENOSPC);
	assert_int_equal(sky_serial_init(&s, &plain, cells, 90), 0);
}

static void
the_table_is_that_of_the_book(void **state)
{
	static const uint16_t want[] = { 17914, 8166, 4464, 4352, 2048, 2002, 1536, 1500, 1492,
	    1006, 576, 552, 544, 512, 508, 296, 68, 0 };
	uint32_t at = 65535;
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		at = sky_serial_below(at, 0);
		assert_int_equal(at, want[i]);
		assert_int_equal(sky_serial_listed(at), at != 0);
	}
	assert_int_equal(sky_serial_below(68, 68), 0);
	assert_int_equal(sky_serial_below(576, 556), 0);
	assert_false(sky_serial_listed(572));
	assert_false(sky_serial_listed(65535));
}

int
main(void)
{
#define WITH(f) cmocka_unit_test_setup(f, clean)
	static const struct CMUnitTest tests[] = {
		WITH(three_probes_for_each_hop_until_the_end),
		WITH(one_at_a_time_takes_a_round_trip_each),
		WITH(a_pause_is_kept),
		WITH(a_silent_hop_costs_ten_round_trips_of_a_later_one),
		WITH(a_lost_probe_costs_three_round_trips_of_its_hop),
		WITH(silence_takes_the_whole_wait_and_ends_at_the_last_hop),
		WITH(who_refuses_ends_it),
		WITH(too_big_is_followed_by_the_same_probe),
		WITH(or_it_ends_there),
		WITH(the_book_goes_down_the_table_and_begins_the_hop_again),
		WITH(a_lie_is_taken_for_no_size),
		WITH(below_the_table_it_ends),
		WITH(a_router_that_shrinks_byte_by_byte_is_given_up),
		WITH(short_quotes_are_asked_for_again_one_by_one),
		WITH(with_one_on_its_way_a_short_quote_is_its_own),
		WITH(forged_and_late_answers_change_nothing),
		WITH(one_answer_for_each_hop_and_three_tries),
		WITH(what_this_host_cannot_send_is_said),
		WITH(bad_values_are_refused),
		WITH(the_table_is_that_of_the_book),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
