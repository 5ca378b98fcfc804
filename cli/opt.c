/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt.c - walks argv with a program's table; see opt.h.
 */
#include "cli/opt.h"
#include "cli/opt_help.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one parse needs to carry from hand to hand. */
struct walk {
	const struct opt_program *p;
	char *config;
	char **argv;
	int argc;
	int at;			/* the next argument to look at */
	char typed[80];		/* the option as the user wrote it, for errors */
	char joint;		/* between option and value: ' ' or '=' */
};

void
opt_bad(const struct opt_program *p, const char *text, const char *what, const char *expected)
{
	fflush(stdout);
	fprintf(stderr, "%s: '%s': %s", p->name, text, what);
	if (expected)
		fprintf(stderr, " (expected %s)", expected);
	fputc('\n', stderr);
	exit(2);
}

/* Refuses a value, quoting the option and the value together. */
_Noreturn static void
bad_value(const struct walk *w, const char *value, const char *what, const char *expected)
{
	char text[256];

	snprintf(text, sizeof(text), "%s%c%s", w->typed, w->joint, value);
	opt_bad(w->p, text, what, expected);
}

_Noreturn static void
bad_range(const struct walk *w, const struct opt *o, const char *value, const char *what)
{
	char expected[96];

	snprintf(expected, sizeof(expected), "%" PRId64 " to %" PRId64, o->min, o->max);
	bad_value(w, value, what, expected);
}

static void
take_number(struct walk *w, const struct opt *o, const char *value)
{
	bool below = o->min < 0 && value[0] == '-';
	uint64_t n;
	int rc = opt_number(value + below, &n);
	int i;

	if (rc == -EINVAL)
		bad_range(w, o, value, "not a number");
	if (rc || n > (uint64_t)o->max || (below ? -(int64_t)n : (int64_t)n) < o->min)
		bad_range(w, o, value, "out of range");
	if (o->kind == OPT_U64) {
		memcpy(w->config + o->at, &n, sizeof(n));
		return;
	}
	i = below ? -(int)n : (int)n;
	memcpy(w->config + o->at, &i, sizeof(i));
}

static void
take_time(struct walk *w, const struct opt *o, const char *value)
{
	bool milli = o->kind == OPT_MSEC;
	const char *form = milli ? "milliseconds, or a time such as 0.5s, 20ms, 100us" :
	    "seconds, or a time such as 0.5, 20ms, 100us";
	uint64_t ns;
	int rc = opt_duration(value, milli ? 1000000 : 1000000000, &ns);

	if (rc == -EINVAL)
		bad_value(w, value, "not a time", form);
	if (rc || ns > (uint64_t)o->max || (int64_t)ns < o->min)
		bad_value(w, value, "out of range", form);
	memcpy(w->config + o->at, &ns, sizeof(ns));
}

static void
take_word(struct walk *w, const struct opt *o, const char *value)
{
	char expected[160] = "";
	size_t len = 0;
	int i;

	for (i = 0; o->words[i]; i++) {
		if (strcmp(o->words[i], value) == 0) {
			memcpy(w->config + o->at, &i, sizeof(i));
			return;
		}
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s%s",
		    i == 0 ? "" : o->words[i + 1] ? ", " : " or ", o->words[i]);
		if (len >= sizeof(expected))
			len = sizeof(expected) - 1;
	}
	bad_value(w, value, "unknown word", expected);
}

static void
take_flag(struct walk *w, const struct opt *o, const char *value)
{
	const bool yes = true;

	memcpy(w->config + o->at, &yes, sizeof(yes));
}

static void
take_count(struct walk *w, const struct opt *o, const char *value)
{
	unsigned n;

	memcpy(&n, w->config + o->at, sizeof(n));
	n++;
	memcpy(w->config + o->at, &n, sizeof(n));
}

static void
take_text(struct walk *w, const struct opt *o, const char *value)
{
	memcpy(w->config + o->at, &value, sizeof(value));
}

static void
take_call(struct walk *w, const struct opt *o, const char *value)
{
	const char *expected = o->call(w->config, o, value);

	if (!expected)
		return;
	if (!value)
		opt_bad(w->p, w->typed, "cannot be used here", expected);
	bad_value(w, value, "not understood", expected);
}

static void
take_later(struct walk *w, const struct opt *o, const char *value)
{
	char why[256];

	snprintf(why, sizeof(why), "not in this build: %s", o->help);
	opt_bad(w->p, w->typed, why, NULL);
}

static void (*const takers[])(struct walk *, const struct opt *, const char *) = {
	[OPT_FLAG] = take_flag,
	[OPT_COUNT] = take_count,
	[OPT_U64] = take_number,
	[OPT_INT] = take_number,
	[OPT_TIME] = take_time,
	[OPT_MSEC] = take_time,
	[OPT_STR] = take_text,
	[OPT_ENUM] = take_word,
	[OPT_CALL] = take_call,
	[OPT_LATER] = take_later,
};

static void
take(struct walk *w, const struct opt *o, const char *value)
{
	takers[o->kind](w, o, value);
	if (o->set_at)
		w->config[o->set_at] = true;
}

/* The value that follows as an argument of its own. */
static const char *
value_after(struct walk *w, const struct opt *o)
{
	if (w->at >= w->argc)
		opt_bad(w->p, w->typed, "a value is missing", o->arg);
	w->joint = ' ';
	return w->argv[w->at++];
}

/* An argument in square brackets may be left out; then it must be attached. */
static bool
wants_value(const struct opt *o)
{
	return o->arg && o->arg[0] != '[' && o->kind != OPT_LATER;
}

static void
take_letters(struct walk *w, const char *letters)
{
	const struct opt *o;

	for (; *letters; letters++) {
		snprintf(w->typed, sizeof(w->typed), "-%c", *letters);
		w->joint = ' ';
		for (o = w->p->opts; o->name; o++)
			if (o->letter == *letters)
				break;
		if (!o->name)
			opt_bad(w->p, w->typed, "no such option; see --help", NULL);
		if (!wants_value(o)) {
			take(w, o, NULL);
			continue;
		}
		take(w, o, letters[1] ? letters + 1 : value_after(w, o));
		return;
	}
}

/* The row that a name of this length means: itself, or its only beginning. */
static const struct opt *
find_long(struct walk *w, const char *name, size_t len)
{
	const struct opt *o, *found = NULL;

	for (o = w->p->opts; o->name; o++) {
		if (strncmp(o->name, name, len) != 0)
			continue;
		if (strlen(o->name) == len)
			return o;
		if (found)
			opt_bad(w->p, w->typed, "could mean more than one option; see --help", NULL);
		found = o;
	}
	return found;
}

static void
take_long(struct walk *w, const char *text)
{
	const char *eq = strchr(text, '=');
	size_t len = eq ? (size_t)(eq - text) : strlen(text);
	const struct opt *o;

	snprintf(w->typed, sizeof(w->typed), "--%.*s", (int)len, text);
	w->joint = '=';
	if (opt_builtin(w->p, text, len, eq ? eq + 1 : NULL))
		exit(0);
	o = len ? find_long(w, text, len) : NULL;
	if (!o)
		opt_bad(w->p, w->typed, "no such option; see --help", NULL);
	if (eq && !o->arg)
		opt_bad(w->p, w->typed, "takes no value", NULL);
	if (!eq && wants_value(o))
		take(w, o, value_after(w, o));
	else
		take(w, o, eq ? eq + 1 : NULL);
}

int
opt_parse(const struct opt_program *p, void *config, int argc, char **argv)
{
	struct walk w = { .p = p, .config = config, .argv = argv, .argc = argc, .at = 1 };
	char **operands = calloc((size_t)argc + 1, sizeof(*operands));
	int n = 0;

	if (!operands) {
		fprintf(stderr, "%s: out of memory\n", p->name);
		exit(1);
	}
	while (w.at < argc) {
		char *arg = argv[w.at++];

		if (strcmp(arg, "--") == 0)
			break;
		if (arg[0] == '-' && arg[1] == '-')
			take_long(&w, arg + 2);
		else if (arg[0] == '-' && arg[1])
			take_letters(&w, arg + 1);
		else
			operands[n++] = arg;
		if (n && p->stop_at_operand)
			break;
	}
	while (w.at < argc)
		operands[n++] = argv[w.at++];
	memcpy(argv + argc - n, operands, (size_t)n * sizeof(*operands));
	free(operands);
	return argc - n;
}
