/* SPDX-License-Identifier: BSD-2-Clause */
/* confine_calls.c - system calls by libseccomp: see confine.h. */
#include "sys/confine.h"

#include <errno.h>
#include <seccomp.h>

int
sky_confine_calls(const char *const *allowed, size_t n)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = 0;

	if (!ctx)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		int call = seccomp_syscall_resolve_name(allowed[i]);

		/* negative: only other machines have it */
		if (call >= 0)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0);
	}
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}
