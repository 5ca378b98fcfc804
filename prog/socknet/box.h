/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * box.h - a box of namespaces that vanishes with the process that made it.
 *
 * User (where allowed), network, mount, PID, IPC and UTS namespaces. The function
 * runs as PID 1 of the box, with a /proc of its own, an empty /run, and the
 * kernel's order to die when the maker dies; when PID 1 ends, the kernel ends
 * everything in the box. Nothing outside refers to any of it.
 */
#ifndef SOCKNET_BOX_H
#define SOCKNET_BOX_H

#include <stdbool.h>

struct box {
	const char *name;	/* for messages */
	int (*inside)(void *arg);	/* returns the exit status */
	void *arg;
	bool root;		/* no user namespace: the caller is root, and stays it */
	bool terminal;		/* keys of the terminal are for a shell inside */
};

/* Returns the status of inside(), or 1 after one line on standard error that
 * says what was refused and what mends it. Passes SIGINT, SIGTERM, SIGHUP on. */
int box_run(const struct box *b);

#endif
