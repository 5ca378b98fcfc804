/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that are made: as a real host made them, with and without extension. */
#include "test.h"
#include "packets.h"
#include "wire/icmperr.h"
#include "wire/quote.h"

static uint8_t out[2048];

static void
the_same_error_that_a_real_host_sent(void **state)
{
	struct sky_icmperr e = {
		.from = sky_ip_addr4(refused4 + 12, 0), .type = 3, .code = 3,
		.ttl = 255, .tos = 0xc0, .id = 0xe253,
	};

	assert_int_equal(sizeof(refused4), sky_icmperr_build(&e, refused4 + 28, 440, out, sizeof(out)));
	assert_memory_equal(out, refused4, sizeof(refused4));
}

static void
the_same_extended_error_that_a_real_router_sent(void **state)
{
	struct sky_icmperr e = {
		.from = sky_ip_addr4(exceeded_mpls + 12, 0), .type = 11, .ttl = 255,
		.id = 0x1396, .ext = exceeded_mpls + 156, .ext_len = 12, .hide_length = true,
	};
	int n = sky_icmperr_build(&e, exceeded_mpls + 28, 40, out, sizeof(out));

	assert_int_equal(n, sizeof(exceeded_mpls));
	/* That router sets DF; the checksum of the IP header differs by it. */
	assert_memory_equal(out + 12, exceeded_mpls + 12, sizeof(exceeded_mpls) - 12);
	assert_int_equal(sky_ip4_check(out, (size_t)n), SKY_CKSUM_GOOD);
}

static void
the_same_ipv6_error_that_a_real_host_sent(void **state)
{
	struct sky_icmperr e = {
		.from = sky_ip_addr6(problem6 + 8, 0), .type = 4, .code = 3, .rest = 48,
	};

	assert_int_equal(sizeof(problem6), sky_icmperr_build(&e, problem6 + 48, 64, out, sizeof(out)));
	assert_memory_equal(out, problem6, sizeof(problem6));
}

static void
no_longer_than_the_limit(void **state)
{
	uint8_t big[1600] = { 0 };
	struct sky_icmperr e = { .from = sky_ip_addr4(udp4_query, 0), .type = 3, .code = 4, .rest = 1300 };

	memcpy(big, udp4_query, 20);
	assert_int_equal(sky_icmperr_build(&e, big, sizeof(big), out, sizeof(out)), 576);
	e.quote_max = 28;
	assert_int_equal(sky_icmperr_build(&e, big, sizeof(big), out, sizeof(out)), 56);
	assert_int_equal(sky_icmperr_build(&e, big, sizeof(big), out, 55), -ENOSPC);
	e.quote_max = 0;
	e.limit = 27;
	assert_int_equal(sky_icmperr_build(&e, big, sizeof(big), out, sizeof(out)), -EINVAL);
	memcpy(big, udp6, 40);
	e = (struct sky_icmperr){ .from = sky_ip_addr6(udp6, 0), .type = 2, .rest = 1280 };
	assert_int_equal(sky_icmperr_build(&e, big, sizeof(big), out, sizeof(out)), 1280);
}

/* What is built with an extension is found again, for every length of packet. */
static void
extension_and_quote_are_found_again(const uint8_t *head, size_t head_len,
    const struct sky_icmperr *e, size_t len)
{
	uint8_t big[1600] = { 0 };
	struct sky_icmpext ext;
	struct sky_icmp m;
	struct sky_ip ip;
	size_t qlen, want;
	int n;

	memcpy(big, head, head_len);
	n = sky_icmperr_build(e, big, len, out, sizeof(out));
	assert_in_range(n, 1, e->from.u.sa.sa_family == AF_INET ? 576 : 1280);
	assert_int_equal(sky_ip_decode(&ip, out, (size_t)n), 0);
	assert_int_equal(ip.len, n);
	assert_int_equal(sky_ip_check_payload(&ip), SKY_CKSUM_GOOD);
	assert_int_equal(sky_icmp_decode(&m, &ip.payload), 0);
	assert_int_equal(sky_icmpext_find(&ext, &qlen, ip.family, &m, ip.payload.at,
	    sky_rd_left(&ip.payload)), 1);
	assert_int_equal(ext.guessed, e->hide_length);
	assert_int_equal(ext.state, SKY_CKSUM_GOOD);
	assert_int_equal(ext.len, e->ext_len);
	assert_memory_equal(ext.at, e->ext, ext.len);
	assert_in_range(qlen, 128, 1280);
	want = len < qlen ? len : qlen;
	assert_memory_equal(ip.payload.at, big, want);
	assert_true(len <= qlen || e->hide_length || qlen > 500);
}

static void
extended_errors_of_every_length(void **state)
{
	const uint8_t *ext = exceeded_interface + 156;

	for (size_t len = 40; len < sizeof(out) - 500; len += 3)
		for (int hide = 0; hide < 2; hide++) {
			struct sky_icmperr e4 = {
				.from = sky_ip_addr4(udp4_query + 16, 0), .type = 3, .code = 3,
				.ext = ext, .ext_len = 84, .hide_length = hide,
			};
			struct sky_icmperr e6 = {
				.from = sky_ip_addr6(udp6 + 24, 0), .type = 1, .code = 4,
				.ext = exceeded_mpls + 156, .ext_len = 12, .hide_length = hide,
			};

			if (len > 400)
				e4.ext = exceeded_mpls + 156, e4.ext_len = 12;
			extension_and_quote_are_found_again(udp4_query, 20, &e4, len);
			extension_and_quote_are_found_again(udp6, 40, &e6, len);
		}
}

static void
what_cannot_be_built(void **state)
{
	struct sky_icmperr e = { .from = sky_ip_addr6(udp6 + 8, 0), .type = 3 };

	assert_int_equal(sky_icmperr_build(&e, udp4_query, 84, out, sizeof(out)), -EINVAL);
	assert_int_equal(sky_icmperr_build(&e, arp_qinq, 64, out, sizeof(out)), -EINVAL);
	e = (struct sky_icmperr){ .from = sky_ip_addr6(udp6 + 8, 0), .type = 2,
		.ext = exceeded_mpls + 156, .ext_len = 12 };
	assert_int_equal(sky_icmperr_build(&e, udp6, sizeof(udp6), out, sizeof(out)), -EINVAL);
}

static void
when_an_error_may_be_sent(void **state)
{
	uint8_t p[sizeof(udp4_query)], six[sizeof(udp6)];

	memcpy(p, udp4_query, sizeof(p));
	assert_true(sky_icmperr_may(3, 3, p, sizeof(p)));
	p[7] = 1;				/* a later fragment */
	assert_false(sky_icmperr_may(3, 3, p, sizeof(p)));
	p[7] = 0;
	p[16] = 224;				/* to a group */
	assert_false(sky_icmperr_may(3, 3, p, sizeof(p)));
	memset(p + 16, 255, 4);			/* to everybody */
	assert_false(sky_icmperr_may(3, 3, p, sizeof(p)));
	memcpy(p, udp4_query, sizeof(p));
	memset(p + 12, 0, 4);			/* from nobody */
	assert_false(sky_icmperr_may(3, 3, p, sizeof(p)));
	assert_false(sky_icmperr_may(3, 3, refused4, sizeof(refused4)));
	assert_false(sky_icmperr_may(1, 0, problem6, sizeof(problem6)));
	assert_true(sky_icmperr_may(3, 0, echo6_routed, sizeof(echo6_routed)));
	memcpy(six, udp6, sizeof(six));
	six[6] = 58;
	six[40] = 128;				/* an echo */
	assert_true(sky_icmperr_may(1, 4, six, sizeof(six)));
	six[40] = 137;				/* a redirect */
	assert_false(sky_icmperr_may(1, 4, six, sizeof(six)));
	memcpy(six, udp6, sizeof(six));
	six[24] = 0xff;
	assert_false(sky_icmperr_may(1, 4, six, sizeof(six)));
	assert_true(sky_icmperr_may(2, 0, six, sizeof(six)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_error_that_a_real_host_sent),
		cmocka_unit_test(the_same_extended_error_that_a_real_router_sent),
		cmocka_unit_test(the_same_ipv6_error_that_a_real_host_sent),
		cmocka_unit_test(no_longer_than_the_limit),
		cmocka_unit_test(extended_errors_of_every_length),
		cmocka_unit_test(what_cannot_be_built),
		cmocka_unit_test(when_an_error_may_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
