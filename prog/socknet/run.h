/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - one lab from beginning to end, inside a box.
 */
#ifndef SOCKNET_RUN_H
#define SOCKNET_RUN_H

#include "report.h"

struct run {
	const struct lab *lab;
	struct report report;
	unsigned enter_host;		/* LAB_NONE: run the lab; else a shell there */
	const char *const *command;	/* or this instead of a shell */
	const char *program_path;	/* goes before PATH */
	const char *ledger;		/* the routers' records go there, or NULL */
};

/* For box_run(): arg is a struct run. Returns the exit status: 0, 1 if the
 * system failed, 2 if the lab cannot be built, 4 if an expectation is not met. */
int run_inside(void *arg);

#endif
