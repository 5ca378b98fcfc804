/* SPDX-License-Identifier: BSD-2-Clause */
/* compat_read.c - see compat_read.h. */
#include "compat_read.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define FDS_MAX 253		/* of one message: the kernel's SCM_MAX_FD */
#define MESSAGES_MAX 4096	/* that a connection's buffer can hold, and more */

uint64_t
compat_netns(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		return 0;
	return cookie;
}

void
compat_keep(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0u, 0);
}

/* Whatever it is held up by, it ends. */
static void
end_soon(time_t seconds)
{
	const struct itimerval t = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_REAL, &t, NULL);
}

/* Takes a message. Returns how many descriptors came with it, -1 for none left. */
static int
take(int connection, int *fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	char byte[256];
	struct iovec iov = { byte, sizeof(byte) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(connection, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int count = 0;

	if (n <= 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), (size_t)count * sizeof(int));
	}
	return count;
}

static int
option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

/* Its own socket, a UDP one, here: all of it asked of the kernel. */
static void
look(int fd, uid_t uid, uint64_t netns, struct compat_facts *f)
{
	socklen_t len = sizeof(f->cookie);
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || st.st_uid != uid)
		return;
	f->family = option(fd, SO_DOMAIN);
	if (f->family != AF_INET && f->family != AF_INET6)
		return;
	if (option(fd, SO_TYPE) != SOCK_DGRAM || option(fd, SO_PROTOCOL) != IPPROTO_UDP)
		return;
	if (compat_netns(fd) != netns)
		return;
	f->good = getsockopt(fd, SOL_SOCKET, SO_COOKIE, &f->cookie, &len) == 0;
}

_Noreturn static void
child(int connection, uid_t uid, uint64_t netns, int pipe)
{
	struct compat_facts f = { 0 };
	int fds[FDS_MAX], n;

	compat_keep(connection, pipe);
	end_soon(10);
	n = take(connection, fds);
	if (n == 1)
		look(fds[0], uid, netns, &f);
	for (int i = 0; i < n; i++)
		close(fds[i]);
	if (write(pipe, &f, sizeof(f)) < 0)
		_exit(1);
	_exit(0);
}

int
compat_read_start(int connection, uid_t uid, uint64_t netns, pid_t *pid)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*pid = fork();
	if (*pid == 0)
		child(connection, uid, netns, p[1]);
	close(p[1]);
	if (*pid > 0)
		return p[0];
	close(p[0]);
	return -EAGAIN;
}

_Noreturn static void
drain(int connection)
{
	int fds[FDS_MAX], n;

	compat_keep(connection, connection);
	end_soon(1);
	for (int i = 0; i < MESSAGES_MAX && (n = take(connection, fds)) >= 0; i++)
		for (int k = 0; k < n; k++)
			close(fds[k]);
	_exit(0);
}

/* After the shutdown nothing more can come, so what is counted then is all. Where no
 * child can be had it stays open. */
void
compat_read_close(int connection)
{
	int left = 0;
	pid_t pid = 1;

	shutdown(connection, SHUT_RDWR);
	if (ioctl(connection, SIOCINQ, &left) == 0 && left > 0)
		pid = fork();
	if (pid == 0)
		drain(connection);
	if (pid > 0)
		close(connection);
}
