/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet.h - an Internet made of a seed: routers in a tree with parallel branches,
 * limits, silence, small links, and a hundred thousand destinations behind them.
 *
 * It knows the truth, answers probes as its routers would, and shares nothing
 * with whoever is tested on it. Addresses are IPv4 in host byte order; times ns.
 */
#ifndef TEST_PROTO_INET_H
#define TEST_PROTO_INET_H

#include <stdbool.h>
#include <stdint.h>

enum { INET_HOPS = 28, INET_NEAR = 4 };	/* INET_NEAR: destinations in a /24 */

enum inet_what { INET_NOTHING, INET_EXCEEDED, INET_REACHED, INET_TOO_BIG, INET_FILTERED };

struct inet_answer {
	enum inet_what what;
	uint32_t by, mtu;
	uint64_t rtt;
	uint8_t ttl;
};

struct inet_conf {
	uint32_t targets;
	uint64_t seed;
	unsigned silent_hosts, filtered;	/* of 1000 */
	unsigned silent_routers, branched;
	unsigned small, holes, liars;		/* of 1000 networks' links */
	unsigned crooked;			/* ways back of another length */
	unsigned unlimited, fast;		/* of 1000 routers; the rest 6, then 1/s */
	unsigned loss;				/* of 1000, each way */
};

struct inet_router {
	uint32_t addr;
	uint8_t width;		/* parallel ones, this and those behind it */
	bool silent;
	uint16_t mtu;		/* of the link to it */
	uint8_t manner;		/* when that is too small: tells, is mute, lies */
	uint32_t rate, burst;	/* 0: no limit */
	double tokens;
	uint64_t last;
	uint32_t asked, refused;	/* errors that were due; that the limit kept back */
};

struct inet {
	struct inet_conf c;
	uint64_t rng;
	uint32_t routers, nets;
	struct inet_router *router;
	uint32_t (*way)[INET_HOPS];	/* for each /24: the first of each width */
	uint8_t *len;
	uint8_t *crook;
	uint64_t probes, bytes;
};

void inet_make(struct inet *n, const struct inet_conf *c);
void inet_free(struct inet *n);
uint32_t inet_host(const struct inet *n, uint32_t i);	/* address of destination i */
uint32_t inet_number(const struct inet *n, uint32_t addr);
/* The truth about a destination: routers on the way, of whom hop[] are the
 * addresses; what it would do with a probe; its path MTU. */
unsigned inet_path(const struct inet *n, uint32_t i, uint32_t hop[INET_HOPS]);
/* Is that address one of those that stand side by side at this hop? */
bool inet_beside(const struct inet *n, uint32_t i, unsigned hop, uint32_t addr);
bool inet_branched(const struct inet *n, uint32_t i);
bool inet_answers(const struct inet *n, uint32_t i);
unsigned inet_mtu(const struct inet *n, uint32_t i, bool *hole, bool *liar);
void inet_probe(struct inet *n, uint64_t now, uint32_t i, unsigned ttl, unsigned len,
    struct inet_answer *a);

#endif
