/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h - errors that a send had to take off the kernel's queue, waiting.
 *
 * One thread puts (the sender), one takes (the receiver): two counters and no
 * lock. The memory is the caller's of sky_udp_open(). A slot also holds one
 * remembered refusal of segmentation (refusal.h), which only the sender uses.
 */
#ifndef SKY_SOCK_RING_H
#define SKY_SOCK_RING_H

#include <sockeye/udp.h>
#include <stdatomic.h>
#include "sys/errq.h"

struct sky_refusal {
	struct sky_addr dst;		/* AF_UNSPEC: this slot is free */
	uint64_t since_ns;
};

#define SKY_SLOT_DATA \
	(SKY_UDP_SLOT - sizeof(struct sky_errq) - sizeof(struct sky_refusal))

struct sky_slot {
	struct sky_errq e;
	struct sky_refusal refusal;
	uint8_t data[SKY_SLOT_DATA];
};

struct sky_ring {
	struct sky_slot *slot;
	uint32_t n;
	_Atomic uint64_t head;		/* next to take; the receiver's */
	_Atomic uint64_t tail;		/* next to put; the sender's */
};

void sky_ring_init(struct sky_ring *r, struct sky_slot *slot, uint32_t n);

/* False if there is no room. A quote longer than the slot is cut and marked. */
bool sky_ring_put(struct sky_ring *r, const struct sky_errq *e, const uint8_t *data);

/* The oldest entry where it lies, or NULL; sky_ring_drop() takes it away. */
const struct sky_slot *sky_ring_first(const struct sky_ring *r);
void sky_ring_drop(struct sky_ring *r);

static inline uint32_t
sky_ring_count(const struct sky_ring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	return (uint32_t)(atomic_load_explicit(&r->tail, memory_order_acquire) - head);
}

#endif
