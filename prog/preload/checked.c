/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checked.c - the names under which programs call when they were compiled with
 * _FORTIFY_SOURCE: the same, after a look at the size of the buffer.
 */
#include "next.h"

#include <unistd.h>

/* The C library ends a program that would overrun its buffer. */
_Noreturn void __chk_fail(void);

SHOWN ssize_t __recv_chk(int fd, void *b, size_t n, size_t room, int flags);
SHOWN ssize_t __recvfrom_chk(int fd, void *b, size_t n, size_t room, int flags,
    __SOCKADDR_ARG from, socklen_t *len);
SHOWN ssize_t __read_chk(int fd, void *b, size_t n, size_t room);
SHOWN int __poll_chk(struct pollfd *p, nfds_t n, int timeout, size_t room);
SHOWN int __ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *timeout,
    const sigset_t *mask, size_t room);

ssize_t
__recv_chk(int fd, void *b, size_t n, size_t room, int flags)
{
	if (n > room)
		__chk_fail();
	return recv(fd, b, n, flags);
}

ssize_t
__recvfrom_chk(int fd, void *b, size_t n, size_t room, int flags, __SOCKADDR_ARG from,
    socklen_t *len)
{
	if (n > room)
		__chk_fail();
	return recvfrom(fd, b, n, flags, from, len);
}

ssize_t
__read_chk(int fd, void *b, size_t n, size_t room)
{
	if (n > room)
		__chk_fail();
	return read(fd, b, n);
}

int
__poll_chk(struct pollfd *p, nfds_t n, int timeout, size_t room)
{
	if (room / sizeof(*p) < n)
		__chk_fail();
	return poll(p, n, timeout);
}

int
__ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask,
    size_t room)
{
	if (room / sizeof(*p) < n)
		__chk_fail();
	return ppoll(p, n, timeout, mask);
}
