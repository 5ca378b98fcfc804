/* SPDX-License-Identifier: BSD-2-Clause */
/* next.c - walking a train, and the answer to a datagram. */
#include <setjmp.h>
#include <sockeye/udp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

/* Every length against every segment: the pieces join up to the whole. */
static void
walk(void **state)
{
	static char data[64];

	(void)state;
	for (size_t len = 0; len <= 64; len++) {
		for (uint32_t seg = 0; seg <= 66; seg++) {
			struct sky_msg m = { .data = data, .len = len, .seg = seg };
			size_t off = 0, n = 0, sum = 0, l;
			const void *at;

			while (sky_msg_next(&m, &off, &at, &l)) {
				assert_ptr_equal(at, data + sum);
				assert_true(!seg || l <= seg);
				assert_true(l == len || l == seg || sum + l == len);
				sum += l;
				n++;
				assert_true(n <= 65);
			}
			assert_int_equal(sum, len);
			assert_int_equal(n, !seg || len <= seg ? 1 : (len + seg - 1) / seg);
		}
	}
}

static struct sky_msg
asked(const char *peer, const char *local, uint32_t flags)
{
	struct sky_msg m = {
		.have = SKY_MSG_PEER | SKY_MSG_LOCAL | SKY_MSG_TTL | SKY_MSG_TOS,
		.ifindex = 4, .ttl = 1, .flags = flags, .tag = 99,
	};

	assert_int_equal(sky_addr_parse(&m.peer, peer), 0);
	assert_int_equal(sky_addr_parse(&m.local, local), 0);
	return m;
}

static void
reply(void **state)
{
	struct sky_msg in = asked("192.0.2.1:53", "192.0.2.2:7", 0), out;

	(void)state;
	assert_int_equal(sky_udp_reply(&out, &in), 0);
	assert_int_equal(out.have, SKY_MSG_PEER | SKY_MSG_LOCAL);
	assert_true(sky_addr_equal(&out.peer, &in.peer));
	assert_true(sky_addr_same_host(&out.local, &in.local));
	assert_int_equal(out.len, 0);
	assert_true(out.tag == 99);

	in = asked("192.0.2.1:53", "192.0.2.255", SKY_MSG_GROUP);
	assert_int_equal(sky_udp_reply(&out, &in), 0);
	assert_int_equal(out.have, SKY_MSG_PEER | SKY_MSG_IFINDEX);
	assert_int_equal(out.ifindex, 4);

	in = asked("[2001:db8::1]:53", "ff02::1", 0);
	assert_int_equal(sky_udp_reply(&out, &in), 0);
	assert_int_equal(out.have, SKY_MSG_PEER | SKY_MSG_IFINDEX);

	in = asked("[fe80::1%4]:53", "fe80::2%4", 0);
	assert_int_equal(sky_udp_reply(&out, &in), 0);
	assert_int_equal(out.have, SKY_MSG_PEER | SKY_MSG_LOCAL | SKY_MSG_IFINDEX);

	in.have = 0;
	assert_int_equal(sky_udp_reply(&out, &in), -22);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "the pieces of a train join up", walk, NULL, NULL, NULL },
		{ "a reply's source and interface", reply, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
