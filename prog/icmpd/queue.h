/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - records that wait for one client, already as they will be sent.
 *
 * It has memory only while something waits. Records of one kind that stand behind
 * each other become one message.
 */
#ifndef ICMPD_QUEUE_H
#define ICMPD_QUEUE_H

#include "proto/icmpdmsg.h"

struct queue {
	uint8_t *buf;
	uint32_t head, tail, cap;
};

static inline uint32_t
queue_bytes(const struct queue *q)
{
	return q->tail - q->head;
}

/* Room for one record of any kind: put it with sky_icmpdmsg_put_*() into *o, then
 * queue_add(). False if more than limit bytes would wait, or without memory. */
bool queue_room(struct queue *q, uint32_t limit, struct sky_icmpdmsg_out *o);
void queue_add(struct queue *q, enum sky_icmpdmsg_kind kind, const struct sky_icmpdmsg_out *o);

/* Puts the first records into a message of at most SKY_ICMPDMSG_MAX bytes: its
 * length; *used are the bytes to drop once it is sent. 0 if nothing waits. */
size_t queue_message(const struct queue *q, void *msg, uint32_t *used);
void queue_drop(struct queue *q, uint32_t used);
void queue_release(struct queue *q);

#endif
