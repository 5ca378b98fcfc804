/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * end.h - this program's end: the socket, and everything said about it.
 */
#ifndef SOCK_END_H
#define SOCK_END_H

#include "opts.h"

#include "cli/out.h"

#include <sockeye/udp.h>

struct end {
	struct sky_udp u;
	struct sky_icmpd icmpd;	/* with --errors icmpd, the second reporter */
	uint64_t room[SKY_UDP_ROOM(64) / sizeof(uint64_t)];
	bool connected;
	bool plain;		/* no error queue: as the sources' programs were */
	bool broadcast;		/* SO_BROADCAST is on */
	uint64_t sndtimeo;	/* ns that a write may wait for room; 0: any time */
	uint64_t waiting_since;	/* for room; 0: not */
};

/* Opens as the config says. A destination that cannot be connected to, for
 * want of a route, is left for the first send to tell. Returns 0; or the exit
 * status, after a line that says what could not be done. */
int end_open(struct end *e, const struct config *c, struct out *out);

/* enum sky_udp_flag of what was asked for. */
uint32_t end_flags(const struct config *c);

/* Sends m[0..n-1]; waits for room in the socket's buffer for at most a second
 * at a time, or so long that the write failed. A refused broadcast turns SO_BROADCAST on, says so, and is sent.
 * Returns how many are settled, each with its status. */
unsigned end_send(struct end *e, struct out *out, struct sky_msg *m, unsigned n);

/* "text: strerror" on standard error. */
void end_say_error(const char *text, int err);

#endif
