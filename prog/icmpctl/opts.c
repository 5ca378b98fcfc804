/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table of icmpctl(8). */
#include "opts.h"

#include "cli/opt.h"

#include <stdio.h>
#include <string.h>

static const char *const delivers[] = {
	[OPTS_DELIVER_ERRNO] = "errno", [OPTS_DELIVER_LOG] = "log", NULL
};

#define AT(member) .at = offsetof(struct opts, member)
#define SET(member) .set_at = offsetof(struct opts, have_##member)

static const struct opt rows[] = {
	{ .letter = 's', .name = "socket", .arg = "PATH", .kind = OPT_STR, AT(socket),
	  .help = "where icmpd listens" },
	{ .name = "json", .arg = "[TARGET]", .kind = OPT_STR, AT(json_to),
	  .set_at = offsetof(struct opts, json),
	  .help = "JSON lines to a file, a descriptor's number or - (standard output)" },
	{ .letter = 'o', .name = "output", .arg = "FILE", .kind = OPT_STR, AT(output),
	  SET(output), .group = "metrics", .help = "replace this file, all at once" },
	{ .letter = 'n', .name = "count", .arg = "N", .kind = OPT_U64, AT(count), SET(count),
	  .min = 1, .max = INT64_MAX, .group = "watch", .help = "end after so many errors" },
	{ .letter = 'c', .name = "process", .arg = "NAME|PID", .kind = OPT_CALL,
	  .call = filter_process, AT(filter), SET(process), .group = "watch",
	  .help = "only of this process, by its number or its command's name" },
	{ .letter = 'p', .name = "port", .arg = "port", .kind = OPT_CALL, .call = filter_port,
	  AT(filter), SET(port), .group = "watch",
	  .help = "only about datagrams from or to this port" },
	{ .letter = 'f', .name = "fate", .arg = "WORD", .kind = OPT_CALL, .call = filter_fate,
	  AT(filter), SET(fate), .group = "watch", .help = "only with this fate" },
	{ .letter = 'd', .name = "prefix", .arg = "ADDRESS/LENGTH", .kind = OPT_CALL,
	  .call = filter_prefix, AT(filter), SET(prefix), .group = "watch",
	  .help = "only where the source, the destination or who said so is in it" },
	{ .letter = 'D', .name = "deliver", .arg = "HOW", .kind = OPT_ENUM, AT(deliver),
	  SET(deliver), .words = delivers, .group = "run",
	  .help = "errno: calls of the program return the errors; log: they are only told" },
	{ .letter = 'l', .name = "log", .arg = "FILE", .kind = OPT_STR, AT(log), SET(log),
	  .group = "run", .help = "append a line for each error to this file" },
	{ .name = NULL },
};

static const char *const synopsis[] = {
	"[-s PATH] [--json[=TARGET]] status",
	"[-s PATH] [-o FILE] metrics",
	"[-s PATH] [--json[=TARGET]] [-n N] [-c NAME|PID] [-p port] [-f WORD] [-d ADDRESS/LENGTH] watch",
	"[-s PATH] [-D HOW] [-l FILE] run COMMAND ...",
	NULL
};

static const struct opt_program program = {
	.name = "icmpctl",
	.synopsis = synopsis,
	.about = "Shows and uses what icmpd learns: which process's datagrams met which errors",
	.opts = rows,
	.stop_at_operand = true,
};

/* Which options belong to one command alone. */
static const struct {
	const char *option, *command;
	size_t set_at;
} owned[] = {
#define OWNED(name, command) { "--" #name, command, offsetof(struct opts, have_##name) }
	OWNED(output, "metrics"), OWNED(count, "watch"), OWNED(process, "watch"),
	OWNED(port, "watch"), OWNED(fate, "watch"), OWNED(prefix, "watch"),
	OWNED(deliver, "run"), OWNED(log, "run"),
};

static void
check_owned(const struct opts *o, const struct command *c)
{
	const char *at = (const char *)o;

	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		if (at[owned[i].set_at] && strcmp(owned[i].command, c->name))
			opt_bad(&program, owned[i].option, "not an option of this command",
			    owned[i].command);
	if (o->json && strcmp(c->name, "status") && strcmp(c->name, "watch"))
		opt_bad(&program, "--json", "not an option of this command", "status or watch");
}

/* Options may stand before the command and after it; what comes behind the
 * first word after "run" is none of ours. */
const struct command *
opts_parse(struct opts *o, int argc, char **argv)
{
	int at = opt_parse(&program, o, argc, argv);
	const struct command *c;

	for (c = commands; at < argc && c->name && strcmp(c->name, argv[at]);)
		c++;
	if (at >= argc || !c->name)
		opt_bad(&program, at < argc ? argv[at] : "", "no such command",
		    "status, metrics, watch or run");
	at += opt_parse(&program, o, argc - at, argv + at);
	o->command = argv + at;
	if (c->operands && at >= argc)
		opt_bad(&program, c->name, "something is missing", "run COMMAND ...");
	if (!c->operands && at < argc)
		opt_bad(&program, argv[at], "one word too many", c->name);
	check_owned(o, c);
	return c;
}
