/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table of sockeye(1). */
#include "opts.h"

#include "cli/opt.h"
#include "probe.h"

#include <string.h>

static const struct opt opts[] = {
	{ .name = "json", .arg = "[TARGET]", .kind = OPT_STR,
	  .at = offsetof(struct sockeye_config, json_to),
	  .set_at = offsetof(struct sockeye_config, json),
	  .help = "JSON lines to a file, a descriptor's number or - (standard output)" },
	{ .name = NULL },
};

static const char *const synopsis[] = { "[--json[=TARGET]]",
					"[--json[=TARGET]] doctor [CHECK ...]", NULL };

static const struct opt_program program = {
	.name = "sockeye",
	.synopsis = synopsis,
	.about = "Lists the programs; doctor says what this user may do on this machine",
	.opts = opts,
};

void
sockeye_opts(struct sockeye_config *c, int argc, char **argv)
{
	int at = opt_parse(&program, c, argc, argv);

	if (at < argc && strcmp(argv[at], "doctor") != 0)
		opt_bad(&program, argv[at], "no such command", "doctor, or nothing");
	c->doctor = at < argc;
	c->checks = argv + at + c->doctor;
	for (char **name = c->checks; *name; name++)
		if (!probe_find(*name))
			opt_bad(&program, *name, "no such check", "a name that sockeye doctor prints");
}
