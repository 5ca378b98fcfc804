/* SPDX-License-Identifier: BSD-2-Clause */
/* fds.c - the calls that make, copy and close descriptors, kept track of. */
#include "next.h"
#include "queue.h"
#include "second.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdarg.h>
#include <unistd.h>

SHOWN int
socket(int family, int type, int protocol)
{
	int fd = next()->socket(family, type, protocol);

	if (fd >= 0)
		sock_made(fd, family, type, protocol);
	return fd;
}

static int
made_by_accept(int fd)
{
	int saved = errno;

	if (fd >= 0)
		sock_closed((unsigned)fd, (unsigned)fd);
	errno = saved;
	return fd;
}

SHOWN int
accept(int fd, __SOCKADDR_ARG from, socklen_t *len)
{
	return made_by_accept(next()->accept(fd, from.__sockaddr__, len));
}

SHOWN int
accept4(int fd, __SOCKADDR_ARG from, socklen_t *len, int flags)
{
	return made_by_accept(next()->accept4(fd, from.__sockaddr__, len, flags));
}

SHOWN int
dup(int fd)
{
	int r = next()->dup(fd);

	if (r >= 0)
		sock_copied(fd, r);
	return r;
}

/* The program wants a number that is ours. */
static void
make_way(int fd)
{
	if (second_owns(fd) && !state_is_borrowed())
		second_yield();
}

SHOWN int
dup2(int from, int to)
{
	int r;

	make_way(to);
	r = next()->dup2(from, to);
	if (r >= 0)
		sock_copied(from, r);
	return r;
}

SHOWN int
dup3(int from, int to, int flags)
{
	int r;

	make_way(to);
	r = next()->dup3(from, to, flags);
	if (r >= 0)
		sock_copied(from, r);
	return r;
}

static bool
copies(int command)
{
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC;
}

/* The third argument is an int, a pointer, or nothing: a word holds each. */
SHOWN int
fcntl(int fd, int command, ...)
{
	va_list ap;
	void *arg;
	int r;

	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	r = next()->fcntl(fd, command, arg);
	if (r >= 0 && copies(command))
		sock_copied(fd, r);
	return r;
}

SHOWN int fcntl64(int fd, int command, ...);

int
fcntl64(int fd, int command, ...)
{
	va_list ap;
	void *arg;
	int r;

	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	r = next()->fcntl64(fd, command, arg);
	if (r >= 0 && copies(command))
		sock_copied(fd, r);
	return r;
}

/* Where errors are only told, the last chance. */
static void
last_look(int fd)
{
	struct sock *s = state()->log_only ? sock_known(fd) : NULL;

	if (sock_is_ours(s) && atomic_load(&s->refs) == 1)
		queue_empty(s, fd);
}

SHOWN int
close(int fd)
{
	int r, err;

	if (second_owns(fd)) {
		errno = EBADF;
		return -1;
	}
	last_look(fd);
	r = next()->close(fd);
	err = errno;
	if (fd >= 0 && (r == 0 || err != EBADF))
		sock_closed((unsigned)fd, (unsigned)fd);
	errno = err;
	return r;
}

static void
make_way_of_all(unsigned first, unsigned last, int flags)
{
	for (unsigned fd = first; second_fd() >= 0 && fd <= last && fd < FDS; fd++)
		if (!(flags & (int)CLOSE_RANGE_CLOEXEC))
			make_way((int)fd);
}

SHOWN int
close_range(unsigned first, unsigned last, int flags)
{
	int r;

	if (!next()->close_range) {
		errno = ENOSYS;
		return -1;
	}
	make_way_of_all(first, last, flags);
	r = next()->close_range(first, last, flags);
	if (r == 0 && !(flags & (int)CLOSE_RANGE_CLOEXEC))
		sock_closed(first, last);
	return r;
}

SHOWN void
closefrom(int first)
{
	make_way_of_all(first < 0 ? 0 : (unsigned)first, ~0u, 0);
	if (next()->closefrom)
		next()->closefrom(first);
	sock_closed(first < 0 ? 0 : (unsigned)first, FDS - 1);
}

static void __attribute__((destructor))
end(void)
{
	int top = atomic_load(&state()->fd_top);

	for (int fd = 0; state()->log_only && fd <= top; fd++)
		if (sock_is_ours(sock_known(fd)))
			queue_empty(sock_known(fd), fd);
}
