/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * style.h - the ways in which programs send a batch to many peers from one
 * unconnected socket that has asked for errors (IP_RECVERR), and ours.
 */
#ifndef BENCH_STYLE_H
#define BENCH_STYLE_H

#include "peers.h"

struct style_sums {
	unsigned named;		/* errors that named the dead peer, one per batch */
	unsigned wrong;		/* errors that named another, or a batch twice */
	unsigned failed;	/* datagrams that the style was told had failed */
	bool told[PEERS_BATCHES];
};

struct style {
	const char *name;
	/* Returns a new sender (an owned pointer), or NULL with errno set. */
	void *(*open)(const struct peers *p);
	/* Sends one datagram to each peer, in order. */
	void (*batch)(void *sender, struct peers *p, unsigned batch,
	    struct style_sums *sums);
	void (*close)(void *sender);
};

/* Plain sendto, four of sendmmsg, ours last; ends with a NULL name. */
extern const struct style style_rows[];
extern const struct style style_ours;

/* Runs `batches` batches (at most PEERS_BATCHES) of a style against peers that
 * were just opened. Returns 0 or a negative errno. */
int style_run(const struct style *s, struct peers *p, unsigned batches,
    struct style_sums *sums);

#endif
