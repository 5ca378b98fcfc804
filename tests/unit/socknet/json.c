/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of records, found where they lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "prog/socknet/json.h"

#include <string.h>

static const char record[] =
    " {\"type\":\"summary\", \"sent\" : 12,\"fates\":{\"refused\":2,\"too-big\":1},"
    "\"list\":[{\"dst\":\"fd01::2\"},{\"dst\":\"a\\\"b\"},[7,8]],\"no\":null,\"e\":{}} ";

static void
find(void **state)
{
	static const struct { const char *path, *text; } rows[] = {
		{ "type", "summary" }, { "sent", "12" }, { "fates.refused", "2" },
		{ "fates.too-big", "1" }, { "list.0.dst", "fd01::2" }, { "list.1.dst", "a\"b" },
		{ "list.2.1", "8" }, { "no", "null" }, { "e", "{}" },
		{ "fates.too", NULL }, { "list.3", NULL }, { "e.x", NULL }, { "sent.x", NULL },
		{ "list.x", NULL }, { "refused", NULL },
	};
	struct json j, found;
	char text[64];

	assert_true(json_of(&j, record, strlen(record)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is = json_find(&j, rows[i].path, &found);

		assert_int_equal(is, rows[i].text != NULL);
		if (is)
			assert_string_equal(json_text(&found, text, sizeof(text)), rows[i].text);
	}
	assert_true(json_find(&j, "sent", &found) && json_u64(&found) == 12);
}

static void
visit(void **state)
{
	struct json j, fates, name, value;
	char text[8];

	assert_true(json_of(&j, record, strlen(record)) && json_find(&j, "fates", &fates));
	assert_true(json_at(&fates, 1, &name, &value));
	assert_string_equal(json_text(&name, text, sizeof(text)), "too-big");
	assert_int_equal(json_u64(&value), 1);
	assert_false(json_at(&fates, 2, &name, &value));
	assert_string_equal(json_text(&name, text, 4), "too");
}

static void
not_json(void **state)
{
	static const char *const rows[] = {
		"", " ", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,", "\"a", "{} {}", "{a:1}",
		"{\"a\":1]", "a b", ":",
	};
	char deep[200];
	struct json j;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(json_of(&j, rows[i], strlen(rows[i])));
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_false(json_of(&j, deep, 200));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find), cmocka_unit_test(visit), cmocka_unit_test(not_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
