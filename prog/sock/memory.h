/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.h - what was sent, kept so that a quote can be recognised.
 *
 * An error is believed as far as the part of the datagram that it quotes is one
 * that was sent. A source sends one pattern; the others keep their last few
 * datagrams.
 */
#ifndef SOCK_MEMORY_H
#define SOCK_MEMORY_H

#include <sockeye/fate.h>

#define MEMORY_SLOTS 32
#define MEMORY_BYTES 1500	/* more is never quoted */

struct memory {
	const void *pattern;	/* all datagrams are this one, or NULL */
	size_t pattern_len;
	struct {
		struct sky_addr dst;
		size_t len;
		unsigned char data[MEMORY_BYTES];
	} slot[MEMORY_SLOTS];
	unsigned long kept;	/* how many ever; the newest is in (kept - 1) % SLOTS */
};

/* From now on every datagram is this one; it stays the caller's. */
void memory_pattern(struct memory *m, const void *data, size_t len);
void memory_keep(struct memory *m, const struct sky_addr *dst, const void *data, size_t len);
/* Sets the trust of a fate that has a quote. */
void memory_vouch(const struct memory *m, struct sky_fate *f);

#endif
