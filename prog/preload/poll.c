/* SPDX-License-Identifier: BSD-2-Clause */
/* poll.c - see attend.h; poll(2) and ppoll(2). */
#include "attend.h"
#include "next.h"
#include "patience.h"
#include "queue.h"
#include "second.h"

#include <string.h>

enum {
	INPUT = POLLIN | POLLRDNORM,
	MOST = 256,		/* where more are waited for, icmpd's news come later */
};

bool
attend(struct sock *s, int fd, bool wants_input)
{
	if (!wants_input) {
		queue_empty(s, fd);
		return sock_has(s, SOCK_CONNECTED) && atomic_load(&s->kept);
	}
	sock_set(s, SOCK_WAITS | SOCK_LISTENS);
	return queue_peek(s, fd);
}

/* Who waits for input is told of an error as of input: a receive will not block. */
static void
look_at(struct pollfd *p)
{
	struct sock *s = sock_find(p->fd);

	if (!s || !queue_is_ours(s, p->fd))
		return;
	if (attend(s, p->fd, p->events & INPUT))
		p->revents |= p->events & INPUT;
	else
		p->revents &= ~POLLERR;
}

/* How many of r are left to be told of. */
static int
look(struct pollfd *p, nfds_t n, int r)
{
	for (nfds_t i = 0; i < n; i++) {
		if (!(p[i].revents & POLLERR))
			continue;
		look_at(&p[i]);
		r -= !p[i].revents;
	}
	return r;
}

/* Notes who waits for input. True if one of them is ours. */
static bool
expect(const struct pollfd *p, nfds_t n)
{
	bool ours = false;

	for (nfds_t i = 0; i < n; i++) {
		struct sock *s = sock_known(p[i].fd);

		if (!s || !(p[i].events & INPUT))
			continue;
		sock_set(s, SOCK_LISTENS);
		ours |= sock_is_ours(s);
	}
	return ours;
}

/* An error that is kept with us wakes nobody. Returns how many are to be told of. */
static int
add_kept(struct pollfd *p, nfds_t n, int r)
{
	for (nfds_t i = 0; i < n; i++) {
		struct sock *s = sock_known(p[i].fd);

		if (!s || !(p[i].events & INPUT) || !atomic_load(&s->kept))
			continue;
		r += !p[i].revents;
		p[i].revents |= POLLERR | (p[i].events & INPUT);
	}
	return r;
}

static bool
any_kept(const struct pollfd *p, nfds_t n)
{
	for (nfds_t i = 0; atomic_load(&state()->kept) > 0 && i < n; i++) {
		struct sock *s = sock_known(p[i].fd);

		if (s && (p[i].events & INPUT) && atomic_load(&s->kept))
			return true;
	}
	return false;
}

/* One wait, icmpd's descriptor among them. */
static int
wait_once(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *mask)
{
	struct pollfd all[MOST + 1];
	int r, fd = second_fd();

	if (fd < 0 || n > MOST)
		return next()->ppoll(p, n, t, mask);
	memcpy(all, p, n * sizeof(*p));
	all[n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	r = next()->ppoll(all, n + 1, t, mask);
	if (r < 0)
		return r;
	for (nfds_t i = 0; i < n; i++)
		p[i].revents = all[i].revents;
	if (!all[n].revents)
		return r;
	second_take();
	return r - 1;
}

static int
wait(struct pollfd *p, nfds_t n, int64_t ns, const sigset_t *mask)
{
	struct timespec left;
	struct patience w;
	int r;

	if (n > MOST)
		second_take();
	patience_begin(&w, any_kept(p, n) ? 0 : ns);
	do {
		r = wait_once(p, n, patience_spec(&w, &left), mask);
		if (r < 0)
			return r;
		r = look(p, n, r);
		if (any_kept(p, n))
			return add_kept(p, n, r);
	} while (r == 0 && patience_again(&w));
	return r;
}

/* An error of ours may come from a socket that another program made. */
static bool
is_strange(const struct pollfd *p, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++)
		if ((p[i].revents & POLLERR) && sock_find(p[i].fd))
			return true;
	return false;
}

SHOWN int
poll(struct pollfd *p, nfds_t n, int timeout)
{
	int r;

	if (expect(p, n))
		return wait(p, n, timeout < 0 ? -1 : (int64_t)timeout * 1000000, NULL);
	r = next()->poll(p, n, timeout);
	if (r > 0 && is_strange(p, n))
		return wait(p, n, timeout < 0 ? -1 : (int64_t)timeout * 1000000, NULL);
	return r;
}

SHOWN int
ppoll(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	int r;

	if (!patience_makes_sense(timeout))
		return next()->ppoll(p, n, timeout, mask);
	if (expect(p, n))
		return wait(p, n, patience_of(timeout), mask);
	r = next()->ppoll(p, n, timeout, mask);
	return r > 0 && is_strange(p, n) ? wait(p, n, patience_of(timeout), mask) : r;
}
