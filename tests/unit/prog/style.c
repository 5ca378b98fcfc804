/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of other programs, made of events. The texts are those that the programs
 * print (tests/net/sockpath_style.py holds them beside each other).
 */
#include "../wire/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "prog/sockpath/style.h"
#include "prog/sockpath/style_mark.h"

#define MS UINT64_C(1000000)

static struct style_conf conf;
static struct style_page page;
static char *text;
static size_t size;

static struct sky_addr
addr(const char *t)
{
	struct sky_addr a;

	assert_int_equal(sky_addr_parse(&a, t), 0);
	return a;
}

static void
begin(enum style style, const char *dst)
{
	conf = (struct style_conf){ .style = style, .host = "host", .dst = addr(dst),
	    .src = addr("192.0.2.1"), .first = 1, .max = 30, .len = 60 };
	page = (struct style_page){ .conf = &conf, .to = open_memstream(&text, &size) };
	assert_non_null(page.to);
}

static void
is(const char *want)
{
	assert_int_equal(fclose(page.to), 0);
	assert_string_equal(text, want);
	free(text);
}

static struct sky_serial_event
event(uint8_t ttl, uint8_t number, const char *by, double ms, enum sky_hop_what what)
{
	struct sky_serial_event e = { .what = SKY_SERIAL_PROBE, .ttl = ttl, .number = number,
	    .answered = by != NULL, .rtt_ns = (uint64_t)(ms * MS), .len = conf.len };

	e.answer.what = (uint8_t)what;
	if (by && *by)
		e.answer.by = addr(by);
	return e;
}

static void
probe(uint8_t ttl, uint8_t number, const char *by, double ms, enum sky_hop_what what)
{
	struct sky_serial_event e = event(ttl, number, by, ms, what);

	style_event(&page, &e, by && strcmp(by, "10.0.0.1") == 0 ? "r1" : NULL);
}

static void
refused(uint8_t ttl, const char *by, uint8_t type, uint8_t code)
{
	struct sky_serial_event e = event(ttl, 0, by, 1, SKY_HOP_UNREACHABLE);

	e.answer.type = type;
	e.answer.code = code;
	style_event(&page, &e, NULL);
}

static void
smaller(uint8_t ttl, const char *by, uint32_t told, uint32_t len)
{
	struct sky_serial_event e = event(ttl, 0, by, 6, by ? SKY_HOP_TOO_BIG : SKY_HOP_LOCAL);

	e.what = SKY_SERIAL_SMALLER;
	e.answer.mtu = told;
	e.len = len;
	style_event(&page, &e, by && strcmp(by, "10.0.0.1") == 0 ? "r1" : NULL);
}

static void
end(enum sky_serial_why why)
{
	struct sky_serial_event e = { .what = SKY_SERIAL_END, .why = (uint8_t)why };

	style_event(&page, &e, NULL);
}

static void
traceroute_names_who_answers_once_and_again_when_it_changes(void **state)
{
	begin(STYLE_TRACEROUTE, "10.0.0.9");
	style_begin(&page);
	probe(1, 0, "10.0.0.1", 0.5, SKY_HOP_EXCEEDED);
	probe(1, 1, "10.0.0.1", 12.3456, SKY_HOP_EXCEEDED);
	probe(1, 2, NULL, 0, SKY_HOP_NOTHING);
	probe(2, 0, NULL, 0, SKY_HOP_NOTHING);
	probe(2, 1, "10.0.0.2", 1, SKY_HOP_EXCEEDED);
	probe(2, 2, "10.0.0.3", 1000, SKY_HOP_EXCEEDED);
	probe(10, 0, "10.0.0.3", 1, SKY_HOP_REACHED);
	end(SKY_SERIAL_REACHED);
	is("traceroute to host (10.0.0.9), 30 hops max, 60 byte packets\n"
	    " 1  r1 (10.0.0.1)  0.500 ms  12.346 ms *\n"
	    " 2  * 10.0.0.2 (10.0.0.2)  1.000 ms 10.0.0.3 (10.0.0.3)  1000.000 ms\n"
	    "10  10.0.0.3 (10.0.0.3)  1.000 ms\n");
}

static void
traceroute_shows_sizes_labels_and_the_way_back(void **state)
{
	struct sky_serial_event e;

	begin(STYLE_TRACEROUTE, "10.0.0.9");
	conf.numeric = conf.labels = conf.back = true;
	conf.len = 65000;
	style_begin(&page);
	smaller(1, NULL, 1500, 1500);
	e = event(1, 0, "10.0.0.1", 1, SKY_HOP_EXCEEDED);
	e.answer.ttl = 61;
	e.answer.labels = 2;
	e.answer.label[0] = (struct sky_hop_label){ .label = 100, .tc = 3, .ttl = 1 };
	e.answer.label[1] = (struct sky_hop_label){ .label = 200, .tc = 0, .ttl = 9 };
	style_event(&page, &e, "r1");
	e.number = 1;
	style_event(&page, &e, "r1");
	e.number = 2;
	e.answer.ttl = 64;
	e.answer.labels = 0;
	style_event(&page, &e, "r1");
	smaller(2, "10.0.0.1", 296, 296);
	probe(2, 0, NULL, 0, SKY_HOP_NOTHING);
	end(SKY_SERIAL_HOPS);
	is("traceroute to host (10.0.0.9), 30 hops max, 65000 byte packets\n"
	    " 1  10.0.0.1 <MPLS:L=100,E=3,S=0,T=1/L=200,E=0,S=1,T=9> '-4'  1.000 ms F=1500"
	    "  1.000 ms 10.0.0.1  1.000 ms\n"
	    " 2  * F=296\n");
}

static void
traceroute_marks_every_error(void **state)
{
	static const struct { int family; uint8_t type, code; const char *text; } rows[] = {
		{ AF_INET, 3, 0, "!N" }, { AF_INET, 3, 1, "!H" }, { AF_INET, 3, 2, "!P" },
		{ AF_INET, 3, 3, "" }, { AF_INET, 3, 5, "!S" }, { AF_INET, 3, 13, "!X" },
		{ AF_INET, 3, 14, "!V" }, { AF_INET, 3, 15, "!C" }, { AF_INET, 3, 77, "!<77>" },
		{ AF_INET, 12, 1, "!<12-1>" }, { AF_INET6, 1, 0, "!N" }, { AF_INET6, 1, 1, "!X" },
		{ AF_INET6, 1, 3, "!H" }, { AF_INET6, 1, 4, "" }, { AF_INET6, 1, 5, "!<5>" },
		{ AF_INET6, 4, 2, "!<4-2>" },
	};
	struct sky_hop_answer a = { .what = SKY_HOP_UNREACHABLE };
	char mark[STYLE_MARK];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a.type = rows[i].type;
		a.code = rows[i].code;
		assert_string_equal(style_mark(rows[i].family, &a, mark), rows[i].text);
	}
	a = (struct sky_hop_answer){ .what = SKY_HOP_TOO_BIG, .mtu = UINT32_MAX };
	assert_string_equal(style_mark(AF_INET, &a, mark), "!F-4294967295");
	a.what = SKY_HOP_EXCEEDED;
	assert_string_equal(style_mark(AF_INET, &a, mark), "");
	a.what = SKY_HOP_LOCAL;
	assert_string_equal(style_mark(AF_INET, &a, mark), "!H");
}

static void
tracepath_has_columns(void **state)
{
	struct sky_serial_event e;

	begin(STYLE_TRACEPATH, "10.0.0.9");
	conf.len = 65535;
	style_begin(&page);
	smaller(1, NULL, 1500, 1500);
	probe(1, 0, "10.0.0.1", 10.2, SKY_HOP_EXCEEDED);
	probe(1, 1, "10.0.0.1", 0.001, SKY_HOP_EXCEEDED);
	smaller(2, "10.0.0.1", 296, 296);
	e = event(2, 0, "10.0.0.2", 123.4567, SKY_HOP_EXCEEDED);
	e.answer.ttl = 60;
	style_event(&page, &e, NULL);
	probe(3, 0, NULL, 0, SKY_HOP_NOTHING);
	e = event(4, 0, "10.0.0.9", 20, SKY_HOP_REACHED);
	e.answer.ttl = 61;
	style_event(&page, &e, NULL);
	end(SKY_SERIAL_REACHED);
	is(" 1?: [LOCALHOST]                      pmtu 1500\n"
	    " 1:  r1                                                   10.200ms \n"
	    " 1:  r1                                                    0.001ms \n"
	    " 2:  r1                                                    6.000ms pmtu 296\n"
	    " 2:  10.0.0.2                                            123.456ms asymm  5 \n"
	    " 3:  no reply\n"
	    " 4:  10.0.0.9                                             20.000ms reached\n"
	    "     Resume: pmtu 296 hops 4 back 4 \n");
}

static void
tracepath_says_no_reply_once_and_stops_at_an_error(void **state)
{
	begin(STYLE_TRACEPATH, "10.0.0.9");
	conf.numeric = true;
	style_begin(&page);
	smaller(1, NULL, 1500, 1500);
	probe(1, 0, NULL, 0, SKY_HOP_NOTHING);
	probe(1, 1, NULL, 0, SKY_HOP_NOTHING);
	refused(2, "10.0.0.1", 3, 13);
	refused(2, "10.0.0.1", 3, 13);
	end(SKY_SERIAL_STOPPED);
	is(" 1?: [LOCALHOST]                      pmtu 1500\n"
	    " 1:  no reply\n"
	    " 2:  10.0.0.1                                              1.000ms !H\n"
	    "     Resume: pmtu 1500 \n");
}

static void
tracepath_keeps_a_blank_behind_the_longest_name(void **state)
{
	begin(STYLE_TRACEPATH, "2001:db8::9");
	conf.both = true;
	style_begin(&page);
	smaller(1, NULL, 1500, 1500);
	probe(1, 0, "2001:db8:1111:2222:3333:4444:5555:6666", 10, SKY_HOP_EXCEEDED);
	end(SKY_SERIAL_HOPS);
	is(" 1?: [LOCALHOST]                        6.000ms pmtu 1500\n"
	    " 1:  2001:db8:1111:2222:3333:4444:5555:6666 (2001:db8:1111:2222:3333:4444:5555:6666)"
	    "  10.000ms \n"
	    "     Too many hops: pmtu 1500\n"
	    "     Resume: pmtu 1500 \n");
}

static void
the_book_begins_the_hop_again(void **state)
{
	begin(STYLE_BOOK, "10.0.0.9");
	style_begin(&page);
	smaller(1, NULL, 1500, 1500);
	probe(1, 0, "10.0.0.1", 15.4, SKY_HOP_EXCEEDED);
	probe(1, 1, "10.0.0.1", 6, SKY_HOP_EXCEEDED);
	smaller(2, "10.0.0.1", 0, 1492);
	smaller(2, "10.0.0.1", 572, 572);
	smaller(2, "10.0.0.1", 1500, 552);
	smaller(2, "10.0.0.1", 296, 296);
	probe(2, 0, "10.0.0.9", 0.377, SKY_HOP_REACHED);
	probe(2, 1, NULL, 0, SKY_HOP_NOTHING);
	end(SKY_SERIAL_REACHED);
	is("traceroute to host (10.0.0.9), 30 hops max\n"
	    "outgoing MTU = 1500\n"
	    "1 r1 (10.0.0.1) 15 ms 6 ms\n"
	    "2 r1 (10.0.0.1) 6 ms\n"
	    "fragmentation required and DF set, trying new MTU = 1492\n"
	    "fragmentation required and DF set, next hop MTU = 572 (MTU not in table!)\n"
	    "fragmentation required and DF set, next hop MTU = 1500, trying new MTU = 552\n"
	    "fragmentation required and DF set, next hop MTU = 296\n"
	    "2 10.0.0.9 (10.0.0.9) 0.377 ms *\n");
}

static void
the_book_says_its_size_even_where_the_interface_did_not(void **state)
{
	begin(STYLE_BOOK, "127.0.0.1");
	conf.len = 65000;
	conf.numeric = true;
	style_begin(&page);
	probe(1, 0, "127.0.0.1", 0.02, SKY_HOP_REACHED);
	end(SKY_SERIAL_REACHED);
	is("traceroute to host (127.0.0.1), 30 hops max\noutgoing MTU = 65000\n"
	    "1 127.0.0.1 0.020 ms\n");
}

static void
what_did_not_leave_is_told_by_this_host(void **state)
{
	struct sky_serial_event e;

	begin(STYLE_TRACEROUTE, "192.0.2.9");
	conf.numeric = true;
	style_begin(&page);
	e = event(1, 0, "", 3000, SKY_HOP_LOCAL);
	e.answer.err = EHOSTUNREACH;
	style_event(&page, &e, NULL);
	end(SKY_SERIAL_STOPPED);
	is("traceroute to host (192.0.2.9), 30 hops max, 60 byte packets\n"
	    " 1  192.0.2.1  3000.000 ms !H\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(traceroute_names_who_answers_once_and_again_when_it_changes),
		cmocka_unit_test(traceroute_shows_sizes_labels_and_the_way_back),
		cmocka_unit_test(traceroute_marks_every_error),
		cmocka_unit_test(tracepath_has_columns),
		cmocka_unit_test(tracepath_says_no_reply_once_and_stops_at_an_error),
		cmocka_unit_test(tracepath_keeps_a_blank_behind_the_longest_name),
		cmocka_unit_test(the_book_begins_the_hop_again),
		cmocka_unit_test(the_book_says_its_size_even_where_the_interface_did_not),
		cmocka_unit_test(what_did_not_leave_is_told_by_this_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
