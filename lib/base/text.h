/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - a sentence that grows in the caller's buffer.
 *
 * Never writes past size, always ends with a NUL where there is room for one, and
 * goes on counting when the room is used up, as snprintf does.
 */
#ifndef SKY_BASE_TEXT_H
#define SKY_BASE_TEXT_H

#include <stddef.h>

struct sky_text {
	char *buf;
	size_t size;
	size_t len;		/* what it would be with room enough, without the NUL */
};

void sky_text_put(struct sky_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
