/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_session.c - one client from begin to end; and the iterative way, which
 * serves one after the other so. Children and threads use it too.
 */
#include "data.h"
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 16384

/* Waits for the client. Returns false if it is told to stop. */
static bool
await(struct client *who, int stop, short events)
{
	struct pollfd p[2] = {
		{ .fd = who->fd, .events = events },
		{ .fd = stop, .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	who->stopped = p[1].revents != 0;
	return !who->stopped;
}

/* Returns how many bytes came, 0 at the end, whatever the reason. */
static size_t
get(struct client *who, void *buf, int stop)
{
	ssize_t n;

	while ((n = recv(who->fd, buf, CHUNK, 0)) < 0 && errno == EAGAIN)
		if (!await(who, stop, POLLIN))
			return 0;
	if (n < 0)
		who->err = errno;
	who->in += n > 0 ? (size_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

/* Returns false if it could not all be written. */
static bool
put(struct client *who, const unsigned char *data, size_t len, int stop)
{
	ssize_t n;

	while (len > 0) {
		n = send(who->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN && await(who, stop, POLLOUT))
			continue;
		if (n < 0) {
			who->err = who->stopped ? 0 : errno;
			who->lost = true;
			return false;
		}
		who->out += (size_t)n;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void
say(const char *before, const unsigned char *data, size_t len)
{
	fputs(before, stdout);
	data_print(data, len);
	if (data[len - 1] != '\n')
		putchar('\n');
	fflush(stdout);
}

static void
copy(struct client *who, unsigned char *buf, bool back, const char *echoed, int stop)
{
	size_t n;

	while ((n = get(who, buf, stop)) > 0) {
		if (echoed)
			say(echoed, buf, n);
		if (back && !put(who, buf, n, stop))
			break;
	}
}

static void
endless(struct client *who, unsigned char *buf, int stop)
{
	ssize_t n;

	do {
		while ((n = recv(who->fd, buf, CHUNK, 0)) > 0)
			who->in += (size_t)n;
		service_text(buf, CHUNK, who->out);
	} while (put(who, buf, CHUNK, stop));
	who->lost = false;	/* there is always more of it */
}

void
session_run(struct client *who, const struct config *c, int stop)
{
	const struct service *service = service_at((unsigned)c->service);
	const char *echoed = c->book ? c->book->echoed : NULL;
	unsigned char buf[CHUNK];

	if (service->endless) {
		endless(who, buf, stop);
	} else if (service->answer) {
		put(who, buf, service->answer(buf, (time_t)(serve_now() / 1000000000), 0), stop);
		if (!c->keep_connected)	/* this would end it however many hold it */
			shutdown(who->fd, SHUT_WR);
		while (recv(who->fd, buf, CHUNK, MSG_DONTWAIT) > 0)
			;
	} else {
		copy(who, buf, service->copies, echoed, stop);
	}
	close(who->fd);
}

static void
start(struct serve *s, const struct client *who)
{
	struct client one = *who;

	session_run(&one, s->c, s->sig.fd);
	serve_ended(s, &one);
	if (one.stopped)
		s->sig.ready(s, &s->sig, 0);
}

const struct way way_iterative = { .start = start };
