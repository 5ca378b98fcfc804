/* SPDX-License-Identifier: BSD-2-Clause */
/* STAMP's packets byte by byte as the figures of RFC 8762 have them, and cut
 * everywhere; the messages beside them. */
#include "test.h"
#include "wire/stamp.h"
#include "wire/tally.h"

/* 2025-11-21 20:40:00.5 UTC: 1763757600 + 2208988800 = 3972746400 = 0xecccb4a0 */
static const uint8_t probe_ntp[44] = {
	0, 0, 1, 2, 0xec, 0xcb, 0x13, 0xa0, 0x80, 0, 0, 0, 0x86, 0x01, 0xab, 0xcd,
};

static const uint8_t reply_ptp[44] = {
	0, 0, 0, 7,  0x69, 0x20, 0xce, 0x20, 0, 0, 0, 9,  0x40, 0x01, 0, 0,
	0x69, 0x20, 0xce, 0x1f, 0x3b, 0x9a, 0xc9, 0xff,
	0xff, 0xff, 0xff, 0xff,  1, 2, 3, 4, 5, 6, 7, 8,  0x12, 0x34, 0, 0,  63, 0, 0, 0,
};

static void
a_probe(void **state)
{
	struct sky_rd rd = sky_rd_of(probe_ntp, sizeof(probe_ntp));
	struct sky_stamp_probe p;
	uint8_t out[44];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));

	assert_int_equal(sky_stamp_probe_decode(&p, &rd), 0);
	assert_int_equal(p.seq, 0x102);
	assert_int_equal(p.error, 0x8601);
	assert_int_equal(p.ssid, 0xabcd);
	assert_false(p.odd);
	assert_int_equal(p.time_ns, (0xeccb13a0u - UINT64_C(2208988800)) * 1000000000 + 500000000);
	assert_int_equal(sky_stamp_probe_encode(&p, &wr), 0);
	assert_memory_equal(out, probe_ntp, sizeof(out));
}

static void
a_reply(void **state)
{
	struct sky_rd rd = sky_rd_of(reply_ptp, sizeof(reply_ptp));
	struct sky_stamp_reply r;
	uint8_t out[44];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));

	assert_int_equal(sky_stamp_reply_decode(&r, &rd), 0);
	assert_int_equal(r.seq, 7);
	assert_int_equal(r.time_ns, UINT64_C(0x6920ce20) * 1000000000 + 9);
	assert_int_equal(r.came_ns, UINT64_C(0x6920ce20) * 1000000000 - 1);
	assert_int_equal(r.probe_seq, 0xffffffff);
	assert_int_equal(r.probe_time_raw, UINT64_C(0x0102030405060708));
	assert_int_equal(r.probe_error, 0x1234);
	assert_int_equal(r.probe_ttl, 63);
	assert_int_equal(sky_stamp_reply_encode(&r, &wr), 0);
	assert_memory_equal(out, reply_ptp, sizeof(out));
}

static void
every_nanosecond_comes_back(void **state)
{
	struct sky_stamp_probe p = { .error = 1 }, q;
	uint8_t out[44];

	for (uint64_t ns = 0; ns < 1000000000; ns += 999983) {
		for (uint64_t s = 0; s < 4200000000; s += 699999999) {
			struct sky_wr wr = sky_wr_of(out, sizeof(out));
			struct sky_rd rd = sky_rd_of(out, sizeof(out));

			p.time_ns = s * 1000000000 + ns;
			sky_stamp_probe_encode(&p, &wr);
			sky_stamp_probe_decode(&q, &rd);
			assert_int_equal(q.time_ns, p.time_ns);
		}
	}
}

static void
cut_everywhere(void **state)
{
	for (size_t n = 0; n < 44; n++) {
		uint8_t *p = exact(probe_ntp, n);
		struct sky_rd a = sky_rd_of(p, n), b = sky_rd_of(p, n);
		struct sky_wr wr = sky_wr_of(p, n);
		struct sky_stamp_probe probe = { .seq = 1 };
		struct sky_stamp_reply reply = { .seq = 1 };

		assert_int_equal(sky_stamp_probe_encode(&probe, &wr), -ENOSPC);
		wr = sky_wr_of(p, n);
		assert_int_equal(sky_stamp_reply_encode(&reply, &wr), -ENOSPC);
		assert_int_equal(sky_stamp_probe_decode(&probe, &a), -EMSGSIZE);
		assert_int_equal(sky_stamp_reply_decode(&reply, &b), -EMSGSIZE);
		free(p);
	}
}

static void
mirrored(const char *in, const char *want, size_t n)
{
	uint8_t out[64];
	struct sky_rd rd = sky_rd_of(in, n);
	struct sky_wr wr = sky_wr_of(out, n);

	assert_int_equal(sky_stamp_mirror(&rd, &wr), 0);
	assert_int_equal(sky_wr_len(&wr), n);
	assert_memory_equal(out, want, n);
}

static void
tlvs_of_rfc_8972(void **state)
{
	mirrored("", "", 0);
	mirrored("\x80", "\x80", 1);
	/* known, unknown, one that is longer than what is left */
	mirrored("\x80\1\0\2xx\x80\xf0\0\1y", "\0\1\0\2xx\x80\xf0\0\1y", 11);
	mirrored("\0\xf0\0\0\x80\1\0\5abcd", "\x80\xf0\0\0\x40\1\0\5abcd", 12);
	mirrored("\x80\xf0\0\xff", "\xc0\xf0\0\xff", 4);
	/* the plain padding of senders that know no TLVs */
	mirrored("\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0", 7);
}

static void
padding_of_any_length(void **state)
{
	for (size_t n = 0; n < 40; n++) {
		uint8_t *p = malloc(n ? n : 1), *value;
		struct sky_wr wr = sky_wr_of(p, n);
		size_t len;

		assert_int_equal(sky_stamp_pad(&wr, n, SKY_STAMP_UNKNOWN, &value, &len), 0);
		assert_int_equal(sky_wr_len(&wr), n);
		assert_int_equal(len, n < 4 ? 0 : n - 4);
		wr = sky_wr_of(p, n);
		assert_int_equal(sky_stamp_pad(&wr, n + 1, 0, &value, &len), -ENOSPC);
		assert_int_equal(len, 0);
		free(p);
	}
}

static void
messages(void **state)
{
	struct sky_tally t = { .kind = SKY_TALLY_REPORT, .n = 2, .session = 0x01020304, .serial = 5,
		.value = { 0x1122334455667788, 9 } }, back;
	static const uint8_t want[36] = { 0xff, 's', 'k', 'y', 't', 'a', 'l', 'y', 1, 5, 0, 2,
		1, 2, 3, 4, 0, 0, 0, 5, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
		0, 0, 0, 0, 0, 0, 0, 9 };
	uint8_t out[36], *p;
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_rd rd;

	assert_int_equal(sky_tally_encode(&t, &wr), 0);
	assert_memory_equal(out, want, sizeof(want));
	for (size_t n = 0; n <= sizeof(want); n++) {
		p = exact(want, n);
		rd = sky_rd_of(p, n);
		assert_int_equal(sky_tally_is(p, n), n >= 8);
		assert_int_equal(sky_tally_decode(&back, &rd), n == sizeof(want) ? 0 : -EMSGSIZE);
		free(p);
	}
	assert_memory_equal(&back, &t, sizeof(t));
	out[8] = 2;
	rd = sky_rd_of(out, sizeof(out));
	assert_int_equal(sky_tally_decode(&back, &rd), -EPROTO);
}

static void
more_values_than_we_know(void **state)
{
	uint8_t p[20 + 8 * 40] = { 0xff, 's', 'k', 'y', 't', 'a', 'l', 'y', 1, 5, 0, 40 };
	struct sky_rd rd = sky_rd_of(p, sizeof(p));
	struct sky_tally t;

	assert_int_equal(sky_tally_decode(&t, &rd), 0);
	assert_int_equal(t.n, SKY_TALLY_VALUES);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe),
		cmocka_unit_test(a_reply),
		cmocka_unit_test(every_nanosecond_comes_back),
		cmocka_unit_test(cut_everywhere),
		cmocka_unit_test(tlvs_of_rfc_8972),
		cmocka_unit_test(padding_of_any_length),
		cmocka_unit_test(messages),
		cmocka_unit_test(more_values_than_we_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
