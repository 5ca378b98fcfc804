/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * book_udp.c - clients of the literature over UDP: one datagram, then nothing
 * until its answer, or until it is known that there will be none.
 */
#include "book.h"
#include "lines.h"
#include "run.h"

#include <stdio.h>
#include <string.h>

/* Reads what came, and all fates. */
static void
drain(struct run *x)
{
	unsigned n, i;

	do {
		n = run_receive(x);
		for (i = 0; i < n; i++) {
			if (x->c->book->udp == book_lines_run)
				run_print(x, &x->in[i]);
			run_answer(x, &x->in[i]);
		}
	} while (n == x->batch && !run_over(x));
	run_errors(x);
}

static void
send_one(struct run *x, void *data, size_t len)
{
	const struct sky_addr *dst = &x->c->dests[0];
	struct sky_msg m = {
		.data = data, .len = len, .peer = *dst,
		.have = x->end.connected ? 0 : SKY_MSG_PEER,
	};
	uint64_t now = run_now();

	while (!run_over(x) && end_send(&x->end, &x->out, &m, 1) == 0)
		run_wait(x, 0, false, false);
	if (run_over(x))
		return;
	if (m.status < 0) {
		run_refused(x, dst, &m, "sendto");
		return;
	}
	memory_keep(&x->memory, dst, data, len);
	run_sent(x, dst, 1, now);
}

/* For ever, as those programs did, unless the fate gets known. */
static void
await_fate(struct run *x)
{
	while (!run_over(x) && sky_ledger_open(&x->ledger) > 0)
		if (run_wait(x, RUN_FOREVER, false, true) & RUN_READABLE)
			drain(x);
}

/* Length of the next line; 0 at the end of input. */
static size_t
next_line(struct run *x, struct lines *l)
{
	size_t n;

	while ((n = lines_have(l)) == 0 && !l->ended && !run_over(x))
		if (run_wait(x, RUN_FOREVER, true, false) & RUN_INPUT)
			lines_read(l);
	return n;
}

void
book_lines_run(struct run *x)
{
	struct lines l = { .len = 0 };
	size_t n;

	while (!run_over(x) && (n = next_line(x, &l)) > 0) {
		send_one(x, l.data, n);
		lines_drop(&l, n);
		await_fate(x);
	}
}

/* The errno of the one datagram's fate, 0 if it was answered. */
static int
errno_of(const struct run *x)
{
	struct sky_ledger_row row;
	unsigned i;

	if (x->failed)
		return x->failed;
	for (i = 0; sky_ledger_row(&x->ledger, i, &row) == 0; i++)
		if (sky_fate_is_bad((enum sky_what)row.what))
			return row.last.err;
	return 0;
}

void
book_once_run(struct run *x)
{
	char message[] = "Hello, world!";	/* with its NUL, as the original */
	int err;

	send_one(x, message, sizeof(message));
	await_fate(x);
	err = errno_of(x);
	if (err && !x->failed)
		end_say_error("recv error", err);
}
