/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The namespaces of a lab, made as socknet(8) makes them: each step may be
 * refused by somebody else, and has another mend.
 */
#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPACES (CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

static int
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int error = n < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	errno = error;
	return error ? -1 : 0;
}

static bool
make_spaces(bool *user, unsigned *uid, unsigned *gid)
{
	*uid = (unsigned)geteuid();
	*gid = (unsigned)getegid();
	*user = unshare(SPACES | CLONE_NEWUSER) == 0;
	return *user || (*uid == 0 && unshare(SPACES) == 0);
}

static bool
map_users(unsigned uid, unsigned gid)
{
	char map[64];

	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (put_file("/proc/self/uid_map", map))
		return false;
	put_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return !put_file("/proc/self/gid_map", map);
}

/* A plain chroot, where / is no mount point, is no obstacle to root. */
static bool
own_mounts(void)
{
	return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || errno == EINVAL;
}

static _Noreturn void
tell(int report, enum try_step step)
{
	struct try_lab t = { .step = step, .error = step == TRY_ALL ? 0 : errno };

	_exit(write(report, &t, sizeof(t)) != sizeof(t));
}

/* The rest, as the first process of the new ones. */
static enum try_step
inside(void)
{
	if (!own_mounts())
		return TRY_MOUNTS;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return TRY_PROC;
	if (mount("none", "/run", "tmpfs", MS_NOSUID | MS_NODEV, NULL))
		return TRY_MOUNTS;
	if (put_file("/proc/sys/net/ipv4/ip_default_ttl", "64"))
		return TRY_SYSCTL;
	if (socket(AF_PACKET, SOCK_RAW, 0) < 0)
		return TRY_PACKET;
	return TRY_ALL;
}

/* In a child, because one cannot come back. */
static enum try_step
outside(int report)
{
	unsigned uid, gid;
	bool user;
	pid_t pid;

	if (!make_spaces(&user, &uid, &gid))
		return TRY_SPACES;
	if (user && !map_users(uid, gid))
		return TRY_USERS;
	pid = fork();
	if (pid == 0)
		tell(report, inside());
	if (pid < 0)
		return TRY_SPACES;
	waitpid(pid, NULL, 0);
	_exit(0);
}

int
try_lab(struct try_lab *found)
{
	int p[2];
	ssize_t n;
	pid_t pid;

	*found = (struct try_lab){ .step = TRY_SPACES, .error = ECHILD };
	if (pipe2(p, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		tell(p[1], outside(p[1]));
	close(p[1]);
	n = pid < 0 ? -1 : read(p[0], found, sizeof(*found));
	close(p[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return n == sizeof(*found) ? -found->error : -ECHILD;
}

int
try_namespaces(char *detail, size_t size)
{
	static const char *const words[] = {
		[TRY_SPACES] = "making namespaces", [TRY_USERS] = "mapping users",
		[TRY_MOUNTS] = "mounting", [TRY_PROC] = "mounting /proc",
		[TRY_SYSCTL] = "writing a sysctl", [TRY_PACKET] = "a packet socket",
	};
	struct try_lab found;
	int ret = try_lab(&found);

	if (ret)
		snprintf(detail, size, "%s: %s", words[found.step], strerror(-ret));
	else
		snprintf(detail, size, geteuid() == 0 ? "as root" : "without root");
	return ret;
}
