/* SPDX-License-Identifier: BSD-2-Clause */
/* enter.c - a program of the caller's on a host: see enter.h. */
#include "enter.h"
#include "child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LONG_NS 600000000000u

static bool
has_ended(struct loop *l, void *arg)
{
	return ((const struct loop_proc *)arg)->ended;
}

/* At a terminal Ctrl-C reaches the program without our help. */
static void
pass_on(struct loop *l, const struct loop_proc *p)
{
	int signal = l->interrupted;

	l->interrupted = 0;
	if (signal && !p->ended && (signal != SIGINT || !isatty(STDIN_FILENO)))
		kill(p->pid, signal);
}

/* The lab's own programs have the slots below. */
static int
enter(struct loop *l, struct lab_step *s, bool pass)
{
	const struct loop_proc *p = &l->proc[l->lab->procs];

	s->verb = LAB_RUN;
	s->proc = l->lab->procs;
	s->line = 1;
	if (loop_start(l, s, true)) {
		fprintf(stderr, "socknet: %s\n", l->error);
		return 1;
	}
	while (!p->ended && !l->broken[0]) {
		loop_wait(l, has_ended, (void *)(uintptr_t)p, LONG_NS, 0);
		if (pass)
			pass_on(l, p);
		l->interrupted = 0;
	}
	if (l->broken[0])
		fprintf(stderr, "socknet: %s: %s\n", l->lab->file, l->broken);
	return l->broken[0] ? 1 : loop_status(p);
}

int
enter_shell(struct loop *l, unsigned host)
{
	static const char *const bash[] = { "bash", "--norc", "-i", NULL };
	static const char *const plain[] = { "sh", "-i", NULL };
	struct lab_step s = { .host = host, .root = true };
	char prompt[64];

	snprintf(prompt, sizeof(prompt), "%s# ", l->lab->host[host].name);
	setenv("PS1", prompt, 1);
	s.args.argv = (const char **)(uintptr_t)(child_exists("bash") ? bash : plain);
	return enter(l, &s, false);
}

int
enter_command(struct loop *l, unsigned host, const char *const *argv)
{
	struct lab_step s = { .host = host };

	s.args.argv = (const char **)(uintptr_t)argv;
	return enter(l, &s, true);
}
