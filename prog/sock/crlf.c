/* SPDX-License-Identifier: BSD-2-Clause */
/* crlf.c - see crlf.h. */
#include "crlf.h"

size_t
crlf_put(void *out, const void *in, size_t len)
{
	const char *from = in;
	char *to = out;
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (from[i] == '\n')
			to[n++] = '\r';
		to[n++] = from[i];
	}
	return n;
}

size_t
crlf_strip(void *data, size_t len)
{
	char *p = data;
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		if (p[i] != '\r')
			p[n++] = p[i];
	return n;
}
