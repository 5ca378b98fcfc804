/* SPDX-License-Identifier: BSD-2-Clause */
/* poller.c - see poller.h. */
#include "sys/poller.h"
#include "sys/ret.h"

#include <stddef.h>
#include <sys/epoll.h>

int
sky_poller_open(void)
{
	int saved = errno;

	return sky_ret(epoll_create1(EPOLL_CLOEXEC), saved);
}

int
sky_poller_add(int poller, int fd, int out, uint32_t token)
{
	struct epoll_event e = { .events = EPOLLIN | (out ? EPOLLOUT : 0), .data.u32 = token };
	int saved = errno;

	return sky_ret(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e), saved);
}

int
sky_poller_change(int poller, int fd, int in, int out, uint32_t token)
{
	struct epoll_event e = { .events = (in ? EPOLLIN : 0) | (out ? EPOLLOUT : 0),
		.data.u32 = token };
	int saved = errno;

	return sky_ret(epoll_ctl(poller, EPOLL_CTL_MOD, fd, &e), saved);
}

int
sky_poller_remove(int poller, int fd)
{
	int saved = errno;

	return sky_ret(epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL), saved);
}

int
sky_poller_take(int poller, uint32_t token[static SKY_POLLER_BATCH])
{
	return sky_poller_sleep(poller, token, 0);
}

int
sky_poller_sleep(int poller, uint32_t token[static SKY_POLLER_BATCH], int ms)
{
	struct epoll_event e[SKY_POLLER_BATCH];
	int saved = errno;
	int n = sky_ret(epoll_wait(poller, e, SKY_POLLER_BATCH, ms), saved);

	for (int i = 0; i < n; i++)
		token[i] = e[i].data.u32;
	return n;
}
