/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload_calls.c - every call by which a program may wait or receive, once.
 *
 *	preload-calls ADDRESS PORT
 *
 * For each a datagram to a port that is closed; prints "CALL ERRNO", or "CALL
 * silence". Built a second time with _FORTIFY_SOURCE, for the checked variants.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WAIT_MS = 200 };

static char b[100];

/* What the compiler cannot know is checked at run time. */
static size_t
some(void)
{
	volatile size_t n = sizeof(b);

	return n;
}

static struct msghdr *
message(void)
{
	static struct iovec v = { b, sizeof(b) };
	static struct msghdr m;

	m = (struct msghdr){ .msg_iov = &v, .msg_iovlen = 1 };
	return &m;
}

static struct mmsghdr *
messages(void)
{
	static struct mmsghdr h;

	h.msg_hdr = *message();
	return &h;
}

static long r_recv(int fd) { return recv(fd, b, some(), 0); }
static long r_recvfrom(int fd) { return recvfrom(fd, b, some(), 0, NULL, NULL); }
static long r_recvmsg(int fd) { return recvmsg(fd, message(), 0); }
static long r_recvmmsg(int fd) { return recvmmsg(fd, messages(), 1, 0, NULL); }
static long r_read(int fd) { return read(fd, b, some()); }
static long r_readv(int fd) { return readv(fd, message()->msg_iov, 1); }
static long r_direct_read(int fd) { return syscall(SYS_read, fd, b, sizeof(b)); }
static long r_direct_recvfrom(int fd) { return syscall(SYS_recvfrom, fd, b, 9, 0, NULL, NULL); }
static long r_direct_recvmsg(int fd) { return syscall(SYS_recvmsg, fd, message(), 0); }
static long r_direct_recvmmsg(int fd) { return syscall(SYS_recvmmsg, fd, messages(), 1, 0, NULL); }

static long
r_dup2(int fd)
{
	return recv(dup2(fd, 100), b, some(), 0);
}

static long
r_dup3(int fd)
{
	return recv(dup3(fd, 101, O_CLOEXEC), b, some(), 0);
}

static long
r_fcntl(int fd)
{
	return recv(fcntl(fd, F_DUPFD, 110), b, some(), 0);
}

static long
w_poll(int fd)
{
	volatile nfds_t one = 1;
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN } };

	return poll(p, one, WAIT_MS) > 0 && (p[0].revents & POLLIN) ? r_recv(fd) : 0;
}

static long
w_ppoll(int fd)
{
	struct timespec t = { 0, WAIT_MS * 1000000 };
	volatile nfds_t one = 1;
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN } };

	return ppoll(p, one, &t, NULL) > 0 && (p[0].revents & POLLIN) ? r_recv(fd) : 0;
}

static long
w_select(int fd)
{
	struct timeval t = { 0, WAIT_MS * 1000 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(fd, &in);
	return select(fd + 1, &in, NULL, NULL, &t) == 1 && FD_ISSET(fd, &in) ? r_recv(fd) : 0;
}

static long
w_pselect(int fd)
{
	struct timespec t = { 0, WAIT_MS * 1000000 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(fd, &in);
	return pselect(fd + 1, &in, NULL, NULL, &t, NULL) == 1 && FD_ISSET(fd, &in) ? r_recv(fd) : 0;
}

static int
set_of(int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	int epfd = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
	return epfd;
}

static long
woken(int fd, int n, const struct epoll_event *e)
{
	return n == 1 && e->data.fd == fd && (e->events & EPOLLIN) ? r_recv(fd) : 0;
}

static long
w_epoll_wait(int fd)
{
	struct epoll_event e = { 0 };

	return woken(fd, epoll_wait(set_of(fd), &e, 1, WAIT_MS), &e);
}

static long
w_epoll_pwait(int fd)
{
	struct epoll_event e = { 0 };

	return woken(fd, epoll_pwait(set_of(fd), &e, 1, WAIT_MS, NULL), &e);
}

static long
w_epoll_pwait2(int fd)
{
	struct timespec t = { 0, WAIT_MS * 1000000 };
	struct epoll_event e = { 0 };

	return woken(fd, epoll_pwait2(set_of(fd), &e, 1, &t, NULL), &e);
}

static long
w_direct_epoll(int fd)
{
	struct epoll_event e = { 0 };

	return woken(fd, (int)syscall(SYS_epoll_pwait, set_of(fd), &e, 1, WAIT_MS, NULL, 8), &e);
}

static const struct {
	const char *name;
	long (*call)(int fd);
} calls[] = {
	{ "recv", r_recv }, { "recvfrom", r_recvfrom }, { "recvmsg", r_recvmsg },
	{ "recvmmsg", r_recvmmsg }, { "read", r_read }, { "readv", r_readv },
	{ "syscall-read", r_direct_read }, { "syscall-recvfrom", r_direct_recvfrom },
	{ "syscall-recvmsg", r_direct_recvmsg }, { "syscall-recvmmsg", r_direct_recvmmsg },
	{ "dup2", r_dup2 }, { "dup3", r_dup3 }, { "fcntl", r_fcntl },
	{ "poll", w_poll }, { "ppoll", w_ppoll }, { "select", w_select }, { "pselect", w_pselect },
	{ "epoll_wait", w_epoll_wait }, { "epoll_pwait", w_epoll_pwait },
	{ "epoll_pwait2", w_epoll_pwait2 }, { "syscall-epoll_pwait", w_direct_epoll },
};

static long s_sendto(int fd, struct msghdr *m)
{
	return sendto(fd, "x", 1, 0, m->msg_name, m->msg_namelen);
}

static long s_sendmsg(int fd, struct msghdr *m) { return sendmsg(fd, m, 0); }

static long s_sendmmsg(int fd, struct msghdr *m)
{
	struct mmsghdr h = { .msg_hdr = *m };

	return sendmmsg(fd, &h, 1, 0);
}

static long s_direct(int fd, struct msghdr *m) { return syscall(SYS_sendmsg, fd, m, 0); }

int
main(int argc, char **argv)
{
	static long (*const sends[])(int fd, struct msghdr *m) = { s_sendto, s_sendmsg, s_sendmmsg,
		s_direct };
	struct timeval t = { 0, WAIT_MS * 1000 };
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (argc != 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((in_port_t)strtoul(argv[2], NULL, 10));
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		struct msghdr m = *message();
		long r;

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
		m.msg_name = &to;
		m.msg_namelen = sizeof(to);
		if (sends[i % 4](fd, &m) < 0)
			printf("send-%s\n", strerrorname_np(errno));
		r = calls[i].call(fd);
		printf("%s %s\n", calls[i].name, r == 0 || errno == EAGAIN ? "silence" :
		    r < 0 ? strerrorname_np(errno) : "data");
		close(fd);
	}
	return 0;
}
