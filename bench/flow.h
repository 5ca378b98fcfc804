/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.h - one run of one way: how fast, with how many calls, at what cost.
 */
#ifndef BENCH_FLOW_H
#define BENCH_FLOW_H

#include "gate.h"
#include "way.h"

#include <stdbool.h>

struct flow_end {
	struct gate gate;
	double user_s, system_s;	/* getrusage of the thread (tick based) */
	double cpu_s;			/* its processor time, exact */
	int cpu;			/* the processor it was pinned to */
	bool fifo;
};

struct flow {
	double seconds;		/* from the first send to the last receive */
	uint64_t sent;		/* datagrams */
	uint64_t stalls;	/* times the sender waited for the receiver */
	struct taken got;
	struct flow_end tx, rx;
};

/* Sends for ms milliseconds from one thread to another, at most as far ahead
 * of the receiver as its buffer holds, so nothing should be lost; what was is
 * sent - got.datagrams. fifo asks for SCHED_FIFO. Returns 0 or a negative
 * errno. */
int flow_flood(const struct way *w, const struct spec *s, unsigned ms, bool fifo,
    struct flow *out);

/* One thread sends a batch and receives it, `rounds` times: every call is full,
 * so calls and user time per datagram do not depend on who ran when. */
int flow_lockstep(const struct way *w, const struct spec *s, unsigned rounds,
    bool fifo, struct flow *out);

/* Sends for ms milliseconds to a socket that nobody reads: the kernel's own
 * end of one sender. */
int flow_deaf(const struct way *w, const struct spec *s, unsigned ms, bool fifo,
    struct flow *out);

/* User time per datagram of an end by the clock, ns. */
double flow_user_ns(const struct flow_end *e, uint64_t datagrams);
/* All system calls of an end per datagram. */
double flow_calls(const struct flow_end *e, uint64_t datagrams);
/* Datagrams received per second. */
double flow_rate(const struct flow *f);

#endif
