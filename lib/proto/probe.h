/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h - what prober and mirror share: the padding of a test packet, its
 * check, and the places of a report's values.
 *
 * A test packet of ours longer than 44 bytes ends in one Extra Padding TLV. Its
 * value is a check of 4 bytes (over all bytes of the datagram with the check
 * itself as zero, and the session) and a pattern made of session and number;
 * a mirror of somebody else returns the pattern as it was. Pure.
 */
#ifndef SKY_PROTO_PROBE_H
#define SKY_PROTO_PROBE_H

#include "wire/stamp.h"

/* A value of a report, by its place. Only grows. */
enum sky_report {
	SKY_REPORT_FLAGS, SKY_REPORT_USED, SKY_REPORT_RECEIVED, SKY_REPORT_BYTES,
	SKY_REPORT_DUPLICATED, SKY_REPORT_REORDERED, SKY_REPORT_LATE, SKY_REPORT_CORRUPTED,
	SKY_REPORT_NETWORK, SKY_REPORT_QUEUE, SKY_REPORT_UNREAD, SKY_REPORT_UNEXPLAINED,
	SKY_REPORT_DELAYS, SKY_REPORT_DELAY_MIN, SKY_REPORT_DELAY_MEDIAN,
	SKY_REPORT_DELAY_P99, SKY_REPORT_DELAY_MAX, SKY_REPORT_JITTER,
	SKY_REPORT_REFLECTED, SKY_REPORT_REFUSED, SKY_REPORT_MESSAGES,
	SKY_REPORT_VALUES
};

#define SKY_PROBE_ERROR 0x0601u	/* error estimate: not synchronised, 2^-26 s = 15 ns */

/* Fills value[0..n) of the padding, all but the check. */
void sky_probe_pattern(uint8_t *value, size_t n, uint32_t session, uint32_t seq);
/* True if the bytes behind the check are the pattern. */
bool sky_probe_pattern_is(const uint8_t *value, size_t n, uint32_t session, uint32_t seq);
/* Puts the check into a datagram of 52 bytes or more; shorter ones have none. */
void sky_probe_seal(uint8_t *data, size_t len, uint32_t session);
/* True if the check is right, or the datagram too short to have one. */
bool sky_probe_sealed(const uint8_t *data, size_t len, uint32_t session);

#endif
