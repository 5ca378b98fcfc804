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
 * Datagrams are told apart by destination and seq when the caller knows it. A
 * fate without a seq settles the oldest open datagram of its destination. Only
 * the newest `recent` datagrams are held one by one; older ones are kept as
 * counts (a late event still moves one of that destination's count from
 * `sent`).
 * One reporter repeating an event of a destination means another datagram; two
 * reporters saying the same mean one: per (destination, what, by, type, code)
 * the count is the largest that any one evidence reached, not the sum. With a
 * seq, the same (seq, what) is one event, whoever tells it and how often; a
 * second reply to one datagram is a `duplicated`.
 *
 * When a datagram that has a final fate gets another, sky_fate_beats() decides
 * which stays; `silent` that is beaten notes `late`. Without a seq and with
 * nothing open, a fate first takes a silent datagram, then a quenched one, then
 * one with missing fragments; a first reply also takes one of any other fate,
 * in the order of enum sky_what. What then is left over, three errors for two
 * datagrams, is noted: a reply as `duplicated`, all else as `stray`.
 *
 * Replies to a datagram for a group or broadcast address: set dst of the fate
 * to that address and by to who replied. The first answers it, the others are
 * `duplicated`, each in the row of its own.
 * Every call takes constant time, but for sent_many (at most `recent`), close
 * and total.
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

/* n datagrams came from src that answer nothing: a server's clients. Counts
 * `received`. Returns 0, or -ENOSPC as sky_ledger_sent(). */
int sky_ledger_heard(struct sky_ledger *l, const struct sky_addr *src, uint64_t n);

/* A fate was learnt. What a call itself refused (SKY_BY_CALL, class
 * SKY_CLASS_LOCAL or too-big, origin not ICMP) counts as sent too: call this
 * alone for a datagram the kernel did not take. An error that a plain socket's
 * call returned for an earlier datagram has origin ICMP. For SKY_ANSWERED, f->rtt_ns is used if SKY_HAVE_RTT, else it is computed from
 * f->time_ns and the time of sending, and stored in f (with SKY_HAVE_RTT), as
 * is seq when the datagram could be told. f->count above 1 is that many events
 * without a seq. SKY_SENT and SKY_NOTHING are ignored.
 * A fate about a destination that was never sent to, or with
 * SKY_TRUST_MISMATCH, is counted as a stray and settles nothing. dst without a
 * port finds a destination of that host. Without dst, a local fate is a loss of
 * what was on its way to this host and is counted in `lost` of the total; a
 * note in its counts; all else is a stray there.
 * Returns 1 if it is news, 0 if it had been told, -ENOSPC if there was no room
 * for its row: then it is in the sums alone, and in `overflow`. */
int sky_ledger_take(struct sky_ledger *l, struct sky_fate *f);

/* How many datagrams have no final fate but `sent`. */
uint64_t sky_ledger_open(const struct sky_ledger *l);

/* The end: what is open becomes `silent` if an answer was expected, else stays
 * `sent`. */
void sky_ledger_close(struct sky_ledger *l, bool answer_expected);

/* A destination's sums, in order of first use. counts[] of all whats that are
 * final sum to sent at any moment; counts[] holds notes as well. */
struct sky_ledger_dest {
	struct sky_addr dst;
	uint64_t sent;			/* everything this program tried to send there */
	uint64_t received;		/* replies, duplicates included */
	uint64_t counts[SKY_WHATS];
	uint64_t rtts;			/* how many round trips were measured */
	uint64_t rtt_min_ns, rtt_mean_ns, rtt_max_ns;
	uint64_t lost[SKY_WHATS];	/* in the total: lost by this host on the way
					 * in, of unknown senders; not in counts */
};

/* Who said what about a destination, and how often. */
struct sky_ledger_row {
	unsigned dest;			/* index of its destination */
	uint64_t count;
	struct sky_fate last;		/* the newest record; quote and ext are NULL */
	uint8_t what;			/* what it counts as: a fate that is not
					 * believed is a stray, whatever last says */
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
