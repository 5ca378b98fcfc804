/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes back about probes of a path: true, cut, translated, forged. */
#include "../wire/test.h"
#include "proto/hopin.h"
#include "wire/icmperr.h"
#include "wire/udphdr.h"

static const uint64_t key[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
static struct sky_hopin sent;
static struct sky_hop_answer a;
static struct sky_addr router;
static uint8_t packet[1500], error[1500];
static size_t plen, elen;

static void
begin(const char *src, const char *dst, const char *by)
{
	sent = (struct sky_hopin){ .key = { key[0], key[1] }, .proto = IPPROTO_UDP, .last_id = 40 };
	assert_int_equal(sky_addr_parse(&sent.src, src), 0);
	assert_int_equal(sky_addr_parse(&sent.dst, dst), 0);
	assert_int_equal(sky_addr_parse(&router, by), 0);
}

/* The probe as it went over the wire; four zeros are added to the tag. */
static void
probe(uint32_t id)
{
	struct sky_wr wr = sky_wr_of(packet, sizeof(packet));
	uint8_t body[SKY_HOPTAG_LEN + 20] = { 0 };
	struct sky_ip4 h4 = { .hlen = 20, .len = 60, .df = true, .ttl = 1, .proto = IPPROTO_UDP };
	struct sky_ip6 h6 = { .plen = 40, .next = IPPROTO_UDP, .hops = 1 };

	sky_hoptag_write(body, key, id);
	if (sky_addr_family(&sent.dst) == AF_INET) {
		memcpy(h4.src, &sent.src.u.in.sin_addr, 4);
		memcpy(h4.dst, &sent.dst.u.in.sin_addr, 4);
		assert_int_equal(sky_ip4_encode(&h4, &wr), 0);
	} else {
		memcpy(h6.src, &sent.src.u.in6.sin6_addr, 16);
		memcpy(h6.dst, &sent.dst.u.in6.sin6_addr, 16);
		assert_int_equal(sky_ip6_encode(&h6, &wr), 0);
	}
	assert_int_equal(sky_udphdr_build(&wr, &sent.src, &sent.dst, body, sizeof(body)), 0);
	plen = sky_wr_len(&wr);
}

static void
error_of(uint8_t type, uint8_t code, uint32_t rest, size_t quote)
{
	struct sky_icmperr e = { .from = router, .type = type, .code = code, .rest = rest,
	    .quote_max = quote };
	int r = sky_icmperr_build(&e, packet, plen, error, sizeof(error));

	assert_true(r > 0);
	elen = (size_t)r;
}

/* As a raw socket gives it, from a block of exactly that size. */
static bool
hear(void)
{
	size_t head = sky_addr_family(&sent.dst) == AF_INET ? 20 : 40;
	uint8_t *p = exact(error + head, elen - head);
	bool ours = sky_hopin_icmp(&a, &sent, &router, p, elen - head);

	free(p);
	return ours;
}

static void
tags(void **state)
{
	uint8_t tag[SKY_HOPTAG_LEN], zero[SKY_HOPTAG_LEN] = { 0 };
	uint64_t other[2] = { key[0], key[1] + 1 };
	uint32_t id;

	(void)state;
	sky_hoptag_write(tag, key, 7);
	for (size_t n = SKY_HOPTAG_MIN; n <= SKY_HOPTAG_LEN; n++) {
		assert_int_equal(sky_hoptag_read(key, tag, n, &id), SKY_TRUST_MATCHED);
		assert_int_equal(id, 7);
	}
	assert_int_equal(sky_hoptag_read(key, tag, SKY_HOPTAG_MIN - 1, &id), SKY_TRUST_SHORT);
	assert_int_equal(sky_hoptag_read(key, NULL, 0, &id), SKY_TRUST_SHORT);
	assert_int_equal(sky_hoptag_read(key, zero, sizeof(zero), &id), SKY_TRUST_SHORT);
	assert_int_equal(sky_hoptag_read(other, tag, sizeof(tag), &id), SKY_TRUST_MISMATCH);
	assert_int_equal(id, 0);
	for (size_t i = 0; i < sizeof(tag); i++) {
		tag[i] ^= 1;
		assert_int_equal(sky_hoptag_read(key, tag, sizeof(tag), &id), SKY_TRUST_MISMATCH);
		tag[i] ^= 1;
	}
}

static void
kinds(void **state)
{
	static const struct {
		const char *dst;
		uint8_t type, code;
		bool by_dst;
		int what;		/* -1: no answer */
	} rows[] = {
		{ "192.0.2.9:7", 11, 0, false, SKY_HOP_EXCEEDED },
		{ "192.0.2.9:7", 11, 1, false, SKY_HOP_UNREACHABLE },
		{ "192.0.2.9:7", 3, 3, true, SKY_HOP_REACHED },
		{ "192.0.2.9:7", 3, 3, false, SKY_HOP_UNREACHABLE },
		{ "192.0.2.9:7", 3, 4, false, SKY_HOP_TOO_BIG },
		{ "192.0.2.9:7", 3, 13, false, SKY_HOP_UNREACHABLE },
		{ "192.0.2.9:7", 4, 0, false, -1 },
		{ "192.0.2.9:7", 5, 1, false, -1 },
		{ "192.0.2.9:7", 8, 0, false, -1 },
		{ "[2001:db8::9]:7", 3, 0, false, SKY_HOP_EXCEEDED },
		{ "[2001:db8::9]:7", 1, 4, true, SKY_HOP_REACHED },
		{ "[2001:db8::9]:7", 1, 4, false, SKY_HOP_UNREACHABLE },
		{ "[2001:db8::9]:7", 2, 0, false, SKY_HOP_TOO_BIG },
		{ "[2001:db8::9]:7", 1, 0, false, SKY_HOP_UNREACHABLE },
	};
	struct sky_addr dst, by;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&a, 0, sizeof(a));
		sky_addr_parse(&dst, rows[i].dst);
		sky_addr_parse(&by, sky_addr_family(&dst) == AF_INET ? "198.51.100.1" : "2001:db8:1::1");
		if (rows[i].by_dst)
			by = dst;
		assert_int_equal(sky_hopin_error(&a, &dst, rows[i].type, rows[i].code, 1400, &by),
		    rows[i].what >= 0);
		if (rows[i].what < 0)
			continue;
		assert_int_equal(a.what, rows[i].what);
		assert_int_equal(a.mtu, rows[i].what == SKY_HOP_TOO_BIG ? 1400 : 0);
		assert_int_equal(sky_addr_port(&a.by), 0);
	}
}

static void
raw(const char *src, const char *dst, const char *by)
{
	int v4 = src[0] != '[';

	begin(src, dst, by);
	probe(33);
	error_of(v4 ? 11 : 3, 0, 0, 0);
	assert_true(hear());
	assert_int_equal(a.what, SKY_HOP_EXCEEDED);
	assert_int_equal(a.trust, SKY_TRUST_MATCHED);
	assert_int_equal(a.id, 33);
	assert_int_equal(a.quoted_len, v4 ? 60 : 80);
	assert_int_equal(a.quoted_ttl, 1);
	assert_false(a.rewritten);

	/* eight bytes are known by their checksum */
	error_of(v4 ? 11 : 3, 0, 0, v4 ? 28 : 48);
	assert_true(hear());
	assert_int_equal(a.trust, SKY_TRUST_MATCHED);
	assert_int_equal(a.id, 33);
	sent.last_id = 32;
	assert_true(hear());
	assert_int_equal(a.trust, SKY_TRUST_SHORT);
	assert_int_equal(a.id, 0);
	sent.last_id = 40;

	/* a translator gave it another port: known by the tag, not without */
	sky_addr_set_port(&sent.src, 50000);
	assert_false(hear());
	error_of(v4 ? 11 : 3, 0, 0, 0);
	assert_true(hear());
	assert_true(a.rewritten);
	assert_int_equal(a.id, 33);

	/* another's: other ends and other tags */
	sent.key[0]++;
	assert_false(hear());
	/* forged: our ends, another tag */
	begin(src, dst, by);
	sent.key[0]++;
	assert_true(hear());
	assert_int_equal(a.trust, SKY_TRUST_MISMATCH);
	assert_int_equal(a.id, 0);
}

static void
raw4(void **state)
{
	(void)state;
	raw("192.0.2.1:40000", "203.0.113.9:33434", "198.51.100.1");
	error_of(3, 4, 1006, 0);
	begin("192.0.2.1:40000", "203.0.113.9:33434", "198.51.100.1");
	assert_true(hear());
	assert_int_equal(a.what, SKY_HOP_TOO_BIG);
	assert_int_equal(a.mtu, 1006);
}

static void
raw6(void **state)
{
	(void)state;
	raw("[2001:db8::1]:40000", "[2001:db8:9::9]:33434", "2001:db8:1::1");
}

static void
echoes(void **state)
{
	uint8_t msg[SKY_ICMP_LEN + 32] = { 0 };
	struct sky_wr wr = sky_wr_of(msg, sizeof(msg));
	struct sky_icmp m = { .type = 8, .rest = 0x1234u << 16 | 9 };

	(void)state;
	begin("192.0.2.1:4660", "203.0.113.9", "203.0.113.9");
	sent.proto = IPPROTO_ICMP;
	sky_icmp_encode(&m, &wr);
	sky_hoptag_write(msg + SKY_ICMP_LEN, key, 9);
	sky_icmp_seal(msg, sizeof(msg), NULL, NULL);

	/* eight bytes of a request, quoted */
	assert_int_equal(sky_icmp_decode(&m, &(struct sky_rd){ msg, msg + 8, false }), 0);
	memset(&a, 0, sizeof(a));
	sky_hopin_echo(&a, &sent, &m);
	assert_int_equal(a.id, 9);
	assert_int_equal(a.trust, SKY_TRUST_MATCHED);
	memset(&a, 0, sizeof(a));
	m.sum ^= 1;
	sky_hopin_echo(&a, &sent, &m);
	assert_int_equal(a.id, 0);

	msg[0] = 0;	/* the reply */
	assert_true(sky_hopin_icmp(&a, &sent, &router, msg, sizeof(msg)));
	assert_int_equal(a.what, SKY_HOP_REACHED);
	assert_int_equal(a.id, 9);
	assert_int_equal(a.reply_len, sizeof(msg));
	msg[5]++;	/* to somebody else's request */
	assert_false(sky_hopin_icmp(&a, &sent, &router, msg, sizeof(msg)));
}

/* One stack of two labels, announced and not. */
static void
labels(void **state)
{
	static const uint8_t ext[] = { 0x20, 0, 0, 0, 0, 12, 1, 1,
	    0x05, 0xdc, 0x10, 0xff, 0x05, 0xdc, 0x27, 0x01 };
	uint8_t body[128 + sizeof(ext)] = { 0 }, *p;
	uint16_t sum = sky_cksum_of(ext, sizeof(ext));

	(void)state;
	memcpy(body + 128, ext, sizeof(ext));
	body[130] = (uint8_t)(sum >> 8);
	body[131] = (uint8_t)sum;
	memset(&a, 0, sizeof(a));
	sky_hopin_labels(&a, body + 128, sizeof(ext));
	assert_int_equal(a.labels, 2);
	assert_int_equal(a.label[0].label, 24001);
	assert_int_equal(a.label[1].tc, 3);
	assert_int_equal(a.label[1].ttl, 1);
	memset(&a, 0, sizeof(a));
	p = exact(body + 28, sizeof(body) - 28);
	sky_hopin_guess(&a, p, sizeof(body) - 28, 28);
	assert_int_equal(a.labels, 2);
	memset(&a, 0, sizeof(a));
	sky_hopin_guess(&a, p, sizeof(body) - 28, 200);
	sky_hopin_guess(&a, p, 10, 28);
	p[sizeof(body) - 29] ^= 1;
	sky_hopin_guess(&a, p, sizeof(body) - 28, 28);
	sky_hopin_labels(&a, p + 100, sizeof(ext));
	assert_int_equal(a.labels, 0);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags), cmocka_unit_test(kinds), cmocka_unit_test(raw4),
		cmocka_unit_test(raw6), cmocka_unit_test(echoes), cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
