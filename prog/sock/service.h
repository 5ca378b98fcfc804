/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service.h - the small services: what each of them says.
 *
 * Echo (RFC 862), discard (863), chargen (864), daytime (867) and time (868),
 * one row each. Bytes and a time in, bytes out: no socket, no clock.
 */
#ifndef SOCK_SERVICE_H
#define SOCK_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SERVICE_ONCE 512	/* bytes that one answer has at most, but echo's */

struct service {
	const char *name;
	uint16_t port;
	bool copies;		/* what comes is what goes back */
	bool endless;		/* a connection is written to until it ends */
	/* The answer to any datagram, and all that a connection is told unless
	 * endless. NULL: there is none. Returns its length, SERVICE_ONCE at
	 * most. chance: any number, a new one each time. */
	size_t (*answer)(unsigned char *buf, time_t now, uint32_t chance);
};

/* In the order of service_words. */
const struct service *service_at(unsigned i);
extern const char *const service_words[];

/* Bytes at .. at + len - 1 of the endless text: lines of 72 printable
 * characters and CR LF, each starting one character further. */
void service_text(unsigned char *buf, size_t len, uint64_t at);

/* True for a port whose owner answers whatever comes: answering it would never
 * end. */
bool service_answers_all(uint16_t port);

#endif
