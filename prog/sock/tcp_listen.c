/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_listen.c - the listening socket, its queue, and accept. */
#include "run.h"
#include "tcp.h"
#include "tcp_set.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int
say_bind(struct tcp *t, const struct sky_addr *a, int err)
{
	char text[SKY_ADDRSTRLEN];
	unsigned port = sky_addr_port(a);

	fflush(stdout);
	fprintf(stderr, "can't bind local address: %s\n", strerror(err));
	if (err == EADDRINUSE)
		tcp_say(t, 1, "port %u is taken, or connections of it ended less than a minute ago "
		    "(TIME-WAIT): in that case start it with -A", port);
	else if (err == EADDRNOTAVAIL)
		tcp_say(t, 1, "%s is not an address of this host",
		    sky_addr_format_host(a, text, sizeof(text)));
	else if (err == EACCES && port < 1024)
		tcp_say(t, 1, "ports below 1024 need root");
	t->status = 1;
	return -1;
}

/* Bind and listen; 0 or an errno. */
static int
bind_listen(struct tcp *t, int fd, const struct sky_addr *a, int family)
{
	struct sockaddr_storage s;
	int off = t->c->only6;
	int len = sky_addr_to(a, family, &s);

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (len < 0)
		return -len;
	if (bind(fd, (struct sockaddr *)&s, (socklen_t)len) < 0)
		return errno;
	return listen(fd, t->c->backlog) < 0 ? errno : 0;
}

int
tcp_listen_on(struct tcp *t, const struct sky_addr *a, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0) {
		tcp_say(t, 1, "socket() error: %s", strerror(errno));
		return -1;
	}
	if (tcp_set(t->c, fd)) {
		t->status = 1;
		close(fd);
		return -1;
	}
	err = bind_listen(t, fd, a, family);
	if (!err)
		return fd;
	close(fd);
	return say_bind(t, a, err);
}

/* A kernel without IPv6 has no socket that serves both. */
static int
any_family(const struct config *c)
{
	int fd;

	if (c->only4)
		return AF_INET;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return AF_INET;
	close(fd);
	return AF_INET6;
}

static void
say_waiting(struct tcp *t)
{
	char here[SKY_ADDRSTRLEN];

	if (!t->c->verbose)
		return;
	if (sky_addr_is_any(&t->listens))
		out_line(&t->out, "waiting on *.%u", sky_addr_port(&t->listens));
	else
		out_line(&t->out, "waiting on %s", out_end_point(&t->listens, here, sizeof(here)));
}

static int
inherit(struct tcp *t)
{
	t->listener = t->c->fd;
	t->listens = t->c->inherited.local;
	fcntl(t->listener, F_SETFL, fcntl(t->listener, F_GETFL) | O_NONBLOCK);
	if (tcp_set(t->c, t->listener)) {
		t->status = 1;
		return t->status;
	}
	say_waiting(t);
	tcp_tell_queue(t);
	return 0;
}

int
tcp_listen(struct tcp *t)
{
	int family;

	if (t->c->have_fd)
		return inherit(t);
	t->listens = t->c->bind;
	family = sky_addr_family(&t->listens);
	if (family == AF_UNSPEC) {
		family = any_family(t->c);
		t->listens.u.sa.sa_family = (sa_family_t)family;
		sky_addr_set_port(&t->listens, t->c->bind_to_port);
	}
	t->listener = tcp_listen_on(t, &t->listens, family);
	if (t->listener < 0)
		return t->status;
	say_waiting(t);
	tcp_tell_queue(t);
	return 0;
}

void
tcp_tell_queue(struct tcp *t)
{
	struct sky_tcp_queue q = { .size = sizeof(q) };
	const struct sky_tcp_queue *o = &t->queue;

	if (!t->c->verbose || t->listener < 0 || sky_tcp_queue(t->listener, &q) < 0)
		return;
	if (!o->size)
		t->queue.overflows = q.overflows;	/* of others, before our time */
	if (o->size && q.len == o->len && q.limit == o->limit && q.drops == o->drops)
		return;
	/* The namespace's overflows are ours only as far as our drops have moved. */
	out_line(&t->out, "accept queue: length %u, limit %u%s, overflows %lu, SYN drops %u", q.len,
	    q.limit, q.len > q.limit ? " (full)" : "",
	    (unsigned long)(q.overflows - t->queue.overflows), q.drops);
	q.overflows = t->queue.overflows;
	t->queue = q;
}

static void
say_accepted(struct tcp *t, const struct conn *conn)
{
	char here[SKY_ADDRSTRLEN], there[SKY_ADDRSTRLEN];

	if (t->c->verbose)
		out_line(&t->out, "connection on %s from %s",
		    out_end_point(&conn->local, here, sizeof(here)),
		    out_end_point(&conn->peer, there, sizeof(there)));
	tcp_set_open(t->c, &t->out, conn->fd);
}

static int
accept_failed(struct tcp *t, int err)
{
	switch (sky_tcp_accept_class(err)) {
	case SKY_ACCEPT_NONE:
		return 0;
	case SKY_ACCEPT_AGAIN:
		out_line(&t->out, "a connection was gone before it was accepted: %s", strerror(-err));
		return 0;
	case SKY_ACCEPT_RESOURCE:
		if (!t->starved && !t->c->keep_connected)
			tcp_say(t, 1, "accept: %s: no more connections until one is closed",
			    strerror(-err));
		t->starved = true;
		return 0;
	case SKY_ACCEPT_FATAL:
		break;
	}
	tcp_say(t, 1, "accept error: %s", strerror(-err));
	return -1;
}

int
tcp_accept(struct tcp *t, struct conn *conn)
{
	struct sky_addr local, peer;
	int fd;

	tcp_tell_queue(t);
	fd = sky_tcp_accept(t->listener, &peer, &local);
	if (fd < 0)
		return accept_failed(t, fd);
	t->starved = false;
	conn_init(conn, fd, &local, &peer);
	say_accepted(t, conn);
	return 1;
}
