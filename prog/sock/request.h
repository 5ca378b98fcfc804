/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.h - a client with --request: asks, checks each answer, asks again.
 *
 * Each line of input (with -i: each pattern) is a request to each destination;
 * the next one goes out when the one before has ended. The library's call.h
 * decides what is sent when and whose the answers are; this is the loop around
 * it and what people are told.
 */
#ifndef SOCK_REQUEST_H
#define SOCK_REQUEST_H

#include "run.h"

#include <sockeye/call.h>

/* One destination. */
struct request_to {
	const struct sky_addr *dst;
	uint64_t todo;			/* requests to start */
	uint64_t asked, next_at;	/* so far; when the next may start (ns) */
	bool busy;			/* one is in flight */
	uint64_t answered, ended;
	uint64_t again, needless;	/* copies after the first; of them, in vain */
	uint64_t lost_request, lost_reply, lost_untold;
	uint64_t doubled;		/* requests that came twice to the peer */
	bool told;
};

struct request {
	struct run *x;
	struct sky_call call;
	void *room;
	struct request_to *to;		/* x->c->ndests of them */
	unsigned busy;			/* destinations with one in flight */
	bool input;			/* lines of input are asked */
	bool end;			/* of input */
	unsigned char *text;		/* the request; with input, what was read */
	size_t len, used, cap;		/* of the request; of text */
	unsigned char *out;		/* one datagram */
	struct sky_msg *in;		/* REQUEST_BATCH of them, each with room for any */
	uint64_t drops_at;		/* when the socket's counter was asked last */
	unsigned turns;			/* with --spin: since signals were looked for */
	struct sky_call_news late;	/* with --spin: an answer that is booked while the */
	struct sky_addr late_from;	/* next request is on its way */
	uint64_t late_at;		/* 0: none */
};

#define REQUEST_BATCH 8

/* What --request needs of the rest of the command line; wrong input ends the
 * program with status 2. */
void request_opts(struct config *c);

/* The role. */
void request_run(struct run *x);

/* --- request_text.c: what is asked --- */

/* The pattern of -i, or room for lines. Returns false if memory is short. */
bool request_text_open(struct request *q);
/* Reads what is there of standard input. */
void request_text_read(struct request *q);
/* The next line becomes the request; false if there is none yet, or ever. */
bool request_text_next(struct request *q);

/* --- request_tell.c: what was learnt --- */
void request_sent(struct request *q, const struct sky_call_news *n, uint64_t time_ns);
/* The kernel did not take a copy: the record of it. */
void request_unsent(struct request *q, const struct sky_call_news *n, const struct sky_msg *m,
    struct sky_fate *f);
/* A datagram came, or time ran out: any kind of news. time_ns: when. */
void request_news(struct request *q, struct sky_call_news *n, const struct sky_addr *from,
    uint64_t time_ns);
/* An error came. */
void request_error(struct request *q, struct sky_call_news *n, struct sky_fate *f);
/* The lines and records about each destination. */
void request_summary(struct request *q);

static inline struct request_to *
request_to(const struct request *q, const struct sky_call_news *n)
{
	return &q->to[n->tag % q->x->c->ndests];
}

/* Which request of its destination, from 1. */
static inline uint64_t
request_number(const struct request *q, const struct sky_call_news *n)
{
	return n->tag / q->x->c->ndests + 1;
}

#endif
