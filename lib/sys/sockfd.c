/* SPDX-License-Identifier: BSD-2-Clause */
/* sockfd.c - see sockfd.h. */
#include "sys/sockfd.h"
#include "sys/ret.h"

#include <netinet/in.h>
#include <unistd.h>

int
sky_sockfd_open(int family)
{
	int saved = errno;

	return sky_ret(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP),
	    saved);
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
