/* SPDX-License-Identifier: BSD-2-Clause */
/* witness.c - does the network agree? See witness.h. */
#include "witness.h"

#include <stdio.h>

bool
witness_agrees(struct loop *l, const struct lab_step *s, char *what, size_t size)
{
	snprintf(what, size, "witness: not built yet");
	return false;
}
