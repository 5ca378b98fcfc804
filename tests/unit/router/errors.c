/* SPDX-License-Identifier: BSD-2-Clause */
/* errors.c - what a router's errors say, from whom, how much, how often. */
#include "bed.h"

#include <string.h>

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* A router that answers TTL 1, and the ICMP header of its answer. */
static const uint8_t *
last_hop(struct bed *b, bool v6, uint16_t payload)
{
	struct spec s = v6 ? to_b6() : to_b();

	s.ttl = 1;
	s.payload = payload;
	return error_about(b, &s);
}

static size_t
icmp_len(const struct bed *b, bool v6)
{
	return b->out.len - 14 - (v6 ? 40 : 20);
}

/* RFC 4884: where the extension begins, from the length field that each version
 * has; the quote before it is at least 128 bytes and padded with zeros. */
static const uint8_t *
extension(const struct bed *b, const uint8_t *m, bool v6, size_t *len)
{
	size_t quoted = v6 ? m[4] * 8u : m[5] * 4u;

	assert_true(quoted >= 128);
	assert_true(8 + quoted < icmp_len(b, v6));
	*len = icmp_len(b, v6) - 8 - quoted;
	return m + 8 + quoted;
}

/* RFC 4950: class 1, type 1, entries of label, three bits, bottom, TTL. */
static const uint8_t *
labels_told(const uint8_t *o, const uint32_t *label, unsigned n)
{
	assert_int_equal(get16(o), 4 + 4 * n);
	assert_int_equal(o[2] << 8 | o[3], 0x101);
	for (unsigned i = 0; i < n; i++) {
		uint32_t e = get32(o + 4 + i * 4);

		assert_int_equal(e >> 12, label[i]);
		assert_int_equal(e >> 8 & 1, i + 1 == n);
		assert_int_equal(e & 0xff, 1);
	}
	return o + get16(o);
}

/* RFC 5837: class 2; role in the two high bits of the type, then index, address,
 * name and MTU, each announced by its bit. */
static void
interface_told(const uint8_t *o, bool v6)
{
	const uint8_t *p = o + 4;
	uint8_t own[16];
	size_t n = v6 ? 16 : 4;

	assert_int_equal(o[2], 2);
	assert_int_equal(o[3], 0x0f);
	assert_int_equal(get32(p), 1);
	p += 4;
	assert_int_equal(get16(p), v6 ? 2 : 1);
	assert_int_equal(get16(p + 2), 0);
	inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "fd01::1" : "10.0.1.1", own);
	assert_memory_equal(p + 4, own, n);
	p += 4 + n;
	assert_int_equal(p[0] % 4, 0);
	assert_string_equal((const char *)p + 1, "a");
	p += p[0];
	assert_int_equal(get32(p), 1500);
	assert_int_equal(p + 4 - o, get16(o));
}

static void
labels_and_the_interface_are_told(void **state)
{
	static const uint32_t label[2] = { 100100, 16 };
	struct bed b;

	for (unsigned v6 = 0; v6 < 2; v6++)
		for (unsigned payload = 8; payload < 1400; payload += 696) {
			const uint8_t *m, *x;
			size_t len;

			conf_init(&b);
			b.conf.manners.labels = 2;
			b.conf.manners.label[0] = label[0] << 12 | 1;
			b.conf.manners.label[1] = label[1] << 12 | 1;
			b.conf.manners.tell_interface = true;
			start(&b);
			m = last_hop(&b, v6, (uint16_t)payload);
			assert_non_null(m);
			x = extension(&b, m, v6, &len);
			assert_int_equal(x[0] >> 4, 2);
			assert_int_equal(plain_sum(x, len), 0xffff);
			interface_told(labels_told(x + 4, label, 2), v6);
			stop(&b);
		}
}

static void
quotes_are_as_long_as_told(void **state)
{
	static const struct {
		bool v6;
		uint16_t told;
		size_t whole;		/* of the answer's IP packet */
	} rows[] = {
		{ false, 0, 576 }, { true, 0, 1280 },
		{ false, 8, 20 + 8 + 28 }, { true, 8, 40 + 8 + 48 },
		{ false, 64, 20 + 8 + 84 },
	};
	struct bed b;
	const uint8_t *m;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf_init(&b);
		b.conf.manners.quote4 = b.conf.manners.quote6 = rows[i].told;
		start(&b);
		m = last_hop(&b, rows[i].v6, 1400);
		assert_non_null(m);
		assert_int_equal(b.out.len - 14, rows[i].whole);
		assert_memory_equal(m + 8, frame + 14, rows[i].whole - (rows[i].v6 ? 48 : 28));
		stop(&b);
	}
}

static void
errors_leave_from_where_they_are_told(void **state)
{
	struct bed b;

	for (unsigned way = 0; way < 2; way++) {
		conf_init(&b);
		if (way) {
			b.conf.iface[0].answer_from4 = net("10.9.9.9", 0).addr;
			b.conf.iface[1].answer_from6 = net("fd09::9", 0).addr;
		} else {
			b.conf.manners.answer_from4 = net("10.9.9.9", 0).addr;
			b.conf.manners.answer_from6 = net("fd09::9", 0).addr;
		}
		start(&b);
		assert_non_null(last_hop(&b, false, 100));
		assert_true(is_from(b.out.data, "10.9.9.9"));
		assert_non_null(last_hop(&b, true, 100));
		/* a's side of the second way has none for IPv6 */
		assert_true(is_from(b.out.data, way ? "fd01::1" : "fd09::9"));
		stop(&b);
	}
}

static void
everything_is_answered(void **state)
{
	struct bed b;
	struct spec s = to_b();
	const uint8_t *m;

	conf_init(&b);
	b.conf.manners.answer_all = true;
	b.conf.manners.answer_type = 3;
	b.conf.manners.answer_code = 4;
	b.conf.manners.answer_mtu = 60;
	start(&b);
	m = error_about(&b, &s);
	assert_non_null(m);
	assert_int_equal(m[0] << 8 | m[1], 0x304);
	assert_int_equal(get16(m + 6), 60);
	assert_int_equal(b.ledger->count[RT_ANSWERED_ALL], 1);
	assert_int_equal(b.ledger->count[RT_FORWARDED], 0);
	stop(&b);
}

static void
a_silent_router_writes_down_what_it_did_not_say(void **state)
{
	struct bed b;

	conf_init(&b);
	b.conf.manners.silent = true;
	start(&b);
	assert_null(last_hop(&b, false, 100));
	assert_null(last_hop(&b, true, 100));
	assert_int_equal(b.ledger->count[RT_TTL], 2);
	assert_int_equal(b.ledger->count[RT_ERROR_SILENT], 2);
	assert_int_equal(b.ledger->errors_sent, 0);
	stop(&b);
}

/* RFC 1122, 3.2.2; RFC 4443, 2.4: e. */
static void
some_packets_are_never_answered(void **state)
{
	struct bed b;
	struct spec s = to_b();
	uint8_t f[2000];
	size_t len;

	conf_init(&b);
	start(&b);
	s.ttl = 1;
	len = make_udp(frame, &s);
	give(&b, 0, f, cut(f, frame, 48, 56, false));	/* not the first piece */
	assert_false(take(&b));
	give(&b, 0, f, make_icmp(f, &s, 3, 1, 0, frame + 14, 28));	/* an error */
	assert_false(take(&b));
	memset(frame, 0xff, 6);				/* to everybody on the link */
	give(&b, 0, frame, len);
	assert_false(take(&b));
	s.src = "255.255.255.255";
	give(&b, 0, frame, make_udp(frame, &s));
	assert_false(take(&b));
	s.src = "10.0.1.2";
	give(&b, 0, f, make_icmp(f, &s, 8, 0, 1, "ping", 4));	/* a question may be */
	assert_true(take(&b));
	stop(&b);
}

static unsigned
answered_of(struct bed *b, bool v6, unsigned n)
{
	unsigned got = 0;

	while (n--)
		got += last_hop(b, v6, 20) != NULL;
	return got;
}

static void
limits_of_a_kernel(void **state)
{
	struct bed b;
	struct spec s = to_b();

	conf_init(&b);
	b.conf.manners.limit = RT_LIMIT_KERNEL;
	b.conf.iface[1].mtu = 1280;
	start(&b);
	assert_int_equal(answered_of(&b, false, 50), 6);
	assert_int_equal(answered_of(&b, true, 50), 6);
	b.now += 100 * MS;			/* one more ICMPv6, no ICMP */
	assert_int_equal(answered_of(&b, false, 50), 0);
	assert_int_equal(answered_of(&b, true, 50), 1);
	s.payload = 1400;			/* path MTU discovery is exempt */
	for (unsigned i = 0; i < 20; i++)
		assert_non_null(error_about(&b, &s));
	b.now += 3600 * S;
	assert_int_equal(answered_of(&b, false, 50), 6);
	stop(&b);
}

static void
limits_of_a_bucket(void **state)
{
	struct bed b;

	conf_init(&b);
	b.conf.manners.limit = RT_LIMIT_BUCKET;
	b.conf.manners.limit_burst = 3;
	b.conf.manners.limit_ns = 50 * MS;
	start(&b);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		assert_int_equal(answered_of(&b, v6, 20), 3);
		b.now += 125 * MS;
		assert_int_equal(answered_of(&b, v6, 20), 2);
		b.now += 25 * MS;
		assert_int_equal(answered_of(&b, v6, 20), 1);
		b.now += 10 * S;
		assert_int_equal(answered_of(&b, v6, 20), 3);
	}
	assert_int_equal(b.ledger->count[RT_ERROR_LIMITED], 160 - 18);
	stop(&b);
}

static void
ipv6_routes_refuse_as_told(void **state)
{
	static const struct {
		uint8_t kind;
		int code;
	} kinds[] = { { RT_UNREACHABLE, 3 }, { RT_PROHIBIT, 1 }, { RT_BLACKHOLE, -1 },
		{ RT_FORWARD, 0 } };
	struct bed b;
	struct spec s = to_b6();
	const uint8_t *m;

	s.dst = "fd99::1";
	for (unsigned i = 0; i < 4; i++) {
		conf_init(&b);
		if (kinds[i].kind != RT_FORWARD)
			b.conf.route[b.conf.routes++] =
			    (struct rt_route){ .net = net("fd99::", 16), .kind = kinds[i].kind };
		start(&b);
		m = error_about(&b, &s);
		if (kinds[i].code < 0)
			assert_null(m);
		else
			assert_int_equal(m[0] << 8 | m[1], 0x100 | kinds[i].code);
		stop(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_and_the_interface_are_told),
		cmocka_unit_test(quotes_are_as_long_as_told),
		cmocka_unit_test(errors_leave_from_where_they_are_told),
		cmocka_unit_test(everything_is_answered),
		cmocka_unit_test(a_silent_router_writes_down_what_it_did_not_say),
		cmocka_unit_test(some_packets_are_never_answered),
		cmocka_unit_test(limits_of_a_kernel),
		cmocka_unit_test(limits_of_a_bucket),
		cmocka_unit_test(ipv6_routes_refuse_as_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
