/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - icmpctl run: starts an unchanged program with the preload library.
 *
 * Says in one line on standard error, before it starts it, if the library
 * cannot get into the program: a static, setuid or setgid one, one for another
 * kind of machine, one built with AddressSanitizer.
 */
#ifndef ICMPCTL_RUN_H
#define ICMPCTL_RUN_H

#include <stdbool.h>

struct run_config {
	bool log_only;		/* --deliver log: errors are told, calls do not fail */
	const char *log;	/* --log FILE: lines go there (appended), told by errno
				 * or not; NULL: standard error, of log_only alone */
	const char *socket;	/* --socket PATH of icmpd; NULL: the usual place */
	char **command;		/* what to run; ends with NULL */
};

/* Becomes the command: returns only if it could not be started, with the exit
 * status (127 not found, 126 not executable, 1 anything else) after one line. */
int run_command(const struct run_config *c);

#endif
