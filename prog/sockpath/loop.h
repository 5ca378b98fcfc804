/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - one trace from its beginning to its end: the place where the engine,
 * the sockets and the clock meet.
 */
#ifndef SOCKPATH_LOOP_H
#define SOCKPATH_LOOP_H

#include "run.h"

#include "proto/trace.h"

/* The engine's configuration as the options have it. */
void loop_conf(const struct run *r, struct sky_trace_conf *c);
/* Runs t until it is done; tell is called for each hop once, in order, when its
 * line will not change any more. False: a signal ended it. */
bool loop_trace(struct run *r, struct sky_trace *t,
    void (*tell)(struct run *r, const struct sky_trace_hop *h));

#endif
