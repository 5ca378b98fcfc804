/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - a client with -i: sends a pattern, reads whatever comes back.
 */
#include "run.h"
#include "source.h"
#include "train.h"

#include <errno.h>
#include <stdlib.h>

#define PATTERN_FIRST ' '	/* the printable characters, over and over */
#define PATTERN_SIZE 95
#define PROGRESS_NS UINT64_C(250000000)
#define TRAINS 8		/* in one call */
#define HOLD_MOST 65536		/* datagrams */

struct source {
	uint64_t next, total;	/* datagrams, over all destinations */
	uint64_t progress_at;
	uint64_t time_ns;	/* when the batch was begun */
	unsigned train;		/* datagrams in a full train; 1: none */
	unsigned char *pattern;	/* that many */
	uint64_t held;		/* sent, and the ledger not yet told, since */
	uint64_t held_ns;
	unsigned filled;	/* messages of the batch */
	unsigned parts[RUN_BATCH]; /* datagrams in each */
	struct sky_msg out[RUN_BATCH];
};

/* The ledger hears of trains when it has to: before anything that was learnt,
 * and now and then. */
static void
release(struct run *x, struct source *s)
{
	if (s->held)
		run_sent(x, &x->c->dests[0], s->held, s->held_ns);
	s->held = 0;
}

static void
drain(struct run *x)
{
	unsigned n, i;

	release(x, x->role);
	do {
		n = run_receive(x);
		for (i = 0; i < n; i++) {
			if (x->c->verbose)
				out_line(&x->out, "received %zu bytes", x->in[i].len);
			run_answer(x, &x->in[i]);
		}
	} while (n == x->batch && !run_over(x));
	run_errors(x);
	run_drops(x);
}

static const struct sky_addr *
dest_of(const struct run *x, uint64_t number)
{
	return &x->c->dests[number % x->c->ndests];
}

/* One error may stand for a whole train where it never became single datagrams:
 * from the first one on each datagram goes alone and has its own. */
static bool
may_train(const struct run *x, const struct source *s)
{
	return s->train > 1 && x->c->ndests == 1 && !x->learnt;
}

static void
put(struct run *x, struct source *s, unsigned i, uint64_t number, unsigned parts)
{
	struct sky_msg *m = &s->out[i];

	s->parts[i] = parts;
	m->data = s->pattern;
	m->len = parts * x->c->write_size;
	m->seg = parts > 1 ? (uint32_t)x->c->write_size : 0;
	m->have = x->end.connected ? 0 : SKY_MSG_PEER;
	m->peer = *dest_of(x, number);
	m->status = 0;
}

/* Destinations take turns. The first ones go out one by one, so that the round
 * trips of a short run are exact. */
static unsigned
fill(struct run *x, struct source *s)
{
	bool single = x->c->pause || x->end.plain || s->next < RUN_BATCH;
	bool trains = !single && may_train(x, s);
	/* A plain socket's error comes with the next write. */
	unsigned most = single ? 1 : trains ? TRAINS : RUN_BATCH;
	uint64_t number = s->next;
	unsigned n;

	for (n = 0; n < most && number < s->total; n++) {
		uint64_t left = s->total - number;
		unsigned parts = !trains ? 1 : left < s->train ? (unsigned)left : s->train;

		put(x, s, n, number, parts);
		number += parts;
	}
	s->filled = n;
	s->time_ns = run_now();
	return n;
}

static void
hold(struct run *x, struct source *s, uint64_t n)
{
	if (!s->held)
		s->held_ns = s->time_ns;
	s->held += n;
	if (s->parts[0] == 1 || s->held >= HOLD_MOST)
		release(x, s);
}

static void
say_written(struct run *x, unsigned n)
{
	while (x->c->verbose && n--)
		out_line(&x->out, "wrote %lu bytes", (unsigned long)x->c->write_size);
}

/* A train of which not all went out: the library counted those that did. */
static void
settle_some(struct run *x, struct source *s, struct sky_msg *m, unsigned parts)
{
	struct sky_udp_info info = { .size = sizeof(info) };
	unsigned went = 0;

	if (sky_udp_info(&x->end.u, &info) == 0 && info.tx > x->sent)
		went = info.tx - x->sent < parts ? (unsigned)(info.tx - x->sent) : parts;
	hold(x, s, went);
	release(x, s);
	m->len = x->c->write_size;
	for (; went < parts && !x->failed; went++)
		run_refused(x, &x->c->dests[0], m, "write");
}

static void
settle_one(struct run *x, struct source *s, unsigned i)
{
	struct sky_msg *m = &s->out[i];
	unsigned parts = s->parts[i];

	if (m->status == 0) {
		say_written(x, parts);
		if (x->c->ndests > 1)
			run_sent(x, dest_of(x, s->next), 1, s->time_ns);
		else
			hold(x, s, parts);
		return;
	}
	release(x, s);
	if (parts > 1)
		settle_some(x, s, m, parts);
	else
		run_refused(x, dest_of(x, s->next), m, "write");
}

/* Tells the ledger of one batch, of which n messages are settled. */
static void
settle(struct run *x, struct source *s, unsigned n)
{
	const struct sky_msg *m;
	unsigned i, went;

	for (i = 0; i < n && !x->failed; i++) {
		settle_one(x, s, i);
		s->next += s->parts[i];
	}
	m = &s->out[i];
	if (i < n || n == s->filled || m->len == s->parts[i] * x->c->write_size)
		return;
	/* a train that stopped in the middle for want of room has moved on */
	went = s->parts[i] - (unsigned)(m->len / x->c->write_size);
	say_written(x, went);
	hold(x, s, went);
	s->next += went;
}

static void
send_batch(struct run *x, struct source *s)
{
	unsigned n = fill(x, s);

	settle(x, s, end_send(&x->end, &x->out, s->out, n));
}

static void
show_progress(struct run *x, struct source *s)
{
	struct sky_ledger_dest total;
	uint64_t now;

	if (!x->out.terminal || (now = run_clock()) < s->progress_at)
		return;
	s->progress_at = now + PROGRESS_NS;
	sky_ledger_total(&x->ledger, &total);
	out_progress(&x->out, "%lu of %lu sent, %lu answered", (unsigned long)s->next,
	    (unsigned long)s->total, (unsigned long)total.counts[SKY_ANSWERED]);
}

/* Reads until the time for the next datagram has come; without a pause, reads
 * what is there. On a plain socket it only pauses: the next write shall tell. */
static void
between(struct run *x, struct source *s)
{
	uint64_t pause = s->next < s->total ? x->c->pause : 0;
	uint64_t deadline = pause ? run_clock() + pause : 0;
	unsigned events;

	if (x->end.plain) {
		run_pause(x, pause);
		return;
	}
	do {
		events = run_wait(x, deadline, false, true);
		if (events & RUN_READABLE)
			drain(x);
		show_progress(x, s);
	} while (!run_over(x) && !(events & RUN_TIME) && run_clock() < deadline);
}

unsigned char *
source_pattern(uint64_t size, unsigned copies)
{
	unsigned char *p = malloc(size * copies + 1);
	uint64_t i;

	for (i = 0; p && i < size * copies; i++)
		p[i] = (unsigned char)(PATTERN_FIRST + i % size % PATTERN_SIZE);
	return p;
}

static struct source *
source_new(struct run *x)
{
	struct source *s = calloc(1, sizeof(*s));
	const struct config *c = x->c;

	if (!s)
		return NULL;
	s->train = c->ndests == 1 && !c->no_trains ? train_parts_of(sky_addr_family(&c->dests[0]),
	    c->write_size) : 1;
	s->pattern = source_pattern(c->write_size, s->train);
	s->total = c->count * c->ndests;
	s->progress_at = run_clock() + 4 * PROGRESS_NS;
	memory_pattern(&x->memory, s->pattern, c->write_size);
	return s;
}

void
source_run(struct run *x)
{
	struct source *s = source_new(x);

	if (!s || !s->pattern) {
		end_say_error("sock", ENOMEM);
		x->failed = ENOMEM;
		free(s);
		return;
	}
	x->role = s;
	run_pause(x, x->c->initial_pause);
	while (!run_over(x) && s->next < s->total) {
		send_batch(x, s);
		between(x, s);
	}
	release(x, s);
	linger_run(x, drain);
	x->role = NULL;
	free(s->pattern);
	free(s);
}
