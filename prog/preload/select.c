/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select.c - select(2) and pselect(2).
 *
 * A socket with an error is readable and writable to select(2), which is as it
 * should be, except where the program is not to see the error.
 */
#include "attend.h"
#include "next.h"
#include "patience.h"
#include "queue.h"
#include "second.h"

#include <string.h>

/* Sets may be longer than the type says. */
enum { WORD = 8 * sizeof(unsigned long), FEW = FD_SETSIZE };

struct sets {
	int n;
	int room;			/* descriptors for which there is room in now */
	fd_set *set[3];			/* to read, to write, exceptions; may be NULL */
	unsigned long *now[3];		/* what is waited for, and what is there */
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
begin(struct sets *x, int n, unsigned long *now, int room, fd_set *in, fd_set *out,
    fd_set *except)
{
	x->n = n;
	x->room = room;
	for (int i = 0; i < 3; i++)
		x->now[i] = now + i * (room / WORD);
	x->set[0] = in;
	x->set[1] = out;
	x->set[2] = except;
}

/* The program's sets, as they are while it waits; and icmpd's descriptor. */
static int
prepare(struct sets *x, int fd)
{
	int n = fd >= x->n ? fd + 1 : x->n;

	for (int i = 0; i < 3; i++) {
		memset(x->now[i], 0, words_of(n) * sizeof(unsigned long));
		if (x->set[i])
			copy(x->now[i], x->set[i], x->n);
		if (x->n % WORD)	/* what lies beyond is not waited for */
			x->now[i][x->n / WORD] &= (1ul << (x->n % WORD)) - 1;
	}
	if (fd >= 0)
		x->now[0][fd / WORD] |= 1ul << (fd % WORD);
	return n;
}

/* Bits beyond n are the program's. */
static void
finish(struct sets *x)
{
	for (int i = 0; i < 3; i++) {
		for (int fd = 0; x->set[i] && fd < x->n; fd++) {
			unsigned long *word = (unsigned long *)x->set[i] + fd / WORD;

			if (!has(x->now[i], fd))
				*word &= ~(1ul << (fd % WORD));
		}
	}
}

/* How many of r are left: "readable" for an error that is not meant is not. */
static int
look(struct sets *x, int r)
{
	for (int fd = 0; fd < x->n; fd++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct sock *s = has(x->now[0], fd) ? sock_known(fd) : NULL;

		if (!s || next()->poll(&p, 1, 0) <= 0 || !(p.revents & POLLERR) ||
		    !queue_is_ours(s, fd))
			continue;
		if (attend(s, fd, true) || (p.revents & POLLIN))
			continue;
		x->now[0][fd / WORD] &= ~(1ul << (fd % WORD));
		r--;
	}
	return r;
}

/* An error that is kept with us wakes nobody. */
static int
add_kept(struct sets *x, int r)
{
	for (int fd = 0; atomic_load(&state()->kept) > 0 && fd < x->n; fd++) {
		struct sock *s = has(x->set[0], fd) ? sock_known(fd) : NULL;

		if (!s || !atomic_load(&s->kept) || has(x->now[0], fd))
			continue;
		x->now[0][fd / WORD] |= 1ul << (fd % WORD);
		r++;
	}
	return r;
}

static bool
any_kept(const struct sets *x)
{
	for (int fd = 0; atomic_load(&state()->kept) > 0 && fd < x->n; fd++) {
		struct sock *s = has(x->set[0], fd) ? sock_known(fd) : NULL;

		if (s && atomic_load(&s->kept))
			return true;
	}
	return false;
}

/* One wait. Returns how many of the program's are there. */
static int
wait_once(struct sets *x, const struct timespec *t, const sigset_t *mask)
{
	int fd = second_fd() < x->room ? second_fd() : -1;
	int n = prepare(x, fd);
	int r = next()->pselect(n, (void *)x->now[0], (void *)x->now[1], (void *)x->now[2], t, mask);

	if (r <= 0 || fd < 0 || !has(x->now[0], fd) || (fd < x->n && has(x->set[0], fd)))
		return r;
	x->now[0][fd / WORD] &= ~(1ul << (fd % WORD));
	second_take();
	return r - 1;
}

static int
wait(struct sets *x, struct patience *w, const sigset_t *mask)
{
	struct timespec t;
	int r;

	if (any_kept(x))
		w->left_ns = 0;
	do {
		r = wait_once(x, patience_spec(w, &t), mask);
		if (r < 0)
			return r;
		for (int i = 0; r == 0 && i < 3; i++)
			memset(x->now[i], 0, words_of(x->n) * sizeof(unsigned long));
		r = add_kept(x, look(x, r));
	} while (r == 0 && patience_again(w));
	finish(x);
	return r;
}

static bool
must_look(int n, const fd_set *in, const fd_set *out)
{
	return n >= 0 && n <= FDS && expect(n, in, out);
}

static __attribute__((noinline)) int
wait_for_few(int n, fd_set *in, fd_set *out, fd_set *except, struct patience *w,
    const sigset_t *mask)
{
	unsigned long now[3 * FEW / WORD];
	struct sets x;

	begin(&x, n, now, FEW, in, out, except);
	return wait(&x, w, mask);
}

static __attribute__((noinline)) int
wait_for_many(int n, fd_set *in, fd_set *out, fd_set *except, struct patience *w,
    const sigset_t *mask)
{
	unsigned long now[3 * FDS / WORD];
	struct sets x;

	begin(&x, n, now, FDS, in, out, except);
	return wait(&x, w, mask);
}

/* The stack of a thread may be small: it has room for many only where many are. */
static int
wait_for(int n, fd_set *in, fd_set *out, fd_set *except, struct patience *w,
    const sigset_t *mask)
{
	if (n <= FEW && second_fd() < FEW)
		return wait_for_few(n, in, out, except, w, mask);
	return wait_for_many(n, in, out, except, w, mask);
}

SHOWN int
select(int n, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
	struct timespec t = { 0 };
	struct patience w;
	int r;

	if (timeout)
		t = (struct timespec){ timeout->tv_sec, timeout->tv_usec * 1000 };
	if (!must_look(n, in, out) || !patience_makes_sense(&t))
		return next()->select(n, in, out, except, timeout);
	patience_begin(&w, timeout ? patience_of(&t) : -1);
	r = wait_for(n, in, out, except, &w, NULL);
	if (!timeout)
		return r;
	patience_again(&w);
	timeout->tv_sec = w.left_ns / 1000000000;
	timeout->tv_usec = w.left_ns / 1000 % 1000000;
	return r;
}

SHOWN int
pselect(int n, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
    const sigset_t *mask)
{
	struct patience w;

	if (!must_look(n, in, out) || !patience_makes_sense(timeout))
		return next()->pselect(n, in, out, except, timeout, mask);
	patience_begin(&w, patience_of(timeout));
	return wait_for(n, in, out, except, &w, mask);
}
