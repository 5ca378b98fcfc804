/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - a ledger that keeps every datagram in one array and looks through
 * all of them each time. It is slow, plain, and shares no code with lib/fate.
 */
#ifndef TESTS_UNIT_FATE_MODEL_H
#define TESTS_UNIT_FATE_MODEL_H

#include <sockeye/ledger.h>

enum { MANY = 4096, DESTS = 4, RELATIONS = 512 };

struct packet {
	int dest;			/* DESTS: the rest */
	uint64_t seq, time;
	bool held;
	int final;
	unsigned since;			/* when it got its final fate */
	uint32_t seen;
	unsigned answers[SKY_EVIDENCES];
};

struct relation {
	int dest, what, by, type, code;
	uint64_t count, exact, told[SKY_EVIDENCES];
};

extern struct model {
	struct packet packets[MANY];
	int n, clock;
	struct sky_addr addr[DESTS];
	struct sky_ledger_dest sums[DESTS + 1];
	uint64_t rtt_sum[DESTS + 1], overflow;
	uint64_t lost[SKY_WHATS][SKY_EVIDENCES];
	struct relation rows[RELATIONS];
	int dests, rows_n, max_dests, max_rows, recent;
} m;

/* A fate that is no note. */
bool is_final(int what);
/* The destination of this address, made if need be; DESTS if there is no room. */
int get_dest(const struct sky_addr *a);
/* A datagram was sent; hold: it is one of the recent ones. */
struct packet *new_packet(int dest, uint64_t seq, uint64_t time, bool hold);
/* What sky_ledger_take() and sky_ledger_close() should do. */
int model_take(const struct sky_fate *f);
void model_close(bool expected);

#endif
