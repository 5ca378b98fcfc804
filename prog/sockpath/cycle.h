/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cycle.h - --cycles: what repeats over the hops of a path have shown.
 */
#ifndef SOCKPATH_CYCLE_H
#define SOCKPATH_CYCLE_H

#include "run.h"

#include "proto/cycle.h"
#include "proto/trace.h"

/* The table, a line for each hop. */
void cycle_table(struct run *r, const struct sky_cycle *c);
/* Records of all hops as they are now; a document is made of them at the end. */
void cycle_records(struct run *r, const struct sky_cycle *c);
/* The last record, or the document. found: how the search for the hops ended. */
void cycle_end(struct run *r, const struct sky_cycle *c, const struct sky_trace_path *found,
    bool reached);
/* One line that the next one replaces, on a terminal. */
void cycle_progress(struct run *r, const struct sky_cycle *c);

#endif
