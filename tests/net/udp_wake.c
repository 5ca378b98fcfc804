/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_wake.c - one thread sends what is too big, which drains the error queue;
 * another sleeps without a time-out until there are errors, level and edge.
 * If an error were slept upon, the alarm would end the test.
 */
#include "bed.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sockeye/sockeye.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ROUNDS = 400, TOO_BIG = 65000 };

struct shared {
	struct sky_udp u;
	uint32_t edge;
	atomic_uint told;
	unsigned foreign;
};

static void *
receive(void *arg)
{
	struct shared *s = arg;
	struct epoll_event e = { .events = EPOLLIN | s->edge };
	int ep = epoll_create1(0);
	struct sky_fate f[8];
	struct sky_msg m;
	char buf[8];
	int n;

	epoll_ctl(ep, EPOLL_CTL_ADD, sky_udp_fd(&s->u), &e);
	while (s->told < ROUNDS) {
		if (!sky_udp_pending(&s->u))
			epoll_wait(ep, &e, 1, -1);
		m = (struct sky_msg){ .data = buf, .cap = sizeof(buf) };
		sky_udp_recv(&s->u, &m, 1);
		while ((n = sky_udp_errors(&s->u, f, 8, NULL, 0)) > 0)
			for (int i = 0; i < n; i++) {
				s->foreign += f[i].origin == SKY_ORIGIN_LOCAL;
				s->told += f[i].what == SKY_REFUSED;
			}
	}
	close(ep);
	return NULL;
}

/* Each round is told before the next begins, so each can be slept upon. */
static unsigned
send_all(struct shared *s, const struct sky_addr *dead)
{
	static char data[TOO_BIG];
	unsigned wrong = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct sky_msg m[2] = {
			{ .data = data, .len = 1, .peer = *dead, .have = SKY_MSG_PEER },
			{ .data = data, .len = TOO_BIG, .peer = *dead, .have = SKY_MSG_PEER },
		};

		wrong += sky_udp_send(&s->u, m, 2) != 2 || m[0].status ||
		    m[1].status != -EMSGSIZE;
		while (s->told <= i)
			sched_yield();
	}
	return wrong;
}

static void
try(int family, uint32_t edge)
{
	struct sky_udp_conf c = { .size = sizeof(c), .family = family, .pmtu = SKY_PMTU_DO };
	static struct shared s;
	struct sockaddr_storage at;
	struct sky_addr dead;
	unsigned wrong = 0;
	pthread_t t;

	memset(&s, 0, sizeof(s));
	s.edge = edge;
	bed_closed(family, &at);
	sky_addr_from(&dead, (struct sockaddr *)&at, bed_len(&at));
	bed_ok(sky_udp_open(&s.u, &c) == 0, "a socket, family %d", family);
	pthread_create(&t, NULL, receive, &s);
	wrong = send_all(&s, &dead);
	pthread_join(t, NULL);
	bed_ok(wrong == 0 && s.told == ROUNDS && s.foreign == 0,
	    "%s, family %d: %u errors told of %d, wrong sends %u, local errors %u",
	    edge ? "edge" : "level", family, s.told, ROUNDS, wrong, s.foreign);
	sky_udp_close(&s.u);
}

int
main(void)
{
	bed_enter(60);
	if (system("ip link set lo mtu 1500")) {
		bed_ok(true, "wake # SKIP no ip (package iproute2)");
		return bed_done();
	}
	try(AF_INET, 0);
	try(AF_INET, EPOLLET);
	try(AF_INET6, 0);
	try(AF_INET6, EPOLLET);
	return bed_done();
}
