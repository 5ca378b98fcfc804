/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp.c - opening, waiting and closing over TCP; see tcp.h. */
#include "privileges.h"
#include "tcp.h"
#include "run.h"
#include "terminal.h"

#include "cli/sig.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TICK_NS UINT64_C(20000000)	/* how often a pause looks at the queue */

void
tcp_say(struct tcp *t, int status, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "sock: %s\n", text);
	if (t->status < status)
		t->status = status;
}

/* People's lines stay off where they would only repeat JSON on the screen. */
static int
open_out(struct tcp *t)
{
	const struct config *c = t->c;
	FILE *text = opts_json_on_stdout(c) && !c->verbose ? NULL : stderr;
	int rc = out_open(&t->out, text, c->json ? c->json_to ? c->json_to : "-" : NULL);

	if (rc < 0 && c->json_to)
		opts_refuse("'--json=%s': %s", c->json_to, strerror(-rc));
	if (c->no_colour)
		t->out.colour = false;
	return rc;
}

/* -I: the signal wakes us as much as the socket does. */
static int
open_sigio(struct tcp *t)
{
	sigset_t set;

	if (!t->c->so.sigio)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	t->sigio = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return t->sigio < 0 ? -errno : 0;
}

static void
take_sigio(struct tcp *t)
{
	struct signalfd_siginfo info;

	while (t->sigio >= 0 && read(t->sigio, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (t->c->verbose)
			out_line(&t->out, "SIGIO");
}

int
tcp_open(struct tcp *t, const struct config *c)
{
	int rc;

	memset(t, 0, sizeof(*t));
	t->c = c;
	t->listener = t->sig = t->sigio = -1;
	rc = open_out(t);
	if (!rc) {
		t->sig = sig_open();
		t->in = malloc(c->read_size);
		rc = t->sig < 0 ? t->sig : t->in ? open_sigio(t) : -ENOMEM;
	}
	if (rc < 0)
		tcp_say(t, 1, "%s", strerror(-rc));
	return rc < 0 ? 1 : 0;
}

int
tcp_close(struct tcp *t)
{
	int rc = out_close(&t->out);

	if (!rc && (fflush(stdout) == EOF || ferror(stdout)))
		rc = -EIO;
	if (rc < 0)
		tcp_say(t, 1, "write error: %s", strerror(-rc));
	if (t->listener >= 0)
		close(t->listener);
	if (t->sig >= 0)
		close(t->sig);
	free(t->in);
	free(t->out.line);
	return sig_status(t->signal, t->status);
}

bool
tcp_over(const struct tcp *t)
{
	return t->signal || t->out.failed;
}

int
tcp_wait(struct tcp *t, struct pollfd *p, nfds_t n, uint64_t deadline)
{
	uint64_t now = run_clock();
	uint64_t left = deadline > now ? deadline - now : 0;
	struct timespec ts = { (time_t)(left / 1000000000), (long)(left % 1000000000) };
	int ready;

	p[0] = (struct pollfd){ .fd = t->sig, .events = POLLIN };
	ready = ppoll(p, n, deadline == TCP_FOREVER ? NULL : &ts, NULL);
	if (ready > 0 && p[0].revents)
		t->signal = sig_read(t->sig);
	take_sigio(t);
	return ready < 0 ? 0 : ready;
}

void
tcp_pause(struct tcp *t, uint64_t ns)
{
	uint64_t deadline = run_clock() + ns, tick;
	struct pollfd p[1];

	while (!tcp_over(t) && run_clock() < deadline) {
		tick = t->listener >= 0 && t->c->verbose ? run_clock() + TICK_NS : deadline;
		tcp_wait(t, p, 1, tick < deadline ? tick : deadline);
		tcp_tell_queue(t);
	}
}

/* The sockets are open. Returns false after a line. */
static bool
settle_in(struct tcp *t)
{
	int rc = privileges_drop();

	if (rc < 0)
		tcp_say(t, 1, "cannot drop privileges: %s", strerror(-rc));
	else if (t->c->cbreak && (rc = terminal_cbreak()) < 0)
		tcp_say(t, 2, "-C: standard input: %s", strerror(-rc));
	return rc >= 0;
}

static void
run_client(struct tcp *t)
{
	struct conn conn;

	if (t->c->have_fd)
		tcp_inherit(t, &conn);
	else if (tcp_dial(t, &conn))
		return;
	if (!settle_in(t))
		return;
	tcp_pause(t, t->c->initial_pause);
	if (t->c->book && t->c->book->tcp)
		t->c->book->tcp(t, &conn);
	else if (t->c->source_sink)
		tcp_source(t, &conn);
	else
		tcp_talk(t, &conn);
}

static void
run_server(struct tcp *t)
{
	if (tcp_listen(t) || !settle_in(t))
		return;
	tcp_pause(t, t->c->listen_pause);
	if (t->c->fork_each)
		tcp_fork(t);
	else
		tcp_talk(t, NULL);
}

int
tcp_main(const struct config *c)
{
	struct tcp t;

	if (tcp_open(&t, c) == 0) {
		if (c->have_backlog_test)
			tcp_backlog_test(&t);
		else if (c->server)
			run_server(&t);
		else
			run_client(&t);
	}
	return tcp_close(&t);
}
