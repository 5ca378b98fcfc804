/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labodd.h - what a lab file says of odd hosts, into the words of odd/odd.h.
 *
 * An odd host is two: its own namespace, where its kernel has its addresses and
 * runs its programs, and a lower half, a router of another kind, which has its
 * wires. The second one is called NAME~ and cannot be spoken of.
 */
#ifndef SOCKNET_LABODD_H
#define SOCKNET_LABODD_H

#include "parse.h"

/* The verb `odd`. */
int labodd_read(struct parse *p);
/* After the last line: links of odd hosts end at their lower halves, and inner
 * links join the two. */
int labodd_expand(struct parse *p);

#endif
