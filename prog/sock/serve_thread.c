/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_thread.c - a thread for each client.
 *
 * Threads touch nothing of the run but the two lists; the loop tells and counts
 * those who are done.
 */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define STACK 131072
#define STOP_SECONDS 2

struct task {
	struct client who;
	struct serve *s;
};

static void
take_out(struct client **list, struct client *who)
{
	if (who->next)
		who->next->prev = who->prev;
	if (who->prev)
		who->prev->next = who->next;
	else
		*list = who->next;
}

static void
put_in(struct client **list, struct client *who)
{
	who->prev = NULL;
	who->next = *list;
	if (*list)
		(*list)->prev = who;
	*list = who;
}

static void *
work(void *arg)
{
	struct task *t = arg;
	struct serve_threads *all = &t->s->threads;
	uint64_t one = 1;
	bool first;

	session_run(&t->who, t->s->c, -1);
	pthread_mutex_lock(&all->lock);
	first = !all->done;
	take_out(&all->running, &t->who);
	t->who.stopped = all->stopping;
	put_in(&all->done, &t->who);
	if (first && write(all->watch.fd, &one, sizeof(one)) < 0)
		t->who.err = errno;	/* cannot be: the counter never gets full */
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

/* Those who are done since the last look. */
static void
collect(struct serve *s, struct watch *w, uint32_t events)
{
	struct client *who, *next;
	uint64_t n;

	(void)events;
	pthread_mutex_lock(&s->threads.lock);
	if (read(w->fd, &n, sizeof(n)) < 0)
		n = 0;
	who = s->threads.done;
	s->threads.done = NULL;
	pthread_mutex_unlock(&s->threads.lock);
	for (; who; who = next) {
		next = who->next;
		serve_ended(s, who);
		free((char *)who - offsetof(struct task, who));
	}
}

static int
open_threads(struct serve *s)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	pthread_mutex_init(&s->threads.lock, NULL);
	s->threads.watch.ready = collect;
	return serve_watch(s, &s->threads.watch, fd, EPOLLIN);
}

static int
begin(struct task *t)
{
	pthread_attr_t attr;
	pthread_t id;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&id, &attr, work, t);
	pthread_attr_destroy(&attr);
	return err;
}

static void
start(struct serve *s, const struct client *who)
{
	struct task *t = calloc(1, sizeof(*t));
	struct client failed = *who;
	int err = ENOMEM;

	if (t) {
		t->who = *who;
		t->s = s;
		pthread_mutex_lock(&s->threads.lock);
		put_in(&s->threads.running, &t->who);
		err = begin(t);
		if (err)
			take_out(&s->threads.running, &t->who);
		pthread_mutex_unlock(&s->threads.lock);
	}
	if (!err)
		return;
	out_line(&s->out, "cannot start a thread for a client: %s", strerror(err));
	failed.err = err;
	failed.lost = true;
	free(t);
	close(who->fd);
	serve_ended(s, &failed);
}

/* Shuts every connection, which wakes its thread, and waits for them. */
static void
close_threads(struct serve *s)
{
	time_t end = (time_t)(serve_now() / 1000000000) + STOP_SECONDS;
	struct epoll_event e;
	struct client *who;

	pthread_mutex_lock(&s->threads.lock);
	s->threads.stopping = true;
	for (who = s->threads.running; who; who = who->next)
		shutdown(who->fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->threads.lock);
	while (s->clients && (time_t)(serve_now() / 1000000000) <= end)
		if (epoll_wait(s->epoll, &e, 1, 100) >= 0)
			collect(s, &s->threads.watch, 0);
}

const struct way way_threads = {
	.open = open_threads, .start = start, .close = close_threads
};
