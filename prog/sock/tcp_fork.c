/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_fork.c - -F: a process for each connection, and every child reaped.
 *
 * With --keep-connected the parent keeps its copy of each connected socket, as
 * a program does that forgets the close(): no FIN is ever sent, because a
 * descriptor is left, and the table of descriptors fills.
 */
#include "tcp.h"
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Until accept is tried again without descriptors; and, with -v, how often the
 * queue is looked at. */
#define TICK_NS UINT64_C(100000000)

struct fork {
	int child_fd;		/* signals of children */
	unsigned long living;
	unsigned long kept;	/* connected sockets that were not closed */
	bool told;
};

static void
set_chld(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(how, &set, NULL);
}

static int
open_children(struct fork *f)
{
	sigset_t set;

	set_chld(SIG_BLOCK);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	f->child_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->child_fd < 0 ? -errno : 0;
}

/* One signal may stand for many children. */
static void
reap(struct tcp *t, struct fork *f)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(f->child_fd, &info, sizeof(info)) > 0)
		continue;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		f->living--;
		if (WIFSIGNALED(status))
			out_line(&t->out, "child %d ended by signal %d", (int)pid, WTERMSIG(status));
		else if (WEXITSTATUS(status) && t->status == 0)
			t->status = WEXITSTATUS(status);
	}
}

_Noreturn static void
child(struct tcp *t, struct fork *f, struct conn *conn)
{
	set_chld(SIG_UNBLOCK);
	close(f->child_fd);
	close(t->listener);
	t->listener = -1;
	t->status = 0;
	tcp_pause(t, t->c->initial_pause);
	tcp_talk(t, conn);
	_exit(tcp_close(t));
}

static void
serve(struct tcp *t, struct fork *f, struct conn *conn)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(t, f, conn);
	if (pid < 0)
		tcp_say(t, 1, "fork error: %s", strerror(errno));
	else
		f->living++;
	if (t->c->keep_connected && pid > 0)
		f->kept++;
	else
		close(conn->fd);
}

static void
say_kept(struct tcp *t, struct fork *f)
{
	if (!f->kept || f->told)
		return;
	f->told = true;
	tcp_say(t, 1, "too many open files: the parent still holds %lu connected sockets "
	    "(--keep-connected): no FIN was sent on any of them, and the next client waits",
	    f->kept);
}

void
tcp_fork(struct tcp *t)
{
	struct fork f = { .child_fd = -1 };
	struct pollfd p[3];
	struct conn conn;
	int alive = open_children(&f);

	if (alive < 0)
		tcp_say(t, 1, "%s", strerror(-alive));
	while (alive >= 0 && !tcp_over(t)) {
		p[1] = (struct pollfd){ .fd = f.child_fd, .events = POLLIN };
		p[2] = (struct pollfd){ .fd = t->starved ? -1 : t->listener, .events = POLLIN };
		tcp_wait(t, p, 3, t->starved || t->c->verbose ? run_clock() + TICK_NS : TCP_FOREVER);
		tcp_tell_queue(t);
		if (p[1].revents)
			reap(t, &f);
		if (t->starved)
			p[2].revents = POLLIN;	/* perhaps a descriptor is free now */
		if (!p[2].revents || tcp_over(t))
			continue;
		alive = tcp_accept(t, &conn);
		if (alive > 0)
			serve(t, &f, &conn);
		if (t->starved)
			say_kept(t, &f);
	}
	if (f.child_fd >= 0) {
		reap(t, &f);
		close(f.child_fd);
	}
}
