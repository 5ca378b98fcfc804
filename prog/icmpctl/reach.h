/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reach.h - will a preloaded library come into this program?
 *
 * Reads the file as the kernel and the dynamic loader will. Nothing is started.
 */
#ifndef ICMPCTL_REACH_H
#define ICMPCTL_REACH_H

#include <stddef.h>

enum reach {
	REACH,			/* also if it cannot be read: who starts it will say that */
	REACH_NOT,		/* but perhaps the programs that it starts */
	REACH_HARMS,		/* it would not start with it */
};

/* command as execvp(3) finds it; a script is what it names in its first line. why
 * is a sentence without its subject and end, or empty. */
enum reach reach_ask(const char *command, char *why, size_t size);

#endif
