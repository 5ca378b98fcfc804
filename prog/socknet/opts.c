/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table of socknet(8). */
#include "opts.h"

#include "cli/opt.h"

#include <stdio.h>
#include <string.h>

static const struct opt rows[] = {
	{ .letter = 'l', .name = "ledger", .kind = OPT_STR, .at = offsetof(struct opts, ledger),
	  .arg = "FILE", .help = "write what routers did to each packet, as JSON" },
	{ .letter = 's', .name = "speed", .arg = "N", .kind = OPT_INT, .min = 1, .max = 1000,
	  .at = offsetof(struct opts, speed), .help = "pauses of the lab last 1/N as long" },
	{ .letter = 't', .name = "tap", .kind = OPT_FLAG, .at = offsetof(struct opts, tap),
	  .help = "print TAP, one line for each expectation" },
	{ .letter = 'v', .name = "verbose", .kind = OPT_FLAG, .at = offsetof(struct opts, verbose),
	  .help = "say more: what the witness counted" },
	{ .name = NULL },
};

static const char *const synopsis[] = {
	"[-tv] [-l FILE] [-s N] run LAB ...", "shell LAB HOST", "check LAB ...", "list", "[-v] demo [LAB]",
	"serve echo|discard|daytime PORT ...", NULL
};

static const char *const epilogue[] = {
	"LAB is a file, or the name of a lab that came with the programs.",
	"The language of lab files is in labfile(5).", NULL
};

static const struct opt_program program = {
	.name = "socknet",
	.synopsis = synopsis,
	.about = "Builds networks in namespaces, runs programs there, checks what happened",
	.opts = rows,
	.epilogue = epilogue,
};

const struct command *
opts_parse(struct opts *o, int argc, char **argv)
{
	int at = opt_parse(&program, o, argc, argv);
	unsigned n = (unsigned)(argc - at);
	const struct command *c;
	char what[100];

	for (c = commands; at < argc && c->name && strcmp(c->name, argv[at]);)
		c++;
	if (at >= argc || !c->name)
		opt_bad(&program, at < argc ? argv[at] : "", "no such command",
		    "run, shell, check, list, demo or serve");
	n--;
	o->program = argv[0];
	o->files = (const char *const *)argv + at + 1;
	snprintf(what, sizeof(what), "%s%s", c->name, *c->operands ? c->operands : " alone");
	if (n < c->min)
		opt_bad(&program, argv[at], "something is missing", what);
	if (c->max && n >= c->max)
		opt_bad(&program, argv[at + (int)c->max], "one word too many", what);
	return c;
}
