/* SPDX-License-Identifier: BSD-2-Clause */
/* test.h - what the tests of lib/wire share. */
#ifndef TEST_WIRE_TEST_H
#define TEST_WIRE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A copy that is exactly len bytes, at the end of its memory: a sanitizer sees a
 * read of one byte more. Free it. */
static __attribute__((noinline, unused)) uint8_t *
exact(const void *data, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	if (len)
		memcpy(p, data, len);
	return p;
}

/* p[0..n) lies within data[0..len). */
static inline int
within(const void *data, size_t len, const void *p, size_t n)
{
	uintptr_t a = (uintptr_t)data, b = (uintptr_t)p;

	return b >= a && n <= len && b - a <= len - n;
}

#endif
