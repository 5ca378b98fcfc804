/* SPDX-License-Identifier: BSD-2-Clause */
/* confine_cap_none.c - built without libcap: see confine.h. */
#include "sys/confine.h"

#include <errno.h>

int
sky_confine_capabilities(void)
{
	return -ENOSYS;
}

int
sky_confine_bounding(void)
{
	return -ENOSYS;
}
