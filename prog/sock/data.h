/* SPDX-License-Identifier: BSD-2-Clause */
/* data.h - standard input, and what arrived written to standard output. */
#ifndef SOCK_DATA_H
#define SOCK_DATA_H

#include <stddef.h>
#include <sys/types.h>

/* Reads standard input once. Returns bytes, 0 at its end or where it is closed, or
 * a negative errno after saying it. */
ssize_t data_read(void *buf, size_t size);

/* Writes and flushes; as it is, but control characters in the form ^X where
 * standard output is a terminal. Returns 0 or a negative errno. */
int data_print(const void *data, size_t len);

#endif
