/* SPDX-License-Identifier: BSD-2-Clause */
/* names_none.c - without c-ares: no names; see names.h. */
#include "names.h"

#include <stddef.h>

struct names {
	char none;
};

bool
names_built(void)
{
	return false;
}

struct names *
names_new(bool on)
{
	static struct names nobody;	/* has no state */

	(void)on;
	return &nobody;
}

void
names_free(struct names *n)
{
	(void)n;
}

void
names_want(struct names *n, const struct sky_addr *a)
{
	(void)n;
	(void)a;
}

const char *
names_of(struct names *n, const struct sky_addr *a)
{
	(void)n;
	(void)a;
	return NULL;
}

const char *
names_late(struct names *n, unsigned *i, struct sky_addr *a)
{
	(void)n;
	(void)i;
	(void)a;
	return NULL;
}

unsigned
names_pending(const struct names *n)
{
	(void)n;
	return 0;
}

unsigned
names_poll(struct names *n, struct pollfd p[static NAMES_FDS], int *timeout)
{
	(void)n;
	(void)p;
	(void)timeout;
	return 0;
}

void
names_serve(struct names *n, const struct pollfd *p, unsigned fds)
{
	(void)n;
	(void)p;
	(void)fds;
}
