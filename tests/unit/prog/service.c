/* SPDX-License-Identifier: BSD-2-Clause */
/* What the small services say, against the words of their RFCs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "prog/sock/service.h"

#include <stdlib.h>
#include <string.h>

static const struct service *
named(const char *name)
{
	unsigned i;

	for (i = 0; service_at(i); i++)
		if (strcmp(service_at(i)->name, name) == 0)
			return service_at(i);
	return NULL;
}

static void
words_and_rows_are_in_one_order(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; service_words[i]; i++) {
		assert_non_null(service_at(i));
		assert_string_equal(service_words[i], service_at(i)->name);
	}
	assert_null(service_at(i));
}

/* The examples of RFC 868. */
static void
time_counts_from_1900(void **state)
{
	static const struct { time_t unix_time; uint32_t since; } rows[] = {
		{ 0, 2208988800u },			/* 1 Jan 1970 */
		{ 189302400, 2398291200u },		/* 1 Jan 1976 */
		{ 2085978496, 0 },	/* it wraps in 2036 */
	};
	unsigned char b[SERVICE_ONCE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(named("time")->answer(b, rows[i].unix_time, 1), 4);
		assert_int_equal((uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3],
		    rows[i].since);
	}
}

static void
daytime_is_the_line_of_ctime(void **state)
{
	unsigned char b[SERVICE_ONCE];
	size_t len;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	len = named("daytime")->answer(b, 1063284240, 1);	/* of the sources */
	assert_int_equal(len, 26);
	assert_memory_equal(b, "Thu Sep 11 12:44:00 2003\r\n", 26);
	len = named("daytime")->answer(b, 1, 1);
	assert_memory_equal(b, "Thu Jan  1 00:00:01 1970\r\n", len);
}

static void
text_is_lines_of_72_each_one_further(void **state)
{
	unsigned char all[95 * 74 * 2], part[100];
	unsigned line, at;

	(void)state;
	service_text(all, sizeof(all), 0);
	assert_memory_equal(all, " !\"#$%&'()*+,-./0123456789", 26);
	for (line = 0; line < 190; line++) {
		assert_int_equal(all[line * 74], ' ' + line % 95);
		assert_int_equal(all[line * 74 + 71], ' ' + (line + 71) % 95);
		assert_memory_equal(all + line * 74 + 72, "\r\n", 2);
	}
	for (at = 0; at < 95 * 74; at += 37) {		/* in pieces it is the same */
		service_text(part, sizeof(part), at);
		assert_memory_equal(part, all + at, sizeof(part));
		service_text(part, 7, at + (uint64_t)95 * 74 * 1000000);
		assert_memory_equal(part, all + at, 7);
	}
}

static void
chargen_has_0_to_512(void **state)
{
	unsigned char b[SERVICE_ONCE];
	bool none = false, all = false;
	uint32_t chance;
	size_t len;

	(void)state;
	for (chance = 0; chance < 100000; chance += 1) {
		len = named("chargen")->answer(b, 0, chance);
		assert_true(len <= 512);
		none |= len == 0;
		all |= len == 512;
	}
	assert_true(none && all);
}

static void
services_do_not_answer_each_other(void **state)
{
	(void)state;
	assert_true(service_answers_all(7));
	assert_true(service_answers_all(13));
	assert_true(service_answers_all(17));
	assert_true(service_answers_all(19));
	assert_true(service_answers_all(37));
	assert_false(service_answers_all(9));
	assert_false(service_answers_all(53));
	assert_false(service_answers_all(40000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_rows_are_in_one_order),
		cmocka_unit_test(time_counts_from_1900),
		cmocka_unit_test(daytime_is_the_line_of_ctime),
		cmocka_unit_test(text_is_lines_of_72_each_one_further),
		cmocka_unit_test(chargen_has_0_to_512),
		cmocka_unit_test(services_do_not_answer_each_other),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
