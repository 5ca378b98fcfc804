/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt_help.c - --help, --version and --options, out of the option table.
 */
#include "cli/opt_help.h"
#include <sockeye/version.h>
#include <err.h>
#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 30		/* where the sentences begin */

/* "-n, --count N"; letters and names stand in columns of their own. */
static void
print_row(const struct opt *o)
{
	int n = o->letter ? printf("  -%c, --%s", o->letter, o->name) : printf("      --%s", o->name);

	if (o->arg && o->arg[0] == '[')
		n += printf("[=%s", o->arg + 1);
	else if (o->arg)
		n += printf(" %s", o->arg);
	if (n >= HELP_COLUMN - 1) {
		putchar('\n');
		n = 0;
	}
	printf("%*s%s\n", HELP_COLUMN - n, "", o->help);
}

/* What is known but not built, in one line of letters. */
static void
print_later(const struct opt_program *p)
{
	const struct opt *o;
	int n = 0;

	for (o = p->opts; o->name; o++)
		if (o->kind == OPT_LATER && o->letter)
			printf(n++ ? "%c" : "\nNot in this build: -%c", o->letter);
	if (n)
		putchar('\n');
}

static void
print_help(const struct opt_program *p)
{
	const char *group = "";
	const struct opt *o;
	size_t i;

	for (i = 0; p->synopsis[i]; i++)
		printf("%s %s %s\n", i ? "      " : "usage:", p->name, p->synopsis[i]);
	printf("%s.\n", p->about);
	for (o = p->opts; o->name; o++) {
		if (o->kind == OPT_LATER)
			continue;
		if (o->group && strcmp(o->group, group) != 0)
			printf("\n%s:\n", group = o->group);
		print_row(o);
	}
	print_later(p);
	for (i = 0; p->epilogue && p->epilogue[i]; i++)
		printf("%s%s\n", i ? "" : "\n", p->epilogue[i]);
}

static void
print_version(const struct opt_program *p)
{
	printf("%s (sockeye) %s\n", p->name, sky_version());
}

void
opt_list(const struct opt_program *p)
{
	const struct opt *o;

	for (o = p->opts; o->name; o++) {
		if (o->letter)
			putchar(o->letter);
		printf("\t%s\t%s\t%s\t%s\n", o->name, o->arg ? o->arg : "",
		    o->kind == OPT_LATER ? "later" : o->group ? o->group : "", o->help);
	}
}

static const struct {
	const char *name;
	size_t least;		/* letters that are enough; no row of a table
				 * may begin with them */
	void (*print)(const struct opt_program *);
} builtins[] = {
	{ "help", 3, print_help },
	{ "version", 5, print_version },
	{ "options", 7, opt_list },
};

bool
opt_builtin(const struct opt_program *p, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (len < builtins[i].least || strncmp(builtins[i].name, name, len) != 0)
			continue;
		builtins[i].print(p);
		if (fflush(stdout) == EOF)
			err(1, "standard output");
		return true;
	}
	return false;
}
