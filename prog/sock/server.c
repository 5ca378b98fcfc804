/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server.c - prints what arrives; what is typed goes to the last client, from
 * the address that the client wrote to. No error ends it.
 */
#include "data.h"
#include "crlf.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "from A: ", "from A, to D: ", as in the sources, and the data. */
static void
print_arrival(struct run *x, const struct sky_msg *m)
{
	char from[SKY_ADDRSTRLEN], to[SKY_ADDRSTRLEN];

	if (x->c->verbose || x->c->show_dest)
		printf("from %s", sky_addr_format_host(&m->peer, from, sizeof(from)));
	if (x->c->show_dest && (m->have & SKY_MSG_LOCAL))
		printf(", to %s", sky_addr_format_host(&m->local, to, sizeof(to)));
	if (x->c->verbose || x->c->show_dest)
		fputs(": ", stdout);
	if ((m->flags & SKY_MSG_TRUNC) && x->c->truncation == TRUNCATION_RENO)
		puts("(datagram truncated)");
	if (m->len == 0 && x->c->verbose)
		puts("(0 bytes)");
	run_print(x, m);
}

static void
drain(struct run *x, struct sky_msg *last)
{
	unsigned n, i;

	do {
		n = run_receive(x);
		for (i = 0; i < n; i++)
			print_arrival(x, &x->in[i]);
		run_arrived(x, n);
		if (n)
			*last = x->in[n - 1];
	} while (n == x->batch && !run_over(x));
	run_errors(x);
	run_drops(x);
}

static void
answer(struct run *x, const struct sky_msg *last, void *data, size_t len)
{
	uint64_t now = run_now();
	struct sky_msg m;

	memset(&m, 0, sizeof(m));
	if (sky_udp_reply(&m, last) < 0) {
		out_line(&x->out, "nobody to answer yet: %zu bytes not sent", len);
		return;
	}
	m.data = data;
	m.len = len;
	while (!run_over(x) && end_send(&x->end, &x->out, &m, 1) == 0)
		run_wait(x, 0, false, false);
	if (run_over(x))
		return;
	if (m.status < 0) {
		run_refused(x, &last->peer, &m, "write");
		return;
	}
	memory_keep(&x->memory, &last->peer, data, len);
	run_sent(x, &last->peer, 1, now);
}

/* Returns false at the end of input, which ends only the answering. */
static bool
read_input(struct run *x, const struct sky_msg *last, char *buf)
{
	ssize_t len = data_read(buf, x->c->read_size);
	char *data = buf;

	if (len <= 0)
		return false;
	if (x->c->crlf) {
		data = buf + x->c->read_size;
		len = (ssize_t)crlf_put(data, buf, (size_t)len);
	}
	answer(x, last, data, (size_t)len);
	return true;
}

void
server_run(struct run *x)
{
	struct sky_msg last = { .have = 0 };
	char *buf = malloc(x->c->read_size + CRLF_ROOM(x->c->read_size));
	bool input = buf != NULL;
	unsigned events;

	run_pause(x, x->c->initial_pause);
	x->wake.reading = true;
	while (!run_over(x)) {
		events = run_wait(x, RUN_FOREVER, input, true);
		if (events & RUN_READABLE)
			drain(x, &last);
		if (!run_over(x) && (events & RUN_INPUT))
			input = read_input(x, &last, buf);
	}
	if (x->pausing)
		run_unread(x);
	else
		drain(x, &last);
	free(buf);
}
