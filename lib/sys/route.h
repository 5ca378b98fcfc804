/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.h - questions to the kernel's routing and neighbour tables, by netlink.
 *
 * Each opens a netlink socket, asks, closes; nothing is allocated, no call
 * waits. 0 or more is the answer, a negative errno means it cannot tell.
 */
#ifndef SKY_SYS_ROUTE_H
#define SKY_SYS_ROUTE_H

#include <sockeye/addr.h>

/* 1 if a is an address of this host (its route is of type local), else 0. */
int sky_route_is_own(const struct sky_addr *a);

/* 1 if the neighbour entry of the next hop towards dst is incomplete: asked
 * for, not answered, not given up. 0 if it is in any other state. */
int sky_route_unresolved(const struct sky_addr *dst);

#endif
