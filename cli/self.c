/* SPDX-License-Identifier: BSD-2-Clause */
/* self.c - see self.h. */
#include "cli/self.h"

#include <string.h>
#include <unistd.h>

bool
self_dir(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	if (n <= 0)
		return false;
	buf[n] = 0;
	slash = strrchr(buf, '/');
	if (slash)
		*slash = 0;
	return slash != NULL;
}
