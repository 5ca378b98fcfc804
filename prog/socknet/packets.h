/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets.h - captured packets against what a lab expects: one by one, in order,
 * piece by piece.
 */
#ifndef SOCKNET_PACKETS_H
#define SOCKNET_PACKETS_H

#include "loop.h"

/* Judges of expect.c; why says what was found. */
bool packets_count_met(struct loop *l, const struct lab_step *s, char *why, size_t size);
bool packets_order_met(struct loop *l, const struct lab_step *s, char *why, size_t size);
bool packets_fragments_met(struct loop *l, const struct lab_step *s, char *why, size_t size);

#endif
