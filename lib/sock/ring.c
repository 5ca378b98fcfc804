/* SPDX-License-Identifier: BSD-2-Clause */
/* ring.c - see ring.h. */
#include "sock/ring.h"

#include <string.h>

_Static_assert(sizeof(struct sky_slot) == SKY_UDP_SLOT, "a slot is what udp.h says");
_Static_assert(SKY_SLOT_DATA >= 256, "a slot holds 256 bytes of quote");

void
sky_ring_init(struct sky_ring *r, struct sky_slot *slot, uint32_t n)
{
	r->slot = slot;
	r->n = n;
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	for (uint32_t i = 0; i < n; i++)
		memset(&slot[i].refusal, 0, sizeof(slot[i].refusal));
}

/* An extension behind a quote that has to be cut is lost with it. */
static void
copy_cut(struct sky_slot *s, const uint8_t *data)
{
	if (s->e.len > SKY_SLOT_DATA) {
		s->e.len = SKY_SLOT_DATA;
		s->e.flags |= SKY_ERRQ_CUT;
	}
	if (s->e.ext_at > s->e.len)
		s->e.ext_at = 0;
	memcpy(s->data, data, s->e.len);
}

bool
sky_ring_put(struct sky_ring *r, const struct sky_errq *e, const uint8_t *data)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	struct sky_slot *s;

	if (tail - head >= r->n)
		return false;
	s = &r->slot[tail % r->n];
	s->e = *e;
	copy_cut(s, data);
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

const struct sky_slot *
sky_ring_first(const struct sky_ring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (atomic_load_explicit(&r->tail, memory_order_acquire) == head)
		return NULL;
	return &r->slot[head % r->n];
}

void
sky_ring_drop(struct sky_ring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	atomic_store_explicit(&r->head, head + 1, memory_order_release);
}
