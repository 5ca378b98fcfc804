/* SPDX-License-Identifier: BSD-2-Clause */
/* norun.c - icmpctl run where the preload library was not built; see run.h. */
#include "run.h"

#include <stdio.h>

int
run_command(const struct run_config *c)
{
	fprintf(stderr, "icmpctl: '%s': not started: built without the preload library\n",
	    c->command[0]);
	return 1;
}
