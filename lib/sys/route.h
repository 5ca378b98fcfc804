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

/* How this host reaches an address. */
enum sky_route_type {
	SKY_ROUTE_UNICAST, SKY_ROUTE_LOCAL, SKY_ROUTE_BROADCAST, SKY_ROUTE_MULTICAST,
	SKY_ROUTE_REFUSED,		/* unreachable, blackhole, prohibit */
};

struct sky_route {
	uint8_t type;			/* enum sky_route_type */
	uint32_t ifindex;		/* out there; 0: not told */
	struct sky_addr gateway;	/* unspecified: it is on the link */
	struct sky_addr source;		/* that the kernel would choose; may be unspecified */
	uint32_t mtu;			/* of the path as cached or configured; 0: none */
};

/* Asks the table; src and ifindex are where it is to leave from, NULL and 0 if
 * that does not matter. 0, -ENETUNREACH if there is no route, or another errno. */
int sky_route_find(const struct sky_addr *dst, const struct sky_addr *src, uint32_t ifindex,
    struct sky_route *out);

/* 1 if a is an address of this host (its route is of type local), else 0. */
int sky_route_is_own(const struct sky_addr *a);

/* 1 if the neighbour entry of the next hop towards dst is incomplete: asked
 * for, not answered, not given up. 0 if it is in any other state. */
int sky_route_unresolved(const struct sky_addr *dst);

/* The same, or 2 if it was given up; and how many times it was asked for in
 * *probes, 0 if the kernel does not tell. */
int sky_route_neighbour(const struct sky_addr *dst, uint32_t *probes);

#endif
