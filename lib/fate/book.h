/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * book.h - how the ledger lies in the caller's memory.
 *
 * Every datagram that is held one by one (struct held) is in exactly one list:
 * that of its destination and its final fate. So the oldest open one, or the
 * oldest silent one, is the head of a list, and a change of fate is a move.
 * What a destination counts under a final and its list does not hold was too
 * long ago to be told apart, and is older than all in the list.
 *
 * Indices are 32 bits and count from 1; 0 is none. Nothing is ever removed but
 * the oldest held datagram, when its place is needed.
 */
#ifndef SKY_FATE_BOOK_H
#define SKY_FATE_BOOK_H

#include <sockeye/ledger.h>

struct list {
	uint32_t head, tail, length;
};

struct held {
	uint64_t seq, time_ns;
	uint32_t dest;
	uint32_t next, prev;		/* in the list of its destination and fate */
	uint32_t chain_next, chain_prev; /* in the hash table */
	uint32_t seen;			/* bit per enum sky_what that was told */
	uint8_t final;			/* enum sky_what; SKY_NOTHING: free */
	uint8_t answers[SKY_EVIDENCES];	/* how many, by each reporter */
};

struct dest {
	struct sky_ledger_dest sums;
	uint64_t rtt_sum_ns;
	struct list lists[SKY_WHATS];
	uint32_t chain_next;		/* same hash of address and port */
	uint32_t host_next;		/* same hash of address */
};

struct said {
	struct sky_ledger_row row;
	uint64_t exact;			/* events with a seq of their own */
	uint64_t told[SKY_EVIDENCES];	/* events each reporter told */
	uint32_t chain_next;
};

/* What struct sky_ledger really is: its words may be read as this. */
struct __attribute__((may_alias)) book {
	struct dest *dests;		/* [max_dests], then one for the rest */
	struct said *said;
	struct held *held;
	uint32_t *dest_heads, *host_heads, *said_heads, *held_heads;
	uint32_t max_dests, max_said, max_held;
	uint32_t dest_mask, said_mask, held_mask;
	uint32_t n_dests, n_said;
	uint32_t at;			/* the place in held[] that is next */
	uint64_t open, overflow;
	uint64_t (*lost_told)[SKY_EVIDENCES]; /* [SKY_WHATS]: sums.lost, by reporter */
};

_Static_assert(sizeof(struct book) <= sizeof(struct sky_ledger), "ledger.h: opaque too small");
_Static_assert(SKY_WHATS <= 32, "struct held: seen too small");

/* --- dest.c: destinations --- */

/* The destination of exactly this address, or NULL. */
struct dest *sky_dest_find(struct book *b, const struct sky_addr *dst);
/* The same; and for a dst without a port one of that host, if possible one with
 * open datagrams. */
struct dest *sky_dest_match(struct book *b, const struct sky_addr *dst);
/* Found or made; the one for the rest if there is no room. */
struct dest *sky_dest_get(struct book *b, const struct sky_addr *dst);
/* The one for all that have no room of their own. */
struct dest *sky_dest_rest(struct book *b);
uint32_t sky_dest_index(const struct book *b, const struct dest *d);	/* from 0 */

/* n datagrams of d from one final fate to another, in the sums. */
void sky_dest_recount(struct book *b, struct dest *d, enum sky_what from,
    enum sky_what to, uint64_t n);

/* --- held.c: datagrams --- */

/* Holds one more, with final fate what, in the place of the oldest; NULL if
 * none are held. Counts nothing. */
struct held *sky_held_add(struct book *b, struct dest *d, enum sky_what what,
    uint64_t seq, uint64_t time_ns);
/* The newest with this seq, or NULL. */
struct held *sky_held_find(struct book *b, const struct dest *d, uint64_t seq);
/* Gives it another final fate, in the sums as well. */
void sky_held_move(struct book *b, struct held *h, enum sky_what to);
/* Up to n datagrams of d from one final fate to another, the oldest first; only
 * such as are not held if loose. *last becomes the last one moved that is held,
 * if there is one. Returns how many. */
uint64_t sky_held_move_oldest(struct book *b, struct dest *d, enum sky_what from,
    enum sky_what to, uint64_t n, bool loose, struct held **last);

/* --- said.c: who said what --- */

/* The row for (d, what, by, type, code of f), made if need be; NULL if there is
 * no room. */
struct said *sky_said_get(struct book *b, const struct dest *d, enum sky_what what,
    const struct sky_fate *f);
/* f becomes the newest record of the row, without what it points at. */
void sky_said_keep(struct said *s, const struct sky_fate *f);
/* Reporter e tells n more events which cannot be told apart. Returns how many of
 * them nobody had told. */
uint64_t sky_said_more(struct said *s, enum sky_evidence e, uint64_t n);
/* Reporter e tells one event about a datagram; fresh if nobody had told it of
 * that datagram. Returns 1 if it is news, else 0. */
uint64_t sky_said_exact(struct said *s, enum sky_evidence e, bool fresh);

#endif
