/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wake.c - when the socket is to be read; see wake.h.
 */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define PEEKS 64		/* of them, errors that a peek may have to get past */

int
wake_open(struct run *x)
{
	sigset_t set;

	if (!x->c->so.sigio)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	x->wake.more = true;	/* what came before the signal was asked for */
	x->wake.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return x->wake.signals < 0 ? -errno : 0;
}

/* Signals do not add up: after one, everything is read before the next is
 * waited for. */
int
wake_fd(const struct run *x)
{
	return x->wake.signals ? x->wake.signals : sky_udp_fd(&x->end.u);
}

static bool
ready_now(const struct run *x)
{
	struct pollfd p = { .fd = sky_udp_fd(&x->end.u), .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

uint64_t
wake_deadline(struct run *x, uint64_t deadline)
{
	struct wake *w = &x->wake;
	uint64_t end;

	if (w->more && (w->more = ready_now(x)))
		return 0;
	if (!w->reading || !x->c->so.have_rcvtimeo)
		return deadline;
	if (!w->since)
		w->since = run_clock();
	end = w->since + x->c->so.rcvtimeo;
	return end < deadline ? end : deadline;
}

static bool
signalled(struct run *x)
{
	struct signalfd_siginfo info;

	while (read(x->wake.signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		x->wake.came++;
		if (x->c->verbose)
			out_line(&x->out, "SIGIO");
	}
	x->wake.more = ready_now(x);
	return x->wake.more;
}

bool
wake_up(struct run *x, bool readable)
{
	struct wake *w = &x->wake;

	if (readable && w->signals)
		readable = signalled(x);
	readable |= w->more;
	if (readable) {
		w->since = 0;
		return true;
	}
	if (!w->reading || !w->since || !x->c->so.have_rcvtimeo || x->failed ||
	    run_clock() < w->since + x->c->so.rcvtimeo)
		return false;
	end_say_error("read error", EAGAIN);
	x->failed = EAGAIN;
	return false;
}

/* A pending error comes out of a peek as well; it stays in the error queue, but
 * on a plain socket this was all of it. */
int
wake_peek(struct run *x)
{
	unsigned tries;
	ssize_t n = -1;

	for (tries = 0; tries < PEEKS && n < 0; tries++) {
		n = recv(sky_udp_fd(&x->end.u), x->in[0].data, x->in[0].cap,
		    MSG_PEEK | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && x->end.plain)
			return -errno;
	}
	if (n >= 0 && x->c->verbose)
		out_line(&x->out, "received %zd byte%s (MSG_PEEK)", n, n == 1 ? "" : "s");
	return 0;
}
