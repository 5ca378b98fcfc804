/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp.h - the test packets of STAMP, RFC 8762, in unauthenticated mode.
 *
 * What a Session-Sender sends (4.2.1) and what a Session-Reflector sends back
 * (4.3.1), each 44 bytes, then the optional TLVs of RFC 8972, 4. Fields are big
 * endian on the wire. Times are nanoseconds since 1970: UTC in the NTP format,
 * whose 32-bit seconds are read as lying within 68 years of 2036 (RFC 4330, 3);
 * whatever the clock of the other end says in the PTP format. Pure.
 */
#ifndef SKY_WIRE_STAMP_H
#define SKY_WIRE_STAMP_H

#include "base/rd.h"
#include "base/wr.h"

#define SKY_STAMP_LEN 44	/* bytes of either packet without TLVs */

/* Error estimate, RFC 4656, 4.1.2 with Z of RFC 8186: S 15, Z 14, scale 13..8,
 * multiplier 7..0; the error is multiplier * 2^(scale - 32) seconds. */
#define SKY_STAMP_SYNCED 0x8000u	/* S: the clock follows UTC */
#define SKY_STAMP_PTP 0x4000u		/* Z: times are in the truncated PTP format */

struct sky_stamp_probe {		/* of a Session-Sender */
	uint32_t seq;
	uint64_t time_ns;
	uint64_t time_raw;		/* as it lies on the wire; encode ignores it */
	uint16_t error;
	uint16_t ssid;			/* RFC 8972, 3; 0 where it is not used */
	bool odd;			/* what must be zero was not */
};

struct sky_stamp_reply {		/* of a Session-Reflector */
	uint32_t seq;
	uint64_t time_ns;		/* when it was sent */
	uint16_t error;
	uint16_t ssid;
	uint64_t came_ns;		/* when the probe was received, same format */
	uint32_t probe_seq;		/* the probe's, as they were */
	uint64_t probe_time_ns;		/* encode ignores it */
	uint64_t probe_time_raw;	/* copied bit by bit */
	uint16_t probe_error;
	uint8_t probe_ttl;		/* with which the probe arrived; 0: not known */
	bool odd;
};

/* Read the first 44 bytes; rd is then at the TLVs. Return 0, or -EMSGSIZE if
 * there are fewer: then *p is not to be used. */
int sky_stamp_probe_decode(struct sky_stamp_probe *p, struct sky_rd *rd);
int sky_stamp_reply_decode(struct sky_stamp_reply *p, struct sky_rd *rd);

/* Write 44 bytes; times in the format that the error estimate beside them names.
 * `odd` is ignored. Return 0, or -ENOSPC. */
int sky_stamp_probe_encode(const struct sky_stamp_probe *p, struct sky_wr *wr);
int sky_stamp_reply_encode(const struct sky_stamp_reply *p, struct sky_wr *wr);

/* --- TLVs (RFC 8972, 4): flags, type, length, value --- */
#define SKY_STAMP_UNKNOWN 0x80u		/* U: set by senders; kept for an unknown type */
#define SKY_STAMP_MALFORMED 0x40u	/* M */
#define SKY_STAMP_PADDING 1		/* type of Extra Padding, 4.1 */

/* Writes an Extra Padding TLV of exactly len bytes with a value that starts as
 * zeroes; *value and its length are told. Fewer than 4 bytes are zeroes. Returns
 * 0, or -ENOSPC. */
int sky_stamp_pad(struct sky_wr *wr, size_t len, uint8_t flags, uint8_t **value, size_t *value_len);

/* Copies what follows a probe as a reflector does: flags of what is known are
 * cleared, U is set for an unknown type, M where a length is longer than what is
 * left; that rest, and padding without TLVs (RFC 8762, type 0), goes unchanged.
 * Returns 0, or -ENOSPC. */
int sky_stamp_mirror(struct sky_rd *rd, struct sky_wr *wr);

#endif
