/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_tcp.c - a service over TCP: listening, accepting, and the end of each
 * client; what lies between is a way to serve, see serve.h.
 */
#include "serve.h"
#include "tcp_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BACKLOG 4096
#define ACCEPTS 64		/* in one go, before the clients get their turn */

static void
watch_listeners(struct serve *s, uint32_t events)
{
	struct epoll_event e = { .events = events };
	unsigned i;

	for (i = 0; i < s->tcps; i++) {
		e.data.ptr = &s->tcp[i].watch;
		epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->tcp[i].watch.fd, &e);
	}
}

static void
pause_accepting(struct serve *s)
{
	if (!s->paused)
		watch_listeners(s, 0);
	s->paused = true;
}

void
serve_resume(struct serve *s)
{
	if (!s->paused || (s->c->max_clients && s->clients >= s->c->max_clients))
		return;
	s->paused = s->starved = false;
	watch_listeners(s, EPOLLIN);
}

/* The connection that cannot be taken waits in the queue; looking again at once
 * would only burn the processor. */
static void
starve(struct serve *s, int err)
{
	s->starvations++;
	s->starved = true;
	pause_accepting(s);
	if (!s->said_starved)
		out_line(&s->out, "cannot accept: %s; %lu client%s served, the next ones wait",
		    strerror(-err), (unsigned long)s->clients,
		    s->clients == 1 ? " is" : "s are");
	s->said_starved = true;
}

static void
say_accepted(const struct book *b, const struct sky_addr *peer)
{
	char host[SKY_ADDRSTRLEN];

	if (b->accepted)
		fputs(b->accepted, stdout);
	if (b->from)
		printf("connection from %s, port %u\n",
		    sky_addr_format_host(peer, host, sizeof(host)), sky_addr_port(peer));
	fflush(stdout);
}

static void
begin(struct serve *s, const struct client *who)
{
	char peer[SKY_ADDRSTRLEN], local[SKY_ADDRSTRLEN];
	struct sky_addr host = who->peer;

	sky_addr_set_port(&host, 0);
	sky_ledger_heard(&s->ledger, &host, 1);
	s->served++;
	if (++s->clients > s->most)
		s->most = s->clients;
	if (s->c->verbose)
		out_line(&s->out, "connection on %s from %s",
		    out_end_point(&who->local, local, sizeof(local)),
		    out_end_point(&who->peer, peer, sizeof(peer)));
	if (s->c->book)
		say_accepted(s->c->book, &who->peer);
	s->way->start(s, who);
	if (s->c->max_clients && s->clients >= s->c->max_clients)
		pause_accepting(s);
}

static void
ready(struct serve *s, struct watch *w, uint32_t events)
{
	bool ends = s->c->verbose || s->c->json || s->way == &way_exec;
	unsigned i;

	(void)events;
	for (i = 0; i < ACCEPTS && !s->paused && !s->signal; i++) {
		struct client who = { .fd = -1 };

		who.fd = sky_tcp_accept(w->fd, &who.peer, ends ? &who.local : NULL);
		if (who.fd >= 0) {
			begin(s, &who);
			continue;
		}
		switch (sky_tcp_accept_class(who.fd)) {
		case SKY_ACCEPT_AGAIN:
			continue;
		case SKY_ACCEPT_RESOURCE:
			starve(s, who.fd);
			return;
		default:
			return;
		}
	}
}

static const char *
end_word(const struct client *who)
{
	if (who->stopped)
		return "stopped";
	if (who->err == ECONNRESET || who->err == EPIPE)
		return "reset";
	return who->err == ETIMEDOUT ? "timed-out" : who->err ? "failed" : "closed";
}

static void
tell_end(struct serve *s, const struct client *who)
{
	char peer[SKY_ADDRSTRLEN];

	if (s->c->verbose)
		out_line(&s->out, "connection from %s %s, %lu bytes in, %lu out%s%s%s",
		    out_end_point(&who->peer, peer, sizeof(peer)), end_word(who),
		    (unsigned long)who->in, (unsigned long)who->out,
		    who->err ? ": " : "", who->err ? strerror(who->err) : "",
		    who->lost ? " (answers were lost)" : "");
	if (!s->c->json)
		return;
	out_begin(&s->out, "connection", serve_now());
	out_str(&s->out, "proto", "tcp");
	out_addr(&s->out, "src", "sport", &who->peer);
	out_addr(&s->out, "dst", "dport", &who->local);
	out_u64(&s->out, "bytes_in", who->in);
	out_u64(&s->out, "bytes_out", who->out);
	out_str(&s->out, "ended", end_word(who));
	out_end(&s->out);
}

void
serve_ended(struct serve *s, const struct client *who)
{
	s->clients--;
	s->tcp_in += who->in;
	s->tcp_out += who->out;
	s->resets += who->err != 0;
	s->lost += who->lost;
	if (s->c->verbose || s->c->json)
		tell_end(s, who);
	if (s->paused)
		serve_resume(s);
	if (!s->tcps && !s->udps && !s->clients)
		s->done = true;
}

/* Before listen: the window is settled with the handshake. */
static int
set_options(int fd, const struct config *c, int family)
{
	int on = 1, both = c->only6;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both));
	return tcp_set(c, fd) ? -EINVAL : 0;
}

/* Returns 0 or -errno; the descriptor stays open only in the first case. */
static int
listen_at(struct serve *s, struct serve_tcp *l, int fd)
{
	struct sockaddr_storage ss;
	int backlog = s->c->have_backlog ? s->c->backlog : BACKLOG;
	socklen_t len = sizeof(ss);

	if ((!s->c->listening && listen(fd, backlog) < 0) ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	sky_addr_from(&l->local, (struct sockaddr *)&ss, len);
	l->watch.ready = ready;
	return serve_watch(s, &l->watch, fd, EPOLLIN);
}

int
serve_tcp_open(struct serve *s, const struct sky_addr *at)
{
	int family = sky_addr_family(at);
	struct sockaddr_storage ss;
	int rc, fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	rc = set_options(fd, s->c, family);
	if (rc >= 0)
		rc = sky_addr_to(at, family, &ss);
	if (rc >= 0)
		rc = bind(fd, (struct sockaddr *)&ss, (socklen_t)rc) < 0 ? -errno
		    : listen_at(s, &s->tcp[s->tcps], fd);
	if (rc < 0)
		close(fd);
	else
		s->tcps++;
	return rc;
}

int
serve_tcp_adopt(struct serve *s)
{
	struct client who = { .fd = s->c->fd, .peer = s->c->inherited.peer,
		.local = s->c->inherited.local };
	int flags = fcntl(s->c->fd, F_GETFL);

	fcntl(s->c->fd, F_SETFD, FD_CLOEXEC);
	fcntl(s->c->fd, F_SETFL, flags | O_NONBLOCK);
	if (!s->c->listening) {
		begin(s, &who);
		return 0;
	}
	return listen_at(s, &s->tcp[s->tcps++], s->c->fd);
}

void
serve_tcp_close(struct serve *s)
{
	unsigned i;

	for (i = 0; i < s->tcps; i++)
		close(s->tcp[i].watch.fd);
	s->tcps = 0;
}
