/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors as they are found: header, quote, extension. */
#include "test.h"
#include "packets.h"
#include "wire/icmpext.h"
#include "wire/quote.h"

#include <arpa/inet.h>

static void
assert_text(int family, const void *addr, const char *text)
{
	char buf[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(family, addr, buf, sizeof(buf)), text);
}

static void
header_fields_by_type(void **state)
{
	struct sky_icmp m = { .type = 3, .code = 4, .rest = 0x00200514 };

	assert_int_equal(sky_icmp_mtu(AF_INET, &m), 1300);	/* not the length byte */
	assert_int_equal(sky_icmp_quote_len(AF_INET, &m), 128);
	m.code = 3;
	assert_int_equal(sky_icmp_mtu(AF_INET, &m), 0);
	m = (struct sky_icmp){ .type = 2, .rest = 1280 };
	assert_int_equal(sky_icmp_mtu(AF_INET6, &m), 1280);
	assert_int_equal(sky_icmp_quote_len(AF_INET6, &m), 0);
	m = (struct sky_icmp){ .type = 12, .rest = 0x14000000 };
	assert_int_equal(sky_icmp_pointer(AF_INET, &m), 20);
	m = (struct sky_icmp){ .type = 4, .rest = 48 };
	assert_int_equal(sky_icmp_pointer(AF_INET6, &m), 48);
	m = (struct sky_icmp){ .type = 1, .rest = 0x10000000 };
	assert_int_equal(sky_icmp_quote_len(AF_INET6, &m), 128);
	m = (struct sky_icmp){ .type = 8, .rest = 0x12345678 };
	assert_int_equal(sky_icmp_id(&m), 0x1234);
	assert_int_equal(sky_icmp_seq(&m), 0x5678);
}

static void
which_messages_quote(void **state)
{
	static const uint8_t quoting[] = { 3, 4, 5, 11, 12 };

	for (unsigned t = 0; t < 256; t++) {
		assert_int_equal(sky_icmp_quotes(AF_INET, (uint8_t)t),
		    memchr(quoting, (int)t, sizeof(quoting)) != NULL);
		assert_int_equal(sky_icmp_quotes(AF_INET6, (uint8_t)t), t < 128);
	}
}

static void
header_cut_at_every_byte(void **state)
{
	for (size_t n = 0; n < 8; n++) {
		uint8_t *p = exact(refused4 + 20, n);
		struct sky_rd rd = sky_rd_of(p, n);
		struct sky_icmp m;

		assert_int_equal(sky_icmp_decode(&m, &rd), -EMSGSIZE);
		free(p);
	}
}

/* Decodes the error in an IPv4 packet without options, or in an IPv6 packet. */
static void
open_error(const uint8_t *p, size_t len, struct sky_icmp *m, struct sky_rd *body)
{
	struct sky_ip ip;

	assert_int_equal(sky_ip_decode(&ip, p, len), 0);
	*body = ip.payload;
	assert_int_equal(sky_icmp_decode(m, body), 0);
}

static void
quote_of_a_refused_datagram(void **state)
{
	struct sky_icmp m;
	struct sky_rd body;
	struct sky_quote q;

	open_error(refused4, sizeof(refused4), &m, &body);
	assert_int_equal(m.type, 3);
	assert_int_equal(m.code, 3);
	assert_int_equal(sky_quote_decode(&q, AF_INET, body.at, sky_rd_left(&body)), 0);
	assert_text(AF_INET, &q.src.u.in.sin_addr, "131.151.1.59");
	assert_text(AF_INET, &q.dst.u.in.sin_addr, "131.151.32.21");
	assert_int_equal(ntohs(q.src.u.in.sin_port), 7003);
	assert_int_equal(ntohs(q.dst.u.in.sin_port), 1792);
	assert_int_equal(q.ip.proto, 17);
	assert_int_equal(q.ip.id, 0xcb91);
	assert_int_equal(q.ip.ttl, 254);
	assert_int_equal(q.ip.len, 440);
	assert_int_equal(q.udp_len, 420);
	assert_int_equal(q.have, SKY_QUOTE_PORTS | SKY_QUOTE_EIGHT | SKY_QUOTE_UDP | SKY_QUOTE_PAYLOAD);
	assert_int_equal(q.payload_len, 412);
	assert_ptr_equal(q.payload, refused4 + 56);
	assert_false(q.ip.flags & SKY_IP_CUT);
}

static void
quote_cut_at_every_byte(void **state)
{
	for (size_t n = 0; n < 440; n++) {
		uint8_t *p = exact(refused4 + 28, n);
		struct sky_quote q;
		int ret = sky_quote_decode(&q, AF_INET, p, n);

		assert_int_equal(ret, n < 20 ? -EMSGSIZE : 0);
		if (n >= 20) {
			assert_int_equal(!!(q.have & SKY_QUOTE_PORTS), n >= 24);
			assert_int_equal(!!(q.have & SKY_QUOTE_EIGHT), n >= 28);
			assert_int_equal(!!(q.have & SKY_QUOTE_UDP), n >= 28);
			assert_int_equal(q.payload_len, n < 28 ? 0 : n - 28);
			assert_true(q.ip.flags & SKY_IP_CUT);
			assert_int_equal(ntohs(q.dst.u.in.sin_port), n < 24 ? 0 : 1792);
		}
		free(p);
	}
}

static void
quote_of_a_syn(void **state)
{
	for (size_t n = 20; n <= sizeof(syn4); n++) {
		uint8_t *p = exact(syn4, n);
		struct sky_quote q;

		assert_int_equal(sky_quote_decode(&q, AF_INET, p, n), 0);
		assert_int_equal(!!(q.have & SKY_QUOTE_SEQ), n >= 28);
		if (n >= 28)
			assert_int_equal(q.seq, 928549246);
		assert_int_equal(!!(q.have & SKY_QUOTE_PAYLOAD), n == 60);
		free(p);
	}
}

static void
quote_of_a_later_fragment_has_no_ports(void **state)
{
	uint8_t p[28];
	struct sky_quote q;

	memcpy(p, udp4_query, sizeof(p));
	p[7] = 185;
	assert_int_equal(sky_quote_decode(&q, AF_INET, p, sizeof(p)), 0);
	assert_int_equal(q.have, 0);
	assert_int_equal(q.ip.off, 1480);
	assert_int_equal(q.transport_len, 8);
}

static void
quote_of_the_other_family(void **state)
{
	struct sky_quote q;

	assert_int_equal(sky_quote_decode(&q, AF_INET6, udp4_query, sizeof(udp4_query)), -EINVAL);
	assert_int_equal(sky_quote_decode(&q, AF_INET, udp6, sizeof(udp6)), -EINVAL);
}

/* Some old senders swap or zero the quoted total length. */
static void
quote_with_a_nonsense_length(void **state)
{
	uint8_t p[36];
	struct sky_quote q;

	memcpy(p, udp4_query, sizeof(p));
	p[2] = p[3] = 0;
	assert_int_equal(sky_quote_decode(&q, AF_INET, p, sizeof(p)), 0);
	assert_true(q.ip.flags & SKY_IP_BAD_LEN);
	assert_int_equal(ntohs(q.dst.u.in.sin_port), 53);
	assert_int_equal(q.payload_len, 8);
}

static void
quote_behind_a_routing_header(void **state)
{
	struct sky_quote q;

	assert_int_equal(sky_quote_decode(&q, AF_INET6, udp6_routed, sizeof(udp6_routed)), 0);
	assert_text(AF_INET6, &q.dst.u.in6.sin6_addr, "2200::240:2:0:0:4");
	assert_int_equal(ntohs(q.src.u.in6.sin6_port), 5645);
	assert_int_equal(ntohs(q.dst.u.in6.sin6_port), 5642);
	assert_int_equal(q.payload_len, 0);
	assert_true(q.have & SKY_QUOTE_PAYLOAD);
}

static void
extension_at_128_because_its_checksum_proves_it(void **state)
{
	struct sky_icmpext ext;
	struct sky_icmpext_obj obj;
	struct sky_rd body, objects, stack;
	struct sky_mpls mpls;
	struct sky_icmp m;
	struct sky_quote q;
	size_t qlen;

	open_error(exceeded_mpls, sizeof(exceeded_mpls), &m, &body);
	assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, body.at, sky_rd_left(&body)), 1);
	assert_true(ext.guessed);
	assert_int_equal(qlen, 128);
	assert_int_equal(ext.state, SKY_CKSUM_GOOD);
	objects = sky_icmpext_objects(&ext);
	assert_int_equal(sky_icmpext_next(&objects, &obj), 1);
	assert_int_equal(obj.class, SKY_ICMPEXT_MPLS);
	stack = sky_rd_of(obj.data, obj.len);
	assert_int_equal(sky_mpls_next(&stack, &mpls), 1);
	assert_int_equal(mpls.label, 100704);
	assert_int_equal(mpls.tc, 0);
	assert_true(mpls.bottom);
	assert_int_equal(mpls.ttl, 1);
	assert_int_equal(sky_mpls_next(&stack, &mpls), 0);
	assert_int_equal(sky_icmpext_next(&objects, &obj), 0);
	/* The padding up to byte 128 is not taken for payload. */
	assert_int_equal(sky_quote_decode(&q, AF_INET, body.at, qlen), 0);
	assert_int_equal(q.payload_len, 12);
}

static void
extension_at_128_is_not_believed_without_proof(void **state)
{
	uint8_t p[sizeof(exceeded_mpls)];
	struct sky_icmpext ext;
	struct sky_icmp m = { .type = 11 };
	size_t qlen, len = sizeof(p) - 28;

	for (size_t bit = 0; bit < 12 * 8; bit++) {
		memcpy(p, exceeded_mpls, sizeof(p));
		p[28 + 128 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p + 28, len), 0);
		assert_int_equal(qlen, len);
	}
	memcpy(p, exceeded_mpls, sizeof(p));
	m.type = 4;	/* a type that is never extended */
	assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p + 28, len), 0);
}

static void
extension_where_the_sender_says(void **state)
{
	uint8_t p[sizeof(exceeded_mpls)];
	struct sky_icmpext ext;
	struct sky_icmp m = { .type = 11, .rest = 32 << 16 };
	size_t qlen, len = sizeof(p) - 28;

	memcpy(p, exceeded_mpls, sizeof(p));
	assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p + 28, len), 1);
	assert_false(ext.guessed);
	p[28 + 128 + 5] ^= 1;
	assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p + 28, len), 1);
	assert_int_equal(ext.state, SKY_CKSUM_BAD);
	p[28 + 130] = p[28 + 131] = 0;
	assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p + 28, len), 1);
	assert_int_equal(ext.state, SKY_CKSUM_NONE);
	m.rest = 255u << 16;	/* behind the end */
	assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p + 28, len), 0);
	assert_int_equal(qlen, len);
}

static void
extension_cut_at_every_byte(void **state)
{
	struct sky_icmp m = { .type = 11 };

	for (size_t n = 0; n < 212; n++) {
		uint8_t *p = exact(exceeded_interface + 28, n);
		struct sky_icmpext ext;
		struct sky_icmpext_obj obj;
		struct sky_rd objects;
		size_t qlen;

		m.rest = 32 << 16;
		assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p, n), n >= 132);
		objects = sky_icmpext_objects(&ext);
		assert_int_equal(sky_icmpext_next(&objects, &obj), n > 132 ? -EINVAL : 0);
		m.rest = 0;
		assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, p, n), 0);
		free(p);
	}
}

static void
interface_information(void **state)
{
	struct sky_icmpext ext;
	struct sky_icmpext_obj obj;
	struct sky_icmpext_if f;
	struct sky_rd body, objects;
	struct sky_icmp m;
	uint8_t out[88];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	size_t qlen;

	open_error(exceeded_interface, sizeof(exceeded_interface), &m, &body);
	assert_int_equal(sky_icmpext_find(&ext, &qlen, AF_INET, &m, body.at, sky_rd_left(&body)), 1);
	objects = sky_icmpext_objects(&ext);
	assert_int_equal(sky_icmpext_next(&objects, &obj), 1);
	assert_int_equal(obj.type, 14);
	assert_int_equal(sky_icmpext_if_decode(&f, &obj), 0);
	assert_int_equal(f.role, SKY_IF_INCOMING);
	assert_int_equal(f.have, SKY_IF_INDEX | SKY_IF_ADDR | SKY_IF_NAME);
	assert_int_equal(f.index, 15);
	assert_text(AF_INET, &f.addr.u.in.sin_addr, "10.10.10.10");
	assert_string_equal(f.name, "This-is-the-name-of-the-Interface-that-we-are-looking-for-[:-)]");
	assert_int_equal(sky_icmpext_begin(&wr), 0);
	assert_int_equal(sky_icmpext_if_encode(&f, &wr), 0);
	assert_int_equal(sky_icmpext_end(&wr, 0), 0);
	assert_int_equal(sky_wr_len(&wr), ext.len);
	assert_memory_equal(out, ext.at, ext.len);
}

static void
interface_information_cut_or_wrong(void **state)
{
	const uint8_t *whole = exceeded_interface + 28 + 132 + 4;
	struct sky_icmpext_if f;
	uint8_t bad[80];

	for (uint16_t n = 0; n < 76; n++) {
		uint8_t *p = exact(whole, n);
		struct sky_icmpext_obj obj = { SKY_ICMPEXT_INTERFACE, 14, n, p };

		assert_int_equal(sky_icmpext_if_decode(&f, &obj), -EINVAL);
		assert_int_equal(f.have, n < 4 ? 0 : n < 12 ? SKY_IF_INDEX : SKY_IF_INDEX | SKY_IF_ADDR);
		free(p);
	}
	memcpy(bad, whole, sizeof(bad) - 4);
	for (unsigned len = 0; len < 256; len++) {
		struct sky_icmpext_obj obj = { SKY_ICMPEXT_INTERFACE, 14, 76, bad };
		int ok = len && len <= 64 && len % 4 == 0;

		bad[12] = (uint8_t)len;
		assert_int_equal(sky_icmpext_if_decode(&f, &obj), ok ? 0 : -EINVAL);
	}
}

static void
a_parameter_problem_in_ipv6(void **state)
{
	struct sky_icmp m;
	struct sky_rd body;
	struct sky_quote q;

	open_error(problem6, sizeof(problem6), &m, &body);
	assert_int_equal(m.type, 4);
	assert_int_equal(m.code, 3);
	assert_int_equal(sky_icmp_pointer(AF_INET6, &m), 48);
	assert_int_equal(sky_quote_decode(&q, AF_INET6, body.at, sky_rd_left(&body)), 0);
	assert_text(AF_INET6, &q.src.u.in6.sin6_addr, "2001:630:42:110:ae1f:6bff:fe46:9eda");
	assert_int_equal(q.ip.ttl, 64);
	assert_int_equal(q.ip.len, 64);
	assert_int_equal(q.have & SKY_QUOTE_PORTS, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields_by_type),
		cmocka_unit_test(which_messages_quote),
		cmocka_unit_test(header_cut_at_every_byte),
		cmocka_unit_test(quote_of_a_refused_datagram),
		cmocka_unit_test(quote_cut_at_every_byte),
		cmocka_unit_test(quote_of_a_syn),
		cmocka_unit_test(quote_of_a_later_fragment_has_no_ports),
		cmocka_unit_test(quote_of_the_other_family),
		cmocka_unit_test(quote_with_a_nonsense_length),
		cmocka_unit_test(quote_behind_a_routing_header),
		cmocka_unit_test(extension_at_128_because_its_checksum_proves_it),
		cmocka_unit_test(extension_at_128_is_not_believed_without_proof),
		cmocka_unit_test(extension_where_the_sender_says),
		cmocka_unit_test(extension_cut_at_every_byte),
		cmocka_unit_test(interface_information),
		cmocka_unit_test(interface_information_cut_or_wrong),
		cmocka_unit_test(a_parameter_problem_in_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
