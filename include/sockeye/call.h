/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call.h - requests and their replies over datagrams.
 *
 * Sends a request again until it is answered, refused or given up, by the
 * timers of rto.h, one for each peer; knows each reply by an id that cannot be
 * guessed and by the number of the copy that it answers; tells duplicates, late
 * ones, damaged ones and strays from answers; and, where the peer keeps count
 * (sock does), whether a request or its reply was lost. Many requests may be in
 * flight. An error ends a request at once when it quotes it (a forger cannot
 * know the id); otherwise it is a hint, told when the request is given up.
 *
 * Pure: bytes and a time in, bytes and a deadline out. No system call, no
 * clock, no allocation; times are ns of any clock that does not go back. Not
 * for two threads at once. The loop:
 *
 *	while (sky_call_open(&c)) {
 *		while (receive(...))
 *			sky_call_input(&c, now(), &from, data, len, &news);
 *		while (errors(...))
 *			sky_call_event(&c, now(), &fate, &news);
 *		while ((kind = sky_call_poll(&c, now(), buf, size, &news)) > 0)
 *			if (kind == SKY_CALL_SEND)
 *				send(&news.dst, buf, news.len);
 *		wait_until(sky_call_deadline(&c));
 *	}
 *
 * Each started request is told of by exactly one SKY_CALL_ENDED.
 *
 * On the wire a datagram begins with a head of 24 bytes, in network byte order:
 *
 *	 0  4  magic, "SKYR"
 *	 4  1  version, 1
 *	 5  1  kind: 0 request, 1 reply of a peer that keeps count
 *	 6  1  which copy of the request: 1 is the first, 32 the last possible
 *	 7  1  reply: how many copies came so far, 255 for more; request: 0
 *	 8  8  id
 *	16  4  reply: bit N is set if copy N + 1 came; request: 0
 *	20  4  CRC-32C (RFC 3720, B.4) of the 20 bytes before
 *
 * then the data. A service that knows nothing of this and sends back what it
 * got (the echo of RFC 862), or copies the head and sends other data, answers
 * with a head of kind 0: it is known as an answer to that copy, but what was
 * lost is not told.
 */
#ifndef SOCKEYE_CALL_H
#define SOCKEYE_CALL_H

#include <sockeye/fate.h>
#include <sockeye/rto.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKY_CALL_HEAD 24	/* bytes before the data */
#define SKY_CALL_TRIES 32	/* copies of one request, at most */
#define SKY_CALL_DATA (65527 - SKY_CALL_HEAD)	/* bytes of data, at most */
#define SKY_CALL_NEVER UINT64_MAX	/* no deadline */

struct sky_call {
	uint64_t opaque[64];
};

enum sky_call_flag {
	SKY_CALL_ECHO = 1u << 0,	/* a reply with other data than its request is damaged */
};

struct sky_call_conf {
	uint32_t size;			/* sizeof(struct sky_call_conf) */
	uint32_t flags;			/* enum sky_call_flag */
	uint64_t seed[2];		/* unpredictable: getrandom(2) */
	uint32_t requests;		/* in flight and remembered, at most */
	uint32_t peers;			/* with a timer of their own; the others share one */
	uint32_t tries;			/* copies of each at most; 0: 5 */
	uint32_t reserved;
	uint64_t total_ns;		/* give up then; 0: after the last try's timeout */
	uint64_t keep_ns;		/* remember an ended request so long; 0: 60 s */
	struct sky_rto_conf rto;	/* size 0: RFC 6298's values */
};

/* What poll, input, event, unsent and forget return, and put into kind. */
enum sky_call_kind {
	SKY_CALL_NOTHING,
	SKY_CALL_SEND,			/* poll: send len bytes of your buffer to dst */
	SKY_CALL_ENDED,			/* this request: fate says how */
	SKY_CALL_TOLD,			/* fate says what came; it ended nothing */
	SKY_CALL_FORGOTTEN,		/* what was lost is final; id is free */
};

/* Bit N of the masks is about copy N + 1. */
struct sky_call_news {
	uint32_t size;			/* sizeof, set by the filler */
	uint32_t kind;			/* enum sky_call_kind */
	uint64_t id, tag;		/* of the request, if known */
	bool known;			/* it is about a request that is remembered */
	bool first;			/* the first reply to this very copy */
	bool told;			/* the peer keeps count: lost_request, lost_reply,
					 * seen and copies mean something */
	bool reserved;
	uint32_t nth;			/* which copy, from 1; 0: of none */
	uint32_t tries;			/* copies sent so far */
	uint32_t answered;		/* mask: a reply came */
	uint32_t damaged;		/* mask: a reply came, with other data */
	uint32_t refused;		/* mask: a vouched error came, or it never left */
	uint32_t seen;			/* mask: came to the peer, as it said */
	uint32_t copies;		/* that came to the peer, duplicates included */
	/* The other copies: tries = answered + damaged + refused + these three.
	 * Until SKY_CALL_FORGOTTEN a late reply may still mend them. */
	uint32_t lost_request;		/* mask: had not come to the peer when it answered
					 * a later copy */
	uint32_t lost_reply;		/* mask: came to the peer, its reply not to us */
	uint32_t lost_untold;		/* mask: nobody told */
	uint32_t len;			/* SEND: bytes; else of data */
	struct sky_addr dst;		/* the peer that was asked */
	const void *data;		/* a reply's, in the caller's datagram, or NULL */
	uint64_t timeout_ns;		/* SEND: of this copy */
	struct sky_fate fate;		/* not of SEND and FORGOTTEN */
};

/* Bytes of room for so many requests and peers. */
size_t sky_call_room(unsigned requests, unsigned peers);

/* room stays the caller's, aligned for uint64_t, and must outlive c. Returns 0,
 * or -EINVAL for a conf that makes no sense or too little room. */
int sky_call_init(struct sky_call *c, const struct sky_call_conf *conf, void *room, size_t size);

/* A request for dst with these data, which stay the caller's and unchanged
 * until it has ended. Its first copy is due at once: ask sky_call_poll().
 * Returns 0 and the id; -EMSGSIZE above SKY_CALL_DATA; -ENOBUFS if all room is
 * taken: sky_call_forget() makes some unless all are in flight. */
int sky_call_start(struct sky_call *c, uint64_t now, const struct sky_addr *dst,
    const void *data, size_t len, uint64_t tag, uint64_t *id);

/* What is due. SEND: the datagram is in buf and counts as sent now. ENDED: a
 * request was given up (silent, or what was hinted at). FORGOTTEN. NOTHING: ask
 * again at the deadline. -ENOSPC: buf is too small, nothing was done. */
int sky_call_poll(struct sky_call *c, uint64_t now, void *buf, size_t size,
    struct sky_call_news *news);
/* When sky_call_poll() has something to do next. */
uint64_t sky_call_deadline(const struct sky_call *c);

/* A datagram came. ENDED: the answer to a request in flight. TOLD: fate is
 *   duplicated  its request was answered before (first tells apart another
 *               copy's own answer from a second reply to one copy)
 *   late        its request had been given up
 *   corrupted   the head or, with SKY_CALL_ECHO, the data are damaged
 *   stray       no such request, or from another address than was asked (then
 *               known is true, and fate.by says who)
 * data and len are the reply's without the head. */
int sky_call_input(struct sky_call *c, uint64_t now, const struct sky_addr *from,
    const void *data, size_t len, struct sky_call_news *news);

/* An error was learnt. Sets its trust by its quote. ENDED: it quotes a request
 * in flight, and by its word there is no use in waiting. TOLD: anything else;
 * known says whether the request is one that is remembered. A too-big that is
 * vouched for has the next copy sent at once: by then this host knows the MTU. */
int sky_call_event(struct sky_call *c, uint64_t now, struct sky_fate *f,
    struct sky_call_news *news);

/* The copy that poll just gave did not leave, f says why (SKY_BY_CALL). TOLD if
 * that passes (a full queue, no memory): the timer sends the next one. ENDED
 * otherwise. -ENOENT: no such request in flight. */
int sky_call_unsent(struct sky_call *c, uint64_t now, uint64_t id,
    const struct sky_fate *f, struct sky_call_news *news);

/* The request that ended first is forgotten now. FORGOTTEN, or NOTHING. */
int sky_call_forget(struct sky_call *c, struct sky_call_news *news);

unsigned sky_call_open(const struct sky_call *c);	/* in flight */
/* Answered requests with a copy sent after the one that was answered, of which
 * nothing is known yet: its reply may be on its way. */
unsigned sky_call_awaited(const struct sky_call *c);
/* A peer's timer. Returns 0, or -ENOENT. */
int sky_call_timer(const struct sky_call *c, const struct sky_addr *dst, struct sky_rto *out);

/* --- the head, for peers that keep count --- */
enum { SKY_CALL_REQUEST, SKY_CALL_REPLY };
struct sky_call_head {
	uint64_t id;
	uint32_t seen;
	uint8_t kind;			/* SKY_CALL_REQUEST or _REPLY */
	uint8_t nth;			/* 1 .. SKY_CALL_TRIES */
	uint8_t copies;
	uint8_t reserved;
};
/* Returns 0; -ENOMSG if it does not begin as a head does; -EPROTONOSUPPORT for
 * another version; -EBADMSG if it is cut, damaged or makes no sense. */
int sky_call_head_decode(struct sky_call_head *h, const void *data, size_t len);
/* Returns SKY_CALL_HEAD, or -ENOSPC, or -EINVAL for what decode would refuse. */
int sky_call_head_encode(const struct sky_call_head *h, void *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
