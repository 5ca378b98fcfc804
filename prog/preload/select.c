/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select.c - select(2) and pselect(2).
 *
 * A socket with an error is readable and writable to select(2), which is as it
 * should be, except where errors are only told: there nobody is to be woken.
 */
#include "attend.h"
#include "next.h"
#include "patience.h"
#include "queue.h"

#include <string.h>

/* Sets may be longer than the type says. */
enum { WORD = 8 * sizeof(unsigned long), WORDS = FDS / WORD };

struct sets {
	int n;
	fd_set *set[3];			/* to read, to write, exceptions; may be NULL */
	unsigned long was[3][WORDS];	/* what the program asked for; the first words */
};

static size_t
words_of(int n)
{
	return ((size_t)n + WORD - 1) / WORD;
}

static void
copy(void *to, const void *from, int n)
{
	memcpy(to, from, words_of(n) * sizeof(unsigned long));
}

static bool
has(const void *set, int fd)
{
	unsigned long word;

	if (!set)
		return false;
	memcpy(&word, (const unsigned long *)set + (size_t)fd / WORD, sizeof(word));
	return word >> ((size_t)fd % WORD) & 1;
}

/* Notes who waits for input. True if some socket of ours is among them. */
static bool
expect(int n, const fd_set *in, const fd_set *out)
{
	bool ours = false;

	for (int fd = 0; fd < n && fd < FDS; fd++) {
		struct sock *s = has(in, fd) || has(out, fd) ? sock_known(fd) : NULL;

		if (!s)
			continue;
		if (has(in, fd))
			sock_set(s, SOCK_LISTENS);
		ours |= sock_is_ours(s);
	}
	return ours;
}

static void
begin(struct sets *x, int n, fd_set *in, fd_set *out, fd_set *except)
{
	x->n = n;
	x->set[0] = in;
	x->set[1] = out;
	x->set[2] = except;
	for (int i = 0; i < 3; i++)
		if (x->set[i])
			copy(x->was[i], x->set[i], n);
}

static void
restore(struct sets *x)
{
	for (int i = 0; i < 3; i++)
		if (x->set[i])
			copy(x->set[i], x->was[i], x->n);
}

/* How many of r are left: "readable" for an error alone is not meant. */
static int
look(struct sets *x, int r)
{
	for (int fd = 0; fd < x->n; fd++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct sock *s = has(x->set[0], fd) ? sock_known(fd) : NULL;

		if (!sock_is_ours(s) || next()->poll(&p, 1, 0) <= 0 || !(p.revents & POLLERR))
			continue;
		if (attend(s, fd, true) || (p.revents & POLLIN))
			continue;
		FD_CLR(fd, x->set[0]);
		r--;
	}
	return r;
}

static bool
must_look(int n, const fd_set *in, const fd_set *out)
{
	return n >= 0 && expect(n, in, out) && state()->log_only && n <= FDS;
}

SHOWN int
select(int n, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
	struct timespec t, *wait = NULL;
	struct sets x;
	struct patience w;
	int r;

	if (!must_look(n, in, out))
		return next()->select(n, in, out, except, timeout);
	if (timeout) {
		t = (struct timespec){ timeout->tv_sec, timeout->tv_usec * 1000 };
		wait = &t;
	}
	if (!patience_makes_sense(wait))
		return next()->select(n, in, out, except, timeout);
	begin(&x, n, in, out, except);
	patience_begin(&w, patience_of(wait));
	do {
		restore(&x);
		r = next()->pselect(n, in, out, except, patience_spec(&w, &t), NULL);
		if (r <= 0)
			break;
		r = look(&x, r);
	} while (r == 0 && patience_again(&w));
	if (timeout && patience_again(&w)) {
		timeout->tv_sec = w.left_ns / 1000000000;
		timeout->tv_usec = w.left_ns / 1000 % 1000000;
	} else if (timeout) {
		*timeout = (struct timeval){ 0 };
	}
	return r;
}

SHOWN int
pselect(int n, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
    const sigset_t *mask)
{
	struct timespec t;
	struct sets x;
	struct patience w;
	int r;

	if (!must_look(n, in, out) || !patience_makes_sense(timeout))
		return next()->pselect(n, in, out, except, timeout, mask);
	begin(&x, n, in, out, except);
	patience_begin(&w, patience_of(timeout));
	do {
		restore(&x);
		r = next()->pselect(n, in, out, except, patience_spec(&w, &t), mask);
		if (r <= 0)
			break;
		r = look(&x, r);
	} while (r == 0 && patience_again(&w));
	return r;
}
