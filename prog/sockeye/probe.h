/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h - what this user may do on this machine, found out by doing it.
 *
 * A probe opens the real thing (a socket, a namespace in a child, a file),
 * closes it again and leaves nothing changed. No traffic but one datagram from
 * loopback to loopback. None takes longer than a second.
 */
#ifndef SOCKEYE_PROBE_H
#define SOCKEYE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct probe {
	const char *name;	/* stable word, for JSON */
	const char *what;	/* "error queue, IPv4" */
	const char *used_by;	/* what is lost without it */
	bool needed;		/* nothing of sockeye works well without it */
	/* Returns 0 or a negative errno; may write what it saw into detail. */
	int (*try)(char *detail, size_t size);
	const char *mend;	/* the one command, as root; NULL: a newer kernel */
	const char *container;	/* the flag for a container, or NULL: the same */
};

struct probe_result {
	int ret;		/* 0 allowed, or a negative errno */
	char detail[96];	/* "" or what was seen: a number, a limit */
	const char *mend;	/* NULL when allowed, or when nothing helps */
};

/* The table, ended by a row without a name. */
extern const struct probe probes[];

/* NULL if there is none of that name. */
const struct probe *probe_find(const char *name);

void probe_run(const struct probe *p, struct probe_result *out);

#endif
