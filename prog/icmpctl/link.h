/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - icmpctl's connection to icmpd: open it, ask, wait, end with a signal.
 */
#ifndef ICMPCTL_LINK_H
#define ICMPCTL_LINK_H

#include <sockeye/icmpd.h>

#define LINK_BATCH 64		/* events taken at a time */

struct opts;

struct link {
	struct sky_icmpd d;
	const char *path;
	int signals;		/* cli/sig.h */
	int sig;		/* that came, or 0 */
	unsigned n;		/* of event */
	struct sky_icmpd_event event[LINK_BATCH];
	uint8_t quotes[LINK_BATCH * SKY_ICMPD_QUOTE];
};

/* A link on the heap, or NULL after one line on standard error. */
struct link *link_open(const struct opts *o);
void link_close(struct link *l);

/* Waits for events and takes them, at most timeout_ms (-1: for ever). Returns
 * how many there are now, 0 when time is up or a signal came. */
unsigned link_wait(struct link *l, int timeout_ms);

/* Asks, and hands each part of the answer to take(). Returns 0, or 1 after one line
 * on standard error. */
int link_ask(struct link *l, enum sky_icmpd_question q,
    void (*take)(void *arg, const struct sky_icmpd_event *e), void *arg);

#endif
