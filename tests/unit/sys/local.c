/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local.c - which connections may be closed: those in which no descriptor lies.
 */
#include "sys/local.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
put(int fd, size_t len, int right)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { .room = { 0 } };
	char data[32] = { 0 };
	struct iovec v = { data, len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (right >= 0) {
		m.msg_control = &u;
		m.msg_controllen = sizeof(u.room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &right, sizeof(right));
	}
	assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), (ssize_t)len);
}

/* Messages of these lengths, a descriptor with one of them; -1: with none. */
static const struct {
	size_t len[3];
	int n, right;
	bool closed;
} rows[] = {
	{ { 0 }, 0, -1, true }, { { 5, 9 }, 2, -1, true }, { { 5 }, 1, 0, false },
	{ { 5, 5, 5 }, 3, 2, false }, { { 0 }, 1, 0, false }, { { 5, 0, 0 }, 3, 2, false },
};

static void
test_drain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int s[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s), 0);
		for (int k = 0; k < rows[i].n; k++)
			put(s[1], rows[i].len[k], k == rows[i].right ? s[1] : -1);
		assert_int_equal(sky_local_drain(s[0]), rows[i].closed);
		assert_int_equal(send(s[1], "", 1, MSG_NOSIGNAL), -1);
		close(s[0]);
		close(s[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_drain) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
