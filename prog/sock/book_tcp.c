/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * book_tcp.c - clients of the literature over TCP.
 */
#include "book.h"
#include "data.h"
#include "lines.h"
#include "tcp.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Waits until the connection, or with input also standard input, is ready. */
static void
await(struct tcp *t, struct conn *conn, bool input, short events, struct pollfd p[3])
{
	p[1] = (struct pollfd){ .fd = conn->fd, .events = events };
	p[2] = (struct pollfd){ .fd = input ? STDIN_FILENO : -1, .events = POLLIN };
	tcp_wait(t, p, 3, TCP_FOREVER);
}

/* Reads once, when there is something. Returns bytes, or 0 at the end. */
static size_t
get(struct tcp *t, struct conn *conn)
{
	struct pollfd p[3];
	ssize_t n = -EAGAIN;

	while (n == -EAGAIN && !tcp_over(t)) {
		await(t, conn, false, POLLIN, p);
		if (p[1].revents)
			n = conn_read(t, conn);
	}
	return n > 0 ? (size_t)n : 0;
}

void
book_read_run(struct tcp *t, struct conn *conn)
{
	size_t n;

	while (!tcp_over(t) && (n = get(t, conn)) > 0)
		if (data_print(t->in, n) < 0)
			break;
	conn_close(t, conn);
}

/* Returns false when it cannot all be sent. */
static bool
put(struct tcp *t, struct conn *conn, const void *data, size_t len)
{
	struct pollfd p[3];
	int rc;

	conn_put(t, conn, data, len);
	while ((rc = conn_flush(t, conn)) == 0 && !tcp_over(t))
		await(t, conn, false, POLLOUT, p);
	return rc > 0;
}

/* What was sent comes back, whole or in parts. */
static bool
echo_one(struct tcp *t, struct conn *conn, const char *line, size_t len)
{
	size_t back = 0, n = 0;

	if (!put(t, conn, line, len))
		return false;
	while (back < len && (n = get(t, conn)) > 0) {
		if (back == 0)
			fputs(t->c->book->echoed, stdout);
		data_print(t->in, n);
		back += n;
	}
	return back >= len;
}

/* Length of the next line; 0 when there is none, or the server has gone. */
static size_t
next_line(struct tcp *t, struct conn *conn, struct lines *l)
{
	struct pollfd p[3];
	size_t n;

	while ((n = lines_have(l)) == 0 && !l->ended && !tcp_over(t)) {
		await(t, conn, true, POLLIN, p);
		if (p[1].revents && conn_read(t, conn) <= 0 && (conn->fin_got || conn->err))
			return 0;
		if (p[2].revents)
			lines_read(l);
	}
	return n;
}

void
book_echo_run(struct tcp *t, struct conn *conn)
{
	struct lines l = { .len = 0 };
	size_t n;

	while (!tcp_over(t) && (n = next_line(t, conn, &l)) > 0) {
		if (!echo_one(t, conn, l.data, n))
			break;
		lines_drop(&l, n);
	}
	if (conn->fin_got && !tcp_over(t))
		tcp_say(t, 3, "The server terminated prematurely");
	conn_close(t, conn);
}
