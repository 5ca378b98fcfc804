/* SPDX-License-Identifier: BSD-2-Clause */
/* later.c - modes that are named and not built yet; each goes when it is. */
#include "run.h"

int
path_cycle(struct run *r)
{
	run_say("--cycles: not in this build");
	return STATUS_INPUT;
}
