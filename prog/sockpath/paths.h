/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths.h - --paths: what the engine found, as a drawing and as records.
 */
#ifndef SOCKPATH_PATHS_H
#define SOCKPATH_PATHS_H

#include "run.h"

#include "proto/paths.h"

void paths_draw(struct run *r, struct sky_paths *p, const struct sky_paths_result *s);
/* One sentence each on the branches, on what is certain, on the end. */
void paths_tell(struct run *r, struct sky_paths *p, const struct sky_paths_result *s);
void paths_records(struct run *r, struct sky_paths *p, const struct sky_paths_result *s);
/* Source port of a flow, or ICMP identifier; 0: it was not used. */
unsigned paths_port(const struct run *r, unsigned flow);

#endif
