/* SPDX-License-Identifier: BSD-2-Clause */
/* poll.c - see attend.h; poll(2) and ppoll(2). */
#include "attend.h"
#include "next.h"
#include "patience.h"
#include "queue.h"

bool
attend(struct sock *s, int fd, bool wants_input)
{
	if (wants_input && !state()->log_only) {
		sock_set(s, SOCK_WAITS | SOCK_LISTENS);
		return true;
	}
	queue_empty(s, fd);
	return wants_input && atomic_load_explicit(&s->kept, memory_order_relaxed);
}

enum { INPUT = POLLIN | POLLRDNORM };

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

/* An error that is kept with us wakes nobody: true if one waits. */
static bool
expect(const struct pollfd *p, nfds_t n)
{
	bool kept = false;

	for (nfds_t i = 0; i < n; i++) {
		struct sock *s = sock_known(p[i].fd);

		if (!s || !(p[i].events & INPUT))
			continue;
		sock_set(s, SOCK_LISTENS);
		kept |= atomic_load_explicit(&s->kept, memory_order_relaxed) != 0;
	}
	return kept;
}

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

SHOWN int
poll(struct pollfd *p, nfds_t n, int timeout)
{
	bool kept = expect(p, n);
	struct patience w;
	int r;

	patience_begin(&w, kept ? 0 : timeout < 0 ? -1 : (int64_t)timeout * 1000000);
	do {
		r = next()->poll(p, n, patience_ms(&w));
		if (r <= 0)
			break;
		r = look(p, n, r);
	} while (r == 0 && patience_again(&w));
	return kept && r >= 0 ? add_kept(p, n, r) : r;
}

SHOWN int
ppoll(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	bool kept = expect(p, n);
	struct timespec left;
	struct patience w;
	int r;

	if (!patience_makes_sense(timeout))
		return next()->ppoll(p, n, timeout, mask);
	patience_begin(&w, kept ? 0 : patience_of(timeout));
	do {
		r = next()->ppoll(p, n, patience_spec(&w, &left), mask);
		if (r <= 0)
			break;
		r = look(p, n, r);
	} while (r == 0 && patience_again(&w));
	return kept && r >= 0 ? add_kept(p, n, r) : r;
}
