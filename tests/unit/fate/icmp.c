/* SPDX-License-Identifier: BSD-2-Clause */
/* The ICMP table against what was measured (the file oracle). */
#include <errno.h>
#include <setjmp.h>
#include <sockeye/fate.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct measured {
	unsigned family, type, code, last;
	char connected[16], queue[16], word[24];
};

static int
number(const char *name)
{
	static const struct {
		const char *name;
		int err;
	} names[] = {
		{ "-", 0 }, { "ENETUNREACH", ENETUNREACH }, { "EHOSTUNREACH", EHOSTUNREACH },
		{ "ENOPROTOOPT", ENOPROTOOPT }, { "ECONNREFUSED", ECONNREFUSED },
		{ "EMSGSIZE", EMSGSIZE }, { "EOPNOTSUPP", EOPNOTSUPP },
		{ "EHOSTDOWN", EHOSTDOWN }, { "ENONET", ENONET }, { "EPROTO", EPROTO },
		{ "EACCES", EACCES },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].err;
	fail_msg("oracle: unknown errno %s", name);
	return -1;
}

static bool
read_line(const char *line, struct measured *m)
{
	int n = sscanf(line, "%u %u %u-%u %15s %15s %23s", &m->family, &m->type, &m->code,
	    &m->last, m->connected, m->queue, m->word);

	if (n == 3) {
		m->last = m->code;
		n = sscanf(line, "%*u %*u %*u %15s %15s %23s", m->connected, m->queue, m->word) + 4;
	}
	return n == 7;
}

static void
check(const struct measured *m)
{
	int family = m->family == 4 ? AF_INET : AF_INET6;

	for (unsigned code = m->code; code <= m->last; code++) {
		const struct sky_icmp_row *row = sky_icmp_find(family, (uint8_t)m->type,
		    (uint8_t)code);

		assert_non_null(row);
		assert_string_equal(sky_fate_word(row->what), m->word);
		assert_int_equal(row->err_connected, number(m->connected));
		assert_int_equal(row->err_queue, number(m->queue));
	}
}

static void
the_table_is_what_was_measured(void **unused)
{
	const char *src = getenv("SOCKEYE_SRC");
	struct measured m;
	char line[256];
	int lines = 0;
	FILE *f;

	snprintf(line, sizeof line, "%s/tests/unit/fate/oracle", src ? src : ".");
	f = fopen(line, "r");
	if (!f)
		fail_msg("cannot open %s: set SOCKEYE_SRC", line);
	while (fgets(line, sizeof line, f)) {
		if (line[0] == '#')
			continue;
		assert_true(read_line(line, &m));
		check(&m);
		lines++;
	}
	fclose(f);
	assert_int_equal(lines, 38);
}

static void
messages_that_are_no_errors_have_no_row(void **unused)
{
	static const uint8_t not4[] = { 0, 1, 2, 5, 8, 9, 10, 13, 14, 17, 30, 255 };

	for (size_t i = 0; i < sizeof not4; i++)
		assert_null(sky_icmp_find(AF_INET, not4[i], 0));
	assert_null(sky_icmp_find(AF_INET, 4, 1));
	for (unsigned type = 128; type < 256; type++)
		assert_null(sky_icmp_find(AF_INET6, (uint8_t)type, 0));
	assert_null(sky_icmp_find(AF_UNIX, 3, 3));
}

/* No type and code belongs to two rows, and a row is found by all its codes. */
static void
rows_do_not_overlap(void **unused)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const struct sky_icmp_row *a, *b;

	for (size_t f = 0; f < 2; f++)
		for (size_t i = 0; (a = sky_icmp_row(families[f], i)); i++) {
			assert_true(a->type <= a->type_last && a->code <= a->code_last);
			for (size_t j = 0; j < i; j++) {
				b = sky_icmp_row(families[f], j);
				assert_true(a->type > b->type_last || a->type_last < b->type ||
				    a->code > b->code_last || a->code_last < b->code);
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_what_was_measured),
		cmocka_unit_test(messages_that_are_no_errors_have_no_row),
		cmocka_unit_test(rows_do_not_overlap),
	};

	return cmocka_run_group_tests_name("icmp", tests, NULL, NULL);
}
