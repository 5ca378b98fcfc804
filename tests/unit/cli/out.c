/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer: JSON of any content is valid, lines for people are as documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/out.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *text, *json;
static size_t text_len, json_len;

/* An out that writes to memory. */
static void
open_memory(struct out *o)
{
	FILE *t = open_memstream(&text, &text_len);

	assert_int_equal(out_open(o, t, "/dev/null"), 0);
	fclose(o->json);
	o->json = open_memstream(&json, &json_len);
	assert_non_null(o->json);
}

static void
close_memory(struct out *o)
{
	FILE *t = o->text;

	assert_int_equal(out_close(o), 0);
	fclose(t);
}

static void
forget(void)
{
	free(text);
	free(json);
}

static void
strings(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "plain", "plain" }, { "a\"b\\c", "a\\\"b\\\\c" },
		{ "\n\t\001\177", "\\u000a\\u0009\\u0001\\u007f" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x82\xac \xf0\x9f\x90\x9f", "\xe2\x82\xac \xf0\x9f\x90\x9f" },
		{ "\xff", "\\u00ff" }, { "\xc3", "\\u00c3" }, { "\xc3(", "\\u00c3(" },
		{ "\xc0\xaf", "\\u00c0\\u00af" },		/* overlong */
		{ "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080" },	/* surrogate */
		{ "\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080" },
		{ "\xe2\x82", "\\u00e2\\u0082" },
	};
	char want[256];
	struct out o;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_memory(&o);
		out_begin(&o, "t", 1);
		out_str(&o, "s", rows[i].in);
		out_end(&o);
		close_memory(&o);
		snprintf(want, sizeof(want),
		    "{\"v\":1,\"type\":\"t\",\"time\":\"0.000000001\",\"s\":\"%s\"}\n", rows[i].out);
		assert_string_equal(json, want);
		forget();
	}
}

static void
shapes(void **state)
{
	struct out o;

	open_memory(&o);
	out_begin(&o, "t", UINT64_C(1763757600123456789));
	out_u64(&o, "u", UINT64_MAX);
	out_i64(&o, "i", -5);
	out_bool(&o, "b", true);
	out_open_object(&o, "o");
	out_close_object(&o);
	out_open_array(&o, "a");
	out_open_object(&o, NULL);
	out_u64(&o, "x", 1);
	out_close_object(&o);
	out_open_object(&o, NULL);
	out_close_object(&o);
	out_close_array(&o);
	out_str(&o, "last", "");
	out_end(&o);
	close_memory(&o);
	assert_string_equal(json, "{\"v\":1,\"type\":\"t\",\"time\":\"1763757600.123456789\","
	    "\"u\":18446744073709551615,\"i\":-5,\"b\":true,\"o\":{},"
	    "\"a\":[{\"x\":1},{}],\"last\":\"\"}\n");
	forget();
}

static void
long_lines(void **state)
{
	char *big = malloc(100001);
	struct out o;

	memset(big, '"', 100000);
	big[100000] = '\0';
	open_memory(&o);
	out_begin(&o, "t", 0);
	out_str(&o, "s", big);
	out_end(&o);
	close_memory(&o);
	assert_int_equal(json_len, strlen("{'v':1,'type':'t','time':'0.000000000','s':''}\n") + 200000);
	forget();
	free(big);
}

static void
make_fate(struct sky_fate *f)
{
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	f->what = SKY_REFUSED;
	f->evidence = SKY_BY_QUEUE;
	f->trust = SKY_TRUST_MATCHED;
	f->origin = SKY_ORIGIN_ICMP;
	f->proto = IPPROTO_UDP;
	f->icmp_type = 3;
	f->icmp_code = 3;
	f->err = 111;
	f->have = SKY_HAVE_ICMP | SKY_HAVE_DST | SKY_HAVE_BY | SKY_HAVE_TIME;
	f->time_ns = UINT64_C(1763757600123456789);
	assert_int_equal(sky_addr_parse(&f->dst, "140.252.13.35:9"), 0);
	assert_int_equal(sky_addr_parse(&f->by, "140.252.13.35"), 0);
}

static void
a_fate(void **state)
{
	struct sky_fate f;
	struct out o;

	setenv("TZ", "UTC", 1);
	tzset();
	make_fate(&f);
	open_memory(&o);
	out_fate(&o, &f);
	out_fate_line(&o, &f);
	close_memory(&o);
	assert_string_equal(json, "{\"v\":1,\"type\":\"fate\",\"time\":\"1763757600.123456789\","
	    "\"fate\":\"refused\",\"proto\":\"udp\",\"dst\":\"140.252.13.35\",\"dport\":9,"
	    "\"by\":\"140.252.13.35\",\"icmp_type\":3,\"icmp_code\":3,\"evidence\":\"queue\","
	    "\"trust\":\"matched\",\"count\":1,\"errno\":\"ECONNREFUSED\"}\n");
	assert_string_equal(text, "20:40:00.123 to 140.252.13.35.9: "
	    "refused, port unreachable, says 140.252.13.35\n");
	forget();
}

static void
ends_and_times(void **state)
{
	static const struct { uint64_t ns; const char *text; } rows[] = {
		{ 0, "0 ns" }, { 999, "999 ns" }, { 1234, "1.23 us" }, { 12345, "12.3 us" },
		{ 123456, "123 us" }, { 1234000, "1.23 ms" }, { UINT64_C(3100000000), "3.10 s" },
	};
	char buf[SKY_ADDRSTRLEN];
	struct sky_addr a;
	size_t i;

	sky_addr_parse(&a, "140.252.13.35:9");
	assert_string_equal(out_end_point(&a, buf, sizeof(buf)), "140.252.13.35.9");
	sky_addr_parse(&a, "[2001:db8::1]:9");
	assert_string_equal(out_end_point(&a, buf, sizeof(buf)), "[2001:db8::1]:9");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(out_duration(rows[i].ns, buf, sizeof(buf)), rows[i].text);
}

static void
targets(void **state)
{
	struct out o;
	char byte[8];
	int fds[2];
	char name[16];

	assert_true(out_open(&o, NULL, "/no/such/folder/x") < 0);
	assert_int_equal(pipe(fds), 0);
	snprintf(name, sizeof(name), "%d", fds[1]);
	assert_int_equal(out_open(&o, NULL, name), 0);
	out_begin(&o, "t", 0);
	out_end(&o);
	assert_int_equal(read(fds[0], byte, 4), 4);	/* flushed already */
	assert_memory_equal(byte, "{\"v\"", 4);
	assert_int_equal(out_close(&o), 0);
	assert_int_equal(out_open(&o, NULL, NULL), 0);
	out_begin(&o, "t", 0);	/* no target: nothing happens */
	out_str(&o, "a", "b");
	out_end(&o);
	assert_int_equal(out_close(&o), 0);
	assert_int_equal(out_open(&o, NULL, "/dev/full"), 0);
	out_begin(&o, "t", 0);
	out_end(&o);
	assert_true(out_close(&o) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(shapes),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(a_fate),
		cmocka_unit_test(ends_and_times),
		cmocka_unit_test(targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
