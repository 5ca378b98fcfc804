/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * massmark.h - what a probe says of itself: 24 bytes of its payload, sealed.
 *
 * An answer that quotes the probe brings back all that is to be known of it, so
 * that nothing needs to be kept per probe. The seal is SipHash of the rest, with
 * a key of the run: nobody who has not seen a probe can make one, and who has
 * can only repeat it. Pure.
 */
#ifndef SKY_PROTO_MASSMARK_H
#define SKY_PROTO_MASSMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKY_MASSMARK_LEN 24
#define SKY_MASSMARK_NONE UINT64_MAX	/* position: the quote was too short */

struct sky_massmark {
	uint64_t position;	/* of the target, 40 bits */
	uint32_t slot;		/* where the engine has it */
	uint32_t sent_us;	/* low 32 bits of the time of sending, microseconds */
	uint16_t len;		/* bytes of IP packet */
	uint8_t ttl;
};

void sky_massmark_encode(const struct sky_massmark *m, const uint64_t key[2],
    uint8_t out[SKY_MASSMARK_LEN]);

/* Reads what an answer quotes of a payload. False: not sealed by this key, or
 * shorter than the mark; *m is then untouched. */
bool sky_massmark_decode(struct sky_massmark *m, const uint64_t key[2], const void *data,
    size_t len);

#endif
