/* SPDX-License-Identifier: BSD-2-Clause */
/* confine_calls_none.c - built without libseccomp, or with sanitizers, which call
 * the kernel as they like: see confine.h. */
#include "sys/confine.h"

#include <errno.h>

int
sky_confine_calls(const char *const *allowed, size_t n)
{
	return -ENOSYS;
}
