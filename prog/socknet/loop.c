/* SPDX-License-Identifier: BSD-2-Clause */
/* loop.c - programs, what they write, and waiting: see loop.h. */
#include "loop.h"
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ON_SIGNAL, ON_STREAM, ON_CAPTURE };

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int
watch(struct loop *l, int fd, unsigned kind, unsigned index, unsigned sub)
{
	struct epoll_event e = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)kind << 48 | (uint64_t)sub << 32 | index,
	};

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e);
}

static int
fail(struct loop *l, unsigned line, const char *what, int error)
{
	snprintf(l->error, sizeof(l->error), "%s:%u: %.180s: %s",
	    lab_file(l->lab, line), LAB_LINE(line), what, strerror(error));
	return -1;
}

/* An odd host is seen where its lower half meets the wire. */
static int
open_capture(struct loop *l, unsigned host, unsigned of)
{
	const struct lab *lab = l->lab;
	unsigned odd = lab->host[host].odd;
	const struct lab_router *half = odd ? &lab->router[odd - 1] : NULL;
	int r = net_enter(&l->net, half ? half->host : host);

	r = r ? r : capture_open(&l->capture[host], of);
	for (unsigned w = 0; half && !r && w < half->odd->wires; w++)
		capture_skip(&l->capture[host], half->conf->iface[2 * w].name);
	net_enter(&l->net, LAB_NONE);
	return r;
}

static int
open_captures(struct loop *l)
{
	unsigned of = 0;

	for (unsigned i = 0; i < l->lab->hosts; i++)
		of += l->lab->host[i].captured;
	for (unsigned i = 0; i < l->lab->hosts; i++) {
		const struct lab_host *h = &l->lab->host[i];
		int r;

		l->capture[i].fd = -1;
		if (!h->captured)
			continue;
		r = open_capture(l, i, of);
		if (r)
			return fail(l, h->line, "capture", -r);
		if (watch(l, l->capture[i].fd, ON_CAPTURE, i, 0))
			return fail(l, h->line, "epoll", errno);
	}
	return 0;
}

int
loop_open(struct loop *l, const struct lab *lab, struct report *r)
{
	sigset_t set;

	l->lab = lab;
	l->report = r;
	l->foreground = LAB_NONE;
	l->proc = calloc(lab->procs + 1, sizeof(*l->proc));
	l->capture = calloc(LAB_HOSTS, sizeof(*l->capture));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!l->proc || !l->capture || l->epoll < 0 || l->signals < 0 ||
	    watch(l, l->signals, ON_SIGNAL, 0, 0))
		return fail(l, 1, "starting", errno);
	return open_captures(l);
}

void
loop_close(struct loop *l)
{
	for (unsigned i = 0; l->capture && i < l->lab->hosts; i++)
		capture_close(&l->capture[i]);
	for (unsigned i = 0; l->proc && i < l->lab->procs; i++)
		for (unsigned k = 0; k < LOOP_STREAMS; k++)
			free(l->proc[i].s[k].text);
	free(l->capture);
	free(l->proc);
}

/* --- what programs write --- */

static void
tell_lines(struct loop *l, unsigned index, unsigned stream, bool rest)
{
	struct loop_proc *p = &l->proc[index];
	struct loop_stream *s = &p->s[stream];
	const char *nl;

	while (s->told < s->len) {
		const char *from = s->text + s->told;
		size_t n = s->len - s->told;

		nl = memchr(from, '\n', n);
		if (!nl && !rest)
			return;
		if (nl)
			n = (size_t)(nl - from);
		if (stream != LOOP_RECORDS)
			report_output(l->report, p->step, index != l->foreground, from, n);
		s->told += n + (nl != NULL);
	}
}

static void
keep(struct loop_stream *s, const char *buf, size_t n)
{
	char *grown;

	if (s->len + n + 1 > s->room) {
		size_t room = s->room ? s->room * 2 : 32768;

		grown = room <= LOOP_TEXT ? realloc(s->text, room) : NULL;
		if (!grown) {
			s->cut = true;
			return;
		}
		s->text = grown;
		s->room = room;
	}
	memcpy(s->text + s->len, buf, n);
	s->len += n;
	s->text[s->len] = 0;
}

/* Reads what is there; closes at the end. */
static void
take_stream(struct loop *l, unsigned index, unsigned stream)
{
	struct loop_stream *s = &l->proc[index].s[stream];
	char buf[16384];
	ssize_t n;

	while (s->fd >= 0) {
		n = read(s->fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (n == 0) {
			close(s->fd);
			s->fd = -1;
			break;
		}
		keep(s, buf, (size_t)n);
	}
	tell_lines(l, index, stream, s->fd < 0);
}

/* --- programs --- */

int
loop_status(const struct loop_proc *p)
{
	return WIFEXITED(p->status) ? WEXITSTATUS(p->status) : 128 + WTERMSIG(p->status);
}

static int
make_streams(struct loop *l, const struct lab_step *s, struct child *c, int p[CHILD_FDS][2])
{
	struct loop_proc *proc = &l->proc[s->proc];

	for (unsigned i = 0; i < CHILD_FDS; i++) {
		if (pipe2(p[i], O_CLOEXEC))
			return -1;
		c->fd[i] = p[i][i != 0];
	}
	proc->input = p[0][1];
	for (unsigned k = 0; k < LOOP_STREAMS; k++) {
		proc->s[k] = (struct loop_stream){ .fd = p[k + 1][0] };
		fcntl(p[k + 1][0], F_SETFL, O_NONBLOCK);
		if (watch(l, p[k + 1][0], ON_STREAM, s->proc, k))
			return -1;
	}
	return 0;
}

int
loop_start(struct loop *l, const struct lab_step *s, bool terminal)
{
	struct loop_proc *proc = &l->proc[s->proc];
	int p[CHILD_FDS][2];
	struct child c = {
		.argv = s->args.argv, .netns = l->net.fd[s->host],
		.hostname = l->lab->host[s->host].name, .root = s->root,
		.fd = { 0, 1, 2, -1 }, .terminal = terminal,
	};

	proc->step = s;
	proc->input = -1;
	for (unsigned k = 0; k < LOOP_STREAMS; k++)
		proc->s[k].fd = -1;
	if (!terminal && make_streams(l, s, &c, p))
		return fail(l, s->line, "pipe", errno);
	proc->pid = child_start(&c);
	for (unsigned i = 0; i < CHILD_FDS && !terminal; i++)
		close(c.fd[i]);
	if (proc->pid < 0) {
		int error = -proc->pid;

		proc->pid = 0;
		return fail(l, s->line, s->args.argv[0], error);
	}
	return 0;
}

static void
lose_router(struct loop *l, pid_t pid, int status)
{
	unsigned i = routers_find(&l->routers, pid);

	if (i != LAB_NONE)
		snprintf(l->broken, sizeof(l->broken), "%s %s ended, by %s %d",
		    l->lab->router[i].odd ? "the lower half" : "router",
		    l->lab->host[l->lab->router[i].host].name,
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void
reap(struct loop *l)
{
	int status;
	pid_t pid;

	for (; (pid = waitpid(-1, &status, WNOHANG)) > 0; lose_router(l, pid, status))
		for (unsigned i = 0; i < l->lab->procs + 1; i++) {
			struct loop_proc *p = &l->proc[i];

			if (p->pid != pid || p->ended)
				continue;
			for (unsigned k = 0; k < LOOP_STREAMS; k++)
				take_stream(l, i, k);
			p->ended = true;
			p->status = status;
		}
}

static void
take_signals(struct loop *l)
{
	struct signalfd_siginfo si;

	while (read(l->signals, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo != SIGCHLD)
			l->interrupted = (int)si.ssi_signo;
	reap(l);
}

/* --- waiting --- */

void
loop_drain(struct loop *l)
{
	for (unsigned i = 0; i < l->lab->hosts; i++)
		capture_drain(&l->capture[i]);
}

static void
on_event(struct loop *l, uint64_t data)
{
	unsigned index = (unsigned)data, sub = (unsigned)(data >> 32 & 0xffff);

	switch (data >> 48) {
	case ON_SIGNAL:
		take_signals(l);
		break;
	case ON_STREAM:
		take_stream(l, index, sub);
		break;
	case ON_CAPTURE:
		capture_drain(&l->capture[index]);
		break;
	}
}

int
loop_wait(struct loop *l, bool (*cond)(struct loop *l, void *arg), void *arg,
    uint64_t within_ns, unsigned tick_ms)
{
	uint64_t end = now_ns() + within_ns, now;
	struct epoll_event e[16];
	int n, timeout;

	while (!cond(l, arg)) {
		now = now_ns();
		if (l->interrupted || l->broken[0])
			return -EINTR;
		if (now >= end)
			return -ETIMEDOUT;
		timeout = (int)((end - now) / 1000000) + 1;
		if (tick_ms && timeout > (int)tick_ms)
			timeout = (int)tick_ms;
		n = epoll_wait(l->epoll, e, 16, timeout);
		for (int i = 0; i < n; i++)
			on_event(l, e[i].data.u64);
	}
	return 0;
}
