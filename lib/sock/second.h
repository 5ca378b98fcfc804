/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * second.h - icmpd as the second reporter of one UDP socket; for lib/sock alone.
 *
 * One error that both reporters tell is one fate: the first to tell it is believed,
 * the other's is dropped. Both tell the same number of like errors or one of them
 * fewer, so what is told is as many as the one with more has.
 *
 * Of a group (SO_REUSEPORT) each member hears errors about what others sent, from
 * the kernel's queue by chance and from icmpd always: it keeps what is about a
 * destination that it sent to lately. The sender writes that memory, the receiver
 * reads it; all else is the receiver's.
 */
#ifndef SKY_SOCK_SECOND_H
#define SKY_SOCK_SECOND_H

#include "sock/handle.h"
#include "sock/icmpd.h"

/* Begins for the open socket of u; d is the caller's memory. 0 or a negative errno. */
int sky_second_open(struct udp *u, struct sky_icmpd *d, const char *path);
void sky_second_close(struct udp *u);

/* A datagram is about to leave for this destination. */
void sky_second_sent(struct udp *u, const struct sky_addr *dst);

/* What the error queue told: false if it is not to be told again, or not this
 * socket's. data: len bytes of the quote. */
bool sky_second_queue(struct udp *u, const struct sky_fate *f, const void *data, size_t len);
/* The next that icmpd alone has told: 1, 0 if there is none. Quote and extension are
 * put into buf. */
int sky_second_next(struct udp *u, struct sky_fate *f, void *buf, size_t size);

/* For the info call: 1 in force, or a negative errno: why not. */
int sky_second_state(const struct udp *u);

#endif
