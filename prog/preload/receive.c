/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * receive.c - see receive.h; and the calls that receive.
 *
 * A thread that is blocked in recv(2) is woken by the errno of an error, not by
 * its record in the queue; and a send of another thread may consume that errno
 * before it has run. So where another thread or process may send, we wait with
 * poll(2), which looks at the queue; and so where icmpd has news, too.
 */
#include "receive.h"
#include "next.h"
#include "queue.h"
#include "second.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/single_threaded.h>

static bool
is_alone(void)
{
	return __libc_single_threaded && second_fd() < 0 &&
	    !atomic_load_explicit(&state()->forked, memory_order_relaxed);
}

bool
receiving_begin(struct receiving *x, int fd, int flags)
{
	bool hidden = false;
	int err;

	*x = (struct receiving){ .s = sock_find(fd), .fd = fd };
	if (!x->s)
		return true;
	if (flags & MSG_ERRQUEUE)
		queue_give_back(x->s, fd);
	sock_set(x->s, SOCK_LISTENS);
	if (sock_has(x->s, SOCK_HANDS_OFF))
		return true;
	if (!(flags & MSG_DONTWAIT) && !is_alone())
		x->extra = MSG_DONTWAIT;
	if (!sock_has(x->s, SOCK_WAITS))
		return true;
	err = queue_take(x->s, fd, &hidden);
	if (!err)
		return true;
	errno = err;
	return false;
}

/* Would a system call of this thread be restarted after a signal? Which signal it
 * was is not known here; but nearly all programs treat all of them alike. */
static bool
all_restart(void)
{
	struct sigaction a;

	for (int n = 1; n < NSIG; n++)
		if (sigaction(n, NULL, &a) == 0 && a.sa_handler != SIG_DFL &&
		    a.sa_handler != SIG_IGN && !(a.sa_flags & SA_RESTART))
			return false;
	return true;
}

/* SO_RCVTIMEO; negative: for ever. */
static int64_t
timeout_ns(int fd)
{
	struct timeval t = { 0 };
	socklen_t len = sizeof(t);

	if (next()->getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, &len) < 0)
		return -1;
	if (!t.tv_sec && !t.tv_usec)
		return -1;
	return patience_of(&(struct timespec){ t.tv_sec, t.tv_usec * 1000 });
}

/* The same time is left as before, however often it is woken for nothing. */
static bool
has_time(struct receiving *x)
{
	if (x->waited)
		return patience_again(&x->w);
	x->waited = true;
	patience_begin(&x->w, timeout_ns(x->fd));
	return true;
}

/* Waits as the receive would have. errno: EAGAIN when the time is over. */
static bool
wait_for(struct receiving *x)
{
	struct pollfd p[] = { { .fd = x->fd, .events = POLLIN },
		{ .fd = second_fd(), .events = POLLIN } };
	int r = 0;

	errno = EAGAIN;
	if (next()->fcntl(x->fd, F_GETFL) & O_NONBLOCK || !has_time(x))
		return false;
	do
		r = next()->poll(p, 2, patience_ms(&x->w));
	while (r < 0 && errno == EINTR && x->w.left_ns < 0 && all_restart());
	if (r == 0)
		errno = EAGAIN;
	if (r > 0 && p[1].revents)
		second_take();
	if (r > 0 && (p[0].revents & POLLERR))
		sock_set(x->s, SOCK_WAITS);
	return r > 0;
}

/* True: nothing for the program lay there. */
static bool
none_taken(struct receiving *x, bool *hidden)
{
	int err = queue_take(x->s, x->fd, hidden);

	if (err)
		errno = err;
	return !err;
}

bool
receiving_again(struct receiving *x)
{
	bool hidden = false;
	int err = errno;

	if (!x->s || sock_has(x->s, SOCK_HANDS_OFF))
		return false;
	if ((err == EAGAIN || err == EWOULDBLOCK) && x->extra)
		return wait_for(x) && (!sock_has(x->s, SOCK_WAITS) || none_taken(x, &hidden));
	if (err == ENOTSOCK && x->extra) {
		sock_closed((unsigned)x->fd, (unsigned)x->fd);
		*x = (struct receiving){ .fd = x->fd };
		return true;
	}
	if (!queue_may_be_stale(err) || !queue_is_ours(x->s, x->fd))
		return false;
	if (!none_taken(x, &hidden))
		return false;
	/* the record found no room, but the errno tells that there was one */
	errno = err;
	return hidden || (state()->log_only && !sock_has(x->s, SOCK_CONNECTED));
}

SHOWN ssize_t
recv(int fd, void *b, size_t n, int flags)
{
	struct receiving x;
	ssize_t r;

	if (!receiving_begin(&x, fd, flags))
		return -1;
	do
		r = next()->recv(fd, b, n, flags | x.extra);
	while (r < 0 && receiving_again(&x));
	return r;
}

SHOWN ssize_t
recvfrom(int fd, void *b, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *len)
{
	struct receiving x;
	ssize_t r;

	if (!receiving_begin(&x, fd, flags))
		return -1;
	do
		r = next()->recvfrom(fd, b, n, flags | x.extra, from.__sockaddr__, len);
	while (r < 0 && receiving_again(&x));
	return r;
}

/* Descriptors that came with a message have the numbers of others, gone before. */
static void
note_passed(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			sock_closed((unsigned)fd, (unsigned)fd);
		}
	}
}

SHOWN ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	struct receiving x;
	ssize_t r;

	if (!receiving_begin(&x, fd, flags))
		return -1;
	do
		r = next()->recvmsg(fd, m, flags | x.extra);
	while (r < 0 && receiving_again(&x));
	if (r >= 0 && !x.s && m->msg_controllen)
		note_passed(m);
	return r;
}

/* Where the kernel is to wait for all of many, it is the kernel that waits. */
SHOWN int
recvmmsg(int fd, struct mmsghdr *h, unsigned n, int flags, struct timespec *timeout)
{
	struct receiving x;
	int r;

	if (!receiving_begin(&x, fd, flags))
		return -1;
	if (timeout || (n != 1 && !(flags & MSG_WAITFORONE)))
		x.extra = 0;
	do
		r = next()->recvmmsg(fd, h, n, flags | x.extra, timeout);
	while (r < 0 && receiving_again(&x));
	return r;
}

/* read(2) has no flags, but is recv(2) on a socket; except that of no bytes. */
static ssize_t
read_once(const struct receiving *x, void *b, size_t n)
{
	if (x->s && x->extra && n)
		return next()->recv(x->fd, b, n, x->extra);
	return next()->read(x->fd, b, n);
}

SHOWN ssize_t
read(int fd, void *b, size_t n)
{
	struct receiving x;
	ssize_t r;

	if (!receiving_begin(&x, fd, 0))
		return -1;
	do
		r = read_once(&x, b, n);
	while (r < 0 && receiving_again(&x));
	return r;
}

/* Of no bytes is nothing, where recvmsg(2) would take a datagram; what the kernel
 * refuses is left to it. */
static bool
has_bytes(const struct iovec *v, int n)
{
	for (int i = 0; i < n && n <= IOV_MAX; i++)
		if (v[i].iov_len)
			return true;
	return false;
}

SHOWN ssize_t
readv(int fd, const struct iovec *v, int n)
{
	struct receiving x;
	struct msghdr m = { .msg_iovlen = n > 0 ? (size_t)n : 0 };
	ssize_t r;

	if (!receiving_begin(&x, fd, 0))
		return -1;
	memcpy(&m.msg_iov, &v, sizeof(v));
	if (!has_bytes(v, n))
		x.extra = 0;
	do
		r = x.extra ? next()->recvmsg(fd, &m, x.extra) : next()->readv(fd, v, n);
	while (r < 0 && receiving_again(&x));
	return r;
}
