/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * witness.h - does the network agree with what a program said of its datagrams?
 *
 * The program's summary record (JSON) says per destination what became of how
 * many datagrams. The witness knows nothing of it: it counts, from captures at
 * the sender and at every router, what left, what was asked for by ARP, what the
 * routers passed on, what came back, which ICMP errors about what. Both must
 * give the same words, counts, reporters and MTUs.
 */
#ifndef SOCKNET_WITNESS_H
#define SOCKNET_WITNESS_H

#include "loop.h"

/* Judges a witness step; tells per destination (report_detail). what gets the
 * one line of the result. True if all agree. */
bool witness_agrees(struct loop *l, const struct lab_step *s, char *what, size_t size);

#endif
