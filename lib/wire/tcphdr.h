/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcphdr.h - the TCP header (RFC 9293, 3.1), as much as quotes, SYNs and resets
 * need. Numbers are native. Pure.
 */
#ifndef SKY_WIRE_TCPHDR_H
#define SKY_WIRE_TCPHDR_H

#include "base/rd.h"
#include "base/wr.h"

#define SKY_TCPHDR_LEN 20

enum {
	SKY_TCP_FIN = 0x01, SKY_TCP_SYN = 0x02, SKY_TCP_RST = 0x04, SKY_TCP_PSH = 0x08,
	SKY_TCP_ACK = 0x10, SKY_TCP_URG = 0x20, SKY_TCP_ECE = 0x40, SKY_TCP_CWR = 0x80,
	SKY_TCP_AE = 0x100,
};

struct sky_tcphdr {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t hlen;		/* header with options, 20..60 */
	uint16_t flags;		/* the twelve bits behind the header length */
	uint16_t window, sum, urgent;
	const uint8_t *opts;	/* hlen - 20 bytes, or NULL */
};

/* Returns 0 with the reader behind the options, -EMSGSIZE if cut (quotes often
 * are: the members that were there are right, the others 0), -EINVAL if the
 * header length is less than 20. */
int sky_tcphdr_decode(struct sky_tcphdr *t, struct sky_rd *rd);
/* Writes hlen bytes as they are; the checksum is the caller's. Returns 0,
 * -EINVAL if hlen is no multiple of 4 in 20..60, -ENOSPC. */
int sky_tcphdr_encode(const struct sky_tcphdr *t, struct sky_wr *wr);

#endif
