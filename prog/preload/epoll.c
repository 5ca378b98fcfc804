/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll.c - the calls of epoll(7).
 *
 * An event carries the program's own word, not a descriptor: which socket it is
 * about is remembered when the program adds it. A socket in two sets at once is
 * known to us in the one it came to last.
 */
#include "attend.h"
#include "next.h"
#include "patience.h"
#include "queue.h"
#include "second.h"

#include <errno.h>

enum { INPUT = EPOLLIN | EPOLLRDNORM };

SHOWN int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *e)
{
	struct sock *s = op == EPOLL_CTL_DEL ? sock_known(fd) : sock_find(fd);
	int r = next()->epoll_ctl(epfd, op, fd, e);

	if (!s || r < 0)
		return r;
	if (op == EPOLL_CTL_DEL) {
		watch_drop(s, epfd);
		return r;
	}
	watch_set(s, epfd, fd, e->events, e->data.u64);
	second_watch(epfd);
	if (e->events & INPUT)
		sock_set(s, SOCK_LISTENS);
	return r;
}

/* A hidden event of EPOLLONESHOT has disarmed what the program waits for. */
static void
arm_again(const struct watch *w)
{
	struct epoll_event e = { .events = w->events, .data.u64 = w->data };
	int saved = errno;

	if (w->events & EPOLLONESHOT)
		next()->epoll_ctl(w->epfd, EPOLL_CTL_MOD, w->fd, &e);
	errno = saved;
}

/* False if nothing is left of the event. */
static bool
look_at(int epfd, struct epoll_event *e)
{
	struct watch w;
	struct sock *s = watch_find(&w, epfd, e->data.u64);

	if (!s || !queue_is_ours(s, w.fd))
		return true;
	if (attend(s, w.fd, w.events & INPUT)) {
		e->events |= w.events & INPUT;
		return true;
	}
	e->events &= ~(uint32_t)EPOLLERR;
	if (!e->events)
		arm_again(&w);
	return e->events != 0;
}

static int
look(int epfd, struct epoll_event *e, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		if (e[i].data.u64 == SECOND_MARK) {
			second_take();
			continue;
		}
		if ((e[i].events & EPOLLERR) && !look_at(epfd, &e[i]))
			continue;
		e[kept++] = e[i];
	}
	return kept;
}

/* The next socket from *fd on that waits in this set and keeps an error, of which it
 * was not told if it wants to hear of changes alone. One that wants one event may
 * have had it: it learns at its next receive. */
static struct sock *
next_kept(int epfd, int *fd)
{
	int top = atomic_load(&state()->fd_top);

	for (; atomic_load(&state()->kept) > 0 && *fd <= top; ++*fd) {
		struct sock *s = sock_known(*fd);

		if (!s || !atomic_load(&s->kept) || s->watch.epfd != epfd || s->watch.fd != *fd ||
		    !(s->watch.events & INPUT) || (s->watch.events & EPOLLONESHOT))
			continue;
		if (!(s->watch.events & EPOLLET) || !sock_has(s, SOCK_TOLD))
			return s;
	}
	return NULL;
}

static bool
is_among(const struct epoll_event *e, int n, uint64_t data)
{
	for (int i = 0; i < n; i++)
		if (e[i].data.u64 == data && (e[i].events & EPOLLERR))
			return true;
	return false;
}

/* An error that is kept with us wakes nobody. */
static int
add_kept(int epfd, struct epoll_event *e, int n, int max)
{
	int fd = 0;

	for (struct sock *s; n < max && (s = next_kept(epfd, &fd)); fd++) {
		sock_set(s, SOCK_TOLD);
		if (is_among(e, n, s->watch.data))
			continue;
		e[n].events = EPOLLERR | (s->watch.events & INPUT);
		e[n++].data.u64 = s->watch.data;
	}
	return n;
}

static int64_t
time_for(int epfd, int64_t ns)
{
	int fd = 0;

	return next_kept(epfd, &fd) ? 0 : ns;
}

SHOWN int
epoll_wait(int epfd, struct epoll_event *e, int max, int timeout)
{
	struct patience w;
	int r;

	patience_begin(&w, time_for(epfd, timeout < 0 ? -1 : (int64_t)timeout * 1000000));
	do {
		r = next()->epoll_wait(epfd, e, max, patience_ms(&w));
		if (r < 0)
			break;
		r = add_kept(epfd, e, look(epfd, e, r), max);
	} while (r == 0 && patience_again(&w));
	return r;
}

SHOWN int
epoll_pwait(int epfd, struct epoll_event *e, int max, int timeout, const sigset_t *mask)
{
	struct patience w;
	int r;

	patience_begin(&w, time_for(epfd, timeout < 0 ? -1 : (int64_t)timeout * 1000000));
	do {
		r = next()->epoll_pwait(epfd, e, max, patience_ms(&w), mask);
		if (r < 0)
			break;
		r = add_kept(epfd, e, look(epfd, e, r), max);
	} while (r == 0 && patience_again(&w));
	return r;
}

SHOWN int
epoll_pwait2(int epfd, struct epoll_event *e, int max, const struct timespec *timeout,
    const sigset_t *mask)
{
	struct timespec left;
	struct patience w;
	int r;

	if (!next()->epoll_pwait2) {
		errno = ENOSYS;
		return -1;
	}
	if (!patience_makes_sense(timeout))
		return next()->epoll_pwait2(epfd, e, max, timeout, mask);
	patience_begin(&w, time_for(epfd, patience_of(timeout)));
	do {
		r = next()->epoll_pwait2(epfd, e, max, patience_spec(&w, &left), mask);
		if (r < 0)
			break;
		r = add_kept(epfd, e, look(epfd, e, r), max);
	} while (r == 0 && patience_again(&w));
	return r;
}
