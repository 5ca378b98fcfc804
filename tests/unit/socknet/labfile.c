/* SPDX-License-Identifier: BSD-2-Clause */
/* Lab files: what a good one becomes, and where a bad one is blamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "prog/socknet/labfile.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char error[LEX_ERROR];

static struct lab *
parse(const char *text)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	error[0] = 0;
	if (labfile_parse(lab, "x.lab", text, strlen(text), error) == 0)
		return lab;
	labfile_release(lab);
	free(lab);
	return NULL;
}

static void
drop(struct lab *lab)
{
	labfile_release(lab);
	free(lab);
}

#define ROUTED "host a\nrouter r\nlink a r 10.0.0.1/24 10.0.0.2/24\n"
#define TWO "host a b\nlink a b 10.0.0.1/24 10.0.0.2/24\n"

static void
links(void **state)
{
	struct lab *lab = parse("lab \"two words\"\nhost a b c\n"
	    "link a b 10.0.0.1/24 10.0.0.2/24 fd00::1/64 fd00::2/64 mtu 1400 1300\n"
	    "link c b\nlink b a mtu 9000\n");
	const struct lab_link *l;
	uint8_t want[16];

	assert_non_null(lab);
	assert_string_equal(lab->title, "two words");
	assert_int_equal(lab->hosts, 3);
	assert_int_equal(lab->links, 3);
	l = &lab->link[0];
	assert_int_equal(l->addrs, 2);
	assert_int_equal(l->end[0].mtu, 1400);
	assert_int_equal(l->end[1].mtu, 1300);
	assert_string_equal(l->end[0].ifname, "b");
	assert_string_equal(l->end[1].ifname, "a");
	inet_pton(AF_INET6, "fd00::2", want);
	assert_int_equal(l->end[1].addr[1].family, AF_INET6);
	assert_memory_equal(l->end[1].addr[1].bytes, want, 16);
	assert_int_equal(l->end[1].addr[1].plen, 64);
	assert_int_equal(lab->link[1].addrs, 0);
	assert_int_equal(lab->link[1].end[0].mtu, 1500);
	assert_string_equal(lab->link[2].end[0].ifname, "a_2");
	assert_string_equal(lab->link[2].end[1].ifname, "b_2");
	drop(lab);
}

static void
words(void **state)
{
	struct lab *lab = parse(TWO "run a as p \"status\" 'a  \"b' x\\\"y c\"#no \\\n"
	    "\tmore \"\\\\\\\"\\t\" '' # a comment\n");
	static const char *const want[] = { "status", "a  \"b", "x\\y c#no", "more", "\\\"\t", "" };

	/* A quote within a word joins it; a backslash outside quotes is itself. */
	assert_non_null(lab);
	assert_int_equal(lab->steps, 1);
	assert_int_equal(lab->step[0].args.argc, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_string_equal(lab->step[0].args.argv[i], want[i]);
	assert_null(lab->step[0].args.argv[6]);
	assert_false(lab->step[0].has_status);
	drop(lab);
}

static void
steps(void **state)
{
	struct lab *lab = parse(TWO
	    "filter b input as f drop\n"
	    "server b as s ready udp 7 within 1.5s cat\n"
	    "run a as p root status 3 within 200ms true x\n"
	    "expect p json fate=refused by.0=b count>=2 within 3s\n"
	    "expect p line '/a b/'\nexpect p stdout '/x y/' count=0\n"
	    "expect capture a icmp about=b:7 dir=in\n"
	    "expect filter b f packets=1\nwitness p\nsignal s TERM\n");
	const struct lab_step *s;

	assert_non_null(lab);
	s = lab->step;
	assert_int_equal(s[0].verb, LAB_SERVER);
	assert_int_equal(s[0].ready, LAB_READY_UDP);
	assert_int_equal(s[0].port, 7);
	assert_true(s[0].within_ns == 1500000000u);
	assert_true(s[1].root && s[1].has_status && s[1].status == 3);
	assert_true(s[1].within_ns == 200000000u);
	assert_int_equal(s[2].expect.compare, LAB_AT_LEAST);
	assert_int_equal(s[2].expect.count, 2);
	assert_int_equal(s[2].expect.fields, 2);
	assert_string_equal(s[2].expect.field[1].key, "by.0");
	assert_string_equal(s[2].expect.field[1].value, "b");
	assert_true(s[2].within_ns == 3000000000u);
	assert_true(s[3].expect.regex);
	assert_string_equal(s[3].expect.text, "a b");
	assert_int_equal(s[4].expect.compare, LAB_EQ);
	assert_string_equal(s[5].expect.text, "icmp");
	assert_string_equal(s[5].text, "expect capture a icmp about=b:7 dir=in");
	/* The status, five expect lines and the witness. */
	assert_int_equal(lab->expects, 7);
	assert_true(lab->host[1].captured);
	drop(lab);
}

static void
routes(void **state)
{
	struct lab *lab = parse(TWO "route a default via fd00::1\nroute a default via 10.0.0.2\n"
	    "route a blackhole fd09::/16\nroute b unreachable default\n");

	assert_non_null(lab);
	assert_int_equal(lab->route[0].family, AF_INET6);
	assert_int_equal(lab->route[1].family, AF_INET);
	assert_int_equal(lab->route[2].family, AF_INET6);
	assert_string_equal(lab->route[2].args.argv[0], "blackhole");
	assert_int_equal(lab->route[3].family, AF_INET);
	drop(lab);
}

static void
routers(void **state)
{
	struct lab *lab = parse("router r\nhost a b\n"
	    "link a r 10.0.0.1/24 10.0.0.2/24 fd00::1/64 fd00::2/64 mtu 1500 1280\n"
	    "link r b 10.1.0.1/24 10.1.0.2/24\nroute r default via 10.0.0.1 via 10.1.0.2\n"
	    "route r prohibit fd09::/16\nrouter r balance packet answer rate 20/s burst 3\n"
	    "router r toward b delay 10ms loss 2.5% reorder 1% by 3ms corrupt 1% mended rate 64k\n"
	    "router r quote 8 mpls 16 17 ttl 9 drop-first 3\nrouter r toward a too-big lie 60 mru 900\n");
	const struct rt_conf *c;

	assert_non_null(lab);
	assert_int_equal(lab->routers, 1);
	c = lab->router[0].conf;
	assert_int_equal(c->ifaces, 2);
	assert_string_equal(c->iface[0].name, "a");
	assert_int_equal(c->iface[0].mtu, 1280);
	assert_int_equal(c->iface[0].addrs, 2);
	assert_int_equal(c->iface[0].toobig, RT_TOOBIG_LIE);
	assert_int_equal(c->iface[0].lie_mtu, 60);
	assert_int_equal(c->iface[0].mru, 900);
	assert_int_equal(c->iface[1].mru, 0);
	assert_int_equal(c->routes, 2);
	assert_int_equal(c->route[0].hops, 2);
	assert_int_equal(c->route[0].hop[1].iface, 1);
	assert_int_equal(c->route[0].balance, RT_BALANCE_PACKET);
	assert_int_equal(c->route[1].kind, RT_PROHIBIT);
	assert_int_equal(c->route[1].net.len, 16);
	assert_int_equal(c->manners.limit, RT_LIMIT_BUCKET);
	assert_int_equal(c->manners.limit_burst, 3);
	assert_int_equal(c->manners.limit_ns, 50000000);
	assert_int_equal(c->iface[0].harm.delay_ns, 0);
	assert_int_equal(c->iface[1].harm.delay_ns, 10000000);
	assert_int_equal(c->iface[1].harm.loss, 25000);
	assert_int_equal(c->iface[1].harm.reorder_ns, 3000000);
	assert_true(c->iface[1].harm.mend_sums);
	assert_int_equal(c->iface[1].harm.rate_bps, 64000);
	assert_int_equal(c->iface[0].harm.drop_first, 3);
	assert_int_equal(c->manners.quote6, 8);
	assert_int_equal(c->manners.labels, 2);
	assert_int_equal(c->manners.label[1], 17 << 12 | 1);
	drop(lab);
}

static void
packets_in_order(void **state)
{
	struct lab *lab = parse(TWO "expect packets a within 3s {\n"
	    "\tout udp src=a:$p dst=b:7\n\tin udp dst=a:$p after=0.5s\302\26120%\n"
	    "\tin icmp after=1ms..2ms\n}\nexpect fragments b 272@0+ 8@272 count=2\n");
	const struct lab_expect *x;

	assert_non_null(lab);
	assert_int_equal(lab->steps, 2);
	x = &lab->step[0].expect;
	assert_int_equal(x->patterns, 3);
	assert_true(x->pattern[0].out && !x->pattern[0].timed);
	assert_int_equal(x->pattern[1].after_min, 400000000);
	assert_int_equal(x->pattern[1].after_max, 600000000);
	assert_int_equal(x->pattern[2].after_max, 2000000);
	assert_string_equal(lab->step[1].expect.text, "272@0+ 8@272");
	assert_int_equal(lab->step[1].expect.count, 2);
	drop(lab);
}

/* Where the fault is, and a part of what is said. */
static const struct {
	const char *text, *where, *says;
} faults[] = {
	{ "", "1:1:", "a lab without hosts" },
	{ "hots a\n", "1:1:", "'hots': not a verb" },
	{ "\n\n  link a b\n", "3:8:", "'a': no such host" },
	{ "host a\nlink a\n", "2:7:", "end of line (expected a host)" },
	{ "host a a\n", "1:8:", "exists already" },
	{ "host 1a\n", "1:6:", "not a name for a host" },
	{ "host lo\n", "1:6:", "not a name for a host" },
	{ "host abcdefghijklmn\n", "1:6:", "at most 13" },
	{ "host a b\nlink a a\n", "2:8:", "the same host twice" },
	{ "host a b\nlink a b 10.0.0.1 10.0.0.2/24\n", "2:10:", "prefix length" },
	{ "host a b\nlink a b 10.0.0.1/33 10.0.0.2/33\n", "2:10:", "/1 to /32" },
	{ "host a b\nlink a b 10.0.0.1/24\n", "2:21:", "expected the address of the other end" },
	{ "host a b\nlink a b 10.0.0.1/24 10.0.1.2/24\n", "2:22:", "not on the network" },
	{ "host a b\nlink a b 10.0.0.1/24 fd00::1/64\n", "2:22:", "not on the network" },
	{ "host a b\nlink a b mtu 67\n", "2:14:", "'67': out of range" },
	{ "host a b\nlink a b mtu x\n", "2:14:", "expected an MTU" },
	{ "host a b\nlink a b 10.0.0.1/24 10.0.0.1/24\n", "2:1:", "given before" },
	{ TWO "link a b 10.0.0.3/24 10.0.0.4/24\n", "3:1:", "in this network by line 2" },
	{ TWO "host c\nlink a c 10.1.0.1/24 10.1.0.2/24\nlink b c 10.1.0.3/16 10.1.0.4/16\n",
	  "5:1:", "in this network by line 4" },
	{ TWO "route a 10.0.0.0/8 through 10.0.0.2\n", "3:20:", "expected via ADDRESS" },
	{ TWO "route a 10.0.0.0/8 via fd00::1\n", "3:24:", "the other address family" },
	{ TWO "route c default\n", "3:7:", "'c': no such host" },
	{ TWO "sysctl a kernel.hostname=x\n", "3:10:", "not a setting of a network" },
	{ TWO "sysctl a net.../../x=1\n", "3:10:", "not a setting of a network" },
	{ TWO "filter a somewhere drop\n", "3:10:", "not a place to filter" },
	{ TWO "filter a input\n", "3:15:", "expected a rule" },
	{ TWO "run a true\nhost c\n", "4:1:", "comes too late" },
	{ TWO "run a\n", "3:6:", "expected a command" },
	{ TWO "run a status 256 true\n", "3:14:", "out of range" },
	{ TWO "run a within 601s true\n", "3:14:", "expected a time" },
	{ TWO "run a within -1 true\n", "3:14:", "not a time" },
	{ TWO "server a true\n", "3:10:", "nobody can wait for" },
	{ TWO "server a ready udp 0 true\n", "3:20:", "a port, 1 to 65535" },
	{ TWO "server a ready udp 65536 true\n", "3:20:", "a port, 1 to 65535" },
	{ TWO "server a ready soon true\n", "3:16:", "not a kind of readiness" },
	{ TWO "run a as p true\nrun a as p true\n", "4:10:", "this name is taken" },
	{ TWO "wait p\n", "3:6:", "no such program" },
	{ TWO "run a as p true\nsignal p NOW\n", "4:10:", "not a signal" },
	{ TWO "run a as p true\nexpect p smell x\n", "4:10:", "nothing that can be expected" },
	{ TWO "run a as p true\nexpect p line /(/\n", "4:15:", "not a regular expression" },
	{ TWO "run a as p true\nexpect p line /a{9}/\n", "4:15:", "not a regular expression" },
	{ TWO "run a as p true\nexpect p line /a b/\n", "4:15:", "quotes around one" },
	{ TWO "run a as p true\nexpect p json fate\n", "4:15:", "expected NAME=VALUE" },
	{ TWO "run a as p true\nexpect p json a=b count=x\n", "4:19:", "not a count" },
	{ TWO "expect capture a smoke\n", "3:18:", "not a kind of packet" },
	{ TWO "expect capture a udp colour=red\n", "3:1:", "no such condition" },
	{ TWO "expect filter a f packets=1\n", "3:1:", "no such filter" },
	{ TWO "note \"no end\n", "3:6:", "a quote that does not end" },
	{ TWO "run a echo $x\n", "3:12:", "kept for variables" },
	{ TWO "forward a extra\n", "3:11:", "no such host" },
	{ TWO "run a as p true\neof p now\n", "4:7:", "expected the end of the line" },
	{ "host a b\nlink a b rate 9600\n", "2:10:", "a router between the two hosts" },
	{ "router r\nhost b\n", "1:1:", "a router without links" },
	{ ROUTED "router r smile\n", "4:10:", "nothing that a router does" },
	{ ROUTED "router r toward c delay 1ms\n", "4:17:", "no link of this router" },
	{ ROUTED "router r toward a quench\n", "4:19:", "is of the whole router" },
	{ ROUTED "router r delay\n", "4:15:", "expected a time" },
	{ ROUTED "router r loss 5\n", "4:15:", "expected a share" },
	{ ROUTED "router r loss 101%\n", "4:15:", "not such a share" },
	{ ROUTED "router r rate fast\n", "4:15:", "bits per second" },
	{ ROUTED "router r reorder 5% 3ms\n", "4:21:", "by TIME" },
	{ ROUTED "router r mpls 1 2 3 4 5\n", "4:23:", "too many labels" },
	{ ROUTED "router r answer\n", "4:16:", "expected silent, kernel" },
	{ ROUTED "router r too-big maybe\n", "4:18:", "expected tell, old" },
	{ ROUTED "router r quote 7\n", "4:16:", "out of range" },
	{ "router r\nhost a\nrouter r delay 1ms\n", "3:10:", "no links yet" },
	{ ROUTED "router a\n", "4:8:", "exists already" },
	{ ROUTED "route r default via 10.9.0.1\n", "4:21:", "not on a link of this router" },
	{ ROUTED "route r default\n", "4:16:", "expected via ADDRESS" },
	{ ROUTED "forward r\n", "4:9:", "forwards anyway" },
	{ ROUTED "sysctl r net.ipv4.ip_forward=1\n", "4:1:", "a router has no kernel" },
	{ ROUTED "expect capture r udp\n", "4:16:", "keeps a ledger" },
	{ ROUTED "expect router a did=ttl\n", "4:15:", "is not a router" },
	{ ROUTED "expect router r did=sleep\n", "4:1:", "nothing that a router does" },
	{ ROUTED "expect router r mood=bad\n", "4:1:", "no such condition" },
	{ "host a b\nlan x a 10.0.0.1/24 b 10.0.1.1/24\n", "2:23:", "not on the network" },
	{ "host a b\nlan a b\n", "2:5:", "exists already" },
	{ "host a b\nlan x a b\nrun x true\n", "3:5:", "is a lan" },
	{ TWO "expect packets a\n", "3:17:", "expected {" },
	{ TWO "expect packets a {\nin udp\n", "3:1:", "a block that does not end" },
	{ TWO "expect packets a {\n}\n", "3:1:", "an empty block" },
	{ TWO "expect packets a {\nudp\n}\n", "4:1:", "expected in or out" },
	{ TWO "expect packets a {\nin udp after=fast\n}\n", "4:8:", "not such a time" },
	{ TWO "expect packets a {\nin udp after=2s..1s\n}\n", "4:8:", "not such a time" },
	{ TWO "expect packets a {\nin udp count=2\n}\n", "4:8:", "a line is one packet" },
	{ TWO "expect fragments a 12\n", "3:20:", "the pieces of one packet" },
	{ "needs root\n", "1:11:", "expected why" },
	{ TWO "pause\n", "3:6:", "expected a time" },
	{ TWO "book 11.5\n", "3:10:", "expected the figures" },
	{ TWO "include x\n", "3:9:", "no such file" },
};

static void
blame(void **state)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct lab *lab = parse(faults[i].text);

		if (lab || strncmp(error, faults[i].where, strlen(faults[i].where)) ||
		    !strstr(error, faults[i].says))
			fail_msg("%s gave: %s, wanted: %s %s", faults[i].text,
			    lab ? "a lab" : error, faults[i].where, faults[i].says);
		assert_null(strchr(error, '\n'));
	}
}

static void
bounds(void **state)
{
	char text[8000] = "host";
	size_t n = strlen(text);
	struct lab *lab;

	for (unsigned i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s h%u", i % 100 ? "" : "\nhost", i);
	memmove(text, text + 5, n - 4);
	assert_null(parse(text));
	assert_non_null(strstr(error, "at most 256"));
	n = 0;
	for (unsigned i = 0; i < 200; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "w ");
	assert_null(parse(text));
	assert_non_null(strstr(error, "at most 128 on a line"));
	lab = calloc(1, sizeof(*lab));
	assert_non_null(lab);
	assert_int_equal(labfile_parse(lab, "x", "host a\n\0", 8, error), -1);
	assert_non_null(strstr(error, "a NUL byte"));
	drop(lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links), cmocka_unit_test(words), cmocka_unit_test(steps),
		cmocka_unit_test(routes), cmocka_unit_test(routers),
		cmocka_unit_test(packets_in_order), cmocka_unit_test(blame), cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
