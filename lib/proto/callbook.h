/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callbook.h - how requests lie in the caller's memory.
 *
 * A request is free, open (in the heap, by its next deadline) or ended (in a
 * list, the oldest first, until it is forgotten). Open and ended ones are found
 * by id in a hash table. Indices count from 1; 0 is none.
 */
#ifndef SKY_PROTO_CALLBOOK_H
#define SKY_PROTO_CALLBOOK_H

#include <sockeye/call.h>

enum req_state { REQ_FREE, REQ_OPEN, REQ_ENDED };

struct req {
	uint64_t id, tag;
	uint64_t started, due, timeout;
	uint64_t digest;		/* of the data, for SKY_CALL_ECHO */
	const void *data;		/* the caller's, while open */
	struct sky_addr dst;
	uint32_t len, peer;
	uint32_t chain, next;		/* hash chain; list of free or ended */
	uint32_t place;			/* in the heap */
	uint32_t answered, damaged, refused, seen;
	uint32_t told_by;		/* the latest copy whose reply told */
	uint32_t copies;
	uint8_t tries, state, what;
	bool told, awaited;
	uint64_t sent_ns[SKY_CALL_TRIES];
};

struct peer {
	struct sky_addr dst;
	struct sky_rto rto;
	uint64_t backed_ns;		/* the last backoff */
	uint64_t used;			/* for finding the one longest unused */
	uint32_t requests;		/* that refer to it */
	bool hinted;
	uint64_t hint_ns;
	struct sky_fate hint;		/* the newest error not vouched for */
};

/* What struct sky_call really is: its words may be read as this. */
struct __attribute__((may_alias)) call {
	struct req *reqs;
	struct peer *peers;		/* [max_peers], then the one that is shared */
	uint32_t *heads, *heap;
	uint64_t key[2], count;		/* ids so far */
	uint64_t total_ns, keep_ns, uses;
	struct sky_rto fresh;
	uint32_t flags, max, mask, tries, max_peers, n_peers;
	uint32_t n_open, awaited;
	uint32_t free, ended, ended_last;
};

_Static_assert(sizeof(struct call) <= sizeof(struct sky_call), "call.h: opaque too small");

/* A free one, now open, with a new id; in the hash table and at the top of the
 * heap. NULL if there is none. */
struct req *sky_callbook_take(struct call *c, uint64_t now);
struct req *sky_callbook_find(const struct call *c, uint64_t id);
/* The open one that is due first; the one that ended first; or NULL. */
struct req *sky_callbook_due(const struct call *c);
struct req *sky_callbook_oldest(const struct call *c);
void sky_callbook_set_due(struct call *c, struct req *r, uint64_t due);
/* From the heap to the list of ended ones. */
void sky_callbook_end(struct call *c, struct req *r, uint64_t forget_at);
/* The one that ended first becomes free. */
void sky_callbook_free_oldest(struct call *c);

/* Refers r to its peer, found, made, or the shared one. */
void sky_callbook_refer(struct call *c, struct req *r);
struct peer *sky_callbook_peer(const struct call *c, const struct sky_addr *dst);

/* Mask of the copies sent so far. */
static inline uint32_t
req_sent(const struct req *r)
{
	return (uint32_t)((UINT64_C(1) << r->tries) - 1);
}

/* Looks again whether r's reply may still be on its way. */
void sky_call_await(struct call *c, struct req *r);
/* Fills in everything about r but fate, data and kind. */
void sky_call_report(const struct req *r, struct sky_call_news *n);
/* r ends with n->fate. */
int sky_call_end(struct call *c, struct req *r, uint64_t now, struct sky_call_news *n);
/* Begins a record about r (or nobody's) as this project's structs begin. */
void sky_call_begin(struct sky_call_news *n, const struct req *r, unsigned nth,
    enum sky_what what, enum sky_evidence by);

#endif
