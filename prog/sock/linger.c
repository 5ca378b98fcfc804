/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linger.c - after the last datagram: errors come late.
 *
 * A router's error needs a round trip, and the kernel needs about three seconds
 * to find that a neighbour does not answer; a program that ends at once hears
 * of neither.
 */
#include "run.h"

#define MOST_NS UINT64_C(4000000000)	/* for a neighbour that may be dead */
#define STEP_NS UINT64_C(50000000)

/* True while a destination without news waits for its neighbour's address. */
static bool
unresolved(const struct run *x)
{
	struct sky_ledger_dest d;
	unsigned i;

	for (i = 0; sky_ledger_dest(&x->ledger, i, &d) == 0; i++)
		if (d.counts[SKY_SENT] && sky_neighbour_unresolved(&d.dst))
			return true;
	return false;
}

/* A plain socket that expects an answer waits as the sources' clients did. */
static uint64_t
first_deadline(const struct run *x)
{
	if (x->end.plain && x->c->expect_answer && !x->c->have_wait)
		return RUN_FOREVER;
	return run_clock() + x->c->wait;
}

void
linger_run(struct run *x, void (*drain)(struct run *))
{
	uint64_t most = run_clock() + MOST_NS;
	uint64_t deadline = first_deadline(x);

	while (!run_over(x) && sky_ledger_open(&x->ledger) > 0) {
		if (run_wait(x, deadline, false, true) & RUN_READABLE) {
			drain(x);
			continue;
		}
		if (run_clock() < deadline)
			continue;
		if (!x->c->wait || x->end.plain || run_clock() >= most || !unresolved(x))
			break;
		deadline = run_clock() + STEP_NS;
	}
}
