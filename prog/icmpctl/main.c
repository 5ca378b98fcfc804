/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpctl(8): what icmpd learns, shown and used. */
#include "opts.h"
#include "run.h"
#include "status.h"
#include "watch.h"

#include "cli/stdfd.h"

static int
run_run(const struct opts *o)
{
	const struct run_config c = {
		.log_only = o->deliver == OPTS_DELIVER_LOG,
		.log = o->log,
		.socket = o->socket,
		.command = o->command,
	};

	return run_command(&c);
}

const struct command commands[] = {
	{ "status", status_run, false },
	{ "metrics", metrics_run, false },
	{ "watch", watch_run, false },
	{ "run", run_run, true },
	{ NULL, NULL, false },
};

int
main(int argc, char **argv)
{
	struct opts o = { 0 };
	const struct command *c;

	stdfd_hold();
	c = opts_parse(&o, argc, argv);
	return c->run(&o);
}
