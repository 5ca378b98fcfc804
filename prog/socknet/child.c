/* SPDX-License-Identifier: BSD-2-Clause */
/* child.c - programs started on a host of the lab: see child.h. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDINARY 1000
#define NOBODY 65534

static int
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* Where no user namespace can be made: nobody; and where there is nobody but
 * root, a root that the exec leaves without any capability. */
static int
drop_privileges(void)
{
	if (!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
	    !setresuid(NOBODY, NOBODY, NOBODY))
		return 0;
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* A user namespace inside the lab's: no privilege over the lab's network is
 * left after the exec. */
static int
become_user(void)
{
	char map[64];
	unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();

	if (unshare(CLONE_NEWUSER))
		return drop_privileges();
	snprintf(map, sizeof(map), "%d %u 1", ORDINARY, uid);
	if (put_file("/proc/self/uid_map", map) ||
	    put_file("/proc/self/setgroups", "deny"))
		return -1;
	snprintf(map, sizeof(map), "%d %u 1", ORDINARY, gid);
	return put_file("/proc/self/gid_map", map);
}

static int
place_fds(const struct child *c, int *report)
{
	int fd[CHILD_FDS], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Out of the way first: what becomes 0 may be 2 now. */
	for (int i = 0; i < CHILD_FDS; i++) {
		fd[i] = c->fd[i] >= 0 ? c->fd[i] : i < 3 ? null : -1;
		if (fd[i] >= 0)
			fd[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 10);
	}
	*report = fcntl(*report, F_DUPFD_CLOEXEC, 10);
	close(CHILD_FDS - 1);
	for (int i = 0; i < CHILD_FDS; i++)
		if (fd[i] >= 0 && dup2(fd[i], i) < 0)
			return -1;
	return *report < 0 ? -1 : 0;
}

static _Noreturn void
become(const struct child *c, int report)
{
	sigset_t none;
	ssize_t n;
	int error;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (!c->terminal)
		setpgid(0, 0);
	if ((c->netns < 0 || !setns(c->netns, CLONE_NEWNET)) &&
	    (!c->hostname || (!unshare(CLONE_NEWUTS) &&
	    !sethostname(c->hostname, strlen(c->hostname)))) &&
	    (c->root || !become_user()) && !place_fds(c, &report))
		execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
	error = errno;
	n = write(report, &error, sizeof(error));
	_exit(n < 0 ? 126 : 127);
}

pid_t
child_start(const struct child *c)
{
	int report[2], error;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		become(c, report[1]);
	close(report[1]);
	if (pid > 0 && read(report[0], &error, sizeof(error)) == sizeof(error)) {
		waitpid(pid, NULL, 0);
		pid = -error;
	} else if (pid < 0) {
		pid = -errno;
	}
	close(report[0]);
	return pid;
}

static int
input_of(const char *text, size_t len)
{
	int fd = memfd_create("socknet", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0) {
			close(fd);
			return -EIO;
		}
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void
read_all(int fd, char *out, size_t size)
{
	char rest[512];
	size_t used = 0;
	ssize_t n;

	do {
		bool full = used + 1 >= size;

		n = read(fd, full ? rest : out + used,
		    full ? sizeof(rest) : size - 1 - used);
		if (n > 0 && !full)
			used += (size_t)n;
	} while (n > 0);
	out[used] = 0;
}

int
child_tool(const char *const *argv, int netns, const char *input, size_t len,
    char *out, size_t out_size)
{
	struct child c = { .argv = argv, .netns = netns, .root = true,
		.fd = { -1, -1, -1, -1 } };
	int p[2], status;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC))
		return -errno;
	c.fd[0] = input_of(input, len);
	c.fd[1] = c.fd[2] = p[1];
	pid = child_start(&c);
	close(p[1]);
	if (c.fd[0] >= 0)
		close(c.fd[0]);
	if (pid > 0)
		read_all(p[0], out, out_size);
	close(p[0]);
	if (pid < 0)
		return pid;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool
child_exists(const char *program)
{
	char path[4096], full[4600], *save = NULL;
	const char *env = getenv("PATH");

	if (strchr(program, '/'))
		return access(program, X_OK) == 0;
	snprintf(path, sizeof(path), "%s", env ? env : "/usr/bin:/bin");
	for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		snprintf(full, sizeof(full), "%s/%s", dir, program);
		if (access(full, X_OK) == 0)
			return true;
	}
	return false;
}
