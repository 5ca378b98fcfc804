/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ctl.c - control messages, cut at every byte. The oracle builds them with the
 * C library's CMSG macros, and knows which are whole at which length.
 */
#include "sys/msg.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

struct built {
	union {
		char bytes[1024];
		struct cmsghdr align;
	} u;
	struct msghdr m;
	struct cmsghdr *next;
	size_t ends[16];		/* where message i is whole */
	uint32_t bits[16];
	size_t n, len;
};

static void
start(struct built *b)
{
	memset(b, 0, sizeof(*b));
	b->m.msg_control = b->u.bytes;
	b->m.msg_controllen = sizeof(b->u.bytes);
	b->next = CMSG_FIRSTHDR(&b->m);
}

static void
add(struct built *b, int level, int type, const void *data, size_t len, uint32_t bit)
{
	struct cmsghdr *c = b->next;

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	b->ends[b->n] = (size_t)((char *)c - b->u.bytes) + c->cmsg_len;
	b->bits[b->n++] = bit;
	b->len = (size_t)((char *)c - b->u.bytes) + CMSG_SPACE(len);
	b->next = CMSG_NXTHDR(&b->m, c);
}

static void
add_all(struct built *b)
{
	struct in_pktinfo p = { .ipi_ifindex = 7 };
	struct timespec t = { 1763757600, 123456789 };
	int ttl = 61, gro = 1200;
	uint8_t tos = 0xb8;
	uint32_t drops = 4000000000u;

	p.ipi_addr.s_addr = p.ipi_spec_dst.s_addr = htonl(0xc0000207);
	start(b);
	add(b, IPPROTO_IP, IP_PKTINFO, &p, sizeof(p), SKY_CTL_LOCAL);
	add(b, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl), SKY_CTL_TTL);
	add(b, SOL_SOCKET, SCM_TIMESTAMPNS, &t, sizeof(t), SKY_CTL_TIME);
	add(b, IPPROTO_IP, IP_TOS, &tos, sizeof(tos), SKY_CTL_TOS);
	add(b, IPPROTO_UDP, 104, &gro, sizeof(gro), SKY_CTL_SEG);
	add(b, SOL_SOCKET, SO_RXQ_OVFL, &drops, sizeof(drops), SKY_CTL_DROPS);
}

static void
whole(void **state)
{
	struct built b;
	struct sky_ctl c;

	(void)state;
	add_all(&b);
	sky_ctl_decode(&c, b.u.bytes, b.len);
	assert_int_equal(c.have, SKY_CTL_LOCAL | SKY_CTL_TTL | SKY_CTL_TIME | SKY_CTL_TOS |
	    SKY_CTL_SEG | SKY_CTL_DROPS);
	assert_int_equal(c.ifindex, 7);
	assert_int_equal(c.local.u.in.sin_addr.s_addr, htonl(0xc0000207));
	assert_int_equal(c.ttl, 61);
	assert_int_equal(c.tos, 0xb8);
	assert_int_equal(c.seg, 1200);
	assert_true(c.drops == 4000000000u);
	assert_true(c.time_ns == 1763757600123456789u);
}

/* At every length exactly the whole messages count, and nothing beyond the
 * length is read: the bytes behind it lie in a block of their own size. */
static void
cut(void **state)
{
	struct built b;
	struct sky_ctl c;

	(void)state;
	add_all(&b);
	for (size_t len = 0; len <= b.len; len++) {
		void *copy = test_malloc(len ? len : 1);
		uint32_t want = 0;

		memcpy(copy, b.u.bytes, len);
		for (size_t i = 0; i < b.n; i++)
			want |= b.ends[i] <= len ? b.bits[i] : 0;
		assert_int_equal(sky_ctl_decode(&c, copy, len), want);
		test_free(copy);
	}
}

static void
lies(void **state)
{
	struct built b;
	struct sky_ctl c;
	int value = 5;
	struct cmsghdr *h;

	(void)state;
	for (size_t claim = 0; claim < 64; claim++) {
		start(&b);
		add(&b, IPPROTO_IP, IP_TTL, &value, sizeof(value), SKY_CTL_TTL);
		h = (struct cmsghdr *)(void *)b.u.bytes;
		h->cmsg_len = claim;
		sky_ctl_decode(&c, b.u.bytes, b.len);
		assert_int_equal(c.have, claim == CMSG_LEN(1) || claim == CMSG_LEN(4) ?
		    SKY_CTL_TTL : 0);
	}
	start(&b);
	add(&b, IPPROTO_UDP, 104, &(uint16_t){ 100 }, 2, 0);
	assert_int_equal(sky_ctl_decode(&c, b.u.bytes, b.len), 0);
}

static void
errors(void **state)
{
	struct {
		struct sock_extended_err e;
		struct sockaddr_in by;
	} four = {
		{ .ee_errno = 111, .ee_origin = 2, .ee_type = 3, .ee_code = 3, .ee_info = 9 },
		{ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201) },
	};
	struct built b;
	struct sky_ctl c;

	(void)state;
	for (size_t len = 0; len <= sizeof(four); len++) {
		start(&b);
		add(&b, IPPROTO_IP, IP_RECVERR, &four, len, 0);
		sky_ctl_decode(&c, b.u.bytes, b.len);
		assert_int_equal(c.have, len >= sizeof(four.e) ? SKY_CTL_ERROR : 0);
		if (!c.have)
			continue;
		assert_int_equal(c.err, 111);
		assert_int_equal(c.code, 3);
		assert_int_equal(c.by.u.sa.sa_family, len == sizeof(four) ? AF_INET : AF_UNSPEC);
	}
	assert_int_equal(c.by.u.in.sin_addr.s_addr, htonl(0xc0000201));
}

static void
mapped(void **state)
{
	struct in6_pktinfo p = { .ipi6_ifindex = 3 };
	struct built b;
	struct sky_ctl c;

	(void)state;
	memcpy(&p.ipi6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7", 16);
	start(&b);
	add(&b, IPPROTO_IPV6, IPV6_PKTINFO, &p, sizeof(p), 0);
	sky_ctl_decode(&c, b.u.bytes, b.len);
	assert_int_equal(c.local.u.sa.sa_family, AF_INET);
	assert_int_equal(c.local.u.in.sin_addr.s_addr, htonl(0xc0000207));
}

/* A group's datagram on a dual-stack socket has both forms; the group is seen
 * whatever their order. */
static void
groups(void **state)
{
	struct in_pktinfo p4 = { .ipi_ifindex = 3 };
	struct in6_pktinfo p6 = { .ipi6_ifindex = 3 };
	struct built b;
	struct sky_ctl c;

	(void)state;
	p4.ipi_addr.s_addr = htonl(0xe9010101);
	p4.ipi_spec_dst.s_addr = htonl(0xc0000207);
	memcpy(&p6.ipi6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xe9\1\1\1", 16);
	for (int order = 0; order < 2; order++) {
		start(&b);
		if (order)
			add(&b, IPPROTO_IPV6, IPV6_PKTINFO, &p6, sizeof(p6), 0);
		add(&b, IPPROTO_IP, IP_PKTINFO, &p4, sizeof(p4), 0);
		if (!order)
			add(&b, IPPROTO_IPV6, IPV6_PKTINFO, &p6, sizeof(p6), 0);
		sky_ctl_decode(&c, b.u.bytes, b.len);
		assert_int_equal(c.have, SKY_CTL_LOCAL | SKY_CTL_GROUP);
		assert_int_equal(c.local.u.in.sin_addr.s_addr, htonl(0xe9010101));
	}
}

static void
put(void **state)
{
	_Alignas(8) uint8_t buf[SKY_CTL_OUT + 8];
	struct msghdr m = { .msg_control = buf };
	struct cmsghdr *h;
	size_t at;

	(void)state;
	memset(buf, 0xee, sizeof(buf));
	at = sky_ctl_put_segment(buf, 0, 1200);
	m.msg_controllen = at;
	h = CMSG_FIRSTHDR(&m);
	assert_int_equal(at, CMSG_SPACE(2));
	assert_int_equal(h->cmsg_len, CMSG_LEN(2));
	assert_int_equal(h->cmsg_level, IPPROTO_UDP);
	for (int i = 0; i < 20; i++)
		at = sky_ctl_put_ttl(buf, at, AF_INET6, 1);
	assert_true(at <= SKY_CTL_OUT);
	for (int i = 0; i < 8; i++)
		assert_int_equal(buf[SKY_CTL_OUT + i], 0xee);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "every control message is read", whole, NULL, NULL, NULL },
		{ "cut at every byte, the whole ones count", cut, NULL, NULL, NULL },
		{ "a length that lies is left out", lies, NULL, NULL, NULL },
		{ "an error without its address, and cut", errors, NULL, NULL, NULL },
		{ "a v4-mapped address is IPv4", mapped, NULL, NULL, NULL },
		{ "a group's address is told, in either order", groups, NULL, NULL, NULL },
		{ "what is sent has the kernel's lengths and stays in its room", put, NULL, NULL,
		  NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
