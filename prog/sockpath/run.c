/* SPDX-License-Identifier: BSD-2-Clause */
/* run.c - opening, sending, waiting; see run.h. */
#include "early.h"
#include "run.h"
#include "names.h"
#include "open.h"

#include "cli/sig.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

enum { FDS = 8 };

uint64_t
run_now(void)
{
	return sky_clock_steady();
}

uint64_t
run_wall(void)
{
	return sky_clock_wall();
}

uint64_t
run_wall_of(uint64_t steady)
{
	return sky_clock_wall() - (sky_clock_steady() - steady);
}

void
run_say(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("sockpath: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
run_open(struct run *r, const struct opts *o)
{
	const char *to = o->json ? o->json_to : NULL;
	bool both = to && strcmp(to, "-") != 0 && strcmp(to, "1") != 0;
	int rc;

	memset(r, 0, sizeof(*r));
	r->o = o;
	r->sock.wait = r->sock.raw = r->signals = -1;
	rc = open_destination(r);
	if (rc)
		return rc;
	rc = out_open(&r->out, !to || both ? stdout : NULL, to);
	if (rc < 0) {
		run_say("cannot write to '%s': %s", to, strerror(-rc));
		return STATUS_SYSTEM;
	}
	rc = open_sockets(r);
	if (rc)
		return rc;
	r->names = names_new(!o->numeric);
	r->signals = sig_open();
	early_end(o);
	if (!r->names || r->signals < 0) {
		run_say("%s", strerror(r->names ? -r->signals : ENOMEM));
		return STATUS_SYSTEM;
	}
	r->began = run_now();
	return 0;
}

int
run_close(struct run *r, int status)
{
	int rc;

	sky_pathsock_close(&r->sock);
	names_free(r->names);
	rc = r->out.text || r->out.json ? out_close(&r->out) : 0;
	if (rc < 0 && rc != -EPIPE) {
		run_say("cannot write: %s", strerror(-rc));
		status = STATUS_SYSTEM;
	}
	if (r->signals >= 0)
		close(r->signals);
	return sig_status(r->signal, status);
}

unsigned
run_send(struct run *r, const struct sky_hop_probe *p, unsigned n)
{
	unsigned sent = sky_pathsock_send(&r->sock, p, n);

	r->packets = (uint32_t)r->sock.packets;
	r->bytes = r->sock.bytes;
	for (unsigned i = 0; i < sent; i++)
		r->recent[p[i].id % RUN_RECENT] = p[i];
	return sent;
}

static void
note_quote(struct run *r, const struct sky_hop_answer *a)
{
	const struct sky_hop_probe *p = &r->recent[a->id % RUN_RECENT];

	if (a->quoted_len && a->id && p->id == a->id && a->what == SKY_HOP_EXCEEDED)
		r->quote[p->ttl] = (struct run_quote){ p->len, a->quoted_len, a->quoted_ttl };
}

unsigned
run_collect(struct run *r, struct sky_hop_answer *a, unsigned n)
{
	unsigned got = sky_pathsock_collect(&r->sock, a, n);

	for (unsigned i = 0; i < got; i++)
		note_quote(r, &a[i]);
	return got;
}

static void
until(struct timespec *t, uint64_t deadline, int most_ms)
{
	uint64_t now = run_now();
	uint64_t ns = deadline > now ? deadline - now : 0;

	if (most_ms >= 0 && ns > (uint64_t)most_ms * 1000000)
		ns = (uint64_t)most_ms * 1000000;
	if (ns > 3600 * SECOND)
		ns = 3600 * SECOND;
	*t = (struct timespec){ (time_t)(ns / SECOND), (long)(ns % SECOND) };
}

/* One sleep. True if one of fd[] is ready; what becomes of names and signals is
 * looked after. */
static bool
sleep_once(struct run *r, const int *fd, unsigned n, uint64_t deadline)
{
	struct pollfd p[1 + FDS + NAMES_FDS];
	bool ready = false;
	struct timespec t;
	unsigned names, i;
	int timeout = -1, got;

	p[0] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
	for (i = 0; i < n && i < FDS; i++)
		p[1 + i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	names = names_poll(r->names, p + 1 + i, &timeout);
	until(&t, deadline, timeout);
	got = ppoll(p, 1 + i + names, &t, NULL);
	names_serve(r->names, p + 1 + i, got > 0 ? names : 0);
	if (got > 0 && p[0].revents && !r->signal)
		r->signal = sig_read(r->signals);
	for (unsigned k = 0; k < i && got > 0; k++)
		ready |= p[1 + k].revents != 0;
	return ready;
}

bool
run_wait_fds(struct run *r, const int *fd, unsigned n, uint64_t deadline)
{
	bool ready;

	do
		ready = sleep_once(r, fd, n, deadline);
	while (!ready && !r->signal && run_now() < deadline);
	return !r->signal && !r->out.failed;	/* nobody reads any more */
}

void
run_wait_names(struct run *r, uint64_t deadline)
{
	while (names_pending(r->names) && !r->signal && run_now() < deadline)
		sleep_once(r, NULL, 0, deadline);
}

bool
run_wait(struct run *r, uint64_t deadline)
{
	int fd = sky_pathsock_fd(&r->sock);

	if (sky_pathsock_ready(&r->sock))
		deadline = 0;
	return run_wait_fds(r, &fd, 1, deadline);
}
