/* SPDX-License-Identifier: BSD-2-Clause */
/* source.h - what a source sends. */
#ifndef SOCK_SOURCE_H
#define SOCK_SOURCE_H

#include <stdint.h>

/* The 95 printable characters, over and over, and that so often; one byte more
 * than size, for a size of 0. To be freed; NULL without memory. */
unsigned char *source_pattern(uint64_t size, unsigned copies);

#endif
