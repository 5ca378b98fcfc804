/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.c - opening, the loop, and the summary of a service; see serve.h.
 */
#include "serve.h"
#include "end.h"

#include "cli/sig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LEDGER_DESTS 256
#define LEDGER_ROWS 1280
#define LEDGER_RECENT 65536
#define DATAGRAM 65536
#define EVENTS 256
#define RETRY_MS 100		/* for want of descriptors */

uint64_t
serve_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* xorshift32: only variety is asked for. */
uint32_t
serve_chance(struct serve *s)
{
	s->chance ^= s->chance << 13;
	s->chance ^= s->chance >> 17;
	s->chance ^= s->chance << 5;
	return s->chance;
}

int
serve_watch(struct serve *s, struct watch *w, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };

	w->fd = fd;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

void
serve_tell(struct serve *s, struct sky_fate *f)
{
	sky_ledger_take(&s->ledger, f);
	out_fate_line(&s->out, f);
	out_fate(&s->out, f);
}

static void
signalled(struct serve *s, struct watch *w, uint32_t events)
{
	(void)events;
	s->signal = sig_read(w->fd);
}

static int
open_out(struct serve *s)
{
	const struct config *c = s->c;
	FILE *text = opts_json_on_stdout(c) && !c->verbose ? NULL : stderr;
	int rc = out_open(&s->out, text, c->json ? c->json_to ? c->json_to : "-" : NULL);

	if (rc < 0 && c->json_to)
		opts_refuse("'--json=%s': %s", c->json_to, strerror(-rc));
	if (c->no_colour)
		s->out.colour = false;
	return rc;
}

static int
open_ledger(struct serve *s)
{
	/* Connections are only heard of; and what is mapped makes fork slow. */
	unsigned recent = s->c->udp ? LEDGER_RECENT : 1;
	size_t size = sky_ledger_room(LEDGER_DESTS, LEDGER_ROWS, recent);

	s->ledger_room = calloc(1, size);
	if (!s->ledger_room)
		return -ENOMEM;
	return sky_ledger_init(&s->ledger, s->ledger_room, size, LEDGER_DESTS, LEDGER_ROWS,
	    recent);
}

static int
open_buffers(struct serve *s)
{
	unsigned i;

	s->buffers = malloc((size_t)SERVE_BATCH * DATAGRAM);	/* touched only when used */
	if (!s->buffers)
		return -ENOMEM;
	for (i = 0; i < SERVE_BATCH; i++) {
		s->in[i].data = s->buffers + (size_t)i * DATAGRAM;
		s->in[i].cap = DATAGRAM;
	}
	return 0;
}

static int
open_loop(struct serve *s)
{
	int fd = sig_open();

	if (fd < 0)
		return fd;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return -errno;
	s->sig.ready = signalled;
	return serve_watch(s, &s->sig, fd, EPOLLIN);
}

/* The end itself, or every address of a port. */
static void
end_of(const struct serve *s, const struct listen_at *at, struct sky_addr *a, int family)
{
	uint16_t port = at->port || !s->service ? at->port : s->service->port;

	*a = at->a;
	if (!sky_addr_family(a))
		a->u.sa.sa_family = (sa_family_t)family;
	sky_addr_set_port(a, port);
}

static int
open_one(struct serve *s, const struct sky_addr *a)
{
	return s->c->udp ? serve_udp_open(s, a) : serve_tcp_open(s, a);
}

static int
open_at(struct serve *s, const struct listen_at *at, struct sky_addr *a)
{
	int rc;

	end_of(s, at, a, s->c->only4 ? AF_INET : AF_INET6);
	rc = open_one(s, a);
	if (rc != -EAFNOSUPPORT || sky_addr_family(&at->a) || s->c->only6)
		return rc;
	end_of(s, at, a, AF_INET);	/* a kernel without IPv6 */
	return open_one(s, a);
}

static void
say_waiting(struct serve *s, const struct sky_addr *local)
{
	char text[SKY_ADDRSTRLEN];

	if (!s->c->verbose)
		return;
	if (sky_addr_is_any(local))
		out_line(&s->out, "waiting on *.%u", sky_addr_port(local));
	else
		out_line(&s->out, "waiting on %s", out_end_point(local, text, sizeof(text)));
}

static void
say_book(const char *text)
{
	fputs(text, stdout);
	fflush(stdout);
}

static int
adopt(struct serve *s)
{
	int rc = s->c->udp ? serve_udp_open(s, NULL) : serve_tcp_adopt(s);

	if (rc == 0 && (s->c->udp || s->c->listening))
		say_waiting(s, s->c->udp ? &s->udp[0]->local : &s->tcp[0].local);
	return rc;
}

/* Returns 0 or the exit status. */
static int
open_listeners(struct serve *s)
{
	char text[SKY_ADDRSTRLEN];
	struct sky_addr a;
	unsigned i;
	int rc;

	for (i = 0; i < s->c->listens; i++) {
		rc = open_at(s, &s->c->listen[i], &a);
		if (rc == 0) {
			say_waiting(s, s->c->udp ? &s->udp[i]->local : &s->tcp[i].local);
			continue;
		}
		if (s->c->book && s->c->book->bind_error) {
			end_say_error(s->c->book->bind_error, -rc);
			return 1;
		}
		fprintf(stderr, "sock: cannot serve %s at %s: %s%s\n",
		    s->service ? s->service->name : "a command",
		    out_end_point(&a, text, sizeof(text)), strerror(-rc),
		    rc == -EACCES ? " (ports below 1024 need root)" : "");
		return 1;
	}
	if (s->c->have_fd && (rc = adopt(s)) < 0) {
		fprintf(stderr, "sock: cannot serve at '--fd=%d': %s\n", s->c->fd, strerror(-rc));
		return 1;
	}
	if (s->c->book && s->c->book->started)
		say_book(s->c->book->started);
	return 0;
}

static const struct way *
way_of(const struct config *c)
{
	return c->exec ? &way_exec : c->fork_each ? &way_fork : c->threads ? &way_threads
	    : c->iterative ? &way_iterative : &way_events;
}

/* As many descriptors as we may have: each client needs one here. A forking
 * parent keeps none, unless it is to show what happens then. */
static void
raise_files(struct serve *s)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	s->files = files.rlim_cur;
	if (s->c->keep_connected)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

struct serve *
serve_open(const struct config *c, int *status)
{
	struct serve *s = calloc(1, sizeof(*s));
	int rc;

	*status = 1;
	if (!s) {
		end_say_error("sock", ENOMEM);
		return NULL;
	}
	s->c = c;
	s->service = c->have_service ? service_at((unsigned)c->service) : NULL;
	s->way = way_of(c);
	raise_files(s);
	s->chance = (uint32_t)serve_now() | 1;
	rc = open_out(s);
	if (!rc)
		rc = open_ledger(s);
	if (!rc)
		rc = open_buffers(s);
	if (!rc)
		rc = open_loop(s);
	if (!rc && s->way->open)
		rc = s->way->open(s);
	if (rc < 0)
		end_say_error("sock", -rc);
	else if (open_listeners(s) == 0)
		return s;
	free(s->buffers);
	free(s->ledger_room);
	free(s);
	return NULL;
}

void
serve_run(struct serve *s)
{
	struct epoll_event e[EVENTS];
	struct watch *w;
	int n, i, ms;

	while (!s->signal && !s->done && !s->out.failed) {
		ms = serve_udp_look(s);
		if (s->c->spin)
			serve_udp_spin(s);
		n = epoll_wait(s->epoll, e, EVENTS, s->c->spin ? 0 : s->starved ? RETRY_MS : ms);
		if (n == 0)
			serve_resume(s);
		for (i = 0; i < n; i++) {
			w = e[i].data.ptr;
			w->ready(s, w, e[i].events);
		}
	}
}

static int
status_of(const struct serve *s)
{
	struct sky_ledger_dest total;
	int w;

	sky_ledger_total(&s->ledger, &total);
	for (w = 1; w < SKY_WHATS; w++)
		if ((total.counts[w] || total.lost[w]) && sky_fate_is_bad(w))
			return 3;
	return s->lost ? 3 : 0;
}

static void
summarise_tcp(struct serve *s)
{
	out_line(&s->out, "served %lu connection%s, at most %lu at once, %lu bytes in, %lu out",
	    (unsigned long)s->served, s->served == 1 ? "" : "s", (unsigned long)s->most,
	    (unsigned long)s->tcp_in, (unsigned long)s->tcp_out);
	if (s->resets)
		out_line(&s->out, "%lu ended by an error, a reset for the most part",
		    (unsigned long)s->resets);
	if (s->lost)
		out_line(&s->out, "%lu did not get all of their answers", (unsigned long)s->lost);
	if (s->starvations)
		out_line(&s->out, "descriptors or memory ran out %lu times",
		    (unsigned long)s->starvations);
}

static void
summarise(struct serve *s)
{
	sky_ledger_close(&s->ledger, false);
	if (!s->c->udp)
		summarise_tcp(s);
	else
		out_line(&s->out, "received %lu datagram%s, %lu bytes", (unsigned long)s->received,
	    s->received == 1 ? "" : "s", (unsigned long)s->bytes);
	if (s->unanswered)
		out_line(&s->out, "%lu of them not answered: they came from the port of a service "
		    "that answers everything", (unsigned long)s->unanswered);
	out_summary_text(&s->out, &s->ledger);
	out_summary(&s->out, &s->ledger, serve_now(), false);
}

int
serve_close(struct serve *s)
{
	int status, rc;
	unsigned i;

	for (i = 0; i < s->udps; i++)
		serve_udp_news(s, s->udp[i]);
	serve_tcp_close(s);
	if (s->way->close)
		s->way->close(s);
	summarise(s);
	status = sig_status(s->signal, status_of(s));
	for (i = 0; i < s->udps; i++)
		serve_udp_close(s->udp[i]);
	rc = out_close(&s->out);
	if (rc < 0) {
		end_say_error("sock: write error", -rc);
		status = status ? status : 1;
	}
	close(s->epoll);
	close(s->sig.fd);
	free(s->out.line);
	free(s->buffers);
	free(s->ledger_room);
	free(s);
	return status;
}
