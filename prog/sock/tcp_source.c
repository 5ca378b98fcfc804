/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_source.c - a client with -i: writes a pattern; what comes back is counted
 * and thrown away, because data that nobody read makes the close a reset.
 */
#include "run.h"
#include "source.h"
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
read_all(struct tcp *t, struct conn *conn)
{
	ssize_t n = 1;

	while (n > 0 && !conn->fin_got) {
		n = conn_read(t, conn);
		if (n > 0 && t->c->verbose)
			out_line(&t->out, "received %zd bytes", n);
	}
}

static void
wait_for(struct tcp *t, struct conn *conn, short events, uint64_t deadline)
{
	struct pollfd p[2];
	short more = conn->fin_got ? 0 : POLLIN | POLLPRI;

	p[1] = (struct pollfd){ .fd = conn->fd, .events = (short)(events | more) };
	tcp_wait(t, p, 2, deadline);
	if (conn->len)
		conn_expire(t, conn, false);
	if (p[1].revents & POLLPRI)
		conn_take_urgent(t, conn);
	if (p[1].revents & (POLLIN | POLLERR | POLLHUP) && !conn->fin_got)
		read_all(t, conn);
}

/* One write, whatever the buffer takes at a time. */
static void
write_one(struct tcp *t, struct conn *conn, const void *data, uint64_t number)
{
	if (t->c->urgent == number && conn_urgent(t, conn, (unsigned char)number) < 0)
		return;
	conn_put(t, conn, data, t->c->write_size);
	while (!tcp_over(t) && conn_flush(t, conn) == 0)
		wait_for(t, conn, POLLOUT, conn_deadline(t, conn, false));
	if (conn->err)
		out_line(&t->out, "write returned -1, expected %lu: %s",
		    (unsigned long)t->c->write_size, strerror(conn->err));
	else if (conn->len == 0 && t->c->verbose)
		out_line(&t->out, "wrote %lu bytes", (unsigned long)t->c->write_size);
}

static void
pause_between(struct tcp *t, struct conn *conn)
{
	uint64_t deadline = run_clock() + t->c->pause;

	while (t->c->pause && !tcp_over(t) && !conn->err && run_clock() < deadline)
		wait_for(t, conn, 0, deadline);
}

void
tcp_source(struct tcp *t, struct conn *conn)
{
	unsigned char *data = source_pattern(t->c->write_size, 1);
	uint64_t n;

	if (!data)
		tcp_say(t, 1, "%s", strerror(ENOMEM));
	for (n = 1; data && n <= t->c->count && !tcp_over(t) && !conn->err; n++) {
		write_one(t, conn, data, n);
		pause_between(t, conn);
	}
	if (!conn->err && !conn->fin_got)
		read_all(t, conn);
	conn_close(t, conn);
	free(data);
}
