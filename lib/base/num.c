/* SPDX-License-Identifier: BSD-2-Clause */
/* num.c - strict numbers; see num.h. */
#include "base/num.h"

#include <errno.h>
#include <stdbool.h>

int
sky_num_parse(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	bool over = false;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';

		if (digit > 9)
			return -EINVAL;
		over = over || digit > max || n > (max - digit) / 10;
		n = over ? 0 : n * 10 + digit;
	}
	if (over)
		return -ERANGE;
	*out = n;
	return 0;
}
