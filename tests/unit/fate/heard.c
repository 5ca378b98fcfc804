/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors as raw sockets hear them: which datagram, what became of it. Errors
 * are made from packets written down here byte by byte.
 */
#include "../wire/test.h"
#include "fate/heard.h"
#include "wire/icmperr.h"

#include <netinet/in.h>

/* 10.0.0.1:4660 to 10.0.0.9:9, "hello, you" */
static const uint8_t udp4[] = {
	0x45, 0, 0, 38, 0, 7, 0x40, 0, 1, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9,
	0x12, 0x34, 0, 9, 0, 18, 0, 0, 'h', 'e', 'l', 'l', 'o', ',', ' ', 'y', 'o', 'u',
};
/* 10.0.0.1:4660 to 10.0.0.9:80, sequence number 0x01020304 */
static const uint8_t tcp4[] = {
	0x45, 0, 0, 40, 0, 7, 0x40, 0, 1, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9,
	0x12, 0x34, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0,
};
static const uint8_t ping4[] = {
	0x45, 0, 0, 28, 0, 7, 0x40, 0, 1, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9,
	8, 0, 0, 0, 0, 1, 0, 1,
};
static const uint8_t later_fragment4[] = {
	0x45, 0, 0, 28, 0, 7, 0x20, 0x10, 1, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9,
	1, 2, 3, 4, 5, 6, 7, 8,
};
/* 2001:db8::1 port 4660 to 2001:db8::9 port 53, behind two extension headers */
static const uint8_t udp6[] = {
	0x60, 0, 0, 0, 0, 26, 0, 1,
	0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0,
	0x12, 0x34, 0, 53, 0, 10, 0, 0, 'o', 'k',
};

static uint8_t packet[1500];
static size_t packet_len;

static struct sky_heard
make(const char *from, uint8_t type, uint8_t code, uint32_t rest, const void *about, size_t len)
{
	struct sky_icmperr e = { .type = type, .code = code, .rest = rest };
	struct sky_heard h = { .ifindex = 3, .time_ns = 12345 };
	int n;

	assert_int_equal(sky_addr_parse(&e.from, from), 0);
	n = sky_icmperr_build(&e, about, len, packet, sizeof(packet));
	assert_true(n > 0);
	packet_len = (size_t)n;
	h.family = sky_addr_family(&e.from);
	h.data = packet;
	h.len = packet_len;
	if (h.family == AF_INET6) {
		h.by = e.from;
		h.data += 40;
		h.len -= 40;
		h.hop = 61;
		h.have_hop = true;
	}
	return h;
}

static void
is_addr(const struct sky_addr *a, const char *text)
{
	char buf[SKY_ADDRSTRLEN];

	assert_string_equal(sky_addr_format(a, buf, sizeof(buf)), text);
}

static void
refused4(void **state)
{
	struct sky_heard h = make("10.0.0.9", 3, 3, 0, udp4, sizeof(udp4));
	struct sky_fate f;

	assert_int_equal(sky_fate_hear(&f, &h), 0);
	assert_int_equal(f.what, SKY_REFUSED);
	assert_int_equal(f.evidence, SKY_BY_ICMPD);
	assert_int_equal(f.proto, 17);
	assert_int_equal(f.err, ECONNREFUSED);
	is_addr(&f.src, "10.0.0.1:4660");
	is_addr(&f.dst, "10.0.0.9:9");
	is_addr(&f.by, "10.0.0.9");
	assert_int_equal(f.hop, 64);
	assert_int_equal(f.time_ns, 12345);
	assert_int_equal(f.ifindex, 3);
	assert_int_equal(f.quote_len, 10);
	assert_memory_equal(f.quote, "hello, you", 10);
	assert_int_equal(sky_fate_vouch(&f, "hello, you", 10, 0), SKY_TRUST_MATCHED);
}

struct row {
	const char *from;
	uint8_t type, code;
	uint32_t rest;
	int what;
	uint32_t mtu, pointer;
	int err;
};

/* Among them what the error queue never has: 4/0 and 11/1. */
static const struct row rows4[] = {
	{ "10.0.1.1", 3, 4, 1300, SKY_TOO_BIG, 1300, 0, EMSGSIZE },
	{ "10.0.1.1", 3, 1, 0, SKY_HOST_UNREACHABLE, 0, 0, EHOSTUNREACH },
	{ "10.0.1.1", 3, 13, 0, SKY_FILTERED, 0, 0, EHOSTUNREACH },
	{ "10.0.1.1", 4, 0, 0, SKY_QUENCHED, 0, 0, 0 },
	{ "10.0.1.1", 11, 0, 0, SKY_HOP_LIMIT, 0, 0, EHOSTUNREACH },
	{ "10.0.1.1", 11, 1, 0, SKY_REASSEMBLY_TIMEOUT, 0, 0, 0 },
	{ "10.0.1.1", 12, 0, UINT32_C(20) << 24, SKY_BAD_HEADER, 0, 20, EPROTO },
};
static const struct row rows6[] = {
	{ "2001:db8::9", 1, 4, 0, SKY_REFUSED, 0, 0, ECONNREFUSED },
	{ "2001:db8:1::1", 2, 0, 1400, SKY_TOO_BIG, 1400, 0, EMSGSIZE },
	{ "2001:db8:1::1", 3, 0, 0, SKY_HOP_LIMIT, 0, 0, EHOSTUNREACH },
	{ "2001:db8:1::1", 3, 1, 0, SKY_REASSEMBLY_TIMEOUT, 0, 0, EHOSTUNREACH },
	{ "2001:db8:1::1", 4, 1, 40, SKY_NO_PROTOCOL, 0, 40, EPROTO },
	{ "2001:db8:1::1", 1, 1, 0, SKY_FILTERED, 0, 0, EACCES },
};

static void
check(const struct row *r, const void *about, size_t len)
{
	struct sky_heard h = make(r->from, r->type, r->code, r->rest, about, len);
	struct sky_fate f;

	assert_int_equal(sky_fate_hear(&f, &h), 0);
	assert_int_equal(f.what, r->what);
	assert_int_equal(f.err, r->err);
	assert_int_equal(f.mtu, r->mtu);
	assert_int_equal(f.pointer, r->pointer);
	assert_int_equal(f.icmp_type, r->type);
	assert_int_equal(f.icmp_code, r->code);
	is_addr(&f.by, r->from);
}

static void
each_type(void **state)
{
	for (size_t i = 0; i < sizeof(rows4) / sizeof(rows4[0]); i++)
		check(&rows4[i], udp4, sizeof(udp4));
	for (size_t i = 0; i < sizeof(rows6) / sizeof(rows6[0]); i++)
		check(&rows6[i], udp6, sizeof(udp6));
}

static void
behind_extension_headers(void **state)
{
	struct sky_heard h = make("2001:db8::9", 1, 4, 0, udp6, sizeof(udp6));
	struct sky_fate f;

	assert_int_equal(sky_fate_hear(&f, &h), 0);
	is_addr(&f.src, "[2001:db8::1]:4660");
	is_addr(&f.dst, "[2001:db8::9]:53");
	assert_int_equal(f.proto, 17);
	assert_int_equal(f.hop, 61);
	assert_memory_equal(f.quote, "ok", 2);
}

static void
tcp(void **state)
{
	struct sky_heard h = make("10.0.1.1", 3, 13, 0, tcp4, sizeof(tcp4));
	struct sky_fate f;

	assert_int_equal(sky_fate_hear(&f, &h), 0);
	assert_int_equal(f.proto, 6);
	is_addr(&f.dst, "10.0.0.9:80");
	assert_true(f.have & SKY_HAVE_SEQ);
	assert_int_equal(f.seq, 0x01020304);
}

static void
not_ours(void **state)
{
	struct sky_heard h = make("10.0.1.1", 3, 1, 0, ping4, sizeof(ping4));
	struct sky_fate f;

	assert_int_equal(sky_fate_hear(&f, &h), -EPROTONOSUPPORT);
	h = make("10.0.1.1", 3, 1, 0, later_fragment4, sizeof(later_fragment4));
	assert_int_equal(sky_fate_hear(&f, &h), -EPROTONOSUPPORT);
	/* a redirect is no fate */
	h = make("10.0.1.1", 3, 1, 0, udp4, sizeof(udp4));
	packet[20] = 5;
	sky_icmp_seal(packet + 20, packet_len - 20, NULL, NULL);
	assert_int_equal(sky_fate_hear(&f, &h), -EBADMSG);
}

/* RFC 4884: the extension does not become a part of the quote. */
static void
extension(void **state)
{
	static uint8_t ext[12] = { 0x20, 0, 0, 0, 0, 8, 1, 1, 0x18, 0x96, 1, 1 };
	struct sky_icmperr e = { .type = 11, .ext = ext, .ext_len = sizeof(ext) };
	struct sky_wr wr = sky_wr_of(ext, sizeof(ext));
	struct sky_heard h = { .family = AF_INET, .data = packet };
	struct sky_fate f;

	wr.at = wr.end;
	sky_icmpext_end(&wr, 0);
	sky_addr_parse(&e.from, "10.0.1.1");
	h.len = (size_t)sky_icmperr_build(&e, udp4, sizeof(udp4), packet, sizeof(packet));
	assert_int_equal(sky_fate_hear(&f, &h), 0);
	assert_int_equal(f.ext_len, sizeof(ext));
	assert_memory_equal(f.ext, ext, sizeof(ext));
	assert_true(f.quote_len <= 100);
	assert_int_equal(sky_fate_vouch(&f, "hello, you", 10, 0), SKY_TRUST_MATCHED);
	/* of another version: no extension; with a wrong checksum: marked, not given */
	packet[20 + 8 + 128 + 4] ^= 1;
	sky_icmp_seal(packet + 20, h.len - 20, NULL, NULL);
	assert_int_equal(sky_fate_hear(&f, &h), 0);
	assert_true(f.flags & SKY_FATE_EXT_BAD);
	assert_int_equal(f.ext_len, 0);
}

static void
neighbour(void **state)
{
	struct sky_heard h = make("10.0.0.1", 3, 1, 0, udp4, sizeof(udp4));
	struct sky_fate f;

	sky_addr_parse(&h.local, "10.0.0.1");
	assert_int_equal(sky_fate_hear(&f, &h), 0);
	assert_int_equal(f.what, SKY_NO_NEIGHBOUR);
}

/* The ancestor ended at less than 8 bytes, at a cut quote, at a header whose length
 * says more than is there. Every prefix, and every byte changed to everything. */
static void
all_cuts(struct sky_heard h)
{
	struct sky_fate f;
	size_t len = h.len;
	const uint8_t *data = h.data;

	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = exact(data, n);

		h.data = copy;
		h.len = n;
		for (int cut = 0; cut < 2; cut++) {
			h.cut = cut;
			if (sky_fate_hear(&f, &h) == 0) {
				assert_true(within(copy, n, f.quote ? f.quote : copy, f.quote_len));
				assert_true(within(copy, n, f.ext ? f.ext : copy, f.ext_len));
			}
		}
		free(copy);
	}
}

static void
all_changes(struct sky_heard h)
{
	uint8_t *copy = exact(h.data, h.len);
	struct sky_fate f;

	h.data = copy;
	h.cut = true;			/* so that no checksum saves the decoder */
	for (size_t at = 0; at < h.len; at++) {
		uint8_t was = copy[at];

		for (int v = 0; v < 256; v++) {
			copy[at] = (uint8_t)v;
			if (sky_fate_hear(&f, &h) == 0)
				assert_true(within(copy, h.len, f.quote ? f.quote : copy,
				    f.quote_len));
		}
		copy[at] = was;
	}
	free(copy);
}

static void
cut_and_changed_anywhere(void **state)
{
	all_cuts(make("10.0.0.9", 3, 3, 0, udp4, sizeof(udp4)));
	all_changes(make("10.0.0.9", 3, 3, 0, udp4, sizeof(udp4)));
	all_cuts(make("2001:db8::9", 1, 4, 0, udp6, sizeof(udp6)));
	all_changes(make("2001:db8::9", 1, 4, 0, udp6, sizeof(udp6)));
	all_cuts(make("10.0.1.1", 3, 13, 0, tcp4, sizeof(tcp4)));
}

/* A raw IPv4 socket is given what the kernel has not summed yet. */
static void
wrong_checksums(void **state)
{
	struct sky_heard h = make("10.0.0.9", 3, 3, 0, udp4, sizeof(udp4));
	struct sky_fate f;

	for (size_t at = 20; at < h.len; at++) {
		packet[at] ^= 0x10;
		assert_int_equal(sky_fate_hear(&f, &h), -EBADMSG);
		packet[at] ^= 0x10;
	}
	assert_int_equal(sky_fate_hear(&f, &h), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused4),
		cmocka_unit_test(each_type),
		cmocka_unit_test(behind_extension_headers),
		cmocka_unit_test(tcp),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(extension),
		cmocka_unit_test(neighbour),
		cmocka_unit_test(cut_and_changed_anywhere),
		cmocka_unit_test(wrong_checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
