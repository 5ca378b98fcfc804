/* SPDX-License-Identifier: BSD-2-Clause */
/* opts.h - what icmpd(8) was asked on its command line. */
#ifndef ICMPD_OPTS_H
#define ICMPD_OPTS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct opts {
	const char *socket;		/* path to listen at */
	const char *compat;		/* --compat-socket, or NULL */
	const char *user;		/* to become */
	uint64_t clients;		/* at once; an eighth of them for one user */
	uint64_t sockets;		/* registered, for one user */
	uint64_t queue;			/* bytes that wait for one client */
	bool foreground, verbose;
	char absolute[2][PATH_MAX];	/* what the two paths are where they were not */
};

/* Ends the program, as opt_parse(), for what makes no sense. */
void opts_parse(struct opts *o, int argc, char **argv);

#endif
