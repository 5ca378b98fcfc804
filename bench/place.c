/* SPDX-License-Identifier: BSD-2-Clause */
/* place.c - namespaces, processors and scheduling for measurements. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

static int
write_file(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	close(fd);
	return n == (ssize_t)len ? 0 : -EIO;
}

/* One user, mapped to root of the new namespace. */
static int
map_user(unsigned uid, unsigned gid)
{
	char line[64];
	int err;

	snprintf(line, sizeof(line), "0 %u 1", uid);
	err = write_file("/proc/self/uid_map", line);
	if (err != 0)
		return err;
	err = write_file("/proc/self/setgroups", "deny");
	if (err != 0)
		return err;
	snprintf(line, sizeof(line), "0 %u 1", gid);
	return write_file("/proc/self/gid_map", line);
}

static int
lo_up(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int err = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		err = -errno;
	r.ifr_flags |= IFF_UP;
	if (err == 0 && ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		err = -errno;
	close(fd);
	return err;
}

int
place_network(void)
{
	unsigned uid = geteuid(), gid = getegid();
	int err;

	if (unshare(CLONE_NEWNET) == 0)
		return lo_up();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	err = map_user(uid, gid);
	return err != 0 ? err : lo_up();
}

/* Asked of the process, not of the thread: a thread that is pinned already
 * would see one processor. */
unsigned
place_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(getpid(), sizeof(set), &set) < 0)
		return 1;
	return CPU_COUNT(&set);
}

static int
nth_cpu(unsigned n)
{
	cpu_set_t set;
	int cpu, found = 0;

	if (sched_getaffinity(getpid(), sizeof(set), &set) < 0)
		return -errno;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		found = cpu;
		if (n-- == 0)
			break;
	}
	return found;
}

int
place_pin(unsigned n)
{
	cpu_set_t set;
	int cpu = nth_cpu(n);

	if (cpu < 0)
		return cpu;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : cpu;
}

int
place_fifo(void)
{
	struct sched_param p = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};

	return sched_setscheduler(0, SCHED_FIFO, &p) < 0 ? -errno : 0;
}

/* The processor's name as the kernel prints it, or the architecture. */
static void
cpu_name(char *buf, size_t size, const char *otherwise)
{
	char line[256], *at;
	FILE *f = fopen("/proc/cpuinfo", "re");

	snprintf(buf, size, "%s", otherwise);
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "model name", 10) != 0)
			continue;
		at = strchr(line, ':');
		line[strcspn(line, "\n")] = '\0';
		snprintf(buf, size, "%s", at ? at + 2 : otherwise);
		break;
	}
	if (f)
		fclose(f);
}

char *
place_machine(char *buf, size_t size)
{
	struct utsname u;
	double load = 0;
	char cpu[128];

	if (uname(&u) < 0)
		memset(&u, 0, sizeof(u));
	if (getloadavg(&load, 1) < 0)
		load = 0;
	cpu_name(cpu, sizeof(cpu), u.machine);
	snprintf(buf, size, "%s, %u processors, Linux %s, load %.2f", cpu,
	    place_cpus(), u.release, load);
	return buf;
}
