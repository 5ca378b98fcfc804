/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines.h - standard input line by line, for those who wait for other things
 * too: ask lines_have() first, read only when input is ready.
 */
#ifndef SOCK_LINES_H
#define SOCK_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 4096		/* a longer line is taken in pieces */

struct lines {
	char data[LINES_MAX];
	size_t len;
	bool ended;		/* no more input */
};

/* Length of the line at data, its newline included; 0 if it is not all there.
 * At the end of input what is left is a line. */
size_t lines_have(const struct lines *l);
/* One read. */
void lines_read(struct lines *l);
void lines_drop(struct lines *l, size_t n);

#endif
