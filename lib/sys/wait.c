/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.c - see wait.h. */
#include "sys/wait.h"
#include "sys/ret.h"

#include <sys/epoll.h>

int
sky_wait_open(void)
{
	int saved = errno;

	return sky_ret(epoll_create1(EPOLL_CLOEXEC), saved);
}

int
sky_wait_add(int wait, int fd, int out, uint32_t token)
{
	struct epoll_event e = { .events = EPOLLIN | (out ? EPOLLOUT : 0), .data.u32 = token };
	int saved = errno;

	return sky_ret(epoll_ctl(wait, EPOLL_CTL_ADD, fd, &e), saved);
}

int
sky_wait_take(int wait, uint32_t token[static SKY_WAIT_BATCH])
{
	struct epoll_event e[SKY_WAIT_BATCH];
	int saved = errno;
	int n = sky_ret(epoll_wait(wait, e, SKY_WAIT_BATCH, 0), saved);

	for (int i = 0; i < n; i++)
		token[i] = e[i].data.u32;
	return n;
}
