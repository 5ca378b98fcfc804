/* SPDX-License-Identifier: BSD-2-Clause */
/* opts.h - the command line of socknet(8). */
#ifndef SOCKNET_OPTS_H
#define SOCKNET_OPTS_H

#include <stdbool.h>

struct opts {
	bool tap, verbose;
	int speed;			/* of declared pauses; 1: as written */
	const char *ledger;		/* the routers' records, or NULL */
	const char *program;		/* as this one was called */
	const char *const *files;	/* ends with NULL */
	const char *host;		/* for the command; NULL: the first */
	const char *const *command;	/* behind --, or NULL; ends with NULL */
};

struct command {
	const char *name;
	int (*run)(const struct opts *o);
	unsigned min, max;		/* operands; max 0: any number */
	const char *operands;
};

extern const struct command commands[];		/* main.c; ends with name NULL */

/* Ends the program on wrong input. */
const struct command *opts_parse(struct opts *o, int argc, char **argv);

#endif
