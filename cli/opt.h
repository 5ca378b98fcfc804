/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt.h - one table per program: parsing, limits, usage, --help, completion.
 *
 * A row says letter, long name, argument, kind, where the value goes in the
 * program's config struct, limits and sentence. The config is const once
 * opt_parse() has returned. Wrong input ends the program with one line on
 * standard error that quotes it and says what was expected, status 2; --help and
 * --version print to standard output, status 0. --help=WHAT tells about an option,
 * a group, or all. Nothing else is done here.
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
	OPT_FLAG,	/* bool: set to true */
	OPT_COUNT,	/* unsigned: each use adds one */
	OPT_U64,	/* uint64_t between min and max; k, m, g suffixes (1000s) */
	OPT_INT,	/* int between min and max */
	OPT_TIME,	/* uint64_t ns; a number is seconds, may have a fraction;
			 * suffixes s ms us ns min h */
	OPT_MSEC,	/* uint64_t ns; a plain number is milliseconds, same suffixes */
	OPT_STR,	/* const char *: the argument itself */
	OPT_ENUM,	/* int: index into words */
	OPT_CALL,	/* call(config, row, arg) does it */
	OPT_LATER,	/* known, not in this build: refused with `help` as the reason */
};

/* min and max of OPT_TIME and OPT_MSEC are ns. */
struct opt {
	int letter;		/* 0: long name only */
	const char *name;	/* long name, without dashes */
	const char *arg;	/* placeholder, NULL for flags */
	enum opt_kind kind;
	size_t at;		/* offsetof(struct CONFIG, member) */
	int64_t min, max;
	const char *help;	/* one sentence, no full stop */
	const char *group;	/* title under which --help shows it; rows of one
				 * group stand together */
	const char *const *words; /* OPT_ENUM: NULL-terminated */
	/* OPT_CALL: returns NULL, or what was expected ("a port, 1 to 65535") */
	const char *(*call)(void *config, const struct opt *o, const char *arg);
	size_t set_at;		/* offset of a bool set to true when given; 0: none */
};

struct opt_program {
	const char *name;
	const char *const *synopsis;	/* lines, NULL-terminated, without the name */
	const char *about;		/* one sentence */
	const struct opt *opts;		/* ends with a row whose name is NULL */
	const char *const *epilogue;	/* lines after the options, or NULL */
	bool stop_at_operand;		/* options end at the first operand */
	bool dense;			/* too many for a sentence each: --help has the
					 * names by group, --help=WHAT the sentences */
};

/* Letters may be joined (-un4), values attached or following, long names with =
 * or following, abbreviated when unambiguous; -- ends options. A few letters of
 * the sources take their value attached (-n4, -P30). Permutes unless
 * stop_at_operand. Returns the index in argv of the first operand. */
int opt_parse(const struct opt_program *p, void *config, int argc, char **argv);

/* "sock: 'TEXT': WHAT (expected EXPECTED)" to standard error, then exit(2). */
_Noreturn void opt_bad(const struct opt_program *p, const char *text, const char *what, const char *expected);

/* For tests, completion and manual: one row per line, tab-separated: letter,
 * name, argument, group, help, words to choose from. Printed by the hidden
 * option --options. */
void opt_list(const struct opt_program *p);

/* Numbers as every program reads them. Return 0, or -EINVAL, -ERANGE. */
int opt_number(const char *text, uint64_t *out);
/* unit: ns that a plain number counts in. */
int opt_duration(const char *text, uint64_t unit, uint64_t *out);

#endif
