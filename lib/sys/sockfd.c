/* SPDX-License-Identifier: BSD-2-Clause */
/* sockfd.c - see sockfd.h. */
#include "sys/sockfd.h"
#include "sys/ret.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

int
sky_sockfd_open(int family)
{
	int saved = errno;

	return sky_ret(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP),
	    saved);
}

int
sky_sockfd_make(int family, int type, int protocol)
{
	int saved = errno;

	return sky_ret(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol), saved);
}

int
sky_sockfd_nonblock(int fd)
{
	int saved = errno;
	int flags = sky_ret(fcntl(fd, F_GETFL), saved);

	if (flags < 0 || flags & O_NONBLOCK)
		return flags < 0 ? flags : 0;
	return sky_ret(fcntl(fd, F_SETFL, flags | O_NONBLOCK), saved);
}

int
sky_sockfd_accept(int fd, struct sockaddr_storage *a, socklen_t *len)
{
	int saved = errno;

	return sky_ret(accept4(fd, (struct sockaddr *)a, len, SOCK_CLOEXEC | SOCK_NONBLOCK), saved);
}

int
sky_sockfd_poll(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int saved = errno;

	return sky_ret(poll(&p, 1, 0), saved) > 0 ? p.revents : 0;
}

int
sky_sockfd_bind(int fd, const struct sockaddr_storage *a, socklen_t len)
{
	int saved = errno;

	return sky_ret(bind(fd, (const struct sockaddr *)a, len), saved);
}

int
sky_sockfd_connect(int fd, const struct sockaddr_storage *a, socklen_t len)
{
	int saved = errno;

	return sky_ret(connect(fd, (const struct sockaddr *)a, len), saved);
}

int
sky_sockfd_close(int fd)
{
	int saved = errno;

	return sky_ret(close(fd), saved);
}

int
sky_sockfd_abort(int fd)
{
	struct linger now = { .l_onoff = 1 };
	int saved = errno;

	(void)sky_ret(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), saved);
	return sky_sockfd_close(fd);
}

int
sky_sockfd_name(int fd, struct sockaddr_storage *a)
{
	socklen_t len = sizeof(*a);
	int saved = errno;
	int r = sky_ret(getsockname(fd, (struct sockaddr *)a, &len), saved);

	return r < 0 ? r : (int)len;
}

int
sky_sockfd_peer(int fd, struct sockaddr_storage *a)
{
	socklen_t len = sizeof(*a);
	int saved = errno;
	int r = sky_ret(getpeername(fd, (struct sockaddr *)a, &len), saved);

	return r < 0 ? r : (int)len;
}
