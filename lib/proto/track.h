/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track.h - one direction at its receiver: which numbers came, which did not,
 * and what is known about those that did not.
 *
 * Datagrams are told in the order in which the socket queued them, each with
 * the drop counter that the kernel stored beside it (SO_RXQ_OVFL). Numbers that
 * are skipped make a gap; the counter says how many datagrams the queue refused
 * within that gap. See struct sky_way for what is made of it. Bounded memory:
 * copies are told from firsts within 65536 numbers, and a gap may be filled by
 * late ones while it is among the last 256. Pure.
 */
#ifndef SKY_PROTO_TRACK_H
#define SKY_PROTO_TRACK_H

#include "proto/hist.h"

#include <sockeye/measure.h>

#define SKY_TRACK_WINDOW 65536
#define SKY_TRACK_GAPS 256

struct sky_gap {
	uint64_t first, last;
	uint64_t missing;		/* of these numbers */
	uint32_t drops;			/* by the kernel, between the datagrams around */
	uint32_t corrupted;		/* that came in between */
	bool mixed;			/* others used the socket: whose drops is open */
};

struct sky_track {
	uint64_t next;			/* one more than the highest number */
	uint32_t drops;			/* counter of the newest datagram */
	uint32_t span_drops, span_corrupted; /* since the highest number */
	bool span_mixed;
	uint64_t received, bytes, duplicated, reordered, late, corrupted, unread;
	uint64_t network, queue, unexplained;	/* of gaps that are settled */
	uint64_t loose;			/* drops that no missing number explains */
	struct sky_hist delay;
	uint64_t jitter16;		/* RFC 3550, A.8: 16 times the jitter */
	int64_t transit;
	bool have_transit;
	unsigned gap_first, gaps;
	struct sky_gap gap[SKY_TRACK_GAPS];
	uint8_t seen[SKY_TRACK_WINDOW / 8];
};

enum sky_track_kind { SKY_TRACK_NEW, SKY_TRACK_COPY, SKY_TRACK_LATE };

void sky_track_init(struct sky_track *t, uint32_t drops);
/* A datagram came. unread: it was only found at the end. */
enum sky_track_kind sky_track_take(struct sky_track *t, uint32_t seq, size_t len,
    uint32_t drops, bool unread);
/* Its delay, RFC 3550's R and S: difference of the two clocks' times. */
void sky_track_delay(struct sky_track *t, int64_t ns);
/* A corrupted one came: its number is not to be believed. */
void sky_track_corrupted(struct sky_track *t, uint32_t drops);
/* Something without a number came to the same socket. */
void sky_track_other(struct sky_track *t, uint32_t drops);
/* Others use the same socket now. */
void sky_track_mixed(struct sky_track *t);
/* The counts if `sent` numbers were used and the counter stands at drops; of the
 * datagrams queued after the last one, others may be `others`. Not told: the
 * sent and what never left. May be asked again. */
void sky_track_way(const struct sky_track *t, uint64_t sent, uint32_t drops, uint32_t others,
    struct sky_way *out);
/* How many numbers below `sent` have not come. */
uint64_t sky_track_missing(const struct sky_track *t, uint64_t sent);

#endif
