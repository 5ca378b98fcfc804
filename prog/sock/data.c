/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * data.c - standard input, and what arrived written to standard output.
 *
 * What arrives comes from strangers: on a terminal it must not move the cursor, change
 * the title or answer for the user.
 */
#include "data.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

ssize_t
data_read(void *buf, size_t size)
{
	ssize_t n = read(STDIN_FILENO, buf, size);

	if (n >= 0)
		return n;
	if (errno == EBADF)
		return 0;
	n = -errno;
	warn("standard input");
	return n;
}

static void
put_safely(unsigned char c)
{
	if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
		putchar('^');
		c ^= 0x40;
	}
	putchar(c);
}

int
data_print(const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t i;

	if (isatty(STDOUT_FILENO))
		for (i = 0; i < len; i++)
			put_safely(p[i]);
	else
		fwrite(data, 1, len, stdout);
	return fflush(stdout) == EOF || ferror(stdout) ? -errno : 0;
}
