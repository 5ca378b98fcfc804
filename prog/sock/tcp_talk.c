/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_talk.c - standard input to a connection, what comes to standard output;
 * or, with -i, counted and thrown away.
 *
 * A client has one connection. A server takes one and ends with it, as in the
 * sources, or with --all any number: what is typed goes to the latest of them.
 */
#include "crlf.h"
#include "data.h"
#include "run.h"
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READS 64		/* of one connection before the others get their turn */
#define MOST 1024			/* connections at once, with --all */
#define STARVED_NS UINT64_C(100000000)	/* until accept is tried again */
#define TELL_NS UINT64_C(50000000)	/* with -v, how often the queue is looked at */
#define QUIET_NS UINT64_C(50000000)	/* an answer is over */

struct talk {
	struct conn *conns;
	unsigned n;
	struct pollfd *p;	/* signals, standard input, listener, connections */
	char *typed;		/* c->read_size of room */
	bool input;		/* standard input is open */
	bool input_used;	/* something was read from it */
	uint64_t until;		/* input has ended: an answer is waited for till then */
};

enum { P_SIGNAL, P_INPUT, P_LISTENER, P_CONNS };

static struct conn *
latest(struct talk *k)
{
	return k->n ? &k->conns[k->n - 1] : NULL;
}

static void
consume(struct tcp *t, struct conn *conn, size_t n)
{
	int rc = 0;

	if (t->c->source_sink) {
		if (t->c->verbose)
			out_line(&t->out, "received %zu bytes", n);
		return;
	}
	if (t->c->crlf)
		n = crlf_strip(t->in, n);
	if (n)
		rc = data_print(t->in, n);
	if (rc < 0)
		t->out.failed = -rc;	/* which ends it, and is told then */
}

/* Returns true if there may be more. */
static bool
read_conn(struct tcp *t, struct talk *k, struct conn *conn)
{
	ssize_t n = conn_read(t, conn);

	if (n > 0)
		consume(t, conn, (size_t)n);
	if (n > 0 && k->until != TCP_FOREVER)
		k->until = run_clock() + QUIET_NS;
	if (n > 0 && t->c->source_sink)
		tcp_pause(t, t->c->pause);
	return n == (ssize_t)t->c->read_size;
}

/* A sink takes what is there; whoever shows it takes turns. */
static void
read_some(struct tcp *t, struct talk *k, struct conn *conn)
{
	unsigned reads = t->c->source_sink && !t->c->pause ? READS : 1;

	while (reads-- > 0 && read_conn(t, k, conn) && !tcp_over(t))
		continue;
}

/* The end of input closes, or with -h closes our half. On a server that was
 * never typed to (its input is /dev/null) it means nothing. */
static void
input_ended(struct tcp *t, struct talk *k, struct conn *conn)
{
	bool waits = !isatty(STDIN_FILENO) && conn && conn->sent > conn->answered;

	k->input = false;
	if (!conn || (t->c->server && (t->c->all || !k->input_used)))
		return;
	if (t->c->half_close)
		conn_half_close(t, conn);
	else
		k->until = waits && !t->c->server ? run_clock() + t->c->wait : 0;
}

static void
read_input(struct tcp *t, struct talk *k)
{
	struct conn *conn = latest(k);
	ssize_t n = data_read(k->typed, t->c->read_size);
	size_t len;

	if (n < 0)
		t->status = t->status ? t->status : 1;
	if (n <= 0) {
		input_ended(t, k, conn);
		return;
	}
	k->input_used = true;
	if (!conn->buf)
		conn->buf = malloc(CRLF_ROOM(t->c->read_size));
	if (!conn->buf) {
		tcp_say(t, 1, "%s", strerror(ENOMEM));
		k->input = false;
		return;
	}
	len = (size_t)n;
	if (t->c->crlf)
		len = crlf_put(conn->buf, k->typed, len);
	else
		memcpy(conn->buf, k->typed, len);
	conn_put(t, conn, conn->buf, len);
	conn_flush(t, conn);
}

static void
remove_conn(struct tcp *t, struct talk *k, unsigned i)
{
	conn_close(t, &k->conns[i]);
	t->starved = false;
	memmove(&k->conns[i], &k->conns[i + 1], (k->n - i - 1) * sizeof(*k->conns));
	k->n--;
}

static bool
accepts(const struct tcp *t, const struct talk *k)
{
	return t->listener >= 0 && !t->starved && k->n < (t->c->all ? MOST : 1);
}

/* A read is waited for where nothing else is. */
static bool
reads_only(const struct tcp *t, const struct talk *k)
{
	return !k->input || t->c->server;
}

static uint64_t
deadline(const struct tcp *t, const struct talk *k)
{
	uint64_t at = t->starved ? run_clock() + STARVED_NS : k->until, by;
	unsigned i;

	if (t->listener >= 0 && t->c->verbose && run_clock() + TELL_NS < at)
		at = run_clock() + TELL_NS;
	for (i = 0; i < k->n; i++) {
		by = conn_deadline(t, &k->conns[i], reads_only(t, k));
		at = by < at ? by : at;
	}
	return at;
}

/* What to wait for. Input is read only when what was typed before is sent. */
static uint64_t
prepare(struct tcp *t, struct talk *k)
{
	const struct conn *last = latest(k);
	bool input = k->input && last && !last->len && !last->fin_sent && !t->c->source_sink;
	unsigned i;

	k->p[P_INPUT] = (struct pollfd){ .fd = input ? STDIN_FILENO : -1, .events = POLLIN };
	k->p[P_LISTENER] = (struct pollfd){ .fd = accepts(t, k) ? t->listener : -1, .events = POLLIN };
	for (i = 0; i < k->n; i++) {
		k->p[P_CONNS + i].fd = k->conns[i].fd;
		k->p[P_CONNS + i].events = (short)((k->conns[i].fin_got ? 0 : POLLIN | POLLPRI) |
		    (k->conns[i].len ? POLLOUT : 0));
	}
	return deadline(t, k);
}

static void
accept_one(struct tcp *t, struct talk *k, int *alive)
{
	*alive = tcp_accept(t, &k->conns[k->n]);
	if (*alive <= 0)
		return;
	k->n++;
	tcp_pause(t, t->c->initial_pause);
}

static void
serve_ready(struct tcp *t, struct talk *k, unsigned polled)
{
	unsigned i;
	short got;

	for (i = polled; i-- > 0; ) {
		got = k->p[P_CONNS + i].revents;
		if (got & POLLPRI)
			conn_take_urgent(t, &k->conns[i]);
		if (got & (POLLIN | POLLERR | POLLHUP))
			read_some(t, k, &k->conns[i]);
		if (got & POLLOUT && !k->conns[i].err)
			conn_flush(t, &k->conns[i]);
		conn_expire(t, &k->conns[i], reads_only(t, k));
		if (k->conns[i].err || k->conns[i].fin_got)
			remove_conn(t, k, i);
	}
}

/* Until nothing is left to do. */
static void
loop(struct tcp *t, struct talk *k)
{
	unsigned polled;
	int alive = 1;
	bool first = t->listener >= 0;

	while (!tcp_over(t) && alive >= 0 && (k->n || first || (t->c->all && t->c->server))) {
		polled = k->n;
		tcp_wait(t, k->p, P_CONNS + polled, prepare(t, k));
		t->starved = false;
		tcp_tell_queue(t);
		if (k->p[P_INPUT].revents)
			read_input(t, k);
		serve_ready(t, k, polled);
		if (k->p[P_LISTENER].revents && !tcp_over(t))
			accept_one(t, k, &alive);
		if (k->n)
			first = false;
		if (run_clock() >= k->until)
			break;
	}
}

void
tcp_talk(struct tcp *t, struct conn *conn)
{
	unsigned most = t->c->server && t->c->all ? MOST : 1;
	struct talk k = {
		.conns = calloc(most, sizeof(*k.conns)),
		.p = calloc(P_CONNS + most, sizeof(*k.p)),
		.typed = malloc(t->c->read_size),
		.input = !t->c->source_sink,
		.until = TCP_FOREVER,
	};

	if (!k.conns || !k.p || !k.typed) {
		tcp_say(t, 1, "%s", strerror(ENOMEM));
	} else {
		if (conn)
			k.conns[k.n++] = *conn;
		loop(t, &k);
	}
	while (k.n)
		remove_conn(t, &k, k.n - 1);
	free(k.conns);
	free(k.p);
	free(k.typed);
}
