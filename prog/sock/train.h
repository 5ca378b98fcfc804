/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.h - equal datagrams that pass the kernel together (UDP_SEGMENT, UDP_GRO).
 *
 * A train is one message with seg set; its parts lie behind each other. One
 * call then carries dozens of datagrams, and on a virtual link one buffer does:
 * some twenty times the rate. The wire, and who counts, see single datagrams.
 */
#ifndef SOCK_TRAIN_H
#define SOCK_TRAIN_H

#include <sockeye/udp.h>

#define TRAIN_PARTS 64		/* what every kernel with UDP_SEGMENT takes */
#define TRAIN_CAP 16		/* bytes of a received train that are copied: who counts
				 * needs its length alone, which the kernel tells */

/* How many datagrams of size bytes make a full train; 1 if none can be made. */
unsigned train_parts_of(int family, uint64_t size);

/* How many datagrams m is. */
unsigned train_parts(const struct sky_msg *m);

/* A train of which TRAIN_CAP bytes were copied, as if it had been read whole; its
 * data is not to be looked at. */
void train_whole(struct sky_msg *m);

/* The next part of a received train as a message of its own, cut to cap bytes as
 * a read of that size would: false at the end. Start with *off = 0. */
bool train_next(const struct sky_msg *m, size_t *off, size_t cap, struct sky_msg *part);

#endif
