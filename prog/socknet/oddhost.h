/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oddhost.h - the process that is the lower half of an odd host.
 */
#ifndef SOCKNET_ODDHOST_H
#define SOCKNET_ODDHOST_H

#include "net.h"
#include "prog/socknet/router/io.h"

/* Asks the kernel of the host, if router i of the lab is a lower half, for the
 * addresses of its interfaces. Returns 0 or a negative errno; this process may
 * then be in the host's namespace. */
int oddhost_prepare(const struct lab *lab, struct net *n, unsigned i);

/* Stands between kernel and wires until it is ended. */
void oddhost_run(struct rt_io *io, const struct lab_router *r, struct rt_ledger *ledger,
    uint32_t slots);

#endif
