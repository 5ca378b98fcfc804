/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - the book-keeping of fates: the only place a summary comes from.
 *
 * Tell it what was sent and every fate that was learnt; ask it what is still
 * open, and for a row per destination. It promises that per destination the
 * final fates sum to what was sent, that one event told by two reporters counts
 * once, and that notes (truncated, late, ...) are counted beside the finals.
 * Pure: times come from the caller, memory too; nothing is allocated.
 *
 * Datagrams are told apart by seq when the caller knows it. A fate without a
 * seq settles the oldest open datagram of its destination. Only the newest
 * `recent` datagrams are held one by one; older ones are kept as counts (a late
 * event still moves one of that destination's count from `sent`).
 * One reporter repeating an event of a destination means another datagram; two
 * reporters saying the same mean one: per (destination, what, by, type, code)
 * the count is the largest that any one evidence reached, not the sum.
 */
#ifndef SOCKEYE_LEDGER_H
#define SOCKEYE_LEDGER_H

#include <sockeye/fate.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sky_ledger {
	uint64_t opaque[64];
};

/* Bytes of room for so many destinations, rows (see struct sky_ledger_row) and
 * recent datagrams. */
size_t sky_ledger_room(unsigned dests, unsigned rows, unsigned recent);

/* room stays the caller's, aligned for uint64_t, and must outlive the ledger.
 * Returns 0, or -EINVAL if size is less than sky_ledger_room() says. */
int sky_ledger_init(struct sky_ledger *l, void *room, size_t size,
    unsigned dests, unsigned rows, unsigned recent);

/* A datagram was handed to the kernel at time_ns, which took it.
 * Returns 0, or -ENOSPC: no room for another destination; it is counted in the
 * totals and in `overflow` all the same. */
int sky_ledger_sent(struct sky_ledger *l, const struct sky_addr *dst,
    uint64_t seq, uint64_t time_ns);

/* The same for n datagrams to one destination with sequence numbers seq ..
 * seq + n - 1, at one moment. */
int sky_ledger_sent_many(struct sky_ledger *l, const struct sky_addr *dst,
    uint64_t seq, uint64_t n, uint64_t time_ns);

/* A fate was learnt. Local finals (class SKY_CLASS_LOCAL by SKY_BY_CALL) count
 * as sent too: call this alone for a datagram the kernel did not take. For
 * SKY_ANSWERED, f->rtt_ns is used if SKY_HAVE_RTT, else it is computed from
 * f->time_ns and the time of sending, and stored in f (with SKY_HAVE_RTT), as
 * is seq when the datagram could be told. A fate about a destination that was
 * never sent to, or with SKY_TRUST_MISMATCH, is counted as a stray and settles
 * nothing. Returns 1 if it is news, 0 if another reporter had told it, -ENOSPC
 * if it could only be counted in the totals. */
int sky_ledger_take(struct sky_ledger *l, struct sky_fate *f);

/* How many datagrams have no final fate but `sent`. */
uint64_t sky_ledger_open(const struct sky_ledger *l);

/* The end: what is open becomes `silent` if an answer was expected, else stays
 * `sent`. */
void sky_ledger_close(struct sky_ledger *l, bool answer_expected);

/* A destination's sums, in order of first use. finals of all whats sum to
 * sent; counts[] holds notes as well. */
struct sky_ledger_dest {
	struct sky_addr dst;
	uint64_t sent;			/* everything this program tried to send there */
	uint64_t received;		/* replies, duplicates included */
	uint64_t counts[SKY_WHATS];
	uint64_t rtts;			/* how many round trips were measured */
	uint64_t rtt_min_ns, rtt_mean_ns, rtt_max_ns;
};

/* Who said what about a destination, and how often. */
struct sky_ledger_row {
	unsigned dest;			/* index of its destination */
	uint64_t count;
	struct sky_fate last;		/* the newest record; quote and ext are NULL */
};

unsigned sky_ledger_dests(const struct sky_ledger *l);
unsigned sky_ledger_rows(const struct sky_ledger *l);
/* Return 0, or -ENOENT past the end. */
int sky_ledger_dest(const struct sky_ledger *l, unsigned i, struct sky_ledger_dest *out);
int sky_ledger_row(const struct sky_ledger *l, unsigned i, struct sky_ledger_row *out);
/* Sums over all destinations, overflow included; dst is unspecified. */
void sky_ledger_total(const struct sky_ledger *l, struct sky_ledger_dest *out);
/* Events that found no room for a row or destination of their own. */
uint64_t sky_ledger_overflow(const struct sky_ledger *l);

#ifdef __cplusplus
}
#endif
#endif
