/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload.c - what the preload library adds to a call: ns of processor time per call.
 *
 *	bench-preload		prints "CALL NS" for each
 *
 * Run without and with icmpctl run; bench/preload.py does both, in turns.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 20000, ROUNDS = 20 };

struct bed {
	int udp, none, epfd, zero;
	struct sockaddr_in to;
};

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
call_sendto(struct bed *b)
{
	sendto(b->udp, "x", 1, 0, (struct sockaddr *)&b->to, sizeof(b->to));
}

static void
call_recv(struct bed *b)
{
	char c[8];

	recv(b->none, c, sizeof(c), MSG_DONTWAIT);
}

static void
call_poll(struct bed *b)
{
	struct pollfd p = { .fd = b->none, .events = POLLIN };

	poll(&p, 1, 0);
}

static void
call_epoll(struct bed *b)
{
	struct epoll_event e;

	epoll_wait(b->epfd, &e, 1, 0);
}

static void
call_read(struct bed *b)
{
	char c;

	(void)!read(b->zero, &c, 0);
}

static const struct {
	const char *name;
	void (*call)(struct bed *b);
} calls[] = {
	{ "sendto", call_sendto }, { "recv", call_recv }, { "poll", call_poll },
	{ "epoll_wait", call_epoll }, { "read", call_read },
};

static double
measure(struct bed *b, void (*call)(struct bed *))
{
	double best = 1e12;

	for (int round = 0; round < ROUNDS; round++) {
		double began = now_ns(), took;

		for (int i = 0; i < CALLS; i++)
			call(b);
		took = (now_ns() - began) / CALLS;
		best = took < best ? took : best;
	}
	return best;
}

int
main(void)
{
	struct bed b = { .to = { .sin_family = AF_INET } };
	socklen_t len = sizeof(b.to);
	struct epoll_event e = { .events = EPOLLIN };
	int sink = socket(AF_INET, SOCK_DGRAM, 0), pair[2];

	b.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(sink, (struct sockaddr *)&b.to, len) < 0 || pipe(pair) < 0)
		return 1;
	getsockname(sink, (struct sockaddr *)&b.to, &len);
	b.udp = socket(AF_INET, SOCK_DGRAM, 0);
	b.none = socket(AF_INET, SOCK_DGRAM, 0);
	b.zero = pair[0];
	b.epfd = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(b.epfd, EPOLL_CTL_ADD, b.none, &e);
	sendto(b.none, "x", 1, 0, (struct sockaddr *)&b.to, len);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		printf("%s %.1f\n", calls[i].name, measure(&b, calls[i].call));
	return 0;
}
