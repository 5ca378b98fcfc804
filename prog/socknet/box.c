/* SPDX-License-Identifier: BSD-2-Clause */
/* box.c - namespaces that vanish by themselves: see box.h. */
#include "box.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BOX_SPACES (CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

struct start {
	const struct box *box;
	int go[2];		/* a byte when the maps are written; then held open */
	bool user;
	sigset_t old;
};

static long
read_setting(const char *path)
{
	char buf[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 ? strtol(buf, NULL, 10) : -1;
}

/* What refuses namespaces, where it is set so, and what mends it. */
static const struct {
	const char *path;
	long off;
	const char *mend;
} settings[] = {
	{ "/proc/sys/user/max_user_namespaces", 0,
	  "sysctl -w user.max_user_namespaces=15000" },
	{ "/proc/sys/kernel/unprivileged_userns_clone", 0,
	  "sysctl -w kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	  "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "/proc/sys/user/max_net_namespaces", 0,
	  "sysctl -w user.max_net_namespaces=15000" },
	{ "/proc/sys/user/max_mnt_namespaces", 0,
	  "sysctl -w user.max_mnt_namespaces=15000" },
	{ "/proc/sys/user/max_pid_namespaces", 0,
	  "sysctl -w user.max_pid_namespaces=15000" },
	{ "/proc/sys/user/max_ipc_namespaces", 0,
	  "sysctl -w user.max_ipc_namespaces=15000" },
	{ "/proc/sys/user/max_uts_namespaces", 0,
	  "sysctl -w user.max_uts_namespaces=15000" },
};

/* Where no setting does: by the beginning of what was tried. */
static const struct {
	const char *what, *mend;
} ways[] = {
	{ "mapping users", "root without CAP_SETFCAP: run as an ordinary user, "
	  "or start the container with --cap-add SETFCAP" },
	{ "mounting /proc", "start the container with --security-opt "
	  "systempaths=unconfined, podman: unmask=ALL, or --privileged" },
	{ "making namespaces", "run as root, or start the container with "
	  "--security-opt seccomp=unconfined, or --privileged" },
	{ NULL, "start the container with --security-opt seccomp=unconfined, "
	  "or --privileged" },
};

/* The one line that says what is refused and what mends it. */
static void
refused(const struct box *b, const char *what, int error)
{
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]) && !strcmp(what, "making namespaces"); i++)
		if (read_setting(settings[i].path) == settings[i].off) {
			warnx("%s: %s refused: %s (as root, `%s` allows it)", b->name,
			    what, strerror(error), settings[i].mend);
			return;
		}
	for (i = 0; ways[i].what && strncmp(what, ways[i].what, strlen(ways[i].what));)
		i++;
	warnx("%s: %s refused: %s (%s)", b->name, what, strerror(error), ways[i].mend);
}

static int
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int error = errno;

	if (fd >= 0)
		close(fd);
	return n < 0 ? -error : 0;
}

/* Root maps everybody, so that files stay readable as before; others map
 * themselves to root. */
static int
write_maps(pid_t pid)
{
	static const char everybody[] = "0 0 4294967295";
	char path[64], map[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)geteuid());
	r = geteuid() ? -EPERM : put_file(path, everybody);
	if (r)
		r = put_file(path, map);
	if (r)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	if (!geteuid() && !put_file(path, everybody))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	put_file(path, "deny");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)getegid());
	return put_file(path, map);
}

/* False if the maker is dead: the order to die came too late for us. */
static bool
wait_for_maker(struct start *s)
{
	struct pollfd p = { .fd = s->go[0], .events = 0 };
	char c;

	close(s->go[1]);
	if (read(s->go[0], &c, 1) != 1)
		return false;
	if (s->user && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
		return false;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	poll(&p, 1, 0);
	close(s->go[0]);
	return !(p.revents & POLLHUP);
}

/* In a plain chroot / is no mount point: it becomes one, and is entered by the
 * one way that does not end below it. */
static int
make_private(void)
{
	if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 0;
	if (errno != EINVAL || mount("/", "/", NULL, MS_BIND | MS_REC, NULL) ||
	    chdir("/..") || chroot("."))
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static const char *
mount_own(const char *cwd)
{
	if (make_private() || (*cwd && chdir(cwd)))
		return "making mounts private";
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return "mounting /proc";
	if (mount("socknet", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m"))
		return "mounting /run";
	if (mkdir("/run/netns", 0755) || mkdir("/run/lab", 0777))
		return "making /run/netns";
	return NULL;
}

static _Noreturn void
first_process(struct start *s)
{
	char cwd[4096];
	const char *what;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!wait_for_maker(s))
		_exit(1);
	close_range(3, ~0u, 0);
	what = mount_own(getcwd(cwd, sizeof(cwd)) ? cwd : "");
	if (what) {
		refused(s->box, what, errno);
		_exit(1);
	}
	exit(s->box->inside(s->box->arg));
}

/* fork() into new namespaces. Filters of containers deny that clone3() exists,
 * because they cannot look into its argument. */
static pid_t
fork_into(uint64_t spaces)
{
	struct clone_args a = { .flags = spaces, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof(a));

	if (pid < 0 && errno == ENOSYS)
		pid = syscall(SYS_clone, spaces | SIGCHLD, 0, 0, 0, 0);
	return (pid_t)pid;
}

static pid_t
make(struct start *s)
{
	pid_t pid;

	s->user = !s->box->root;
	pid = fork_into(BOX_SPACES | (s->user ? CLONE_NEWUSER : 0));
	if (pid < 0 && s->user && geteuid() == 0) {
		s->user = false;
		pid = fork_into(BOX_SPACES);
	}
	if (pid == 0)
		first_process(s);
	return pid;
}

/* Status of the box (told: why it ends is said already); after a signal it has three seconds to end by itself. */
static int
watch(const struct box *b, pid_t pid, const sigset_t *set, bool told)
{
	static const struct timespec grace = { .tv_sec = 3 };
	bool ending = false;
	int status, sig;

	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		sig = ending ? sigtimedwait(set, NULL, &grace) : sigwaitinfo(set, NULL);
		if (sig == SIGCHLD || (sig == SIGINT && b->terminal))
			continue;
		if (sig < 0 && errno == EINTR)
			continue;
		kill(pid, sig < 0 ? SIGKILL : sig);
		ending = true;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (told)
		return 1;
	warnx("%s: the lab was killed by signal %d", b->name, WTERMSIG(status));
	return 1;
}

int
box_run(const struct box *b)
{
	struct start s = { .box = b };
	sigset_t set;
	pid_t pid;
	int r;

	fflush(NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &s.old);
	if (pipe2(s.go, O_CLOEXEC))
		err(1, "pipe");
	pid = make(&s);
	close(s.go[0]);
	if (pid < 0) {
		refused(b, "making namespaces", errno);
		close(s.go[1]);
		return 1;
	}
	r = s.user ? write_maps(pid) : 0;
	if (r)
		refused(b, "mapping users", -r);
	if (r || write(s.go[1], "", 1) != 1)
		kill(pid, SIGKILL);
	r = watch(b, pid, &set, r != 0);
	close(s.go[1]);
	sigprocmask(SIG_SETMASK, &s.old, NULL);
	return r;
}
