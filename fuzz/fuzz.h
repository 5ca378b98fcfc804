/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.h - what the fuzz targets share. A target says what must hold, beside not
 * crashing: must() ends it with a message when it does not. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must(x)								\
	do {								\
		if (!(x)) {						\
			fprintf(stderr, "%s:%d: must: %s\n", __FILE__, __LINE__, #x); \
			abort();					\
		}							\
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* p[0..n) lies within data[0..len); nothing lies anywhere. */
static inline int
within(const void *data, size_t len, const void *p, size_t n)
{
	uintptr_t a = (uintptr_t)data, b = (uintptr_t)p;

	return n == 0 || (b >= a && n <= len && b - a <= len - n);
}

#endif
