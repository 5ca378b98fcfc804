/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum against RFC 1071's example, real packets and a sum by hand. */
#include "test.h"
#include "packets.h"
#include "wire/ip.h"

/* As the RFC words it: 16-bit words, the last one padded with 0. */
static uint16_t
by_hand(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
rfc_1071_example(void **state)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	assert_int_equal(sky_cksum_of(data, sizeof(data)), (uint16_t)~0xddf2);
}

static void
every_length_and_alignment(void **state)
{
	uint8_t *p = exact(refused4, sizeof(refused4));

	for (size_t at = 0; at < 9; at++)
		for (size_t len = 0; len + at <= 120; len++)
			assert_int_equal(sky_cksum_of(p + at, len), by_hand(p + at, len));
	assert_int_equal(sky_cksum_of(NULL, 0), 0xffff);
	free(p);
}

static void
carries_go_round(void **state)
{
	uint8_t ones[67];

	memset(ones, 0xff, sizeof(ones));
	for (size_t len = 0; len <= sizeof(ones); len++)
		assert_int_equal(sky_cksum_of(ones, len), by_hand(ones, len));
}

static void
pieces_of_any_length(void **state)
{
	size_t n = sizeof(udp4_query);

	for (size_t a = 0; a <= n; a++)
		for (size_t b = a; b <= n; b += 3) {
			struct sky_cksum c = sky_cksum_start();

			sky_cksum_add(&c, udp4_query, a);
			sky_cksum_add(&c, udp4_query + a, b - a);
			sky_cksum_add(&c, udp4_query + b, n - b);
			assert_int_equal(sky_cksum_finish(&c), by_hand(udp4_query, n));
		}
}

static void
a_number_after_an_odd_piece(void **state)
{
	static const uint8_t same[] = { 7, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc };
	struct sky_cksum c = sky_cksum_start();

	sky_cksum_add(&c, same, 1);
	sky_cksum_add_u32(&c, 0x12345678);
	sky_cksum_add_u16(&c, 0x9abc);
	assert_int_equal(sky_cksum_finish(&c), by_hand(same, sizeof(same)));
}

static enum sky_cksum_state
check(const uint8_t *data, size_t len)
{
	struct sky_ip ip;

	assert_int_equal(sky_ip_decode(&ip, data, len), 0);
	return sky_ip_check_payload(&ip);
}

static void
real_packets_are_good(void **state)
{
	assert_int_equal(check(udp4_query, sizeof(udp4_query)), SKY_CKSUM_GOOD);
	assert_int_equal(check(udp6, sizeof(udp6)), SKY_CKSUM_GOOD);
	assert_int_equal(check(udp6_routed, sizeof(udp6_routed)), SKY_CKSUM_GOOD);
	assert_int_equal(check(echo6_routed, sizeof(echo6_routed)), SKY_CKSUM_GOOD);
	assert_int_equal(check(exceeded_mpls, sizeof(exceeded_mpls)), SKY_CKSUM_GOOD);
	assert_int_equal(check(refused4, sizeof(refused4)), SKY_CKSUM_GOOD);
	assert_int_equal(check(syn4, sizeof(syn4)), SKY_CKSUM_GOOD);
}

static void
any_bit_changed_is_bad(void **state)
{
	uint8_t p[sizeof(udp4_query)];

	for (size_t bit = (20 + 8) * 8; bit < sizeof(p) * 8; bit++) {
		memcpy(p, udp4_query, sizeof(p));
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(check(p, sizeof(p)), SKY_CKSUM_BAD);
	}
}

static void
left_to_the_interface_is_partial(void **state)
{
	assert_int_equal(check(udp4_syslog, sizeof(udp4_syslog)), SKY_CKSUM_PARTIAL);
}

static void
cut_anywhere_cannot_be_told(void **state)
{
	for (size_t n = 20; n < sizeof(udp4_query); n++) {
		uint8_t *p = exact(udp4_query, n);

		assert_int_equal(check(p, n), SKY_CKSUM_CUT);
		free(p);
	}
}

static void
udp_zero_is_not_computed(void **state)
{
	uint8_t p[sizeof(udp4_query)];

	memcpy(p, udp4_query, sizeof(p));
	p[26] = p[27] = 0;
	assert_int_equal(check(p, sizeof(p)), SKY_CKSUM_NONE);
	/* and it is told even when data is missing */
	assert_int_equal(check(p, 40), SKY_CKSUM_NONE);
}

static void
udp_length_that_cannot_be_is_bad(void **state)
{
	uint8_t p[sizeof(udp4_query)];

	memcpy(p, udp4_query, sizeof(p));
	p[25] = 7;
	assert_int_equal(check(p, sizeof(p)), SKY_CKSUM_BAD);
	p[25] = 65;
	assert_int_equal(check(p, sizeof(p)), SKY_CKSUM_BAD);
}

static void
udp_sum_of_zero_is_sent_as_ones(void **state)
{
	static const uint8_t ones[] = { 0xff, 0xff };
	struct sky_cksum c = sky_cksum_start();

	sky_cksum_add(&c, ones, 2);
	assert_int_equal(sky_cksum_finish(&c), 0);
	assert_int_equal(sky_cksum_finish_udp(&c), 0xffff);
}

/* RFC 1624, section 4: the case that RFC 1141 gets wrong. */
static void
rfc_1624_example(void **state)
{
	assert_int_equal(sky_cksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void
a_router_mends_the_header(void **state)
{
	uint8_t p[sizeof(udp4_query)];

	memcpy(p, udp4_query, sizeof(p));
	for (int ttl = 255; ttl >= 0; ttl--) {
		assert_int_equal(sky_ip4_set_ttl(p, sizeof(p), (uint8_t)ttl), 0);
		assert_int_equal(p[8], ttl);
		assert_int_equal(by_hand(p, 20), 0);
		assert_int_equal(sky_ip4_check(p, sizeof(p)), SKY_CKSUM_GOOD);
	}
	assert_int_equal(sky_ip4_set_ttl(p, 11, 3), -EMSGSIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_1071_example),
		cmocka_unit_test(every_length_and_alignment),
		cmocka_unit_test(carries_go_round),
		cmocka_unit_test(pieces_of_any_length),
		cmocka_unit_test(a_number_after_an_odd_piece),
		cmocka_unit_test(real_packets_are_good),
		cmocka_unit_test(any_bit_changed_is_bad),
		cmocka_unit_test(left_to_the_interface_is_partial),
		cmocka_unit_test(cut_anywhere_cannot_be_told),
		cmocka_unit_test(udp_zero_is_not_computed),
		cmocka_unit_test(udp_length_that_cannot_be_is_bad),
		cmocka_unit_test(udp_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(rfc_1624_example),
		cmocka_unit_test(a_router_mends_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
