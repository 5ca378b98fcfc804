/* SPDX-License-Identifier: BSD-2-Clause */
/* cyclein.h - inside cycle.h: cycle.c sends and listens, cyclewhy.c says what a
 * silence means. */
#ifndef SKY_PROTO_CYCLEIN_H
#define SKY_PROTO_CYCLEIN_H

#include "proto/cycle.h"

/* The next outcome of a hop, in the order in which the probes were sent. */
void sky_cycle_feed(struct cycle_hop *h, uint64_t interval, uint64_t sent, bool answered);

#endif
