/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.h - programs started on a host of the lab.
 */
#ifndef SOCKNET_CHILD_H
#define SOCKNET_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHILD_FDS 4	/* standard input, output, error; 3: records */

struct child {
	const char *const *argv;	/* ends with NULL */
	int netns;			/* descriptor of the host's namespace, or -1 */
	const char *hostname;		/* or NULL */
	int fd[CHILD_FDS];		/* what becomes 0..3; -1: /dev/null, 3 closed */
	bool root;			/* keep privileges; else an ordinary user */
	bool terminal;			/* stay in the terminal's foreground group */
};

/* Returns the process id, or a negative errno (of the exec, too). */
pid_t child_start(const struct child *c);

/* Runs a tool to its end with `input` as standard input, what it says (both
 * streams) in out, cut to fit, ended with a NUL. Returns its exit status, or a
 * negative errno. */
int child_tool(const char *const *argv, int netns, const char *input, size_t len,
    char *out, size_t out_size);

/* True if argv[0] can be found: a path, or on PATH. */
bool child_exists(const char *program);

#endif
