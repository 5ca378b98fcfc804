/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.h - sixty-four places to send to, one of which is dead.
 *
 * Each live peer is a real socket that counts what really reached it; the dead
 * one is a port where nobody listens. A payload names its batch and its peer,
 * so a datagram that came twice or to the wrong place is seen.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEERS 64
#define PEERS_BATCHES 200
#define PEERS_PAYLOAD 16

/* Which addresses the peers have, and what socket the sender has. */
enum peers_family {
	PEERS_V4,
	PEERS_V6,
	PEERS_MAPPED,	/* IPv4 peers, an IPv6 socket that serves both */
	PEERS_BOTH,	/* every other peer IPv4, the same socket */
	PEERS_FAMILIES
};

struct peers {
	enum peers_family family;
	unsigned dead;			/* which */
	int fd[PEERS];			/* -1: the dead one */
	/* As the sender's socket needs them (v4-mapped where it is IPv6). */
	struct sockaddr_storage to[PEERS];
	socklen_t to_len[PEERS];
	bool seen[PEERS][PEERS_BATCHES];
	uint64_t arrived;		/* different datagrams, live peers */
	uint64_t twice, strange;	/* seen before; not what was sent here */
};

/* "IPv4", "IPv6", "v4-mapped", "both families" */
const char *peers_word(enum peers_family f);

/* Returns 0 or a negative errno; then nothing is open. */
int peers_open(struct peers *p, enum peers_family f, unsigned dead);
void peers_close(struct peers *p);

/* Reads whatever has arrived. */
void peers_read(struct peers *p);

/* Of the datagrams for live peers in `batches`, how many percent arrived. */
double peers_share(const struct peers *p, unsigned batches);

void peers_payload(uint8_t out[PEERS_PAYLOAD], unsigned batch, unsigned peer);
/* Back again; false if it is not one of these. */
bool peers_parse(const void *data, size_t len, unsigned *batch, unsigned *peer);

/* The family of the sender's socket, AF_INET or AF_INET6. */
int peers_af(enum peers_family f);

#endif
