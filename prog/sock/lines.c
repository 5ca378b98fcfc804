/* SPDX-License-Identifier: BSD-2-Clause */
/* lines.c - see lines.h. */
#include "lines.h"

#include <string.h>
#include <unistd.h>

size_t
lines_have(const struct lines *l)
{
	const char *end = memchr(l->data, '\n', l->len);

	if (end)
		return (size_t)(end - l->data) + 1;
	return l->ended || l->len == LINES_MAX ? l->len : 0;
}

void
lines_read(struct lines *l)
{
	ssize_t n = read(STDIN_FILENO, l->data + l->len, LINES_MAX - l->len);

	l->ended = n <= 0;
	l->len += n > 0 ? (size_t)n : 0;
}

void
lines_drop(struct lines *l, size_t n)
{
	l->len -= n;
	memmove(l->data, l->data + n, l->len);
}
