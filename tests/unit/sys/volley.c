/* SPDX-License-Identifier: BSD-2-Clause */
/* Many datagrams from one port, on loopback: every error comes back, with what was
 * sent, and none is in the way of a send. */
#include "../wire/test.h"

#include "sys/sockfd.h"
#include "sys/volley.h"

#include <poll.h>

static struct sky_volley v;
static struct sky_volley_shot shot[SKY_VOLLEY_BATCH];

static const struct sky_addr *
own(int family)
{
	static struct sky_addr a;

	assert_int_equal(sky_addr_parse(&a, family == AF_INET6 ? "::1" : "127.0.0.1"), 0);
	return &a;
}

/* A port that is bound by nobody who shares it, then closed again. */
static uint16_t
closed_port(int family)
{
	struct sockaddr_storage ss;
	struct sky_addr a;
	int fd = sky_sockfd_open(family), len;

	assert_true(fd >= 0);
	len = sky_addr_to(own(family), family, &ss);
	assert_int_equal(sky_sockfd_bind(fd, &ss, (socklen_t)len), 0);
	len = sky_sockfd_name(fd, &ss);
	assert_int_equal(sky_addr_from(&a, (struct sockaddr *)&ss, (socklen_t)len), 0);
	sky_sockfd_close(fd);
	return sky_addr_port(&a);
}

static void
send_and_hear(int family)
{
	const struct sky_volley_conf c = { .family = family, .buffer = 1 << 20, .tos = -1 };
	struct sky_volley_echo e[SKY_VOLLEY_BATCH];
	uint8_t seen[SKY_VOLLEY_BATCH] = { 0 };
	unsigned got = 0, n;
	int err, rc = sky_volley_open(&v, &c);

	if (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL)
		skip();
	assert_int_equal(rc, 0);
	for (unsigned i = 0; i < SKY_VOLLEY_BATCH; i++) {
		shot[i] = (struct sky_volley_shot){ .dst = *own(family), .ttl = 64,
		    .len = (uint16_t)(SKY_VOLLEY_HEAD + i * 20), .head = { (uint8_t)i, 7 } };
		sky_addr_set_port(&shot[i].dst, closed_port(family));
	}
	assert_int_equal(sky_volley_send(&v, shot, SKY_VOLLEY_BATCH, &err), SKY_VOLLEY_BATCH);
	if (v.tx != v.rx)
		assert_int_equal(v.pushed, 0);
	while (got < SKY_VOLLEY_BATCH) {
		struct pollfd p = { .fd = v.rx, .events = 0 };

		assert_int_equal(poll(&p, 1, 5000), 1);
		n = sky_volley_take(&v, e, SKY_VOLLEY_BATCH);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(e[i].err, ECONNREFUSED);
			assert_true(e[i].len == SKY_VOLLEY_HEAD && e[i].head[1] == 7);
			assert_int_equal(seen[e[i].head[0]]++, 0);
			assert_true(sky_addr_same_host(&e[i].by, own(family)));
			assert_true(sky_addr_equal(&e[i].dst, &shot[e[i].head[0]].dst));
			assert_int_equal(e[i].ttl, 64);
			assert_true(e[i].time_ns > 0);
		}
		got += n;
	}
	assert_int_equal(sky_volley_take(&v, e, SKY_VOLLEY_BATCH), 0);
	sky_volley_close(&v);
}

static void
every_error_comes_back(void **state)
{
	send_and_hear(AF_INET);
}

static void
over_ipv6_too(void **state)
{
	send_and_hear(AF_INET6);
}

static void
replies_come_to_the_same_place(void **state)
{
	const struct sky_volley_conf c = { .family = AF_INET, .buffer = 1 << 20, .tos = -1 };
	struct sky_volley_echo e[SKY_VOLLEY_BATCH];
	struct pollfd p;
	int err;

	assert_int_equal(sky_volley_open(&v, &c), 0);
	shot[0] = (struct sky_volley_shot){ .dst = *own(AF_INET), .ttl = 64, .len = 30,
	    .head = "to myself" };
	sky_addr_set_port(&shot[0].dst, v.port);
	assert_int_equal(sky_volley_send(&v, shot, 1, &err), 1);
	p = (struct pollfd){ .fd = v.rx, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(sky_volley_take(&v, e, SKY_VOLLEY_BATCH), 1);
	assert_true(e[0].err == 0 && e[0].len == SKY_VOLLEY_HEAD);
	assert_string_equal((const char *)e[0].head, "to myself");
	sky_volley_close(&v);
}

static void
nobody_can_join_the_port(void **state)
{
	const struct sky_volley_conf c = { .family = AF_INET, .buffer = 1 << 20, .tos = -1 };
	struct sky_addr at = *own(AF_INET);
	struct sky_volley_conf other = { .family = AF_INET, .source = &at, .tos = -1 };
	static struct sky_volley second;

	assert_int_equal(sky_volley_open(&v, &c), 0);
	sky_addr_set_port(&at, v.port);
	assert_int_equal(sky_volley_open(&second, &other), -EADDRINUSE);
	sky_volley_close(&v);
}

static void
what_cannot_be_sent_is_told(void **state)
{
	const struct sky_volley_conf c = { .family = AF_INET, .buffer = 1 << 20, .tos = -1 };
	int err;

	assert_int_equal(sky_volley_open(&v, &c), 0);
	shot[0] = (struct sky_volley_shot){ .ttl = 64, .len = 30 };
	assert_int_equal(sky_addr_parse(&shot[0].dst, "255.255.255.255:9"), 0);
	assert_int_equal(sky_volley_send(&v, shot, 1, &err), 0);
	assert_true(err == -EACCES || err == -ENETUNREACH);
	sky_volley_close(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_comes_back),
		cmocka_unit_test(over_ipv6_too),
		cmocka_unit_test(replies_come_to_the_same_place),
		cmocka_unit_test(nobody_can_join_the_port),
		cmocka_unit_test(what_cannot_be_sent_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
