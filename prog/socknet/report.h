/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - what a lab says while it runs: for people, as TAP, as the demo.
 */
#ifndef SOCKNET_REPORT_H
#define SOCKNET_REPORT_H

#include "lab.h"

/* QUIET: standard output is a program's; only failures, on standard error. */
enum report_style { REPORT_TEXT, REPORT_TAP, REPORT_DEMO, REPORT_QUIET };

struct report {
	enum report_style style;
	bool verbose;
	unsigned speed;		/* of pauses; printed if it is not 1 */
	unsigned done, failed;
	const struct lab *lab;
};

void report_begin(struct report *r, const struct lab *lab);
/* A program starts: "client$ sock -u ...". */
void report_command(struct report *r, const struct lab_step *s);
/* A complete line that a program wrote. background: not the one waited for. */
void report_output(struct report *r, const struct lab_step *s, bool background,
    const char *line, size_t len);
/* One expectation. why: what was found instead, or more about it. */
void report_result(struct report *r, bool ok, unsigned line, const char *what, const char *why);
/* A line of the lab itself: a note, the witness. */
void report_note(struct report *r, const char *text);
/* Only with verbose, or (TAP) as a comment. */
void report_detail(struct report *r, const char *text);
/* Nothing was run. */
void report_skip(struct report *r, const char *why);
/* The plan and the sum. Returns the exit status: 0, or 4. */
int report_end(struct report *r);
/* The status, or at least 1 after one line if standard output took not all. */
int report_written(int status);

#endif
