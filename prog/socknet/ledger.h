/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - what the routers of a lab did to each packet, read and told.
 */
#ifndef SOCKNET_LEDGER_H
#define SOCKNET_LEDGER_H

#include "loop.h"

/* How many records of a router meet all fields. */
uint64_t ledger_count(struct loop *l, unsigned router, const struct lab_field *field, unsigned n);

/* How many UDP datagrams to dst came to a router; pieces count with their first. */
uint64_t ledger_arrived(struct loop *l, unsigned router, const struct sky_addr *dst);
/* How many such errors about datagrams to dst a router sent from address `by`. */
uint64_t ledger_said(struct loop *l, unsigned router, const struct sky_addr *by,
    const struct sky_addr *dst, uint8_t type, uint8_t code, uint32_t mtu);

/* The last records of every router, as notes. */
void ledger_tail(struct loop *l);

/* All records of all routers as JSON lines, appended to a file. Returns 0 or a
 * negative errno. */
int ledger_write(struct loop *l, const char *file);

#endif
