/* SPDX-License-Identifier: BSD-2-Clause */
/* patience.c - see patience.h. */
#include "patience.h"

#include <limits.h>
#include <stddef.h>

enum { SECOND = 1000000000, MS = 1000000 };

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

int64_t
patience_of(const struct timespec *t)
{
	if (!t)
		return -1;
	if (t->tv_sec >= INT64_MAX / SECOND / 2)
		return INT64_MAX / 2;
	return (int64_t)t->tv_sec * SECOND + t->tv_nsec;
}

void
patience_begin(struct patience *p, int64_t ns)
{
	p->left_ns = ns;
	p->end_ns = ns > 0 ? now_ns() + ns : 0;
}

bool
patience_makes_sense(const struct timespec *t)
{
	return !t || (t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < SECOND);
}

bool
patience_again(struct patience *p)
{
	if (p->left_ns < 0)
		return true;
	if (p->left_ns > 0)
		p->left_ns = p->end_ns - now_ns();
	if (p->left_ns < 0)
		p->left_ns = 0;
	return p->left_ns != 0;
}

int
patience_ms(const struct patience *p)
{
	if (p->left_ns < 0)
		return -1;
	if (p->left_ns / MS >= INT_MAX)
		return INT_MAX;
	return (int)((p->left_ns + MS - 1) / MS);
}

struct timespec *
patience_spec(const struct patience *p, struct timespec *t)
{
	if (p->left_ns < 0)
		return NULL;
	t->tv_sec = p->left_ns / SECOND;
	t->tv_nsec = p->left_ns % SECOND;
	return t;
}
