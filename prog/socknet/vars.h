/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vars.h - $variables of a lab: bound by the first match, compared from then on.
 */
#ifndef SOCKNET_VARS_H
#define SOCKNET_VARS_H

#include <stdbool.h>

#define VARS 64
#define VARS_TEXT 80

struct vars {
	struct {
		char name[24], value[VARS_TEXT];
	} at[VARS];
	unsigned n;		/* set it back to forget what was bound since */
};

/* want is a text to compare with, or $NAME. */
bool vars_is(struct vars *v, const char *want, const char *have);
/* The value of $NAME, or NULL. */
const char *vars_value(const struct vars *v, const char *name);

#endif
