/* SPDX-License-Identifier: BSD-2-Clause */
/* ret.h - what a system call returned, as 0 or more, or a negative errno. */
#ifndef SKY_SYS_RET_H
#define SKY_SYS_RET_H

#include <errno.h>

/* Callers save errno first, because the library promises not to touch it. */
static inline int
sky_ret(long r, int saved)
{
	if (r >= 0)
		return (int)r;
	r = -errno;
	errno = saved;
	return (int)r;
}

#endif
