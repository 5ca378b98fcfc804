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

/* The same, or 2 if it was given up; and how many times it was asked for in
 * *probes, 0 if the kernel does not tell. */
int sky_route_neighbour(const struct sky_addr *dst, uint32_t *probes);

#endif
