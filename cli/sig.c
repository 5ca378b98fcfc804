/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sig.c - signals as a descriptor; see sig.h.
 */
#include "cli/sig.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void
ours(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

int
sig_open(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	/* A shell starts background jobs with SIGINT ignored; then it would never
	 * reach the descriptor. */
	signal(SIGINT, SIG_DFL);
	ours(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int
sig_read(int fd)
{
	struct signalfd_siginfo info;
	sigset_t set;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	ours(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return (int)info.ssi_signo;
}

int
sig_status(int sig, int status)
{
	return sig == 0 || sig == SIGINT ? status : 128 + sig;
}
