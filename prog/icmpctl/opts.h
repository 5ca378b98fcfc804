/* SPDX-License-Identifier: BSD-2-Clause */
/* opts.h - the command line of icmpctl(8). */
#ifndef ICMPCTL_OPTS_H
#define ICMPCTL_OPTS_H

#include "filter.h"

#include <stdbool.h>
#include <stdint.h>

struct opts {
	const char *socket;		/* where icmpd listens; NULL: the usual place */
	const char *json_to;		/* NULL: standard output */
	const char *output;		/* metrics: this file; NULL: standard output */
	uint64_t count;			/* watch: end after so many; 0: never */
	struct filter filter;		/* watch */
	int deliver;			/* run: enum opts_deliver */
	const char *log;		/* run: file, or NULL */
	char **command;			/* run: what to run; ends with NULL */
	/* what was given */
	bool json, have_output, have_count, have_process, have_port, have_fate, have_prefix,
	    have_deliver, have_log;
};

enum opts_deliver { OPTS_DELIVER_ERRNO, OPTS_DELIVER_LOG };

struct command {
	const char *name;
	int (*run)(const struct opts *o);	/* returns the exit status */
	bool operands;
};

extern const struct command commands[];		/* main.c; ends with name NULL */

/* Ends the program on wrong input. */
const struct command *opts_parse(struct opts *o, int argc, char **argv);

#endif
