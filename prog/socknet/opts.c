/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table of socknet(8). */
#include "opts.h"

#include "cli/opt.h"

#include <stdio.h>
#include <string.h>

static const struct opt rows[] = {
	{ .letter = 'H', .name = "host", .arg = "HOST", .kind = OPT_STR,
	  .at = offsetof(struct opts, host), .help = "where to run the COMMAND" },
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
	"[-tv] [-l FILE] [-s N] run LAB ...", "[-H HOST] [-l FILE] run LAB -- COMMAND ...",
	"shell LAB HOST", "check LAB ...", "list", "[-v] demo [LAB]",
	"serve echo|discard|daytime|dns PORT ...", NULL
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

/* Words behind the -- of "run LAB --" are a command, and no options of ours.
 * Returns how many words are left for us. */
static int
split(struct opts *o, int argc, char **argv)
{
	int dash = 1, run;

	for (run = 1; run < argc && strcmp(argv[run], "run");)
		run++;
	for (dash = run + 1; dash < argc && strcmp(argv[dash], "--");)
		dash++;
	if (dash >= argc)
		return argc;
	if (dash + 1 == argc)
		opt_bad(&program, argv[dash], "nothing to run", "run LAB -- COMMAND ...");
	o->command = (const char *const *)argv + dash + 1;
	argv[dash] = NULL;
	return dash;
}

/* What belongs together. */
static void
check_command(const struct opts *o, const struct command *c, unsigned operands)
{
	if (o->host && !o->command)
		opt_bad(&program, o->host, "a host for no command", "run LAB -- COMMAND ...");
	if (o->command && (strcmp(c->name, "run") || operands != 1))
		opt_bad(&program, o->command[0], "a command", "it behind one lab: run LAB -- COMMAND ...");
	if (o->command && o->tap)
		opt_bad(&program, "--tap", "no expectations with a command", "run LAB -- COMMAND ...");
}

const struct command *
opts_parse(struct opts *o, int argc, char **argv)
{
	int words = split(o, argc, argv), at = opt_parse(&program, o, words, argv);
	unsigned n = (unsigned)(words - at);
	const struct command *c;
	char what[100];

	for (c = commands; at < words && c->name && strcmp(c->name, argv[at]);)
		c++;
	if (at >= words || !c->name)
		opt_bad(&program, at < words ? argv[at] : "", "no such command",
		    "run, shell, check, list, demo or serve");
	n--;
	o->program = argv[0];
	o->files = (const char *const *)argv + at + 1;
	snprintf(what, sizeof(what), "%s%s", c->name, *c->operands ? c->operands : " alone");
	if (n < c->min)
		opt_bad(&program, argv[at], "something is missing", what);
	if (c->max && n >= c->max)
		opt_bad(&program, argv[at + (int)c->max], "one word too many", what);
	check_command(o, c, n);
	return c;
}
