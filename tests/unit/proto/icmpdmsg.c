/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What icmpd and its clients say: everything comes back as it went out, whatever is
 * cut or does not add up is refused, at every byte.
 */
#include "../wire/test.h"
#include "proto/icmpdmsg.h"

#include <errno.h>

static uint8_t buf[SKY_ICMPDMSG_MAX];

static struct sky_addr
addr(const char *text)
{
	struct sky_addr a;

	assert_int_equal(sky_addr_parse(&a, text), 0);
	return a;
}

static struct sky_icmpdmsg_fate
a_fate(void)
{
	static const uint8_t quote[] = "who is there", ext[] = { 0x20, 0, 1, 2, 0, 4, 9, 9 };
	struct sky_icmpdmsg_fate f = {
		.id = 77,
		.owner = { .cookie = UINT64_C(0x1122334455667788), .cgroup = 4242,
			.inode = 123456, .uid = 1000, .known = true, .delivered = true },
		.fate = {
			.size = sizeof(f.fate),
			.have = SKY_HAVE_ICMP | SKY_HAVE_DST | SKY_HAVE_MTU | SKY_HAVE_ID,
			.flags = SKY_FATE_OWN, .what = SKY_TOO_BIG, .evidence = SKY_BY_ICMPD,
			.trust = SKY_TRUST_MATCHED, .origin = SKY_ORIGIN_ICMP6, .proto = 17,
			.icmp_type = 2, .icmp_code = 255, .hop = 63, .err = 90,
			.dst = addr("[2001:db8::1]:53"), .src = addr("[fe80::1%1]:40000"),
			.by = addr("192.0.2.7"), .ifindex = 3, .mtu = 1280, .pointer = 40,
			.pid = 999, .len = 1400, .full_len = 1500,
			.time_ns = UINT64_C(1763757600123456789), .rtt_ns = 5, .seq = 6,
			.tag = UINT64_MAX, .id = 8, .count = 9,
			.quote = quote, .quote_len = sizeof(quote), .ext = ext,
			.ext_len = sizeof(ext),
		},
	};
	return f;
}

static size_t
a_message(void *to, unsigned fates)
{
	struct sky_icmpdmsg_fate f = a_fate();
	struct sky_icmpdmsg_out o;

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_FATES, to, sizeof(buf));
	for (unsigned i = 0; i < fates; i++)
		assert_int_equal(sky_icmpdmsg_put_fate(&o, &f), 0);
	return sky_icmpdmsg_end(&o);
}

/* Member by member into zeroes: what lies between members is nobody's. */
#define TAKE(member) (to->member = from->member)

static void
take_fate(struct sky_fate *to, const struct sky_fate *from)
{
	memset(to, 0, sizeof(*to));
	TAKE(size), TAKE(have), TAKE(flags), TAKE(what), TAKE(evidence), TAKE(trust);
	TAKE(origin), TAKE(proto), TAKE(icmp_type), TAKE(icmp_code), TAKE(hop), TAKE(err);
	TAKE(dst), TAKE(src), TAKE(by), TAKE(ifindex), TAKE(mtu), TAKE(pointer), TAKE(pid);
	TAKE(len), TAKE(full_len), TAKE(time_ns), TAKE(rtt_ns), TAKE(seq), TAKE(tag), TAKE(id);
	TAKE(count), TAKE(quote), TAKE(quote_len), TAKE(ext), TAKE(ext_len);
}

static void
take_socket(struct sky_icmpdmsg_socket *to, const struct sky_icmpdmsg_socket *from)
{
	memset(to, 0, sizeof(*to));
	TAKE(id), TAKE(cookie), TAKE(proto), TAKE(family), TAKE(flags), TAKE(ifindex);
	TAKE(local), TAKE(remote);
}

static void
comes_back(void **state)
{
	struct sky_fate got, want;
	struct sky_icmpdmsg_fate in = a_fate(), out;
	struct sky_icmpdmsg m;
	size_t len = a_message(buf, 2);

	assert_int_equal(sky_icmpdmsg_open(&m, buf, len), 0);
	assert_int_equal(m.kind, SKY_ICMPDMSG_FATES);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sky_icmpdmsg_next_fate(&m, &out), 1);
		assert_int_equal(out.id, in.id);
		assert_int_equal(out.owner.cookie, in.owner.cookie);
		assert_int_equal(out.owner.cgroup, in.owner.cgroup);
		assert_int_equal(out.owner.inode, in.owner.inode);
		assert_int_equal(out.owner.uid, in.owner.uid);
		assert_true(out.owner.known && out.owner.delivered);
		assert_int_equal(out.fate.quote_len, in.fate.quote_len);
		assert_memory_equal(out.fate.quote, in.fate.quote, in.fate.quote_len);
		assert_memory_equal(out.fate.ext, in.fate.ext, in.fate.ext_len);
		out.fate.quote = in.fate.quote;
		out.fate.ext = in.fate.ext;
		take_fate(&got, &out.fate);
		take_fate(&want, &in.fate);
		assert_memory_equal(&got, &want, sizeof(got));
	}
	assert_int_equal(sky_icmpdmsg_next_fate(&m, &out), 0);
}

/* No cut message gives more than the records that are whole, nor any without its end. */
static void
cut_anywhere(void **state)
{
	struct sky_icmpdmsg_fate out;
	struct sky_icmpdmsg m;
	size_t len = a_message(buf, 3);

	for (size_t n = 0; n < len; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		int r;

		memcpy(exact, buf, n);
		assert_true(sky_icmpdmsg_open(&m, exact, n) < 0);
		/* the length mended, the records still are not all there */
		if (n >= SKY_ICMPDMSG_HEAD) {
			exact[4] = exact[5] = 0;
			exact[6] = (uint8_t)(n >> 8);
			exact[7] = (uint8_t)n;
			assert_int_equal(sky_icmpdmsg_open(&m, exact, n), 0);
			while ((r = sky_icmpdmsg_next_fate(&m, &out)) == 1)
				continue;
			assert_int_equal(r, -EBADMSG);
		}
		free(exact);
	}
}

/* Whatever a byte is changed to, nothing is read past the end (under the address
 * sanitizer), and what is read makes sense to those who use it. */
static void
changed_anywhere(void **state)
{
	size_t len = a_message(buf, 1);
	uint8_t *exact = malloc(len);
	struct sky_icmpdmsg_fate out;
	struct sky_icmpdmsg m;

	for (size_t at = 0; at < len; at++)
		for (int v = 0; v < 256; v++) {
			memcpy(exact, buf, len);
			exact[at] = (uint8_t)v;
			if (sky_icmpdmsg_open(&m, exact, len) < 0)
				continue;
			while (sky_icmpdmsg_next_fate(&m, &out) == 1) {
				assert_true(out.fate.evidence < SKY_EVIDENCES);
				assert_true(out.fate.trust <= SKY_TRUST_SHORT);
			}
		}
	free(exact);
}

static void
heads(void **state)
{
	static const struct {
		uint8_t bytes[10];
		size_t len;
		int r;
	} rows[] = {
		{ { 1, 5, 0, 0, 0, 0, 0, 8 }, 8, 0 },
		{ { 2, 5, 0, 0, 0, 0, 0, 8 }, 8, -EPROTONOSUPPORT },
		{ { 1, 5, 0, 0, 0, 0, 0, 9 }, 8, -EBADMSG },
		{ { 1, 5, 0, 0, 0, 0, 0, 7 }, 7, -EBADMSG },
		{ { 1, 5, 0, 33, 0, 0, 0, 8 }, 8, -EBADMSG },	/* more records than allowed */
		{ { 1, 5, 0, 0, 0x80, 0, 0, 8 }, 8, -EBADMSG },
	};
	struct sky_icmpdmsg m;
	uint64_t a, b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(sky_icmpdmsg_open(&m, rows[i].bytes, rows[i].len), rows[i].r);
	/* bytes that belong to no record */
	assert_int_equal(sky_icmpdmsg_open(&m, "\1\5\0\0\0\0\0\12\0\0", 10), 0);
	assert_int_equal(sky_icmpdmsg_next_pair(&m, &a, &b), -EBADMSG);
	/* a record shorter than its own length field */
	assert_int_equal(sky_icmpdmsg_open(&m, "\1\5\0\1\0\0\0\12\0\1", 10), 0);
	assert_int_equal(sky_icmpdmsg_next_pair(&m, &a, &b), -EBADMSG);
}

/* A later version may put more behind the members of a record. */
static void
longer_records(void **state)
{
	static const uint8_t later[] = { 1, 5, 0, 1, 0, 0, 0, 8 + 2 + 16 + 3, 0, 2 + 16 + 3,
		0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 9, 9, 9 };
	struct sky_icmpdmsg m;
	uint64_t a, b;

	assert_int_equal(sky_icmpdmsg_open(&m, later, sizeof(later)), 0);
	assert_int_equal(sky_icmpdmsg_next_pair(&m, &a, &b), 1);
	assert_int_equal(a, 2);
	assert_true(b == UINT64_C(0x100000000));
	assert_int_equal(sky_icmpdmsg_next_pair(&m, &a, &b), 0);
}

static void
sockets(void **state)
{
	const struct sky_icmpdmsg_socket in[] = {
		{ .id = 1, .cookie = 2, .proto = 17, .family = AF_INET,
		  .flags = SKY_ICMPDMSG_GROUP, .ifindex = 9, .local = addr("10.0.0.1:7"),
		  .remote = addr("10.0.0.2:9") },
		{ .id = UINT32_MAX, .cookie = UINT64_MAX, .proto = 6, .family = AF_INET6,
		  .local = addr("[::1]:7") },
		{ .id = 3, .cookie = 4, .proto = 136, .family = AF_INET6 },
	};
	struct sky_icmpdmsg_socket out, got, want;
	struct sky_icmpdmsg_out o;
	struct sky_icmpdmsg m;

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_ADD, buf, sizeof(buf));
	for (int i = 0; i < 3; i++)
		assert_int_equal(sky_icmpdmsg_put_socket(&o, &in[i]), 0);
	assert_int_equal(sky_icmpdmsg_open(&m, buf, sky_icmpdmsg_end(&o)), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sky_icmpdmsg_next_socket(&m, &out), 1);
		take_socket(&got, &out);
		take_socket(&want, &in[i]);
		assert_memory_equal(&got, &want, sizeof(got));
	}
	assert_int_equal(sky_icmpdmsg_next_socket(&m, &out), 0);
}

static void
small_ones(void **state)
{
	const struct sky_icmpdmsg_result result = { .id = 5, .cookie = 6, .err = -EACCES };
	const struct sky_icmpd_filter filter = { .size = sizeof(filter), .proto = 17, .bits = 24,
		.port = 53, .fates = 1u << SKY_REFUSED, .prefix = addr("192.0.2.0") };
	const struct sky_icmpd_client client = { .pid = 1, .uid = 2, .sockets = 3, .waiting = 4,
		.delivered = 5, .dropped = 6, .watching = true };
	struct sky_icmpdmsg_result r;
	struct sky_icmpd_filter f;
	struct sky_icmpd_client c;
	struct sky_icmpdmsg_out o;
	struct sky_icmpdmsg m;
	uint32_t flags;

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_RESULT, buf, sizeof(buf));
	sky_icmpdmsg_put_result(&o, &result);
	sky_icmpdmsg_open(&m, buf, sky_icmpdmsg_end(&o));
	assert_int_equal(sky_icmpdmsg_next_result(&m, &r), 1);
	assert_true(r.id == result.id && r.cookie == result.cookie && r.err == result.err);
	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_WATCH, buf, sizeof(buf));
	sky_icmpdmsg_put_filter(&o, &filter);
	sky_icmpdmsg_open(&m, buf, sky_icmpdmsg_end(&o));
	assert_int_equal(sky_icmpdmsg_next_filter(&m, &f), 1);
	assert_memory_equal(&f, &filter, sizeof(f));
	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_CLIENTS, buf, sizeof(buf));
	sky_icmpdmsg_put_client(&o, &client);
	sky_icmpdmsg_open(&m, buf, sky_icmpdmsg_end(&o));
	assert_int_equal(sky_icmpdmsg_next_client(&m, &c), 1);
	assert_memory_equal(&c, &client, sizeof(c));
	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_HELLO, buf, sizeof(buf));
	sky_icmpdmsg_put_hello(&o);
	sky_icmpdmsg_open(&m, buf, sky_icmpdmsg_end(&o));
	assert_int_equal(sky_icmpdmsg_next_hello(&m, &flags), 1);
	buf[10] ^= 1;
	sky_icmpdmsg_open(&m, buf, sky_icmpdmsg_end(&o));
	assert_int_equal(sky_icmpdmsg_next_hello(&m, &flags), -EBADMSG);
}

static void
a_prefix_has_its_familys_length(void **state)
{
	static const struct {
		const char *prefix;
		uint8_t bits;
		int r;
	} rows[] = {
		{ "10.0.0.0", 32, 1 }, { "10.0.0.0", 33, -EBADMSG }, { "2001:db8::", 128, 1 },
		{ "2001:db8::", 129, -EBADMSG }, { NULL, 0, 1 }, { NULL, 1, -EBADMSG },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sky_icmpd_filter f = { .bits = rows[i].bits };
		struct sky_icmpdmsg_out o;
		struct sky_icmpdmsg m;

		if (rows[i].prefix)
			f.prefix = addr(rows[i].prefix);
		sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_WATCH, buf, sizeof(buf));
		sky_icmpdmsg_put_filter(&o, &f);
		sky_icmpdmsg_open(&m, buf, sky_icmpdmsg_end(&o));
		assert_int_equal(sky_icmpdmsg_next_filter(&m, &f), rows[i].r);
	}
}

/* What does not fit leaves the message as it was. */
static void
full(void **state)
{
	struct sky_icmpdmsg_fate f = a_fate(), out;
	struct sky_icmpdmsg_out o;
	struct sky_icmpdmsg m;
	uint8_t small[500];
	int n = 0;

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_FATES, small, sizeof(small));
	while (sky_icmpdmsg_put_fate(&o, &f) == 0)
		n++;
	assert_in_range(n, 1, 3);
	assert_int_equal(sky_icmpdmsg_open(&m, small, sky_icmpdmsg_end(&o)), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(sky_icmpdmsg_next_fate(&m, &out), 1);
	assert_int_equal(sky_icmpdmsg_next_fate(&m, &out), 0);
	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_COUNTERS, buf, sizeof(buf));
	for (n = 0; sky_icmpdmsg_put_pair(&o, 1, 2) == 0; n++)
		assert_true(n < SKY_ICMPDMSG_RECORDS);
	assert_int_equal(n, SKY_ICMPDMSG_RECORDS);
}

/* The longest record fits where a queue makes room for it; what is cut is marked. */
static void
long_quotes(void **state)
{
	static uint8_t quote[1200], ext[1200];
	static const struct {
		uint32_t quote, ext, kept, kept_ext;
		bool cut;
	} rows[] = {
		{ 576, 0, 576, 0, false }, { 577, 0, 576, 0, true }, { 1200, 1200, 288, 288, true },
		{ 500, 76, 500, 76, false }, { 500, 77, 499, 77, true }, { 0, 300, 0, 288, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sky_icmpdmsg_fate f = a_fate(), out;
		struct sky_icmpdmsg_out o = { .wr = sky_wr_of(buf, SKY_ICMPDMSG_FATE_MAX) };
		struct sky_icmpdmsg m;
		static uint8_t msg[SKY_ICMPDMSG_MAX];

		f.fate.src = f.fate.by = f.fate.dst;
		f.fate.quote = quote;
		f.fate.quote_len = rows[i].quote;
		f.fate.ext = ext;
		f.fate.ext_len = rows[i].ext;
		assert_int_equal(sky_icmpdmsg_put_fate(&o, &f), 0);
		sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_FATES, msg, sizeof(msg));
		assert_int_equal(sky_icmpdmsg_put_fate(&o, &f), 0);
		sky_icmpdmsg_open(&m, msg, sky_icmpdmsg_end(&o));
		assert_int_equal(sky_icmpdmsg_next_fate(&m, &out), 1);
		assert_int_equal(out.fate.quote_len, rows[i].kept);
		assert_int_equal(out.fate.ext_len, rows[i].kept_ext);
		assert_int_equal(!!(out.fate.flags & SKY_FATE_QUOTE_CUT), rows[i].cut);
	}
}

static void
counters_have_words(void **state)
{
	for (unsigned i = 0; i < SKY_ICMPD_COUNTERS_N; i++) {
		assert_non_null(sky_icmpd_counter_word(i));
		assert_non_null(sky_icmpd_counter_help(i));
	}
	assert_null(sky_icmpd_counter_word(SKY_ICMPD_COUNTERS_N));
	assert_true(sky_icmpd_counter_is_gauge(SKY_ICMPD_C_CLIENTS));
	assert_false(sky_icmpd_counter_is_gauge(SKY_ICMPD_C_HEARD4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(changed_anywhere),
		cmocka_unit_test(heads),
		cmocka_unit_test(longer_records),
		cmocka_unit_test(sockets),
		cmocka_unit_test(small_ones),
		cmocka_unit_test(a_prefix_has_its_familys_length),
		cmocka_unit_test(full),
		cmocka_unit_test(long_quotes),
		cmocka_unit_test(counters_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
