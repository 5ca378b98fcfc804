/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h - counts a thread's system calls and times what it does between them.
 *
 * The bench programs are linked so that sendmmsg, recvmmsg and their like, in
 * the library as well as in the hand-written loops, pass through here
 * (-Wl,--wrap). The time from the return of one call to the entry of the next
 * is user time, measured by the clock while the real kernel does its real work
 * to caches and branch predictors; the tick-based figures of getrusage are too
 * coarse for tens of nanoseconds. One clock reading on each side of a call of
 * 64 datagrams costs both loops under one nanosecond each.
 */
#ifndef BENCH_GATE_H
#define BENCH_GATE_H

#include <stdint.h>

/* A gap this long is somebody else's time on this processor and is left out. */
#define GATE_TOO_LONG 50000

struct gate {
	uint64_t sends, recvs;	/* calls that send, that receive */
	uint64_t waits;		/* poll */
	uint64_t others;	/* any other that the loops may make */
	uint64_t gaps;		/* stretches of user time that were kept */
	uint64_t gap_ns;	/* their sum */
	uint64_t cut;		/* gaps left out as too long */
	uint64_t left_ns;	/* when the last call returned; 0: not timing */
};

/* From now on the calling thread's calls are counted in g (NULL: nowhere). */
void gate_count(struct gate *g);

/* The time since the last call is not the loop's (it waited its turn). */
void gate_skip(void);

/* From here to gate_shut() is the loop's own time, whether it calls or not. */
void gate_open(void);
void gate_shut(void);

/* Mean time between two calls, ns. */
double gate_gap(const struct gate *g);

#endif
