/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - what a lab says while it runs: see report.h. */
#include "report.h"

#include <stdio.h>
#include <string.h>

void
report_begin(struct report *r, const struct lab *lab)
{
	const char *title = lab->title ? lab->title : lab->file;

	r->lab = lab;
	if (r->style == REPORT_TEXT)
		printf("%s\n", title);
	fflush(stdout);
}

void
report_command(struct report *r, const struct lab_step *s)
{
	if (r->style == REPORT_QUIET)
		return;
	if (r->style == REPORT_TAP)
		printf("# ");
	if (r->style == REPORT_DEMO && s->verb != LAB_RUN)
		return;
	printf("%s%s", r->lab->host[s->host].name, s->root ? "#" : "$");
	for (unsigned i = 0; i < s->args.argc; i++) {
		const char *w = s->args.argv[i];
		bool plain = *w && !strpbrk(w, " \t\n\"'\\$;&|<>()*?#");

		printf(plain ? " %s" : " '%s'", w);
	}
	puts(s->verb == LAB_RUN ? "" : " &");
	fflush(stdout);
}

void
report_output(struct report *r, const struct lab_step *s, bool background,
    const char *line, size_t len)
{
	if (r->style == REPORT_QUIET)
		return;
	if (r->style == REPORT_TAP)
		printf("#   ");
	if (background && r->style == REPORT_DEMO && !r->verbose)
		return;
	if (background)
		printf("%s: ", r->lab->host[s->host].name);
	printf("%.*s\n", (int)len, line);
	fflush(stdout);
}

void
report_result(struct report *r, bool ok, unsigned line, const char *what, const char *why)
{
	FILE *to = r->style == REPORT_QUIET ? stderr : stdout;

	r->done++;
	r->failed += !ok;
	if (r->style == REPORT_TAP)
		printf("%s %u - %s\n", ok ? "ok" : "not ok", r->done, what);
	else if (!ok)
		fprintf(to, "FAILED  %s:%u: %s\n", lab_file(r->lab, line),
		    LAB_LINE(line), what);
	else if (r->style == REPORT_TEXT)
		printf("ok      %s\n", what);
	if (!ok && why && *why)
		fprintf(to, "%s%s\n", r->style == REPORT_TAP ? "# " : "        ", why);
	fflush(to);
}

void
report_note(struct report *r, const char *text)
{
	printf("%s%s\n", r->style == REPORT_TAP ? "# " : "", text);
	fflush(stdout);
}

void
report_detail(struct report *r, const char *text)
{
	if (r->verbose || r->style == REPORT_TAP)
		report_note(r, text);
}

void
report_skip(struct report *r, const char *why)
{
	if (r->style == REPORT_TAP)
		printf("1..0 # SKIP %s\n", why);
	else
		printf("skipped: %s\n", why);
	fflush(stdout);
}

int
report_end(struct report *r)
{
	bool all = r->done - r->failed >= r->lab->expects;

	if (r->speed > 1)
		printf("%spauses %u times as fast\n", r->style == REPORT_TAP ? "# " : "", r->speed);
	if (r->style == REPORT_TAP && !r->done) {
		r->done = 1;
		puts("ok 1 - the lab ran to its end");
	}
	if (r->style == REPORT_TAP)
		printf("1..%u\n", r->done);
	if (r->style == REPORT_TEXT)
		printf("%u of %u expectations met\n", r->done - r->failed,
		    r->done > r->lab->expects ? r->done : r->lab->expects);
	fflush(stdout);
	return r->failed || !all ? 4 : 0;
}

int
report_written(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "socknet: cannot write to standard output\n");
	return status ? status : 1;
}
