/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockpath - the path to a host: its hops, and the largest packet it carries.
 *
 * Parse, open, drop privileges, run.
 */
#include "early.h"
#include "open.h"

#include "cli/stdfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
run_mode(struct run *r)
{
	const struct opts *o = r->o;

	if (o->paths)
		return path_paths(r);
	if (o->have_cycles)
		return path_cycle(r);
	if (o->style != STYLE_PLAIN)
		return path_style(r);
	return path_trace(r);
}

int
main(int argc, char **argv)
{
	struct opts o;
	struct run *r = calloc(1, sizeof(*r));
	int status;

	stdfd_hold();
	status = open_begin();
	if (status)
		return status;
	opts_read(&o, argc, argv);
	if (!r) {
		run_say("%s", strerror(ENOMEM));
		return STATUS_SYSTEM;
	}
	if (o.targets) {
		status = path_mass(&o);
		free(r);
		return status;
	}
	early_begin(&o);
	status = run_open(r, &o);
	if (status == 0)
		status = open_drop();
	if (status == 0)
		status = run_mode(r);
	else
		early_failed(&o, status);
	status = run_close(r, status);
	free(r);
	return status;
}
