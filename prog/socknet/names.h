/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - the hosts' names, as everybody in the lab resolves them.
 *
 * HOST is all its addresses; HOST.v4 and HOST.v6 the first of each family;
 * HOST.PEER its addresses on the link to PEER. Only files are asked.
 */
#ifndef SOCKNET_NAMES_H
#define SOCKNET_NAMES_H

#include "lab.h"

/* Puts an /etc/hosts and nsswitch.conf of the box over the system's. Returns
 * 0 or a negative errno; a system without these files keeps none. */
int names_install(const struct lab *lab);

#endif
