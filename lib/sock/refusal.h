/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal.h - the destinations for which segmentation was refused, and since when.
 *
 * Kept in the refusal part of the ring's slots, oldest overwritten first when
 * all are taken. Times come from the caller; one step is an open-addressing
 * table of all slots, so a lookup is asked only while `count` is not 0.
 */
#ifndef SKY_SOCK_REFUSAL_H
#define SKY_SOCK_REFUSAL_H

#include "sock/ring.h"

/* Remembers dst at now. Returns true if this destination is new. */
bool sky_refusal_note(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns);

/* True if dst was refused less than memory_ns ago; an older note is forgotten. */
bool sky_refusal_find(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns,
    uint64_t memory_ns);

void sky_refusal_clear(struct sky_ring *r);

#endif
