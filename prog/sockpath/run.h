/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - what a mode of the program works with, and the modes.
 *
 * run_open() finds the destination and opens everything; then privileges are
 * dropped for good; then one mode runs, and returns the exit status. A mode asks
 * its engine what is due, sends with run_send(), sleeps in run_wait() and reads
 * with run_collect(); it writes records with run->out, and ends when run_wait()
 * says so.
 */
#ifndef SOCKPATH_RUN_H
#define SOCKPATH_RUN_H

#include "opts.h"

#include "cli/out.h"

#define RUN_NEVER UINT64_MAX

/* Exit statuses: design of all programs. */
enum { STATUS_REACHED = 0, STATUS_SYSTEM = 1, STATUS_INPUT = 2, STATUS_NOT = 3,
	STATUS_MTU = 4 };

struct names;

enum { RUN_RECENT = 256 };

/* With --raw: the header of a probe as a hop quoted it. */
struct run_quote {
	uint32_t sent;			/* length that was sent; 0: nothing was quoted */
	uint16_t len;
	uint8_t ttl;
};

struct run {
	const struct opts *o;
	struct sky_addr dst;		/* with the port, if the method has one */
	struct sky_pathsock_conf conf;	/* how sock was opened; open more with it */
	struct sky_pathsock sock;
	struct out out;			/* text and JSON */
	struct names *names;		/* never NULL; see names.h */
	int signals;			/* descriptor */
	int signal;			/* that came, or 0 */
	uint32_t len;			/* of a hop probe */
	uint32_t packets;		/* by run_send(), that left this host */
	uint64_t bytes;
	uint64_t began;			/* steady clock, ns */
	unsigned forged;		/* answers without our tag */
	struct sky_hop_probe recent[RUN_RECENT];	/* by id */
	struct run_quote quote[SKY_HOP_MAX + 1];	/* by TTL */
};

/* 0, or an exit status after one line on standard error. */
int run_open(struct run *r, const struct opts *o);
/* Status to leave with, given the mode's own. */
int run_close(struct run *r, int status);

uint64_t run_now(void);			/* steady clock: that of probes and answers */
uint64_t run_wall(void);		/* for records */
/* Wall clock of a moment of the steady one. */
uint64_t run_wall_of(uint64_t steady);

/* As sky_pathsock_send(), counted. */
unsigned run_send(struct run *r, const struct sky_hop_probe *p, unsigned n);
/* As sky_pathsock_collect(); what was quoted is noted. */
unsigned run_collect(struct run *r, struct sky_hop_answer *a, unsigned n);
/* Sleeps until something can be collected or the deadline (steady ns, RUN_NEVER);
 * looks after the names meanwhile. False: a signal came, or output can no longer be
 * written: it is time to end. */
bool run_wait(struct run *r, uint64_t deadline);
/* The same over more than one set of sockets. */
bool run_wait_fds(struct run *r, const int *fd, unsigned n, uint64_t deadline);

/* Sleeps until every name is known, or the deadline, or a signal. */
void run_wait_names(struct run *r, uint64_t deadline);

/* "sockpath: ..." on standard error. */
void run_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What an errno of sky_pathsock_open() means, on standard error; the status. */
int run_refused(const struct run *r, int err);

/* --- the modes; each returns an exit status --- */
int path_trace(struct run *r);		/* the hops and the MTU */
int path_paths(struct run *r);		/* --paths */
int path_cycle(struct run *r);		/* --cycles */
int path_style(struct run *r);		/* --style other than plain */
int path_mass(const struct opts *o);	/* --targets; opens what it needs itself */

/* --reverse, after the trace: */
struct path_back {
	uint32_t mtu;			/* of the way back; 0: not found */
	uint32_t most;			/* mtu .. most is what it can be; mtu: exact */
	const char *method;		/* "echo", "udp echo"; static */
	char why[160];			/* what could not be done, and why; or "" */
	uint32_t packets;
	uint64_t took;			/* ns */
};
/* forward: MTU of the way there, distance: TTL of the destination, rtt: ns; each 0 if
 * not known. Fills out; false if a signal came. */
bool path_reverse(struct run *r, uint32_t forward, unsigned distance, uint64_t rtt,
    struct path_back *out);

#endif
