/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.c - see queue.h. An entry is a byte that says its kind, and the record,
 * which begins with its length.
 */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

enum {
	ENTRY = 1 + SKY_ICMPDMSG_FATE_MAX,
	FIRST = 4096,
	KEEP = 16384,			/* more than this is given back when empty */
};

static bool
make_room(struct queue *q)
{
	uint32_t cap = q->cap ? q->cap * 2 : FIRST;
	uint8_t *buf;

	if (q->head && q->head >= q->cap / 2) {
		memmove(q->buf, q->buf + q->head, q->tail - q->head);
		q->tail -= q->head;
		q->head = 0;
	}
	if (q->cap - q->tail >= ENTRY)
		return true;
	buf = realloc(q->buf, cap);
	if (!buf)
		return false;
	q->buf = buf;
	q->cap = cap;
	return true;
}

bool
queue_room(struct queue *q, uint32_t limit, struct sky_icmpdmsg_out *o)
{
	if (queue_bytes(q) + ENTRY > limit)
		return false;
	if (q->cap - q->tail < ENTRY && !make_room(q))
		return false;
	o->wr = sky_wr_of(q->buf + q->tail + 1, ENTRY - 1);
	o->records = 0;
	return true;
}

void
queue_add(struct queue *q, enum sky_icmpdmsg_kind kind, const struct sky_icmpdmsg_out *o)
{
	if (!o->records)
		return;
	q->buf[q->tail] = (uint8_t)kind;
	q->tail += 1 + (uint32_t)sky_wr_len(&o->wr);
}

size_t
queue_message(const struct queue *q, void *msg, uint32_t *used)
{
	struct sky_icmpdmsg_out o;
	struct sky_rd rd = sky_rd_of(q->buf ? q->buf + q->head : NULL, queue_bytes(q));
	uint8_t kind = q->buf && queue_bytes(q) ? q->buf[q->head] : 0;

	*used = 0;
	if (!kind)
		return 0;
	sky_icmpdmsg_begin(&o, kind, msg, SKY_ICMPDMSG_MAX);
	while (sky_rd_left(&rd) && sky_rd_u8(&rd) == kind) {
		struct sky_rd ahead = rd;
		uint16_t len = sky_rd_u16(&ahead);
		const uint8_t *record = sky_rd_take(&rd, len);

		if (!record || sky_icmpdmsg_put_record(&o, record, len) < 0)
			break;
		*used += 1u + len;
	}
	return sky_icmpdmsg_end(&o);
}

void
queue_drop(struct queue *q, uint32_t used)
{
	q->head += used;
	if (q->head < q->tail)
		return;
	q->head = q->tail = 0;
	if (q->cap > KEEP)
		queue_release(q);
}

void
queue_release(struct queue *q)
{
	free(q->buf);
	*q = (struct queue){ .buf = NULL };
}
