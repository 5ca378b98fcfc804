/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - a client with -i: sends a pattern, reads whatever comes back.
 */
#include "run.h"
#include "source.h"

#include <errno.h>
#include <stdlib.h>

#define PATTERN_FIRST ' '	/* the printable characters, over and over */
#define PATTERN_SIZE 95
#define PROGRESS_NS UINT64_C(250000000)

struct source {
	uint64_t next, total;	/* datagrams, over all destinations */
	uint64_t progress_at;
	uint64_t time_ns;	/* when the batch was begun */
	struct sky_msg out[RUN_BATCH];
};

static void
drain(struct run *x)
{
	unsigned n, i;

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

/* Destinations take turns. The first ones go out one by one, so that the round
 * trips of a short run are exact. */
static unsigned
fill(struct run *x, struct source *s)
{
	bool single = x->c->pause || x->end.plain || s->next < RUN_BATCH;
	/* A plain socket's error comes with the next write. */
	unsigned most = single ? 1 : RUN_BATCH;
	unsigned n;

	for (n = 0; n < most && s->next + n < s->total; n++) {
		s->out[n].have = x->end.connected ? 0 : SKY_MSG_PEER;
		s->out[n].peer = *dest_of(x, s->next + n);
		s->out[n].status = 0;
	}
	s->time_ns = run_now();
	return n;
}

/* Tells the ledger of one batch; runs of one destination in one go. */
static void
settle(struct run *x, struct source *s, unsigned n)
{
	unsigned i, run = 0;

	for (i = 0; i < n && !x->failed; i++) {
		if (s->out[i].status < 0) {
			run_refused(x, dest_of(x, s->next + i), &s->out[i], "write");
			continue;
		}
		if (x->c->verbose)
			out_line(&x->out, "wrote %zu bytes", s->out[i].len);
		if (x->c->ndests > 1)
			run_sent(x, dest_of(x, s->next + i), 1, s->time_ns);
		else
			run++;
	}
	if (run)
		run_sent(x, &x->c->dests[0], run, s->time_ns);
	s->next += n;
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
source_pattern(uint64_t size)
{
	unsigned char *p = malloc(size + 1);
	uint64_t i;

	for (i = 0; p && i < size; i++)
		p[i] = (unsigned char)(PATTERN_FIRST + i % PATTERN_SIZE);
	return p;
}

static void
prepare(struct run *x, struct source *s, unsigned char *pattern)
{
	unsigned i;

	s->total = x->c->count * x->c->ndests;
	s->progress_at = run_clock() + 4 * PROGRESS_NS;
	for (i = 0; i < RUN_BATCH; i++) {
		s->out[i].data = pattern;
		s->out[i].len = x->c->write_size;
	}
	memory_pattern(&x->memory, pattern, x->c->write_size);
}

void
source_run(struct run *x)
{
	unsigned char *pattern = source_pattern(x->c->write_size);
	struct source *s = calloc(1, sizeof(*s));

	if (!pattern || !s) {
		end_say_error("sock", ENOMEM);
		x->failed = ENOMEM;
	} else {
		prepare(x, s, pattern);
		run_pause(x, x->c->initial_pause);
	}
	while (!run_over(x) && s->next < s->total) {
		settle(x, s, end_send(&x->end, &x->out, s->out, fill(x, s)));
		between(x, s);
	}
	linger_run(x, drain);
	free(s);
	free(pattern);
}
