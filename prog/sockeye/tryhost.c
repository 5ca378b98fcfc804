/* SPDX-License-Identifier: BSD-2-Clause */
/* Namespaces, files and programs that are tried to see whether they are there. */
#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <sockeye/icmpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
try_read_line(const char *file, char *line, size_t size)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, line, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

static int
find_program(const char *name)
{
	static const char *const folders[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin",
					       "/usr/local/sbin", "/usr/local/bin" };
	char path[64];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

int
try_labtools(char *detail, size_t size)
{
	static const char *const tools[] = { "ip", "nft", "ethtool" };

	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		if (find_program(tools[i]) == 0)
			continue;
		snprintf(detail, size, "no %s", tools[i]);
		return -ENOENT;
	}
	return 0;
}

int
try_counters(char *detail, size_t size)
{
	char line[16];

	return try_read_line("/proc/net/snmp", line, sizeof(line));
}

int
try_icmprate(char *detail, size_t size)
{
	char pause[16], burst[16];
	int ret = try_read_line("/proc/sys/net/ipv4/icmp_ratelimit", pause, sizeof(pause));

	if (ret == 0)
		ret = try_read_line("/proc/sys/net/ipv4/icmp_msgs_per_sec", burst, sizeof(burst));
	/* the first is a pause in ms per destination, 0 for none */
	if (ret == 0)
		snprintf(detail, size, "one in %s ms to each host, %s a second in all", pause, burst);
	return ret;
}

/* A socket lies there even if nothing would be told: only an answer counts. */
int
try_icmpd(char *detail, size_t size)
{
	struct sky_icmpd_conf conf = { .size = sizeof(conf), .flags = SKY_ICMPD_NOW };
	static struct sky_icmpd d;
	struct sky_icmpd_status s = { .size = sizeof(s) };
	int ret = sky_icmpd_open(&d, &conf);

	if (ret < 0)
		return ret;
	sky_icmpd_status(&d, &s);
	snprintf(detail, size, "process %u of user %u", s.pid, s.uid);
	sky_icmpd_close(&d);
	return 0;
}
