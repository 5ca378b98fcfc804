/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - opening, waiting and closing; see run.h.
 */
#include "run.h"
#include "train.h"

#include "cli/sig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LEDGER_ROWS 256
#define LEDGER_RECENT 65536
#define LEDGER_REQUESTS 4096	/* --request remembers no more copies of what one
				 * destination was asked, and a table that stays in
				 * the cache is quicker */
#define SERVER_DESTS 256
#define READ_ROOM (1u << 20)	/* bytes for one batch of datagrams, about */
#define TICK_NS UINT64_C(20000000) /* how often a pause looks for overflow */

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t
run_clock(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
run_now(void)
{
	return clock_ns(CLOCK_REALTIME);
}

static int
open_ledger(struct run *x)
{
	unsigned dests = x->c->server ? SERVER_DESTS : x->c->ndests + 1;
	unsigned rows = LEDGER_ROWS + 4 * dests;
	unsigned recent = x->c->request && x->c->ndests == 1 ? LEDGER_REQUESTS : LEDGER_RECENT;
	size_t size = sky_ledger_room(dests, rows, recent);

	x->ledger_room = calloc(1, size);
	if (!x->ledger_room)
		return -ENOMEM;
	return sky_ledger_init(&x->ledger, x->ledger_room, size, dests, rows, recent);
}

bool
run_reads_trains(const struct config *c)
{
	return c->server && c->source_sink && !c->measure.on && !c->no_trains && !c->verbose &&
	    !c->pause && !c->initial_pause && !c->peek &&
	    c->errors == ERRORS_QUEUE;
}

static int
open_buffers(struct run *x)
{
	size_t each = run_reads_trains(x->c) ? TRAIN_CAP : x->c->read_size;
	size_t fit = READ_ROOM / each;
	unsigned char *data;
	unsigned i;

	x->batch = fit < 1 ? 1 : fit > RUN_BATCH ? RUN_BATCH : (unsigned)fit;
	x->in = calloc(x->batch, sizeof(*x->in));
	data = calloc(x->batch, each);
	if (!x->in || !data) {
		free(data);
		return -ENOMEM;
	}
	for (i = 0; i < x->batch; i++) {
		x->in[i].data = data + i * each;
		x->in[i].cap = each;
	}
	return 0;
}

/* People's lines stay off where they would only repeat JSON on the screen. */
static int
open_out(struct run *x)
{
	const struct config *c = x->c;
	FILE *text = opts_json_on_stdout(c) && !c->verbose ? NULL : stderr;
	int rc = out_open(&x->out, text, c->json ? c->json_to ? c->json_to : "-" : NULL);

	if (rc < 0 && c->json_to)
		opts_refuse("'--json=%s': %s", c->json_to, strerror(-rc));
	if (c->no_colour)
		x->out.colour = false;
	return rc;
}

int
run_open(struct run *x, const struct config *c)
{
	struct sky_udp_info info = { .size = sizeof(info) };
	int rc;

	memset(x, 0, sizeof(*x));
	x->c = c;
	rc = open_out(x);
	if (!rc)
		rc = open_ledger(x);
	if (!rc)
		rc = open_buffers(x);
	if (!rc && (x->sig = sig_open()) < 0)
		rc = x->sig;
	if (rc < 0) {
		end_say_error("sock", -rc);
		return 1;
	}
	rc = end_open(&x->end, c, &x->out);
	if (!rc && wake_open(x) < 0)
		rc = 1;
	if (!rc && sky_udp_info(&x->end.u, &info) == 0) {
		x->local = info.local;
		x->rcvbuf = info.rcvbuf;
	}
	return rc;
}

/* Nothing of the error queue is seen on a plain socket; SO_ERROR tells whether
 * the kernel kept anything for it. */
static void
say_so_error(struct run *x)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(sky_udp_fd(&x->end.u), SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return;
	out_line(&x->out, "SO_ERROR = %d%s%s%s", err, err ? " (" : "", err ? strerror(err) : "",
	    err ? ")" : "");
}

static void
say_lost_errors(struct run *x)
{
	struct sky_udp_info info = { .size = sizeof(info) };

	if (sky_udp_info(&x->end.u, &info) < 0)
		return;
	if (info.errors_lost)
		out_line(&x->out, "%lu fates were lost: there was no room to keep them",
		    (unsigned long)info.errors_lost);
	if (info.errors_maybe_lost && x->sent)
		out_line(&x->out, "some fates may be missing: the receive buffer was full and "
		    "takes the errors too (a larger -R helps)");
}

static int
status_of(const struct run *x)
{
	struct sky_ledger_dest total;
	int w;

	sky_ledger_total(&x->ledger, &total);
	for (w = 1; w < SKY_WHATS; w++)
		if ((total.counts[w] || total.lost[w]) && sky_fate_is_bad(w))
			return 3;
	return x->bad ? 3 : x->failed ? 1 : 0;
}

/* The kernel counts a train that found no room as one. */
static bool
lost_trains(const struct run *x)
{
	struct sky_ledger_dest total;

	sky_ledger_total(&x->ledger, &total);
	return x->trains && total.lost[SKY_DROPPED_RECEIVING];
}

static void
summarise(struct run *x)
{
	sky_ledger_close(&x->ledger, x->c->expect_answer);
	if (x->c->book && x->c->book->counts)
		printf("\nreceived %lu datagrams\n", (unsigned long)x->received);
	if (x->c->server)
		out_line(&x->out, "received %lu datagram%s, %lu bytes", (unsigned long)x->received,
		    x->received == 1 ? "" : "s", (unsigned long)x->bytes);
	if (!x->c->measure.on || x->c->server) {
		out_summary_text(&x->out, &x->ledger);
		if (lost_trains(x))
			out_line(&x->out, "at least these were dropped: the kernel counts a "
			    "train of datagrams as one");
		out_summary(&x->out, &x->ledger, run_now(), lost_trains(x));
	}
	say_lost_errors(x);
}

int
run_close(struct run *x)
{
	int status, rc;

	run_drops(x);
	if (x->end.plain && x->c->verbose && !x->failed)
		say_so_error(x);
	summarise(x);
	status = status_of(x);
	sky_udp_close(&x->end.u);
	rc = out_close(&x->out);
	if (!rc && (fflush(stdout) == EOF || ferror(stdout)))
		rc = x->failed ? -x->failed : -EIO;
	if (rc < 0) {
		end_say_error("sock: write error", -rc);
		status = status ? status : 1;
	}
	return sig_status(x->signal, status);
}

void
run_release(struct run *x)
{
	if (x->in)
		free(x->in[0].data);
	free(x->in);
	free(x->ledger_room);
	free(x->out.line);
}

/* What is left until the deadline, which may be past; NULL for ever. */
static const struct timespec *
until(uint64_t deadline, struct timespec *t)
{
	uint64_t now = run_clock();
	uint64_t left = deadline > now ? deadline - now : 0;

	if (deadline == RUN_FOREVER)
		return NULL;
	t->tv_sec = (time_t)(left / 1000000000);
	t->tv_nsec = (long)(left % 1000000000);
	return t;
}

unsigned
run_wait(struct run *x, uint64_t deadline, bool input, bool socket)
{
	int fds[2] = { -1, -1 };
	struct pollfd p[4] = {
		{ .fd = x->sig, .events = POLLIN },
		{ .fd = socket ? wake_fd(x) : -1, .events = POLLIN },
		{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
	};
	struct timespec left;
	unsigned events = 0;

	sky_udp_fds(&x->end.u, fds);
	p[3] = (struct pollfd){ .fd = socket ? fds[1] : -1, .events = POLLIN };
	if (socket)
		deadline = wake_deadline(x, deadline);
	if (socket && sky_udp_pending(&x->end.u))
		deadline = 0;
	if (ppoll(p, 4, until(deadline, &left), NULL) < 0)
		return 0;
	if (p[0].revents) {
		x->signal = sig_read(x->sig);
		events |= RUN_SIGNAL;
	}
	if (socket && (wake_up(x, p[1].revents) || p[3].revents || sky_udp_pending(&x->end.u)))
		events |= RUN_READABLE;
	/* SIGIO does not say what came */
	if ((events & RUN_READABLE) && (p[1].revents & POLLERR || p[3].revents || x->wake.signals ||
	    sky_udp_pending(&x->end.u)))
		events |= RUN_ERRORS;
	if (p[2].revents)
		events |= RUN_INPUT;
	if (deadline != RUN_FOREVER && run_clock() >= deadline)
		events |= RUN_TIME;
	return events;
}

void
run_pause(struct run *x, uint64_t ns)
{
	uint64_t deadline = run_clock() + ns, tick;

	x->pausing = ns > 0;
	while (!run_over(x) && run_clock() < deadline) {
		tick = run_clock() + TICK_NS;
		run_wait(x, tick < deadline ? tick : deadline, false, false);
		run_drops(x);
	}
	if (!run_over(x))
		x->pausing = false;
}

void
run_close_pause(struct run *x)
{
	if (!x->c->close_pause || run_over(x))
		return;
	if (x->c->verbose)
		out_line(&x->out, "pausing before close");
	run_pause(x, x->c->close_pause);
}

bool
run_over(const struct run *x)
{
	return x->signal || x->failed || x->out.failed;
}
