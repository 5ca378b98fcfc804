/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labrouter.h - what a lab file says of routers, into the words of router/rt.h.
 *
 * A router's interfaces are its links, in the order of their lines.
 */
#ifndef SOCKNET_LABROUTER_H
#define SOCKNET_LABROUTER_H

#include "parse.h"

/* The router that a host is, or NULL. */
struct lab_router *labrouter_of(const struct lab *lab, unsigned host);

/* The verb `router`: makes routers, or tells one how to behave. */
int labrouter_read(struct parse *p);
/* A link line was read: its ends that are routers get an interface. */
int labrouter_link(struct parse *p, const struct lab_link *l);
/* The rest of a route line of a router, after its name. */
int labrouter_route(struct parse *p, struct lab_router *r);
/* What only the whole file shows. */
int labrouter_check(struct parse *p);

#endif
