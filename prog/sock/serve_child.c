/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_child.c - a process for each client: a copy of this one (-F), or a
 * command (--exec) as under inetd.
 *
 * The children are reaped when they end, and end with us.
 */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMAND 4096

struct child {
	struct client who;
	pid_t pid;
};

/* What a forked child says before it ends, in one write. */
struct report {
	pid_t pid;
	int err;
	bool lost;
	uint64_t in, out;
};

/* Where the pointer to the child with this pid stands, or the end of the list. */
static struct client **
find(struct serve *s, pid_t pid)
{
	struct client **at = &s->children;

	while (*at && ((struct child *)*at)->pid != pid)
		at = &(*at)->next;
	return at;
}

static void
read_reports(struct serve *s)
{
	struct report r;
	struct client *who;

	while (read(s->reports[0], &r, sizeof(r)) == (ssize_t)sizeof(r)) {
		who = *find(s, r.pid);
		if (!who)
			continue;
		who->err = r.err;
		who->lost = r.lost;
		who->in = r.in;
		who->out = r.out;
	}
}

/* It could not report: what it had done is not known. */
static void
tell_killed(struct serve *s, struct client *who, int how)
{
	char peer[SKY_ADDRSTRLEN];

	out_line(&s->out, "the process that served %s was killed: %s",
	    out_end_point(&who->peer, peer, sizeof(peer)), strsignal(WTERMSIG(how)));
	who->err = ECONNABORTED;
	who->lost = true;
}

static void
gone(struct serve *s, pid_t pid)
{
	struct client **at = find(s, pid), *who = *at;

	if (!who)
		return;
	*at = who->next;
	serve_ended(s, who);
	free(who);
}

static void
reap(struct serve *s, struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info;
	struct client *who;
	pid_t pid;
	int how;

	(void)events;
	while (read(w->fd, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		read_reports(s);
		who = *find(s, pid);
		if (who && WIFSIGNALED(how))
			tell_killed(s, who, how);
		gone(s, pid);
	}
}

static int
open_children(struct serve *s)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	s->pid = getpid();
	if (pipe2(s->reports, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	s->child.ready = reap;
	return serve_watch(s, &s->child, fd, EPOLLIN);
}

/* In the child: as if a shell had started it. */
static void
become_plain(struct serve *s)
{
	struct rlimit files;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != s->pid)
		_exit(1);		/* it ended before that */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = s->files;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void
serve_in_child(struct serve *s, const struct client *who)
{
	struct client one = *who;
	struct report r;

	become_plain(s);
	serve_tcp_close(s);
	close(s->epoll);
	if (s->c->book && s->c->book->child) {
		fputs(s->c->book->child, stdout);
		fflush(stdout);
	}
	session_run(&one, s->c, -1);
	r = (struct report){ getpid(), one.err, one.lost, one.in, one.out };
	_exit(write(s->reports[1], &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
}

static void
no_child(struct serve *s, const struct client *who)
{
	struct client failed = *who;

	failed.err = errno;
	failed.lost = true;
	out_line(&s->out, "cannot start a process for a client: %s", strerror(errno));
	close(who->fd);
	serve_ended(s, &failed);
}

static void
start(struct serve *s, const struct client *who,
    void (*child)(struct serve *, const struct client *))
{
	struct child *k = calloc(1, sizeof(*k));
	pid_t pid = k ? fork() : -1;

	if (pid == 0) {
		child(s, who);
		_exit(127);
	}
	if (pid < 0) {
		no_child(s, who);
		free(k);
		return;
	}
	k->who = *who;
	k->pid = pid;
	k->who.next = s->children;
	s->children = &k->who;
	if (!s->c->keep_connected)
		close(who->fd);
}

static void
start_fork(struct serve *s, const struct client *who)
{
	start(s, who, serve_in_child);
}

/* The names are those that UCSPI servers give. */
static void
set_environment(const struct client *who)
{
	char text[SKY_ADDRSTRLEN];
	char port[8];

	setenv("PROTO", "TCP", 1);
	setenv("TCPREMOTEIP", sky_addr_format_host(&who->peer, text, sizeof(text)), 1);
	snprintf(port, sizeof(port), "%u", sky_addr_port(&who->peer));
	setenv("TCPREMOTEPORT", port, 1);
	setenv("TCPLOCALIP", sky_addr_format_host(&who->local, text, sizeof(text)), 1);
	snprintf(port, sizeof(port), "%u", sky_addr_port(&who->local));
	setenv("TCPLOCALPORT", port, 1);
}

/* command with each {fd} replaced by fd. Returns whether there was one. */
static bool
name_descriptor(const char *command, int fd, char *out, size_t size)
{
	const char *at;
	size_t len = 0;
	bool named = false;

	while ((at = strstr(command, "{fd}")) && len < size) {
		len += (size_t)snprintf(out + len, size - len, "%.*s%d", (int)(at - command),
		    command, fd);
		command = at + 4;
		named = true;
	}
	if (len < size)
		snprintf(out + len, size - len, "%s", command);
	return named;
}

static void
exec_in_child(struct serve *s, const struct client *who)
{
	char command[COMMAND];
	int i;

	become_plain(s);
	set_environment(who);
	fcntl(who->fd, F_SETFL, fcntl(who->fd, F_GETFL) & ~O_NONBLOCK);
	if (name_descriptor(s->c->exec, who->fd, command, sizeof(command)))
		fcntl(who->fd, F_SETFD, 0);
	else
		for (i = 0; i < 3; i++)
			dup2(who->fd, i);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
}

static void
start_exec(struct serve *s, const struct client *who)
{
	start(s, who, exec_in_child);
}

/* Those who are left end with us, by PR_SET_PDEATHSIG. */
static void
close_children(struct serve *s)
{
	struct client *who;

	reap(s, &s->child, 0);
	while ((who = s->children)) {
		who->stopped = true;
		gone(s, ((struct child *)who)->pid);
	}
	close(s->reports[0]);
	close(s->reports[1]);
	close(s->child.fd);
}

const struct way way_fork = {
	.open = open_children, .start = start_fork, .close = close_children
};
const struct way way_exec = {
	.open = open_children, .start = start_exec, .close = close_children
};
