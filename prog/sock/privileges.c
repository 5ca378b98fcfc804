/* SPDX-License-Identifier: BSD-2-Clause */
/* privileges.c - see privileges.h. */
#include "privileges.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

int
privileges_drop(void)
{
	if (getegid() != getgid() && setgid(getgid()) < 0)
		return -errno;
	if (geteuid() != getuid() && setuid(getuid()) < 0)
		return -errno;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return 0;
}
