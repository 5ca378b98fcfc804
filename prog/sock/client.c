/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client.c - standard input to the socket, what comes back to standard output.
 *
 * Each read of input is one datagram, as in the sources: a line, on a terminal.
 * The end of input does not end what was asked already: answers and errors are
 * waited for.
 */
#include "data.h"
#include "crlf.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

static void
print_reply(struct run *x, const struct sky_msg *m)
{
	if (m->len == 0 && x->c->verbose)
		out_line(&x->out, "received 0 bytes");
	run_print(x, m);
}

static void
drain(struct run *x)
{
	unsigned n, i;

	do {
		n = run_receive(x);
		for (i = 0; i < n; i++) {
			print_reply(x, &x->in[i]);
			run_answer(x, &x->in[i]);
		}
	} while (n == x->batch && !run_over(x));
	run_errors(x);
	run_drops(x);
}

/* Hands one datagram to the kernel, however long its buffer stays full. */
static void
send_one(struct run *x, const struct sky_addr *dst, void *data, size_t len)
{
	struct sky_msg m = {
		.data = data,
		.len = len,
		.have = x->end.connected ? 0 : SKY_MSG_PEER,
		.peer = *dst,
	};
	uint64_t now = run_now();

	while (!run_over(x) && end_send(&x->end, &x->out, &m, 1) == 0) {
		run_wait(x, 0, false, false);
		now = run_now();
	}
	if (run_over(x))
		return;
	if (m.status < 0) {
		run_refused(x, dst, &m, "write");
		return;
	}
	memory_keep(&x->memory, dst, data, len);
	run_sent(x, dst, 1, now);
}

/* Returns false at the end of input. */
static bool
read_input(struct run *x, char *buf)
{
	ssize_t len = data_read(buf, x->c->read_size);
	char *data = buf;
	unsigned i;

	if (len < 0)
		x->failed = (int)-len;
	if (len <= 0)
		return false;
	if (x->c->crlf) {
		data = buf + x->c->read_size;
		len = (ssize_t)crlf_put(data, buf, (size_t)len);
	}
	for (i = 0; i < x->c->ndests; i++)
		send_one(x, &x->c->dests[i], data, (size_t)len);
	return true;
}

void
client_run(struct run *x)
{
	char *buf = malloc(x->c->read_size + CRLF_ROOM(x->c->read_size));
	bool input = buf != NULL;
	unsigned events;

	run_pause(x, x->c->initial_pause);
	while (!run_over(x) && input) {
		events = run_wait(x, RUN_FOREVER, true, true);
		if (events & RUN_READABLE)
			drain(x);
		if (!run_over(x) && (events & RUN_INPUT))
			input = read_input(x, buf);
	}
	x->wake.reading = true;
	linger_run(x, drain);
	free(buf);
}
