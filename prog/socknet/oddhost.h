/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oddhost.h - the process that is the lower half of an odd host.
 */
#ifndef SOCKNET_ODDHOST_H
#define SOCKNET_ODDHOST_H

#include "net.h"
#include "prog/socknet/router/io.h"

/* If router i of the lab is a lower half: asks the kernel of the host for the
 * addresses of its interfaces, and gives them to the wires too. Returns 0 or a
 * negative errno; this process may be in another namespace then. */
int oddhost_prepare(const struct lab *lab, struct net *n, unsigned i);

/* Stands between kernel and wires until it is ended. */
void oddhost_run(struct rt_io *io, const struct lab_router *r, struct rt_ledger *ledger,
    uint32_t slots);

#endif
