/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * num.h - numbers out of text, strictly: digits and nothing else.
 *
 * No sign, no space, no base prefix, no locale; the whole of the text is used
 * or it is refused.
 */
#ifndef SKY_BASE_NUM_H
#define SKY_BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

/* Reads the len bytes at text as a decimal number of 0 .. max into *out. Returns
 * 0, -EINVAL if they are not all digits or there are none, -ERANGE if the number
 * is larger than max; *out is written only on success. */
int sky_num_parse(const char *text, size_t len, uint64_t max, uint64_t *out);

#endif
