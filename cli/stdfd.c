/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stdfd.c - holds the places of closed standard descriptors; see stdfd.h.
 */
#include "cli/stdfd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void
stdfd_hold(void)
{
	int fd;

	/* In ascending order, so that open() returns the one that is free. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int way = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;	/* the wrong one */

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", way) != fd)
			exit(1);
	}
}
