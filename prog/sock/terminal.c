/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * terminal.c - cbreak mode, and its end; see terminal.h.
 *
 * A signal handler has no argument: what the terminal was like is the one thing
 * of this program that lives outside of main's variables.
 */
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios before, cbreak;

static void
restore(void)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

/* Those that the program reads as events come here only when they are no longer
 * blocked: the second one, which ends it. */
static void
ended(int sig)
{
	restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
stopped(int sig)
{
	int saved = errno;

	(void)sig;
	restore();
	kill(getpid(), SIGSTOP);
	tcsetattr(STDIN_FILENO, TCSANOW, &cbreak);
	errno = saved;
}

static void
handle(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV };
	struct sigaction a = { .sa_handler = ended };
	size_t i;

	sigemptyset(&a.sa_mask);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &a, NULL);
	a.sa_handler = stopped;
	a.sa_flags = SA_RESTART;
	sigaction(SIGTSTP, &a, NULL);
}

int
terminal_cbreak(void)
{
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return -errno;
	cbreak = before;
	cbreak.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	cbreak.c_cc[VMIN] = 1;
	cbreak.c_cc[VTIME] = 0;
	handle();
	if (atexit(restore) != 0)
		return -ENOMEM;
	return tcsetattr(STDIN_FILENO, TCSANOW, &cbreak) < 0 ? -errno : 0;
}
