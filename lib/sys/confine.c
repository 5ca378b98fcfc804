/* SPDX-License-Identifier: BSD-2-Clause */
/* confine.c - the part that needs no library: see confine.h. */
#include "sys/confine.h"
#include "sys/ret.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

int
sky_confine_find(const char *name, struct sky_user *out)
{
	const struct passwd *p = getpwnam(name);

	if (!p)
		return -ENOENT;
	*out = (struct sky_user){ .uid = p->pw_uid, .gid = p->pw_gid };
	return 0;
}

int
sky_confine_user(const struct sky_user *u)
{
	int saved = errno;
	int r;

	if (geteuid() != 0 || u->uid == 0)
		return 0;
	r = sky_ret(setgroups(0, NULL), saved);
	if (r == 0)
		r = sky_ret(setresgid(u->gid, u->gid, u->gid), saved);
	if (r == 0)
		r = sky_ret(setresuid(u->uid, u->uid, u->uid), saved);
	/* a way back would be a fault of ours */
	if (r == 0 && setresuid(0, 0, 0) == 0)
		r = -EPERM;
	errno = saved;
	return r;
}

int
sky_confine_privileges(void)
{
	int saved = errno;
	int r = sky_ret(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), saved);

	if (r == 0)
		r = sky_ret(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), saved);
	return r;
}
