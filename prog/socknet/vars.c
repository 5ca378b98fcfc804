/* SPDX-License-Identifier: BSD-2-Clause */
/* vars.c - variables of a lab: see vars.h. */
#include "vars.h"

#include <stdio.h>
#include <string.h>

const char *
vars_value(const struct vars *v, const char *name)
{
	for (unsigned i = 0; i < v->n; i++)
		if (!strcmp(v->at[i].name, name))
			return v->at[i].value;
	return NULL;
}

bool
vars_is(struct vars *v, const char *want, const char *have)
{
	const char *value;

	if (want[0] != '$')
		return !strcmp(want, have);
	value = vars_value(v, want);
	if (value)
		return !strcmp(value, have);
	if (v->n == VARS || strlen(want) >= sizeof(v->at[0].name) || strlen(have) >= VARS_TEXT)
		return false;
	snprintf(v->at[v->n].name, sizeof(v->at[0].name), "%s", want);
	snprintf(v->at[v->n].value, VARS_TEXT, "%s", have);
	v->n++;
	return true;
}
