/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - what two ends of ours say to each other beside STAMP's packets.
 *
 * STAMP has no report. These messages travel on the same port; their first 8
 * bytes are no test packet's that this year's clocks can make. The shortest is
 * shorter than a test packet, so that a STAMP reflector of somebody else drops
 * it uncounted. Big endian:
 *
 *   0 magic (8)   8 version (1)   9 kind (1)   10 how many values (2)
 *   12 session (4)   16 serial (4)   20 values, 8 bytes each
 *
 * A value is known by its place; new ones are put at the end, a reader ignores
 * what it does not know and knows which it did not get. Pure.
 */
#ifndef SKY_WIRE_TALLY_H
#define SKY_WIRE_TALLY_H

#include "base/rd.h"
#include "base/wr.h"

#define SKY_TALLY_MAGIC UINT64_C(0xff736b7974616c79)	/* "\377skytaly" */
#define SKY_TALLY_VERSION 1
#define SKY_TALLY_VALUES 32		/* at most */
#define SKY_TALLY_MAX (20 + 8 * SKY_TALLY_VALUES)

enum sky_tally_kind {
	SKY_TALLY_HELLO = 1,	/* sender: a session begins; [0] flags */
	SKY_TALLY_WELCOME,	/* reflector: [0] token that the others must carry */
	SKY_TALLY_END,		/* sender: [0] token, [1] numbers used */
	SKY_TALLY_BUSY,		/* reflector: not everything is read yet */
	SKY_TALLY_REPORT,	/* reflector: values of lib/proto/measure.h */
	SKY_TALLY_THANKS,	/* sender: [0] token; the report has arrived */
};

struct sky_tally {
	uint8_t kind;
	uint16_t n;		/* values that came, or are to be written */
	uint32_t session, serial;
	uint64_t value[SKY_TALLY_VALUES];	/* zero from n on */
};

/* True if data begins as a message does. */
bool sky_tally_is(const void *data, size_t len);

/* Returns 0, -EMSGSIZE if it is cut short, -EPROTO for another magic, version or
 * kind. Values past SKY_TALLY_VALUES are ignored. */
int sky_tally_decode(struct sky_tally *t, struct sky_rd *rd);
/* Returns 0, or -ENOSPC. */
int sky_tally_encode(const struct sky_tally *t, struct sky_wr *wr);

#endif
