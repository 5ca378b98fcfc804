/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments, against figures of TCP/IP Illustrated worked out by hand, and back
 * again, against real fragments whose checksums prove the result.
 */
#include "../wire/test.h"
#include "../wire/packets.h"
#include "proto/fragment.h"
#include "proto/reasm.h"
#include "wire/udphdr.h"

#include <stdio.h>

static uint8_t packet[65536], train[80000];
static struct sky_reasm_slot slots[3];

/* A UDP datagram over IPv4 with so much user data. */
static size_t
make4(size_t user, const uint8_t *opts, size_t opts_len)
{
	struct sky_ip4 ip = {
		.hlen = (uint8_t)(20 + opts_len), .len = (uint16_t)(28 + opts_len + user),
		.id = 47942, .ttl = 64, .proto = 17, .src = { 10, 0, 0, 1 },
		.dst = { 10, 0, 0, 2 }, .opts = opts,
	};
	struct sky_addr src = sky_ip_addr4(ip.src, 1000), dst = sky_ip_addr4(ip.dst, 9);
	struct sky_wr wr = sky_wr_of(packet, sizeof(packet));
	static uint8_t data[65507];

	for (size_t i = 0; i < user; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(sky_ip4_encode(&ip, &wr), 0);
	assert_int_equal(sky_udphdr_build(&wr, &src, &dst, data, user), 0);
	return sky_wr_len(&wr);
}

/* Cuts a packet and writes "LEN@OFF+" for each piece; the pieces to at. */
static size_t
cut(const uint8_t *p, size_t len, size_t mtu, char *text, size_t size, struct sky_wr *at)
{
	struct sky_fragment f;
	size_t count = 0;
	int ret;

	assert_int_equal(sky_fragment_init(&f, p, len, mtu, 0xfeed), 0);
	for (;;) {
		const uint8_t *piece = at->at;
		struct sky_ip ip;
		size_t used = strlen(text);

		ret = sky_fragment_next(&f, at);
		if (ret == 0)
			return count;
		assert_int_equal(ret, 1);
		count++;
		assert_int_equal(sky_ip_decode(&ip, piece, (size_t)(at->at - piece)), 0);
		assert_int_equal(ip.flags & (SKY_IP_CUT | SKY_IP_BAD_HEAD | SKY_IP_BAD_LEN), 0);
		assert_in_range(ip.len, 21, mtu > len ? len : mtu);
		if (ip.family == AF_INET)
			assert_int_equal(sky_ip4_check(piece, ip.len), SKY_CKSUM_GOOD);
		snprintf(text + used, size - used, "%s%u@%u%s", used ? " " : "",
		    ip.payload_len, ip.off, ip.flags & SKY_IP_MORE ? "+" : "");
	}
}

static size_t
cut_again(size_t mtu, char *text, size_t size)
{
	static uint8_t first[80000];
	struct sky_wr a = sky_wr_of(train, sizeof(train)), b;
	char ignored[4096] = "";
	size_t n = 0, len;

	len = make4(8192, NULL, 0);
	cut(packet, len, 1500, ignored, sizeof(ignored), &a);
	memcpy(first, train, sky_wr_len(&a));
	for (const uint8_t *p = first; p < first + sky_wr_len(&a); ) {
		struct sky_ip ip;

		assert_int_equal(sky_ip_decode(&ip, p, 1500), 0);
		b = sky_wr_of(train, sizeof(train));
		n += cut(p, ip.len, mtu, text, size, &b);
		p += ip.len;
	}
	return n;
}

static void
largest_datagram_that_is_not_cut(void **state)
{
	static const struct { size_t mtu, fits; } rows[] = { { 1492, 1464 }, { 1500, 1472 } };

	for (size_t i = 0; i < 2; i++)
		for (size_t more = 0; more < 2; more++) {
			struct sky_wr wr = sky_wr_of(train, sizeof(train));
			char text[200] = "";
			size_t len = make4(rows[i].fits + more, NULL, 0);

			assert_int_equal(cut(packet, len, rows[i].mtu, text, sizeof(text), &wr), 1 + more);
			if (!more)
				assert_memory_equal(train, packet, len);
		}
}

static void
nfs_over_ethernet_is_six(void **state)
{
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	char text[200] = "";

	assert_int_equal(cut(packet, make4(8192, NULL, 0), 1500, text, sizeof(text), &wr), 6);
	assert_string_equal(text, "1480@0+ 1480@1480+ 1480@2960+ 1480@4440+ 1480@5920+ 800@7400");
}

static void
and_seventeen_when_cut_again(void **state)
{
	char text[1000] = "";

	assert_int_equal(cut_again(552, text, sizeof(text)), 17);
	assert_string_equal(text,
	    "528@0+ 528@528+ 424@1056+ 528@1480+ 528@2008+ 424@2536+ 528@2960+ 528@3488+ "
	    "424@4016+ 528@4440+ 528@4968+ 424@5496+ 528@5920+ 528@6448+ 424@6976+ "
	    "528@7400+ 272@7928");
}

static void
but_sixteen_when_a_router_reassembles(void **state)
{
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	char text[1000] = "";

	assert_int_equal(cut(packet, make4(8192, NULL, 0), 552, text, sizeof(text), &wr), 16);
	assert_string_equal(text + strlen(text) - 8, "280@7920");
}

static void
a_fragment_keeps_more_on_its_last_piece(void **state)
{
	uint8_t first[600];
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	char text[200] = "", again[200] = "";

	assert_int_equal(cut(packet, make4(650, NULL, 0), 576, text, sizeof(text), &wr), 2);
	assert_string_equal(text, "552@0+ 106@552");
	memcpy(first, train, 572);
	wr = sky_wr_of(train, sizeof(train));
	assert_int_equal(cut(first, 572, 296, again, sizeof(again), &wr), 3);
	assert_string_equal(again, "272@0+ 272@272+ 8@544+");
	assert_int_equal(train[4] << 8 | train[5], 47942);
}

static void
largest_and_smallest(void **state)
{
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	char text[2000] = "";
	struct sky_fragment f;

	assert_int_equal(cut(packet, make4(65507, NULL, 0), 1500, text, sizeof(text), &wr), 45);
	assert_int_equal(sky_fragment_capacity(68, 20), 48);
	assert_int_equal(sky_fragment_capacity(68, 60), 8);
	assert_int_equal(sky_fragment_init(&f, packet, make4(100, NULL, 0), 27, 0), -EINVAL);
	assert_int_equal(sky_fragment_init(&f, packet, 127, 68, 0), -EINVAL);
}

/* Record route stays in the first fragment, a loose route goes into each. */
static void
options_with_the_copy_bit_are_copied(void **state)
{
	static const uint8_t opts[] = { 7, 7, 4, 0, 0, 0, 0, 131, 7, 4, 10, 0, 0, 9, 1, 0 };
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	const uint8_t *p = train;
	char text[200] = "";

	/* 100 - 36 = 64; then 100 - 28 = 72. */
	assert_int_equal(cut(packet, make4(160, opts, 16), 100, text, sizeof(text), &wr), 3);
	assert_string_equal(text, "64@0+ 72@64+ 32@136");
	assert_memory_equal(p + 20, opts, 16);
	p += 100;
	assert_int_equal(p[0], 0x47);
	assert_memory_equal(p + 20, opts + 7, 7);
	assert_int_equal(p[27], 0);
}

static size_t
make6(size_t user, bool routed)
{
	static uint8_t data[65527];
	struct sky_wr wr = sky_wr_of(packet, sizeof(packet));
	struct sky_addr src = sky_ip_addr6(udp6 + 8, 1), dst = sky_ip_addr6(udp6 + 24, 9);
	struct sky_ip6 ip = { .plen = (uint16_t)(8 + user + (routed ? 24 : 0)),
		.next = routed ? 43 : 17, .hops = 64 };
	static const uint8_t route[24] = { 17, 2, 0, 0 };

	memcpy(ip.src, udp6 + 8, 16);
	memcpy(ip.dst, udp6 + 24, 16);
	for (size_t i = 0; i < user; i++)
		data[i] = (uint8_t)(i * 3);
	sky_ip6_encode(&ip, &wr);
	if (routed)
		sky_wr_bytes(&wr, route, sizeof(route));
	assert_int_equal(sky_udphdr_build(&wr, &src, &dst, data, user), 0);
	return sky_wr_len(&wr);
}

static void
ipv6_at_its_source(void **state)
{
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	char text[200] = "", routed[200] = "";

	/* 1280 - 40 - 8 = 1232. */
	assert_int_equal(cut(packet, make6(2000, false), 1280, text, sizeof(text), &wr), 2);
	assert_string_equal(text, "1232@0+ 776@1232");
	assert_int_equal(train[6], 44);
	assert_int_equal(train[40], 17);
	wr = sky_wr_of(train, sizeof(train));
	assert_int_equal(cut(packet, make6(2000, true), 1280, routed, sizeof(routed), &wr), 2);
	assert_string_equal(routed, "1208@0+ 800@1208");
	assert_int_equal(train[6], 43);
	assert_int_equal(train[40], 44);
	assert_int_equal(train[64], 17);
}

/* RFC 8200, 4.5: destination options before the transport header are cut too. */
static void
ipv6_destination_options_are_payload(void **state)
{
	static const uint8_t options[8] = { 17, 0, 1, 4 };
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	struct sky_reasm_out out;
	struct sky_reasm r;
	char text[200] = "";
	size_t len = make6(2000, false);

	memmove(packet + 48, packet + 40, len - 40);
	memcpy(packet + 40, options, sizeof(options));
	packet[6] = 60;
	packet[4] = (uint8_t)((2000 + 16) >> 8);
	packet[5] = (uint8_t)(2000 + 16);
	memset(slots, 0, sizeof(slots));
	sky_reasm_init(&r, slots, 3, 30);
	assert_int_equal(cut(packet, len + 8, 1280, text, sizeof(text), &wr), 2);
	assert_int_equal(train[40], 60);
	assert_int_equal(sky_reasm_take(&r, train, 1280, 0, &out), 0);
	assert_int_equal(sky_reasm_take(&r, train + 1280, sky_wr_len(&wr) - 1280, 0, &out), 1);
	assert_int_equal(out.proto, 60);
	assert_int_equal(out.len, len + 8 - 40);
	assert_memory_equal(out.payload, packet + 40, out.len);
}

static void
no_room_leaves_nothing_written(void **state)
{
	uint8_t small[99];
	struct sky_wr wr = sky_wr_of(small, sizeof(small));
	struct sky_fragment f;

	assert_int_equal(sky_fragment_init(&f, packet, make4(500, NULL, 0), 100, 0), 0);
	assert_int_equal(sky_fragment_next(&f, &wr), -ENOSPC);
	assert_int_equal(sky_wr_len(&wr), 0);
	wr = sky_wr_of(train, sizeof(train));
	assert_int_equal(sky_fragment_next(&f, &wr), 1);
	assert_int_equal(train[6] << 8 | train[7], 0x2000);
}

/* Where each packet of a train of n begins. */
static void
index_train(size_t *at, size_t n)
{
	struct sky_ip ip;
	size_t off = 0;

	for (size_t i = 0; i < n; off += ip.len, i++) {
		at[i] = off;
		assert_int_equal(sky_ip_decode(&ip, train + off, sizeof(train) - off), 0);
	}
}

/* step is coprime to n: every fragment once, in an order of its own. */
static void
together_again(size_t len, size_t mtu, size_t step, bool twice)
{
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	struct sky_reasm_out out = { .len = 0 };
	struct sky_reasm r;
	struct sky_ip whole;
	size_t at[64], n;
	char text[4096] = "";
	int ret = 0;

	sky_reasm_init(&r, slots, 3, 30);
	memset(slots, 0, sizeof(slots));
	n = cut(packet, len, mtu, text, sizeof(text), &wr);
	assert_in_range(n, 1, 64);
	index_train(at, n);
	while (n % step == 0 && step > 1)
		step--;
	for (size_t i = 0, k = 0; i < n; i++, k = (k + step) % n) {
		assert_int_equal(ret, 0);
		ret = sky_reasm_take(&r, train + at[k], sizeof(train) - at[k], i, &out);
		if (twice && ret == 0)
			assert_int_equal(sky_reasm_take(&r, train + at[k], sizeof(train) - at[k], i, &out), 0);
	}
	assert_int_equal(ret, 1);
	assert_int_equal(out.fragments, n == 1 ? 0 : n);
	assert_int_equal(sky_ip_decode(&whole, packet, len), 0);
	assert_int_equal(out.len, whole.payload_len);
	assert_memory_equal(out.payload, whole.payload.at, out.len);
	assert_int_equal(out.proto, 17);
	assert_int_equal(sky_reasm_deadline(&r), UINT64_MAX);
}

static void
together_again_in_any_order(void **state)
{
	static const size_t users[] = { 0, 1, 7, 8, 100, 1472, 1473, 2999, 8192 };

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		for (size_t step = 1; step < 6; step += 2) {
			together_again(make4(users[i], NULL, 0), 576, step, false);
			together_again(make4(users[i], NULL, 0), 1500, step, true);
			together_again(make6(users[i], i & 1), 1280, step, i & 2);
		}
	together_again(make4(65507, NULL, 0), 1500, 44, true);
}

/* A piece of a datagram of its own making. */
static int
take(struct sky_reasm *r, uint16_t off, uint16_t n, bool more, uint8_t fill, uint64_t now,
    struct sky_reasm_out *out)
{
	struct sky_ip4 ip = { .hlen = 20, .len = (uint16_t)(20 + n), .id = 5, .mf = more,
		.off = off, .proto = 17, .src = { 1, 1, 1, 1 }, .dst = { 2, 2, 2, 2 } };
	uint8_t p[300];
	struct sky_wr wr = sky_wr_of(p, sizeof(p));

	assert_int_equal(sky_ip4_encode(&ip, &wr), 0);
	memset(sky_wr_room(&wr, n), fill, n);
	return sky_reasm_take(r, p, sky_wr_len(&wr), now, out);
}

static void
overlaps_give_the_datagram_up(void **state)
{
	struct sky_reasm r;
	struct sky_reasm_out out;

	sky_reasm_init(&r, slots, 3, 30);
	memset(slots, 0, sizeof(slots));
	assert_int_equal(take(&r, 0, 16, true, 1, 0, &out), 0);
	assert_int_equal(take(&r, 0, 16, true, 1, 0, &out), 0);
	assert_int_equal(take(&r, 8, 16, true, 1, 0, &out), -EEXIST);
	assert_int_equal(take(&r, 16, 4, false, 1, 0, &out), -EEXIST);
	memset(slots, 0, sizeof(slots));
	assert_int_equal(take(&r, 0, 16, true, 1, 0, &out), 0);
	assert_int_equal(take(&r, 0, 16, true, 2, 0, &out), -EEXIST);
}

static void
fragments_that_cannot_be(void **state)
{
	struct sky_reasm r;
	struct sky_reasm_out out;

	sky_reasm_init(&r, slots, 3, 30);
	memset(slots, 0, sizeof(slots));
	assert_int_equal(take(&r, 0, 15, true, 1, 0, &out), -EINVAL);
	assert_int_equal(take(&r, 0, 0, true, 1, 0, &out), -EINVAL);
	assert_int_equal(take(&r, 65528, 8, false, 1, 0, &out), -EINVAL);
	assert_int_equal(take(&r, 16, 8, false, 1, 0, &out), 0);
	assert_int_equal(take(&r, 24, 8, true, 1, 0, &out), -EINVAL);
	assert_int_equal(take(&r, 32, 8, false, 1, 0, &out), -EINVAL);
	assert_int_equal(take(&r, 0, 16, true, 1, 0, &out), 1);
	assert_int_equal(out.len, 24);
	/* An end before what is here already. */
	assert_int_equal(take(&r, 16, 8, true, 1, 0, &out), 0);
	assert_int_equal(take(&r, 8, 8, false, 1, 0, &out), -EINVAL);
}

static void
time_runs_out(void **state)
{
	struct sky_reasm r;
	struct sky_reasm_out out;
	const uint8_t *first;
	size_t len;

	sky_reasm_init(&r, slots, 1, 30);
	memset(slots, 0, sizeof(slots));
	assert_int_equal(sky_reasm_deadline(&r), UINT64_MAX);
	assert_int_equal(take(&r, 0, 16, true, 1, 100, &out), 0);
	assert_int_equal(sky_reasm_deadline(&r), 130);
	assert_int_equal(sky_reasm_expire(&r, 129, &first, &len), 0);
	assert_int_equal(sky_reasm_take(&r, train, 0, 0, &out), -EMSGSIZE);
	assert_int_equal(sky_reasm_expire(&r, 130, &first, &len), 1);
	assert_int_equal(len, 36);
	assert_int_equal(first[20], 1);
	assert_int_equal(sky_reasm_expire(&r, 130, &first, &len), 0);
	assert_int_equal(take(&r, 16, 16, false, 1, 200, &out), 0);
	assert_int_equal(sky_reasm_expire(&r, 230, &first, &len), 1);
	assert_null(first);
}

static void
more_datagrams_than_slots(void **state)
{
	struct sky_reasm r;
	struct sky_reasm_out out;
	uint8_t p[100];
	struct sky_wr wr;

	sky_reasm_init(&r, slots, 3, 30);
	memset(slots, 0, sizeof(slots));
	for (uint16_t i = 0; i < 4; i++) {
		struct sky_ip4 ip = { .hlen = 20, .len = 28, .id = i, .mf = true, .proto = 17 };

		wr = sky_wr_of(p, sizeof(p));
		sky_ip4_encode(&ip, &wr);
		sky_wr_zero(&wr, 8);
		assert_int_equal(sky_reasm_take(&r, p, 28, 0, &out), i < 3 ? 0 : -ENOBUFS);
	}
}

/* Frames of a real exchange; the UDP checksum over the whole proves the work.
 * Lengths are those of an independent reassembler. */
static void
real_fragments(void **state)
{
	static const uint32_t want[] = { 5700, 3392, 4380 };
	static uint8_t rec[16], frame[2000];
	FILE *f = fopen(GOLDEN "/afs-part.pcap", "rb");
	struct sky_reasm_out out;
	struct sky_reasm r;
	unsigned found = 0;

	assert_non_null(f);
	sky_reasm_init(&r, slots, 3, 30);
	memset(slots, 0, sizeof(slots));
	assert_int_equal(fseek(f, 24, SEEK_SET), 0);
	while (fread(rec, 1, 16, f) == 16) {
		size_t len = rec[8] | (size_t)rec[9] << 8;

		assert_in_range(len, 14, sizeof(frame));
		assert_int_equal(fread(frame, 1, len, f), len);
		if (sky_reasm_take(&r, frame + 14, len - 14, 0, &out) != 1 || !out.fragments)
			continue;
		assert_in_range(found, 0, 2);
		assert_int_equal(out.len, want[found]);
		assert_int_equal(sky_cksum_check(&out.src, &out.dst, out.proto, out.payload,
		    out.len, out.len), SKY_CKSUM_GOOD);
		found++;
	}
	fclose(f);
	assert_int_equal(found, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(largest_datagram_that_is_not_cut),
		cmocka_unit_test(nfs_over_ethernet_is_six),
		cmocka_unit_test(and_seventeen_when_cut_again),
		cmocka_unit_test(but_sixteen_when_a_router_reassembles),
		cmocka_unit_test(a_fragment_keeps_more_on_its_last_piece),
		cmocka_unit_test(largest_and_smallest),
		cmocka_unit_test(options_with_the_copy_bit_are_copied),
		cmocka_unit_test(ipv6_at_its_source),
		cmocka_unit_test(ipv6_destination_options_are_payload),
		cmocka_unit_test(no_room_leaves_nothing_written),
		cmocka_unit_test(together_again_in_any_order),
		cmocka_unit_test(overlaps_give_the_datagram_up),
		cmocka_unit_test(fragments_that_cannot_be),
		cmocka_unit_test(time_runs_out),
		cmocka_unit_test(more_datagrams_than_slots),
		cmocka_unit_test(real_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
