/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/version.h"

const char *
sky_version(void)
{
	return SKY_VERSION;
}
