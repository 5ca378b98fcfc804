/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request_peer.h - the far end of --request: an echo service that keeps count.
 *
 * It remembers which copies of each request came, so that its reply tells the
 * client what became of the others (call.h has the form on the wire). Anything
 * that is no request is left alone: echo it as it is. Bounded: the oldest are
 * forgotten; then a reply tells of fewer copies than came, never of more.
 * Pure: no socket, no clock, no allocation.
 */
#ifndef SOCK_REQUEST_PEER_H
#define SOCK_REQUEST_PEER_H

#include <sockeye/call.h>

#define REQUEST_PEER_SETS 256
#define REQUEST_PEER_WAYS 4

struct request_peer {
	struct {
		struct sky_addr from;
		uint64_t id;
		uint64_t used;		/* 0: free */
		uint32_t seen;
		uint8_t copies;
	} slot[REQUEST_PEER_SETS][REQUEST_PEER_WAYS];
	uint64_t uses;
};

/* Zeroes it; a struct that is all zero needs no call. */
void request_peer_init(struct request_peer *p);

/* A datagram came from there. If it is a request it is counted and becomes, in
 * place and with the same length, its reply; returns true. Otherwise it is not
 * touched; returns false. */
bool request_peer_answer(struct request_peer *p, const struct sky_addr *from, void *data, size_t len);

#endif
