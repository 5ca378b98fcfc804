/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_dial.c - connects, and says why it could not.
 *
 * All addresses of a name are tried in turn, as the resolver orders them, each
 * with a new socket: one that failed to connect cannot be used again.
 */
#include "run.h"
#include "tcp.h"
#include "tcp_set.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int
bind_local(struct tcp *t, int fd, int family)
{
	struct sky_addr a = t->c->local;
	struct sockaddr_storage s;
	int len;

	if (!t->c->bind_port && sky_addr_family(&a) == AF_UNSPEC)
		return 0;
	if (sky_addr_family(&a) == AF_UNSPEC) {
		a.u.sa.sa_family = (sa_family_t)family;
		sky_addr_set_port(&a, t->c->bind_port);
	}
	len = sky_addr_to(&a, family, &s);
	if (len < 0 || bind(fd, (struct sockaddr *)&s, (socklen_t)len) == 0)
		return len < 0 ? -len : 0;
	len = errno;
	tcp_say(t, 1, "can't bind local address: %s%s", strerror(len), len == EADDRINUSE ?
	    " (held, or used a minute ago: -A shares it)" : "");
	return len;
}

/* A socket ready to connect, or -1 after a line. */
static int
open_socket(struct tcp *t, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int status;

	if (fd < 0) {
		tcp_say(t, 1, "socket() error: %s", strerror(errno));
		return -1;
	}
	status = tcp_set(t->c, fd);
	if (t->status < status)
		t->status = status;
	if (status == 0 && bind_local(t, fd, family) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
tell_soft(struct tcp *t, const struct sky_tcp *try, const struct sky_addr *dst)
{
	struct sky_tcp_report r = { .size = sizeof(r) };
	char words[512], end[SKY_ADDRSTRLEN];

	sky_tcp_report(try, &r);
	sky_tcp_explain(&r, words, sizeof(words));
	out_line(&t->out, "connect to %s: %s", out_end_point(dst, end, sizeof(end)), words);
}

/* Until it is settled, or a signal comes. The first error that does not end it
 * is told at once: it may take the kernel minutes to make up its mind. */
static void
await(struct tcp *t, struct sky_tcp *try, const struct sky_addr *dst)
{
	struct sky_tcp_report r = { .size = sizeof(r) };
	struct pollfd p[2];
	bool told = false;

	while (sky_tcp_progress(try) == 0 && !tcp_over(t)) {
		sky_tcp_report(try, &r);
		if (r.softs && !told)
			tell_soft(t, try, dst);
		told = r.softs;
		p[1] = (struct pollfd){ .fd = sky_tcp_fd(try), .events = (short)sky_tcp_want(try) };
		tcp_wait(t, p, 2, sky_tcp_deadline(try));
	}
}

static void
tell_failure(struct tcp *t, const struct sky_tcp_report *r, const struct sky_addr *dst)
{
	const char *history = sky_tcp_history(r);
	char words[512], end[SKY_ADDRSTRLEN];

	sky_tcp_explain(r, words, sizeof(words));
	out_line(&t->out, "connect to %s: %s", out_end_point(dst, end, sizeof(end)), words);
	if (history && (t->c->verbose || r->softs))
		out_line(&t->out, "(%s)", history);
	out_fate(&t->out, &r->fate);
	if (t->c->book && t->c->book->connect_error)
		fprintf(stderr, "%s: %s\n", t->c->book->connect_error, strerror(r->fate.err));
}

static void
tell_success(struct tcp *t, const struct sky_tcp_report *r, const struct conn *conn)
{
	char here[SKY_ADDRSTRLEN], there[SKY_ADDRSTRLEN];

	if (t->c->verbose)
		out_line(&t->out, "connected on %s to %s",
		    out_end_point(&conn->local, here, sizeof(here)),
		    out_end_point(&conn->peer, there, sizeof(there)));
	tcp_set_open(t->c, &t->out, conn->fd);
	out_fate(&t->out, &r->fate);
}

/* One address. Returns true with the connection. */
static bool
dial_one(struct tcp *t, struct conn *conn, const struct sky_addr *dst)
{
	struct sky_tcp_report r = { .size = sizeof(r) };
	struct sky_tcp try;
	int fd = open_socket(t, sky_addr_family(dst));
	int rc;

	if (fd < 0)
		return false;
	rc = sky_tcp_begin(&try, fd, dst, t->c->timeout);
	if (rc < 0) {
		tcp_say(t, 1, "connect() error: %s", strerror(-rc));
		close(fd);
		return false;
	}
	await(t, &try, dst);
	sky_tcp_report(&try, &r);
	if (r.state == SKY_TCP_CONNECTED) {
		conn_init(conn, fd, &r.fate.src, dst);
		tell_success(t, &r, conn);
		return true;
	}
	tell_failure(t, &r, dst);
	if (sky_fate_is_bad(r.fate.what) && t->status == 0)
		t->status = 3;
	close(fd);
	return false;
}

void
tcp_inherit(struct tcp *t, struct conn *conn)
{
	const struct sky_fd *f = &t->c->inherited;
	char here[SKY_ADDRSTRLEN], there[SKY_ADDRSTRLEN];
	int flags = fcntl(t->c->fd, F_GETFL);

	fcntl(t->c->fd, F_SETFL, flags | O_NONBLOCK);
	conn_init(conn, t->c->fd, &f->local, &f->peer);
	if (t->c->verbose)
		out_line(&t->out, "connected on %s to %s",
		    out_end_point(&f->local, here, sizeof(here)),
		    out_end_point(&f->peer, there, sizeof(there)));
	if (tcp_set(t->c, conn->fd))
		t->status = 1;		/* told; the connection serves all the same */
	tcp_set_open(t->c, &t->out, conn->fd);
}

int
tcp_dial(struct tcp *t, struct conn *conn)
{
	unsigned i;

	for (i = 0; i < t->c->ndests && !tcp_over(t); i++) {
		if (!dial_one(t, conn, &t->c->dests[i]))
			continue;
		t->status = 0;		/* one of a name's addresses is enough */
		return 0;
	}
	return t->status ? t->status : 1;
}
