/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - one run of the program: what its roles share.
 *
 * A role sends and reads; everything that was learnt goes through here into the
 * ledger, the lines for people and JSON. The ledger is the only source of the
 * summary and of the exit status.
 */
#ifndef SOCK_RUN_H
#define SOCK_RUN_H

#include "end.h"
#include "memory.h"
#include "wake.h"

#include <sockeye/ledger.h>

enum run_event {
	RUN_READABLE = 1u << 0,		/* the socket has datagrams or fates */
	RUN_INPUT = 1u << 1,		/* standard input has something, or its end */
	RUN_SIGNAL = 1u << 2,		/* x->signal tells which */
	RUN_TIME = 1u << 3,		/* the deadline has come */
	RUN_ERRORS = 1u << 4,		/* with readable: the error queue has something */
};

#define RUN_BATCH 64		/* datagrams in one call, at most */
#define RUN_FOREVER UINT64_MAX

struct run {
	const struct config *c;
	struct out out;
	struct end end;
	struct sky_ledger ledger;
	void *ledger_room;
	struct wake wake;
	struct memory memory;		/* what was sent, to check quotes against */
	struct sky_addr local;
	int sig;			/* descriptor of signals */
	int signal;			/* the one that came, or 0 */
	int failed;			/* errno of a plain socket that ended it, or 0 */
	uint64_t sent;			/* datagrams so far: the next number */
	bool pausing;			/* a signal may end it in the middle of one */
	uint64_t drops_seen;
	bool bad;			/* a measurement found loss: status 3 */
	uint64_t received, bytes;	/* by a server or sink */
	bool trains;			/* some came: drops are counted by the train */
	uint64_t learnt;		/* fates that the error queue told */
	void *role;			/* what the role that runs keeps, if it needs that */
	uint32_t rcvbuf;		/* bytes, as the kernel accounts them */
	unsigned batch;			/* messages read in one call */
	struct sky_msg *in;		/* that many, each with c->read_size of room */
};

/* True if arriving datagrams are read in trains: where they are only counted,
 * and nobody wants a line for each. */
bool run_reads_trains(const struct config *c);

/* Opens everything. Returns 0, or the exit status after saying why. */
int run_open(struct run *x, const struct config *c);
/* The summary, and the socket closed. Returns the exit status. */
int run_close(struct run *x);
/* -Q: the pause before the close. */
void run_close_pause(struct run *x);
/* Frees what run_open() made, whether that succeeded or not. */
void run_release(struct run *x);

/* --- waiting; times are of run_clock() --- */
uint64_t run_clock(void);	/* monotonic ns */
uint64_t run_now(void);		/* CLOCK_REALTIME ns, for records */
/* Sleeps until something happens; at most until the deadline. input: standard
 * input counts. socket: the socket counts. */
unsigned run_wait(struct run *x, uint64_t deadline, bool input, bool socket);
/* Pauses without reading; what overflows meanwhile is told. */
void run_pause(struct run *x, uint64_t ns);

/* --- telling --- */
/* n datagrams to dst with numbers from x->sent on went to the kernel, not before
 * time_ns: an answer may be here before the call that sent it has returned. */
void run_sent(struct run *x, const struct sky_addr *dst, uint64_t n, uint64_t time_ns);
/* The kernel did not take m, going to dst. On a plain socket this ends the run. */
void run_refused(struct run *x, const struct sky_addr *dst, const struct sky_msg *m,
    const char *verb);
/* m came back from a destination. */
void run_answer(struct run *x, const struct sky_msg *m);
/* x->in[0..n-1] came to a server. */
void run_arrived(struct run *x, unsigned n);
/* The end of a server or sink that was pausing: what had arrived is counted. */
void run_unread(struct run *x);
/* A fate that was learnt elsewhere: booked and told. */
void run_fate(struct run *x, struct sky_fate *f);
/* m came from someone never asked, or is not what was asked for: counted, and
 * told with -v. */
void run_stray(struct run *x, const struct sky_msg *m);
/* Reads all fates that wait. */
void run_errors(struct run *x);
/* Asks the kernel how many datagrams found no room; tells of new ones. */
void run_drops(struct run *x);
/* Data of m to standard output; a reader that went away ends the run. */
void run_print(struct run *x, const struct sky_msg *m);
/* Reads up to x->batch datagrams into x->in. A plain socket's error ends the run
 * (x->failed). Returns how many. */
unsigned run_receive(struct run *x);
/* Over: a signal came or the socket failed. */
bool run_over(const struct run *x);

/* --- roles: each runs until it is done --- */
void client_run(struct run *x);
void source_run(struct run *x);
void server_run(struct run *x);
void sink_run(struct run *x);
/* After the last datagram: waits for the fates that are still open. */
void linger_run(struct run *x, void (*drain)(struct run *));

#endif
