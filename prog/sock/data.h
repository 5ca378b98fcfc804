/* SPDX-License-Identifier: BSD-2-Clause */
/* data.h - what arrived, written to standard output. */
#ifndef SOCK_DATA_H
#define SOCK_DATA_H

#include <stddef.h>

/* Writes and flushes; as it is, but control characters in the form ^X where
 * standard output is a terminal. Returns 0 or a negative errno. */
int data_print(const void *data, size_t len);

#endif
