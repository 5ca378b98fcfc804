/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_conn.c - the event-driven way: all clients in one loop, each with no
 * more memory than its state.
 *
 * A client that does not read its answers is not read either until it does:
 * what waits for it is one read's worth, and that gets small when many are so.
 */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CHUNK 65536
#define CHUNK_CROWDED 2048
#define CROWDED (16u << 20)	/* bytes that wait for slow clients */
#define TEXTS 4			/* chunks of endless text in one turn */

struct conn {
	struct watch watch;
	struct client who;
	unsigned char *rest;		/* of an answer that found no room */
	uint32_t rest_at, rest_len;
	bool ending;			/* after the rest it is over */
};

static void
finish(struct serve *s, struct conn *k, int err)
{
	k->who.err = err;
	k->who.lost = (k->who.lost || k->rest_at < k->rest_len) && !s->service->endless;
	if (k->who.next)
		k->who.next->prev = k->who.prev;
	if (k->who.prev)
		k->who.prev->next = k->who.next;
	else
		s->events = k->who.next;
	s->rest_bytes -= k->rest_len;
	close(k->who.fd);
	serve_ended(s, &k->who);
	free(k->rest);
	free(k);
}

static void
want(struct serve *s, struct conn *k, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = &k->watch };

	epoll_ctl(s->epoll, EPOLL_CTL_MOD, k->who.fd, &e);
}

/* Keeps what was not written. Returns 0 or an errno. */
static int
keep(struct serve *s, struct conn *k, const unsigned char *data, size_t len)
{
	k->rest = malloc(len);
	if (!k->rest)
		return ENOMEM;
	memcpy(k->rest, data, len);
	k->rest_at = 0;
	k->rest_len = (uint32_t)len;
	s->rest_bytes += len;
	want(s, k, EPOLLOUT);
	return 0;
}

/* Returns 0 or an errno. */
static int
put(struct serve *s, struct conn *k, const unsigned char *data, size_t len)
{
	ssize_t n = send(k->who.fd, data, len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		k->who.lost = true;
		return errno;
	}
	k->who.out += n > 0 ? (size_t)n : 0;
	if (n == (ssize_t)len)
		return 0;
	return keep(s, k, data + (n > 0 ? n : 0), len - (size_t)(n > 0 ? n : 0));
}

/* Ends it in order: what it sent and was not read must not become a reset that
 * overtakes the answer. */
static void
part(struct serve *s, struct conn *k)
{
	shutdown(k->who.fd, SHUT_WR);
	while (recv(k->who.fd, s->buffers, CHUNK, MSG_DONTWAIT) > 0)
		;
	finish(s, k, 0);
}

/* Returns false if k is no more. */
static bool
flush(struct serve *s, struct conn *k)
{
	ssize_t n = send(k->who.fd, k->rest + k->rest_at, k->rest_len - k->rest_at,
	    MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		finish(s, k, errno);
		return false;
	}
	k->rest_at += n > 0 ? (uint32_t)n : 0;
	k->who.out += n > 0 ? (size_t)n : 0;
	if (k->rest_at < k->rest_len)
		return true;
	s->rest_bytes -= k->rest_len;
	free(k->rest);
	k->rest = NULL;
	k->rest_at = k->rest_len = 0;
	if (k->ending) {
		part(s, k);
		return false;
	}
	want(s, k, EPOLLIN | (s->service->endless ? EPOLLOUT : 0));
	return true;
}

static void
read_some(struct serve *s, struct conn *k)
{
	size_t chunk = s->rest_bytes > CROWDED ? CHUNK_CROWDED : CHUNK;
	ssize_t n = recv(k->who.fd, s->buffers, chunk, 0);
	int err = 0;

	if (n < 0) {
		if (errno != EAGAIN)
			finish(s, k, errno);
		return;
	}
	if (n == 0 && s->service->endless) {	/* it may still listen */
		want(s, k, EPOLLOUT);
		return;
	}
	if (n == 0) {
		finish(s, k, 0);
		return;
	}
	k->who.in += (size_t)n;
	if (s->service->copies)
		err = put(s, k, s->buffers, (size_t)n);
	if (err)
		finish(s, k, err);
}

static void
write_text(struct serve *s, struct conn *k)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < TEXTS && !k->rest && !err; i++) {
		service_text(s->buffers, CHUNK_CROWDED * 4, k->who.out);
		err = put(s, k, s->buffers, CHUNK_CROWDED * 4);
	}
	if (err)
		finish(s, k, err);
}

static void
ready(struct serve *s, struct watch *w, uint32_t events)
{
	struct conn *k = (struct conn *)w;

	if (k->rest) {
		if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) && !flush(s, k))
			return;
	} else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		read_some(s, k);
	} else if (events & EPOLLOUT) {
		write_text(s, k);
	}
}

static void
answer_once(struct serve *s, struct conn *k)
{
	size_t len = s->service->answer(s->once[0], (time_t)(serve_now() / 1000000000), 0);
	int err;

	k->ending = true;
	err = put(s, k, s->once[0], len);
	if (err)
		finish(s, k, err);
	else if (!k->rest)
		part(s, k);
}

static void
start(struct serve *s, const struct client *who)
{
	struct conn *k = calloc(1, sizeof(*k));
	struct client failed = *who;

	if (!k || serve_watch(s, &k->watch, who->fd, EPOLLIN |
	    (s->service->endless ? EPOLLOUT : 0)) < 0) {
		failed.err = ENOMEM;
		failed.lost = true;
		free(k);
		close(who->fd);
		serve_ended(s, &failed);
		return;
	}
	k->watch.ready = ready;
	k->who = *who;
	k->who.next = s->events;
	if (s->events)
		s->events->prev = &k->who;
	s->events = &k->who;
	if (s->service->answer && !s->service->endless)
		answer_once(s, k);
}

static struct conn *
conn_of(struct client *who)
{
	return (struct conn *)((char *)who - offsetof(struct conn, who));
}

static void
close_all(struct serve *s)
{
	while (s->events) {
		s->events->stopped = true;
		finish(s, conn_of(s->events), 0);
	}
}

const struct way way_events = { .start = start, .close = close_all };
