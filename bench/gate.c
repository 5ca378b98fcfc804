/* SPDX-License-Identifier: BSD-2-Clause */
/* gate.c - the wrappers that the linker puts before the system calls. */
#include "gate.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

static _Thread_local struct gate *gate;

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
gate_count(struct gate *g)
{
	gate = g;
	gate_skip();
}

void
gate_skip(void)
{
	if (gate)
		gate->left_ns = 0;
}

double
gate_gap(const struct gate *g)
{
	return g->gaps ? (double)g->gap_ns / (double)g->gaps : 0;
}

void
gate_open(void)
{
	if (gate)
		gate->left_ns = now_ns();
}

void
gate_shut(void)
{
	uint64_t ns;

	if (!gate || gate->left_ns == 0)
		return;
	ns = now_ns() - gate->left_ns;
	gate->left_ns = 0;
	if (ns > GATE_TOO_LONG) {
		gate->cut++;
		return;
	}
	gate->gaps++;
	gate->gap_ns += ns;
}

static void
enter(size_t counter)
{
	if (!gate)
		return;
	++*(uint64_t *)(void *)((char *)gate + counter);
	gate_shut();
}

#define GATE(type, name, counter, params, args)					\
	type __real_##name params;						\
	type __wrap_##name params;						\
	type									\
	__wrap_##name params							\
	{									\
		type r;								\
										\
		enter(offsetof(struct gate, counter));				\
		r = __real_##name args;						\
		gate_open();							\
		return r;							\
	}

GATE(int, sendmmsg, sends, (int fd, struct mmsghdr *m, unsigned n, int f), (fd, m, n, f))
GATE(ssize_t, sendmsg, sends, (int fd, const struct msghdr *m, int f), (fd, m, f))
GATE(ssize_t, send, sends, (int fd, const void *b, size_t n, int f), (fd, b, n, f))
GATE(ssize_t, sendto, sends,
    (int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l),
    (fd, b, n, f, a, l))
GATE(int, recvmmsg, recvs,
    (int fd, struct mmsghdr *m, unsigned n, int f, struct timespec *t), (fd, m, n, f, t))
GATE(ssize_t, recvmsg, recvs, (int fd, struct msghdr *m, int f), (fd, m, f))
GATE(ssize_t, recv, recvs, (int fd, void *b, size_t n, int f), (fd, b, n, f))
GATE(ssize_t, recvfrom, recvs,
    (int fd, void *b, size_t n, int f, struct sockaddr *a, socklen_t *l),
    (fd, b, n, f, a, l))
GATE(int, poll, waits, (struct pollfd *p, nfds_t n, int t), (p, n, t))
GATE(int, getsockopt, others, (int fd, int l, int o, void *v, socklen_t *n),
    (fd, l, o, v, n))
GATE(int, setsockopt, others, (int fd, int l, int o, const void *v, socklen_t n),
    (fd, l, o, v, n))
