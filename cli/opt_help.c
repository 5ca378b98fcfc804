/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt_help.c - --help, --version and --options, out of the option table.
 */
#include "cli/opt_help.h"
#include <sockeye/version.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HELP_COLUMN 30		/* where the sentences begin */
#define CELL 26			/* of three in a line of the dense form */
#define CELLS 3

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

/* The sentences: of all rows, of a group, or of one. Returns how many. */
static unsigned
print_sentences(const struct opt_program *p, bool (*of)(const struct opt *, const char *),
    const char *what)
{
	const char *group = "";
	const struct opt *o;
	unsigned n = 0;

	for (o = p->opts; o->name; o++) {
		if (o->kind == OPT_LATER || !of(o, what))
			continue;
		if (o->group && strcmp(o->group, group) != 0)
			printf("%s%s:\n", n || !what ? "\n" : "", group = o->group);
		print_row(o);
		n++;
	}
	return n;
}

static bool
is_any(const struct opt *o, const char *what)
{
	(void)o, (void)what;
	return true;
}

static bool
is_in_group(const struct opt *o, const char *what)
{
	return *what && o->group && strncasecmp(o->group, what, strlen(what)) == 0;
}

static bool
is_named(const struct opt *o, const char *what)
{
	what += strspn(what, "-");
	return strcmp(o->name, what) == 0 || (what[0] == o->letter && o->letter && !what[1]);
}

/* Returns its length. */
static size_t
cell(char *buf, size_t size, const struct opt *o)
{
	char letter[8] = "    ";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	if (o->arg && o->arg[0] == '[')
		return (size_t)snprintf(buf, size, "%s--%s[=%s", letter, o->name, o->arg + 1);
	return (size_t)snprintf(buf, size, "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
	    o->arg ? o->arg : "");
}

/* Names alone, three in a line; a long one takes the place of two. */
static void
print_names(const struct opt_program *p)
{
	const char *group = "";
	const struct opt *o;
	unsigned used = 0, pad = 0, len;
	char text[80];

	for (o = p->opts; o->name; o++) {
		if (o->kind == OPT_LATER)
			continue;
		if (o->group && strcmp(o->group, group) != 0) {
			printf("%s%s:", used ? "\n" : "", group = o->group);
			used = CELLS;
		}
		len = (unsigned)cell(text, sizeof(text), o);
		if (used + len / (CELL - 1) >= CELLS) {
			putchar('\n');
			used = pad = 0;
		}
		printf("%*s%s", (int)pad + 2, "", text);
		used += len / (CELL - 1) + 1;
		pad = (len / (CELL - 1) + 1) * CELL - 2 - len;
	}
	putchar('\n');
}

static void
print_help(const struct opt_program *p, const char *what)
{
	size_t i;

	if (what && strcmp(what, "all") != 0) {
		if (print_sentences(p, is_named, what) || print_sentences(p, is_in_group, what))
			return;
		opt_bad(p, what, "neither an option nor a group of them",
		    "all, or what --help shows");
	}
	for (i = 0; p->synopsis[i]; i++)
		printf("%s %s %s\n", i ? "      " : "usage:", p->name, p->synopsis[i]);
	printf("%s.\n", p->about);
	if (p->dense && !what)
		putchar('\n');
	if (p->dense && !what)
		print_names(p);
	else
		print_sentences(p, is_any, NULL);
	print_later(p);
	for (i = 0; p->epilogue && p->epilogue[i]; i++)
		printf("%s%s\n", i ? "" : "\n", p->epilogue[i]);
	if (p->dense && !what)
		puts("--help=OPTION, --help=GROUP and --help=all say what they do; so does the manual.");
}

static void
print_version(const struct opt_program *p, const char *what)
{
	(void)what;
	printf("%s (sockeye) %s\n", p->name, sky_version());
}

void
opt_list(const struct opt_program *p)
{
	const struct opt *o;
	unsigned i;

	for (o = p->opts; o->name; o++) {
		if (o->letter)
			putchar(o->letter);
		printf("\t%s\t%s\t%s\t%s\t", o->name, o->arg ? o->arg : "",
		    o->kind == OPT_LATER ? "later" : o->group ? o->group : "", o->help);
		for (i = 0; o->kind == OPT_ENUM && o->words[i]; i++)
			printf("%s%s", i ? " " : "", o->words[i]);
		putchar('\n');
	}
}

static void
print_table(const struct opt_program *p, const char *what)
{
	(void)what;
	opt_list(p);
}

static const struct {
	const char *name;
	size_t least;		/* letters that are enough; no row of a table
				 * may begin with them */
	void (*print)(const struct opt_program *, const char *what);
} builtins[] = {
	{ "help", 3, print_help },
	{ "version", 5, print_version },
	{ "options", 7, print_table },
};

bool
opt_builtin(const struct opt_program *p, const char *name, size_t len, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (len < builtins[i].least || strncmp(builtins[i].name, name, len) != 0)
			continue;
		if (value && builtins[i].print != print_help)
			return false;
		builtins[i].print(p, value);
		if (fflush(stdout) == EOF || ferror(stdout))
			err(1, "standard output");
		return true;
	}
	return false;
}
