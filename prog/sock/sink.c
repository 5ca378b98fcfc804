/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink.c - a server with -i: counts what arrives and throws it away.
 */
#include "run.h"
#include "train.h"

#define REST_ROUNDS 4096	/* a flood must not keep us from ending */
#define DOZE_FROM 2		/* messages found at once */
#define DOZE_NS UINT64_C(200000)
#define DOZE_RCVBUF (2u << 20)	/* as the kernel accounts it */
#define PROGRESS_NS UINT64_C(250000000)

static void
count(struct run *x, unsigned n)
{
	struct sky_msg part;
	size_t off;
	unsigned i;

	run_arrived(x, n);
	for (i = 0; i < n && x->c->verbose; i++)
		for (off = 0; train_next(&x->in[i], &off, x->c->read_size, &part); )
			out_line(&x->out, "received %zu bytes", part.len);
}

/* The kernel's count travels with each datagram; only when it has moved is the
 * socket asked for the whole of it. */
static bool
overflowed(const struct run *x, unsigned n)
{
	const struct sky_msg *m = n ? &x->in[n - 1] : NULL;

	return m && (m->have & SKY_MSG_DROPS) && m->drops != (uint32_t)x->drops_seen;
}

/* In a flood a reader that is woken for each datagram costs the sender more than
 * the datagram: sleep, then find many. Only where the buffer holds what comes
 * meanwhile; a signal ends it. */
static void
doze(struct run *x, unsigned n)
{
	if (n >= DOZE_FROM && x->rcvbuf >= DOZE_RCVBUF)
		run_wait(x, run_clock() + DOZE_NS, false, false);
}

static unsigned
take(struct run *x)
{
	unsigned n = run_receive(x), i;

	for (i = 0; i < n && run_reads_trains(x->c); i++)
		train_whole(&x->in[i]);
	return n;
}

static void
read_some(struct run *x)
{
	unsigned n = take(x);

	count(x, n);
	if (n < x->batch || overflowed(x, n))
		run_drops(x);
	if (n < x->batch)
		run_errors(x);
	if (n && x->c->pause)
		run_pause(x, x->c->pause);
	else if (n < x->batch)
		doze(x, n);
}

/* What is in the queue when the signal comes has arrived in time. */
static void
read_rest(struct run *x)
{
	unsigned n, rounds = 0;

	while (rounds++ < REST_ROUNDS && (n = take(x)) > 0)
		count(x, n);
}

void
sink_run(struct run *x)
{
	uint64_t progress_at = run_clock() + 4 * PROGRESS_NS;

	if (x->c->pause)
		x->batch = 1;	/* the pause is after each read */
	run_pause(x, x->c->initial_pause);
	x->wake.reading = true;
	while (!run_over(x)) {
		if (run_wait(x, RUN_FOREVER, false, true) & RUN_READABLE)
			read_some(x);
		if (!x->out.terminal || run_clock() < progress_at)
			continue;
		progress_at = run_clock() + PROGRESS_NS;
		out_progress(&x->out, "%lu received, %lu dropped", (unsigned long)x->received,
		    (unsigned long)x->drops_seen);
	}
	if (x->pausing)
		run_unread(x);
	else
		read_rest(x);
}
