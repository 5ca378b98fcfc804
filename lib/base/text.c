/* SPDX-License-Identifier: BSD-2-Clause */
/* text.c - see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void
sky_text_put(struct sky_text *t, const char *format, ...)
{
	size_t used = t->len < t->size ? t->len : t->size;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->size ? t->buf + used : NULL, t->size - used, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}
