/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serial.h - the path, asked for hop by hop as the old tools do.
 *
 * So many probes for each hop, so many at once, each waited for; one hop after
 * another until somebody says that it ends there. Packets may be of one size, or
 * begin with the largest and become smaller as routers say so: the size that is
 * told, or, where none or a false one is told, the next of a table (RFC 1191, 7,
 * as the book has it). trace.h does better in less time; this is for the output and
 * the procedure that people and scripts know.
 *
 * Pure: no clock, no system call, no allocation; the caller lends the cells, one
 * for each probe. Packets are bounded: hops x probes x (tries + 1), and 64 more
 * for sizes. Late answers are ignored. Times are ns of one clock. The loop:
 *
 *	while ((kind = sky_serial_poll(&s, now(), &probe)) != SKY_SERIAL_DONE) {
 *		if (kind == SKY_SERIAL_SEND)
 *			send_it(&probe);
 *		else
 *			wait_until(sky_serial_deadline(&s));
 *		while (answers(&answer))
 *			sky_serial_answered(&s, &answer);
 *		while (sky_serial_told(&s, &event))
 *			print(&event);
 *	}
 *	while (sky_serial_told(&s, &event))
 *		print(&event);
 */
#ifndef SKY_PROTO_SERIAL_H
#define SKY_PROTO_SERIAL_H

#include "hop.h"

#define SKY_SERIAL_PROBES 10	/* per hop, at most */
#define SKY_SERIAL_CELLS (SKY_HOP_MAX * SKY_SERIAL_PROBES)
#define SKY_SERIAL_SIZES 64	/* times that the size becomes smaller, at most */

/* Nothing has a default. */
struct sky_serial_conf {
	uint64_t wait_ns;	/* for an answer, at most */
	uint64_t least_ns;	/* here and near do not make it shorter */
	uint64_t pause_ns;	/* between two probes */
	uint32_t here, near;	/* wait so many thousandths of a round trip of the same
				 * hop, of a later one; 0: neither */
	uint32_t len;		/* of the first packets */
	uint32_t floor;		/* of all: the smallest that can be sent */
	uint16_t window;	/* probes on their way at once; follow: 1 */
	uint8_t first, max;	/* hops */
	uint8_t probes;		/* of each hop, 1 .. SKY_SERIAL_PROBES */
	uint8_t tries;		/* of each probe that is lost, from 1 */
	bool follow;		/* too big: go on with less. Otherwise it ends there */
	bool again;		/* and begin the hop again, not only the probe */
	bool brief;		/* one probe for each hop; but two (probes: 2) for the
				 * hop at which this host says that the size does not
				 * fit its interface */
};

enum sky_serial_state {
	SKY_SERIAL_UNSENT,
	SKY_SERIAL_WAITING,
	SKY_SERIAL_ANSWERED,
	SKY_SERIAL_LOST,
	SKY_SERIAL_SKIPPED,
};

struct sky_serial_cell {
	struct sky_hop_answer answer;	/* ANSWERED */
	uint64_t sent;
	uint32_t id;
	uint8_t state;			/* enum sky_serial_state */
	uint8_t tries;
	bool again;			/* its answer may have come, unrecognisable */
};

enum sky_serial_kind {
	SKY_SERIAL_WAIT,
	SKY_SERIAL_SEND,
	SKY_SERIAL_DONE,
};

enum sky_serial_what {
	SKY_SERIAL_PROBE,		/* answered, or lost, in the order of hops */
	SKY_SERIAL_SMALLER,		/* too big: len is what is tried next */
	SKY_SERIAL_END,			/* the last event */
};

enum sky_serial_why {
	SKY_SERIAL_REACHED,
	SKY_SERIAL_STOPPED,		/* somebody said that it does not go on */
	SKY_SERIAL_HOPS,		/* as many hops as were allowed */
	SKY_SERIAL_FAILED,		/* this host could not send: err */
};

struct sky_serial_event {
	struct sky_hop_answer answer;	/* PROBE, if answered; SMALLER */
	uint64_t rtt_ns;		/* as above */
	uint32_t len;			/* SMALLER; otherwise that of the probes now */
	int32_t err;			/* END, FAILED: positive errno */
	uint8_t what;			/* enum sky_serial_what */
	uint8_t why;			/* END: enum sky_serial_why */
	uint8_t ttl, number;		/* of the hop; of the probe, from 0 */
	bool answered;			/* PROBE */
};

struct sky_serial {
	struct sky_serial_conf conf;
	struct sky_serial_cell *cell;
	struct sky_serial_event smaller;	/* not told yet, if has_smaller */
	uint64_t last_sent, hold;
	uint32_t start, end;		/* cells not told yet */
	uint32_t id, len, sizes;
	uint32_t packets;		/* sent until now */
	int32_t err;
	uint8_t why;
	bool has_smaller, alone, ended;
};

/* The cells are the caller's, (max - first + 1) * probes of them at least, and are
 * used until the end. Returns 0, -EINVAL for a bad value, -ENOSPC for too few. */
int sky_serial_init(struct sky_serial *s, const struct sky_serial_conf *c,
    struct sky_serial_cell *cells, size_t n);
/* What is due now; probes count as lost here. SEND: out is to be sent at once. */
enum sky_serial_kind sky_serial_poll(struct sky_serial *s, uint64_t now,
    struct sky_hop_probe *out);
/* When to poll again if nothing comes. Right after a poll only. */
uint64_t sky_serial_deadline(const struct sky_serial *s, uint64_t now);
/* What came, or that it did not leave. A SHORT quote is taken for the one probe on its
 * way; if there are several, they are asked for again, one by one. */
void sky_serial_answered(struct sky_serial *s, const struct sky_hop_answer *a);
/* The next thing to print, in order. False: nothing yet, or nothing more. */
bool sky_serial_told(struct sky_serial *s, struct sky_serial_event *out);

/* The largest size of the table below len, not below floor; 0: none. */
uint32_t sky_serial_below(uint32_t len, uint32_t floor);
/* len is one of the table. */
bool sky_serial_listed(uint32_t len);

#endif
