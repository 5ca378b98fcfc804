/* SPDX-License-Identifier: BSD-2-Clause */
/* tracerun.h - lets the engine of trace.h work on a simulated network. */
#ifndef TEST_PROTO_TRACERUN_H
#define TEST_PROTO_TRACERUN_H

#include "netsim.h"

#include <proto/trace.h>

struct run {
	struct net net;
	struct sky_trace_conf conf;	/* set by run_conf; changed before run_all */
	struct sky_trace trace;
	struct sky_trace_path path;
	uint64_t now;
	unsigned steps, lines;		/* lines: hops that came out in order */
	unsigned unkept;		/* lines that changed after they had come out */
	bool chatty;			/* print every probe and answer */
	struct sky_trace_hop said[256];	/* as they came out */
};

void run_conf(struct run *r);
void run_all(struct run *r);
struct sky_trace_hop run_hop(struct run *r, unsigned ttl);
/* Round trips of 20.5 ms that it took. */
double run_rounds(const struct run *r);

#endif
