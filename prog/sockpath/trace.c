/* SPDX-License-Identifier: BSD-2-Clause */
/* trace.c - what the program does when nothing else is asked for. */
#include "loop.h"
#include "names.h"
#include "say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE UINT64_C(1500000000)	/* for names, when all else is told */

static int
trace(struct run *r, struct sky_trace *t)
{
	struct sky_trace_path p;
	struct path_back back, *b = NULL;
	bool go;

	say_head(r);
	go = loop_trace(r, t, say_hop);
	sky_trace_path(t, &p);
	if (go && r->o->reverse && p.reached) {
		b = &back;
		path_reverse(r, p.certainty == SKY_TRACE_MTU_EXACT ? p.mtu : 0, p.distance,
		    p.rtt_ns, b);
	}
	if (r->o->document)
		run_wait_names(r, run_now() + PATIENCE);
	say_end(r, t, b);
	if (!r->signal && !r->o->document) {
		run_wait_names(r, run_now() + PATIENCE);
		say_names(r);
	}
	return say_status(r, &p);
}

int
path_trace(struct run *r)
{
	struct sky_trace *t = calloc(1, sizeof(*t));
	struct sky_trace_conf c;
	int rc;

	loop_conf(r, &c);
	rc = t ? sky_trace_init(t, &c) : -ENOMEM;
	if (rc < 0)
		run_say("%s", strerror(-rc));
	rc = rc < 0 ? STATUS_SYSTEM : trace(r, t);
	free(t);
	return rc;
}
