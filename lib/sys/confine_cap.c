/* SPDX-License-Identifier: BSD-2-Clause */
/* confine_cap.c - capabilities by libcap: see confine.h. */
#include "sys/confine.h"
#include "sys/ret.h"

#include <sys/capability.h>

static int
set_empty(void)
{
	int saved = errno;
	cap_t none = cap_init();
	int r = none ? sky_ret(cap_set_proc(none), saved) : -ENOMEM;

	if (none)
		cap_free(none);
	return r;
}

/* Only who has CAP_SETPCAP can; who has not had nothing to give up. */
int
sky_confine_bounding(void)
{
	int saved = errno;

	for (cap_value_t c = 0; c < cap_max_bits(); c++)
		(void)cap_drop_bound(c);
	errno = saved;
	return 0;
}

int
sky_confine_capabilities(void)
{
	int saved = errno;

	(void)cap_reset_ambient();
	errno = saved;
	return set_empty();
}
