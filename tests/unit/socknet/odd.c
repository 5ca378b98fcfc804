/* SPDX-License-Identifier: BSD-2-Clause */
/* Odd hosts in lab files: how they are split, and where a bad line is blamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "prog/socknet/labfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NET "host a b\nrouter r\nlink a b 10.0.0.1/24 10.0.0.2/24 fd00::1/64 fd00::2/64 mtu 600\n" \
	"link a r 10.0.1.1/24 10.0.1.2/24\n"

static char error[LEX_ERROR];
static struct lab lab;

static bool
parse(const char *more)
{
	char text[2000];

	snprintf(text, sizeof(text), "%s%s\n", NET, more);
	error[0] = 0;
	return labfile_parse(&lab, "x.lab", text, strlen(text), error) == 0;
}

static void
its_wires_end_at_its_lower_half(void **state)
{
	const struct lab_link *inner;
	const struct lab_router *r;

	assert_true(parse("odd a solaris"));
	assert_int_equal(lab.hosts, 4);
	assert_string_equal(lab.host[3].name, "a~");
	assert_int_equal(lab.host[3].half_of, 1 + 0);
	assert_int_equal(lab.links, 4);
	assert_int_equal(lab.link[0].end[0].host, 3);
	assert_int_equal(lab.link[0].end[1].host, 1);
	assert_string_equal(lab.link[0].end[0].ifname, "b");
	inner = &lab.link[2];
	assert_true(inner->inner);
	assert_int_equal(inner->end[0].host, 0);
	assert_int_equal(inner->end[1].host, 3);
	assert_string_equal(inner->end[0].ifname, "b");
	assert_string_equal(inner->end[0].addr[0].text, "10.0.0.1/24");
	assert_int_equal(inner->end[0].mtu, 65535);
	r = &lab.router[lab.host[0].odd - 1];
	assert_int_equal(r->host, 3);
	assert_int_equal(r->odd->wires, 2);
	assert_int_equal(r->odd->wire[0].mtu, 600);
	assert_memory_equal(r->odd->wire[1].addr[0], "\x0a\0\1\1", 4);
	assert_int_equal(r->odd->manners.guess, 576);
	assert_int_equal(lab.sysctls, 1);
	assert_string_equal(lab.sysctl[0].key, "net.ipv6.conf.b.mtu");
	assert_string_equal(lab.sysctl[0].value, "1280");
	labfile_release(&lab);
	(void)state;
}

static void
ways_replace_those_of_the_kind(void **state)
{
	const struct odd_manners *m;

	assert_true(parse("odd a solaris timer 3s guess 1006 learns 1 id 7\n"
	    "odd b plain arp-flood 10 most 20 arp-late 5ms copy-df"));
	m = &lab.router[lab.host[0].odd - 1].odd->manners;
	assert_int_equal(m->df, ODD_DF_DISCOVER);
	assert_int_equal(m->timer, 3000000000u);
	assert_int_equal(m->guess, 1006);
	assert_int_equal(m->learns, 1);
	assert_int_equal(m->id, 7);
	m = &lab.router[lab.host[1].odd - 1].odd->manners;
	assert_int_equal(m->arp_flood, 10);
	assert_int_equal(m->arp_most, 20);
	assert_int_equal(m->arp_late, 5000000);
	assert_true(m->copy_df);
	assert_int_equal(lab.link[3].end[0].mtu, 600);
	labfile_release(&lab);
	(void)state;
}

static void
bad_lines_are_blamed(void **state)
{
	static const struct {
		const char *text, *blame;
	} rows[] = {
		{ "odd x solaris", "5:5: 'x': no such host" },
		{ "odd r plain", "5:5: 'r': is a router" },
		{ "odd a", "5:6: end of line (expected plain, echo, solaris" },
		{ "odd a hal", "5:7: 'hal': not understood" },
		{ "odd a plain frob", "5:13: 'frob': not a way to be odd" },
		{ "odd a solaris timer", "5:20: end of line (expected a time" },
		{ "odd a solaris guess 67", "5:21: '67': out of range" },
		{ "odd a plain df maybe", "5:16: 'maybe': not understood" },
		{ "odd a plain arp-each", "5:1: 'a': its kernel sends" },
		{ "odd a bsdi guess 576", "5:1: 'a': it discovers no path MTU" },
		{ "odd a plain arp-flood 5", "5:24: end of line (expected most N" },
		{ "odd a plain\nodd a echo", "6:5: 'a': is odd already" },
		{ "odd a plain\nforward a", "1:1: 'a': an odd host forwards nothing" },
		{ "host c\nodd c plain", "5:1: 'c': an odd host without links" },
		{ "expect odd a did=forwarded", "5:12: 'a': is not a router" },
		{ "odd a plain\nexpect odd a~ did=forwarded", "6:12: 'a~': no such host" },
		{ "note x\nodd a plain", "6:1: 'odd': comes too late" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(parse(rows[i].text));
		if (strncmp(error, rows[i].blame, strlen(rows[i].blame)))
			print_message("'%s': %s\n", rows[i].text, error);
		assert_memory_equal(error, rows[i].blame, strlen(rows[i].blame));
		labfile_release(&lab);
	}
	(void)state;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_wires_end_at_its_lower_half),
		cmocka_unit_test(ways_replace_those_of_the_kind),
		cmocka_unit_test(bad_lines_are_blamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
