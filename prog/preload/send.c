/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send.c - see send.h; and the calls that send.
 *
 * With an error queue the kernel fails the next send, to whomever, with the error
 * of an earlier datagram, and does not send. Such a send has consumed the errno:
 * it is repeated. The record stays in the queue, where it wakes whoever waits for
 * the socket, and is returned by a receive.
 *
 * A connected socket whose program never receives would then never learn what it
 * did learn without us: there, and only for those errors, the send fails as ever; and
 * so it does wherever errors are only told.
 */
#include "send.h"
#include "next.h"
#include "queue.h"
#include "vouch.h"

enum {
	TRIES_STALE = 64,	/* another thread that reads the queue renews the errno */
	TRIES_DOUBTFUL = 6,	/* an errno that may be the datagram's own */
	TRIES_LONG = 2,		/* EMSGSIZE: each leaves a record */
};

void
sending_begin(struct sending *x, int fd, const void *to, socklen_t len)
{
	*x = (struct sending){ .s = sock_find(fd), .fd = fd };
	if (!x->s)
		return;
	x->to_peer = !to && sock_has(x->s, SOCK_CONNECTED);
	if (!sock_has(x->s, SOCK_READY))
		queue_on(x->s, fd);
	vouch_sent(x->s, to, len);
}

static bool
fails_as_ever(struct sending *x)
{
	int err;

	if (!x->to_peer || (sock_has(x->s, SOCK_LISTENS) && !state()->log_only))
		return false;
	err = queue_take_plain(x->s, x->fd);
	if (err)
		errno = err;
	return err != 0;
}

/* The datagram's own fault. If it was too long for its path it left a record of its
 * own, which would wake the program for nothing. */
static bool
own_fault(struct sending *x, int err)
{
	if (err == EMSGSIZE)
		queue_empty(x->s, x->fd);
	errno = err;
	return false;
}

static int
tries_for(int err)
{
	if (err == EMSGSIZE)
		return TRIES_LONG;
	return queue_is_stale(err) ? TRIES_STALE : TRIES_DOUBTFUL;
}

bool
sending_again(struct sending *x)
{
	int err = errno;

	if (!sock_is_ours(x->s))
		return false;
	/* a full queue of an interface, which is told only if there is an error queue */
	x->swallowed = err == ENOBUFS;
	if (!queue_may_be_stale(err))
		return false;
	if (++x->tries > tries_for(err))
		return own_fault(x, err);
	if (x->tries == 1 && fails_as_ever(x))
		return false;
	sock_set(x->s, SOCK_WAITS);
	if (state()->log_only)
		queue_empty(x->s, x->fd);
	else
		queue_relieve(x->s, x->fd);
	return true;
}

SHOWN int
connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	struct sock *s = sock_find(fd);
	int r;

	if (s)
		queue_on(s, fd);
	r = next()->connect(fd, to.__sockaddr__, len);
	if (!s || r < 0)
		return r;
	if (to.__sockaddr__->sa_family == AF_UNSPEC) {
		sock_clear(s, SOCK_CONNECTED);
		return r;
	}
	sock_set(s, SOCK_CONNECTED);
	vouch_sent(s, to.__sockaddr__, len);
	return r;
}

SHOWN ssize_t
send(int fd, const void *b, size_t n, int flags)
{
	struct sending x;
	ssize_t r;

	sending_begin(&x, fd, NULL, 0);
	do
		r = next()->send(fd, b, n, flags);
	while (r < 0 && sending_again(&x));
	return sending_end(&x, r, n);
}

SHOWN ssize_t
sendto(int fd, const void *b, size_t n, int flags, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	struct sending x;
	ssize_t r;

	sending_begin(&x, fd, to.__sockaddr__, len);
	do
		r = next()->sendto(fd, b, n, flags, to.__sockaddr__, len);
	while (r < 0 && sending_again(&x));
	return sending_end(&x, r, n);
}

SHOWN ssize_t
write(int fd, const void *b, size_t n)
{
	struct sending x;
	ssize_t r;

	sending_begin(&x, fd, NULL, 0);
	do
		r = next()->write(fd, b, n);
	while (r < 0 && sending_again(&x));
	return sending_end(&x, r, n);
}

static size_t
bytes_of(const struct iovec *v, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i].iov_len;
	return sum;
}

SHOWN ssize_t
writev(int fd, const struct iovec *v, int n)
{
	struct sending x;
	ssize_t r;

	sending_begin(&x, fd, NULL, 0);
	do
		r = next()->writev(fd, v, n);
	while (r < 0 && sending_again(&x));
	return x.swallowed ? (ssize_t)bytes_of(v, (size_t)n) : r;
}

SHOWN ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct sending x;
	ssize_t r;

	sending_begin(&x, fd, m ? m->msg_name : NULL, m ? m->msg_namelen : 0);
	do
		r = next()->sendmsg(fd, m, flags);
	while (r < 0 && sending_again(&x));
	return x.swallowed ? (ssize_t)bytes_of(m->msg_iov, m->msg_iovlen) : r;
}

/* One call of the kernel's stops at a stale error, and does not say so when some
 * went out before. Returns how many more are done, or -1. */
static int
send_some(struct sending *x, struct mmsghdr *h, unsigned n, int flags)
{
	const void *to = h->msg_hdr.msg_name;
	int r;

	x->to_peer = !to && sock_has(x->s, SOCK_CONNECTED);
	x->tries = 0;
	do
		r = next()->sendmmsg(x->fd, h, n, flags);
	while (r < 0 && sending_again(x));
	if (r >= 0 || !x->swallowed)
		return r;
	h->msg_len = (unsigned)bytes_of(h->msg_hdr.msg_iov, h->msg_hdr.msg_iovlen);
	return 1;
}

SHOWN int
sendmmsg(int fd, struct mmsghdr *h, unsigned n, int flags)
{
	struct sending x;
	unsigned done = 0;
	int r;

	sending_begin(&x, fd, NULL, 0);
	if (!sock_is_ours(x.s) || !n)
		return next()->sendmmsg(fd, h, n, flags);
	for (unsigned i = 0; i < n; i++)
		vouch_sent(x.s, h[i].msg_hdr.msg_name, h[i].msg_hdr.msg_namelen);
	do {
		r = send_some(&x, h + done, n - done, flags);
		done += r > 0 ? (unsigned)r : 0;
	} while (r > 0 && done < n);
	return done ? (int)done : r;
}
