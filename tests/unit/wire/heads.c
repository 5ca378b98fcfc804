/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4, IPv6, UDP, TCP, ARP and Ethernet headers: read, written, cut at every byte. */
#include "test.h"
#include "packets.h"
#include "wire/arp.h"
#include "wire/ip.h"
#include "wire/link.h"
#include "wire/names.h"
#include "wire/tcphdr.h"
#include "wire/udphdr.h"

#include <arpa/inet.h>

static void
assert_text(int family, const void *addr, const char *text)
{
	char buf[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(family, addr, buf, sizeof(buf)), text);
}

static void
ip4_fields_as_tcpdump_prints_them(void **state)
{
	struct sky_rd rd = sky_rd_of(udp4_query, sizeof(udp4_query)), part;
	struct sky_ip4 ip;

	assert_int_equal(sky_ip4_decode(&ip, &rd), 0);
	assert_int_equal(ip.len, 84);
	assert_int_equal(ip.id, 0x59cd);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(ip.proto, 17);
	assert_false(ip.df || ip.mf || ip.off);
	assert_text(AF_INET, ip.src, "192.168.1.11");
	assert_text(AF_INET, ip.dst, "209.87.249.18");
	assert_int_equal(sky_ip4_payload(&ip, &rd, &part), 0);
	assert_int_equal(sky_rd_left(&part), 64);
}

static void
ip4_encodes_to_the_same_bytes(void **state)
{
	static const struct { const uint8_t *p; size_t len; } all[] = {
		{ udp4_query, 20 }, { exceeded_mpls, 20 }, { refused4, 20 }, { syn4, 20 },
	};

	for (size_t i = 0; i < 4; i++) {
		struct sky_rd rd = sky_rd_of(all[i].p, 60);
		uint8_t out[60];
		struct sky_wr wr = sky_wr_of(out, sizeof(out));
		struct sky_ip4 ip;

		assert_int_equal(sky_ip4_decode(&ip, &rd), 0);
		assert_int_equal(sky_ip4_encode(&ip, &wr), 0);
		assert_int_equal(sky_wr_len(&wr), all[i].len);
		assert_memory_equal(out, all[i].p, all[i].len);
	}
}

static void
ip4_cut_at_every_byte(void **state)
{
	for (size_t n = 0; n < 20; n++) {
		uint8_t *p = exact(udp4_query, n);
		struct sky_rd rd = sky_rd_of(p, n);
		struct sky_ip4 ip;
		struct sky_ip any;

		assert_int_equal(sky_ip4_decode(&ip, &rd), -EMSGSIZE);
		assert_int_equal(sky_ip_decode(&any, p, n), -EMSGSIZE);
		assert_int_equal(sky_ip4_check(p, n), SKY_CKSUM_CUT);
		free(p);
	}
}

static void
ip4_that_cannot_be_is_refused(void **state)
{
	uint8_t p[20];
	struct sky_rd rd;
	struct sky_ip4 ip;

	memcpy(p, udp4_query, sizeof(p));
	p[0] = 0x44;
	rd = sky_rd_of(p, sizeof(p));
	assert_int_equal(sky_ip4_decode(&ip, &rd), -EINVAL);
	p[0] = 0x55;
	rd = sky_rd_of(p, sizeof(p));
	assert_int_equal(sky_ip4_decode(&ip, &rd), -EINVAL);
	p[0] = 0x46;	/* options of four bytes that are not there */
	rd = sky_rd_of(p, sizeof(p));
	assert_int_equal(sky_ip4_decode(&ip, &rd), -EMSGSIZE);
}

/* NOP, a loose route through 10.0.0.1 to 10.0.0.2 (pointer 4), END. */
static const uint8_t opts[] = { 1, 131, 11, 4, 10, 0, 0, 1, 10, 0, 0, 2 };

static void
ip4_options_one_by_one(void **state)
{
	struct sky_ip4 ip = { .hlen = 32, .len = 32, .opts = opts, .dst = { 1, 2, 3, 4 } };
	struct sky_rd rd = sky_ip4_opts(&ip);
	struct sky_ip4_opt opt;
	uint8_t out[32];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));

	assert_int_equal(sky_ip4_opt_next(&rd, &opt), 1);
	assert_int_equal(opt.type, SKY_IP4_OPT_NOP);
	assert_int_equal(sky_ip4_opt_next(&rd, &opt), 1);
	assert_int_equal(opt.type, SKY_IP4_OPT_LSRR);
	assert_int_equal(opt.len, 11);
	assert_ptr_equal(opt.data, opts + 3);
	assert_int_equal(sky_ip4_opt_next(&rd, &opt), 0);
	assert_text(AF_INET, sky_ip4_final(&ip), "10.0.0.2");
	assert_int_equal(sky_ip4_encode(&ip, &wr), 0);
	assert_memory_equal(out + 20, opts, sizeof(opts));
	assert_int_equal(sky_ip4_check(out, 32), SKY_CKSUM_GOOD);
}

static void
ip4_source_route_used_up(void **state)
{
	uint8_t used[sizeof(opts)];
	struct sky_ip4 ip = { .hlen = 32, .opts = used, .dst = { 1, 2, 3, 4 } };

	memcpy(used, opts, sizeof(used));
	used[3] = 12;
	assert_text(AF_INET, sky_ip4_final(&ip), "1.2.3.4");
}

static void
ip4_options_that_do_not_end(void **state)
{
	for (size_t n = 2; n < 12; n++) {
		uint8_t *p = exact(opts, n);
		struct sky_rd rd = sky_rd_of(p, n);
		struct sky_ip4_opt opt;

		assert_int_equal(sky_ip4_opt_next(&rd, &opt), 1);
		assert_int_equal(sky_ip4_opt_next(&rd, &opt), -EINVAL);
		free(p);
	}
}

static void
ip4_total_length_rules_the_payload(void **state)
{
	struct sky_ip4 ip = { .hlen = 20, .len = 25 };
	struct sky_rd rd = sky_rd_of(udp4_query, 46), part;

	assert_int_equal(sky_ip4_payload(&ip, &rd, &part), 0);
	assert_int_equal(sky_rd_left(&part), 5);
	ip.len = 120;
	rd = sky_rd_of(udp4_query, 46);
	assert_int_equal(sky_ip4_payload(&ip, &rd, &part), -EMSGSIZE);
	assert_int_equal(sky_rd_left(&part), 46);
	ip.len = 19;
	assert_int_equal(sky_ip4_payload(&ip, &rd, &part), -EINVAL);
	assert_int_equal(sky_rd_left(&part), 0);
}

static void
ip6_fields_and_same_bytes(void **state)
{
	struct sky_rd rd = sky_rd_of(udp6, sizeof(udp6));
	uint8_t out[40];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_ip6 ip;

	assert_int_equal(sky_ip6_decode(&ip, &rd), 0);
	assert_int_equal(ip.plen, 37);
	assert_int_equal(ip.next, 17);
	assert_int_equal(ip.hops, 64);
	assert_text(AF_INET6, ip.src, "2001:db8::1");
	assert_text(AF_INET6, ip.dst, "2620:fe::9");
	assert_int_equal(sky_ip6_encode(&ip, &wr), 0);
	assert_memory_equal(out, udp6, 40);
}

static void
ip6_cut_at_every_byte(void **state)
{
	for (size_t n = 0; n < sizeof(udp6_routed); n++) {
		uint8_t *p = exact(udp6_routed, n);
		struct sky_ip ip;
		int ret = sky_ip_decode(&ip, p, n);

		assert_int_equal(ret, n < 40 ? -EMSGSIZE : 0);
		if (!ret) {
			assert_true(ip.flags & SKY_IP_CUT);
			assert_int_equal(!!(ip.flags & SKY_IP_BAD_HEAD), n < 80);
			assert_int_equal(sky_ip_check_payload(&ip), SKY_CKSUM_CUT);
		}
		free(p);
	}
}

static void
ip6_routing_header_gives_the_last_address(void **state)
{
	struct sky_ip ip;

	assert_int_equal(sky_ip_decode(&ip, udp6_routed, sizeof(udp6_routed)), 0);
	assert_int_equal(ip.proto, 17);
	assert_int_equal(ip.head_len, 80);
	assert_int_equal(ip.payload_len, 8);
	assert_text(AF_INET6, &ip.dst.u.in6.sin6_addr, "2200::211:2:0:0:2");
	assert_text(AF_INET6, &ip.final.u.in6.sin6_addr, "2200::240:2:0:0:4");
}

/* Hop-by-hop, destination, fragment (offset 1448, more), then UDP data. */
static const uint8_t chain[] = {
	60, 0, 1, 4, 0, 0, 0, 0,
	44, 0, 1, 4, 0, 0, 0, 0,
	17, 0, 0x05, 0xa9, 0xde, 0xad, 0xbe, 0xef,
	1, 2, 3, 4, 5, 6, 7, 8,
};

static void
ip6_chain_with_a_fragment(void **state)
{
	struct sky_rd rd = sky_rd_of(chain, sizeof(chain));
	uint8_t out[8];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_ip6_chain c;

	assert_int_equal(sky_ip6_chain_decode(&c, 0, &rd), 0);
	assert_int_equal(c.proto, 17);
	assert_int_equal(c.count, 3);
	assert_int_equal(c.len, 24);
	assert_true(c.has_frag && c.frag.more);
	assert_int_equal(c.frag.off, 1448);
	assert_int_equal(c.frag.id, 0xdeadbeef);
	assert_int_equal(c.unfrag_len, 16);
	assert_int_equal(c.next_at, 8);
	assert_int_equal(sky_rd_left(&rd), 8);
	assert_int_equal(sky_ip6_frag_encode(&c.frag, &wr), 0);
	assert_memory_equal(out, chain + 16, 8);
}

static void
ip6_chain_cut_at_every_byte(void **state)
{
	for (size_t n = 0; n < 24; n++) {
		uint8_t *p = exact(chain, n);
		struct sky_rd rd = sky_rd_of(p, n);
		struct sky_ip6_chain c;

		assert_int_equal(sky_ip6_chain_decode(&c, 0, &rd), -EMSGSIZE);
		assert_int_equal(c.count, n / 8);
		free(p);
	}
}

static void
ip6_chain_is_bounded(void **state)
{
	uint8_t p[8 * (SKY_IP6_CHAIN_MAX + 1)] = { 0 };
	struct sky_rd rd = sky_rd_of(p, sizeof(p));
	struct sky_ip6_chain c;

	for (size_t i = 0; i <= SKY_IP6_CHAIN_MAX; i++)
		p[8 * i] = 60;
	assert_int_equal(sky_ip6_chain_decode(&c, 60, &rd), -EINVAL);
	assert_int_equal(c.count, SKY_IP6_CHAIN_MAX);
}

/* RFC 4302: an authentication header counts words of four bytes, less two. */
static void
ip6_authentication_header_has_other_units(void **state)
{
	uint8_t p[24] = { 58, 4 };
	struct sky_rd rd = sky_rd_of(p, sizeof(p));
	struct sky_ip6_chain c;

	assert_int_equal(sky_ip6_chain_decode(&c, 51, &rd), 0);
	assert_int_equal(c.len, 24);
	assert_int_equal(c.proto, 58);
}

static void
udp_cut_written_and_built(void **state)
{
	uint8_t out[64];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_rd rd = sky_rd_of(udp4_query + 20, 64);
	struct sky_addr src = sky_ip_addr4(udp4_query + 12, 43966);
	struct sky_addr dst = sky_ip_addr4(udp4_query + 16, 53);
	struct sky_udphdr u;

	assert_int_equal(sky_udphdr_decode(&u, &rd), 0);
	assert_int_equal(u.sport, 43966);
	assert_int_equal(u.dport, 53);
	assert_int_equal(u.len, 64);
	assert_int_equal(sky_udphdr_encode(&u, &wr), 0);
	assert_memory_equal(out, udp4_query + 20, 8);
	wr = sky_wr_of(out, sizeof(out));
	assert_int_equal(sky_udphdr_build(&wr, &src, &dst, udp4_query + 28, 56), 0);
	assert_int_equal(sky_wr_len(&wr), 64);
	assert_memory_equal(out, udp4_query + 20, 64);
	wr = sky_wr_of(out, 63);
	assert_int_equal(sky_udphdr_build(&wr, &src, &dst, udp4_query + 28, 56), -ENOSPC);
	for (size_t n = 0; n < 8; n++) {
		uint8_t *p = exact(udp4_query + 20, n);

		rd = sky_rd_of(p, n);
		assert_int_equal(sky_udphdr_decode(&u, &rd), -EMSGSIZE);
		assert_int_equal(u.sport, n < 2 ? 0 : 43966);
		free(p);
	}
}

static void
udp6_built_as_captured(void **state)
{
	uint8_t out[37];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_addr src = sky_ip_addr6(udp6 + 8, 12345);
	struct sky_addr dst = sky_ip_addr6(udp6 + 24, 53);
	struct sky_addr other = sky_ip_addr4(udp6 + 8, 1);

	assert_int_equal(sky_udphdr_build(&wr, &src, &dst, udp6 + 48, 29), 0);
	assert_memory_equal(out, udp6 + 40, 37);
	assert_int_equal(sky_udphdr_build(&wr, &src, &other, NULL, 0), -EINVAL);
}

static void
tcp_fields_cut_and_same_bytes(void **state)
{
	struct sky_rd rd = sky_rd_of(syn4 + 20, 40);
	uint8_t out[40];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_tcphdr t;

	assert_int_equal(sky_tcphdr_decode(&t, &rd), 0);
	assert_int_equal(t.sport, 55920);
	assert_int_equal(t.dport, 80);
	assert_int_equal(t.seq, 928549246);
	assert_int_equal(t.flags, SKY_TCP_SYN);
	assert_int_equal(t.hlen, 40);
	assert_int_equal(sky_tcphdr_encode(&t, &wr), 0);
	assert_memory_equal(out, syn4 + 20, 40);
	for (size_t n = 0; n < 40; n++) {
		uint8_t *p = exact(syn4 + 20, n);

		rd = sky_rd_of(p, n);
		assert_int_equal(sky_tcphdr_decode(&t, &rd), -EMSGSIZE);
		assert_int_equal(t.seq, n < 8 ? 0 : 928549246);
		free(p);
	}
}

static void
ethernet_with_two_tags_and_arp(void **state)
{
	struct sky_rd rd = sky_rd_of(arp_qinq, sizeof(arp_qinq));
	uint8_t out[50];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_link l;
	struct sky_arp a;

	assert_int_equal(sky_link_decode(&l, &rd), 0);
	assert_int_equal(l.tags, 2);
	assert_int_equal(l.tag[0].tpid, SKY_LINK_8021AD);
	assert_int_equal(l.tag[0].tci & 0xfff, 200);
	assert_int_equal(l.tag[1].tci & 0xfff, 2001);
	assert_int_equal(l.type, SKY_LINK_ARP);
	assert_int_equal(sky_arp_decode(&a, &rd), 0);
	assert_int_equal(a.op, SKY_ARP_REQUEST);
	assert_text(AF_INET, a.spa, "172.21.79.97");
	assert_text(AF_INET, a.tpa, "172.21.79.100");
	assert_int_equal(sky_link_encode(&l, &wr), 0);
	assert_int_equal(sky_arp_encode(&a, &wr), 0);
	assert_int_equal(sky_wr_len(&wr), 50);
	assert_memory_equal(out, arp_qinq, 50);
}

static void
ethernet_and_arp_cut_at_every_byte(void **state)
{
	for (size_t n = 0; n < 50; n++) {
		uint8_t *p = exact(arp_qinq, n);
		struct sky_rd rd = sky_rd_of(p, n);
		struct sky_link l;
		struct sky_arp a;
		int ret = sky_link_decode(&l, &rd);

		assert_int_equal(ret, n < 22 ? -EMSGSIZE : 0);
		if (!ret)
			assert_int_equal(sky_arp_decode(&a, &rd), -EMSGSIZE);
		free(p);
	}
}

static void
five_tags_are_too_many(void **state)
{
	uint8_t p[12 + 2 * 10] = { 0 };
	struct sky_rd rd = sky_rd_of(p, sizeof(p));
	struct sky_link l;

	for (size_t i = 12; i < sizeof(p); i += 4)
		p[i] = 0x81;
	assert_int_equal(sky_link_decode(&l, &rd), -EINVAL);
}

static void
raw_packets_tell_their_version(void **state)
{
	assert_int_equal(sky_link_raw(udp4_query, 20), SKY_LINK_IP4);
	assert_int_equal(sky_link_raw(udp6, 40), SKY_LINK_IP6);
	assert_int_equal(sky_link_raw(arp_qinq, 20), 0);
	assert_int_equal(sky_link_raw(NULL, 0), 0);
}

static void
words_for_numbers(void **state)
{
	assert_string_equal(sky_names_proto(17), "udp");
	assert_string_equal(sky_names_proto(58), "icmp6");
	assert_null(sky_names_proto(200));
	assert_int_equal(sky_names_proto_find("tcp"), 6);
	assert_int_equal(sky_names_proto_find("nonsense"), -ENOENT);
	assert_string_equal(sky_names_ethertype(0x86dd), "ip6");
	assert_null(sky_names_ethertype(0x1234));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip4_fields_as_tcpdump_prints_them),
		cmocka_unit_test(ip4_encodes_to_the_same_bytes),
		cmocka_unit_test(ip4_cut_at_every_byte),
		cmocka_unit_test(ip4_that_cannot_be_is_refused),
		cmocka_unit_test(ip4_options_one_by_one),
		cmocka_unit_test(ip4_source_route_used_up),
		cmocka_unit_test(ip4_options_that_do_not_end),
		cmocka_unit_test(ip4_total_length_rules_the_payload),
		cmocka_unit_test(ip6_fields_and_same_bytes),
		cmocka_unit_test(ip6_cut_at_every_byte),
		cmocka_unit_test(ip6_routing_header_gives_the_last_address),
		cmocka_unit_test(ip6_chain_with_a_fragment),
		cmocka_unit_test(ip6_chain_cut_at_every_byte),
		cmocka_unit_test(ip6_chain_is_bounded),
		cmocka_unit_test(ip6_authentication_header_has_other_units),
		cmocka_unit_test(udp_cut_written_and_built),
		cmocka_unit_test(udp6_built_as_captured),
		cmocka_unit_test(tcp_fields_cut_and_same_bytes),
		cmocka_unit_test(ethernet_with_two_tags_and_arp),
		cmocka_unit_test(ethernet_and_arp_cut_at_every_byte),
		cmocka_unit_test(five_tags_are_too_many),
		cmocka_unit_test(raw_packets_tell_their_version),
		cmocka_unit_test(words_for_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
