/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of probes, and what mends each; what they do is in try.c. */
#include "probe.h"

#include "try.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RAW_CONTAINER "start the container with --cap-add NET_RAW"

const struct probe probes[] = {
	{ "errors4", "error queue, IPv4", "sock: fates from ICMP", true, try_errors4, NULL, NULL },
	{ "errors6", "error queue, IPv6", "sock: fates from ICMPv6", true, try_errors6,
	  "sysctl -w net.ipv6.conf.all.disable_ipv6=0", NULL },
	{ "refused", "a refusal over loopback comes back", "sock, sockpath: proof of the above", true,
	  try_refused, "ip link set lo up", NULL },
	{ "rfc4884", "extensions of ICMP errors", "sock: labels of routers (Linux 5.9)", false,
	  try_rfc4884, NULL, NULL },
	{ "meminfo", "a socket's drop counter", "sock: dropped-receiving (Linux 4.12)", false,
	  try_meminfo, NULL, NULL },
	{ "gso", "trains of datagrams, out", "libsockeye: speed (Linux 4.18)", false, try_gso, NULL,
	  NULL },
	{ "gro", "trains of datagrams, in", "libsockeye: speed (Linux 5.0)", false, try_gro, NULL,
	  NULL },
	{ "buffer", "a receive buffer of 4 MiB", "sock -R: fewer dropped-receiving", false,
	  try_buffer, "sysctl -w net.core.rmem_max=4194304", NULL },
	{ "lowport", "ports below 1024", "sock -s echo, domain, tftp", false, try_lowport,
	  "sysctl -w net.ipv4.ip_unprivileged_port_start=0",
	  "start the container with --sysctl net.ipv4.ip_unprivileged_port_start=0" },
	{ "neighbour", "neighbour table by netlink", "sock: waits for no-neighbour", false,
	  try_neighbour, NULL, NULL },
	{ "namespaces", "a network of one's own", "socknet: every lab, make demo", false,
	  try_namespaces, NULL, NULL },
	{ "labtools", "ip, nft and ethtool", "socknet: every lab, make demo", false, try_labtools,
	  "apt-get install iproute2 nftables ethtool", NULL },
	{ "ping", "ping socket", "sockpath -I without privilege", false, try_ping,
	  "sysctl -w net.ipv4.ping_group_range='0 2147483647'",
	  "start the container with --sysctl net.ipv4.ping_group_range='0 2147483647'" },
	{ "raw", "raw socket", "sockpath --raw", false, try_raw,
	  "setcap cap_net_raw+ep PROGRAM, or run it with sudo", RAW_CONTAINER },
	{ "packet", "packet socket", "captures", false, try_packet,
	  "setcap cap_net_raw+ep PROGRAM, or run it with sudo", RAW_CONTAINER },
	{ "icmpd", "icmpd answers", "sock --errors icmpd, icmpctl", false, try_icmpd,
	  "systemctl start icmpd.socket, or icmpd", NULL },
	{ "counters", "this host's UDP counters", "bad-checksum, no-socket in sum", false,
	  try_counters, "mount -t proc proc /proc", NULL },
	{ "icmprate", "how often this host sends errors", "labs with many errors", false,
	  try_icmprate, "mount -t proc proc /proc", NULL },
	{ NULL, NULL, NULL, false, NULL, NULL, NULL },
};

const struct probe *
probe_find(const char *name)
{
	for (const struct probe *p = probes; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static bool
in_container(void)
{
	return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
	       getenv("container") != NULL;
}

/* Distributions refuse user namespaces by different switches; the first that
 * is there and set against us is the one to turn. */
static const struct {
	const char *file, *refuses, *mend;
} ns_switches[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0",
	  "sysctl -w kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000" },
	{ "/proc/sys/user/max_net_namespaces", "0", "sysctl -w user.max_net_namespaces=15000" },
	{ "/proc/sys/user/max_mnt_namespaces", "0", "sysctl -w user.max_mnt_namespaces=15000" },
	{ "/proc/sys/user/max_pid_namespaces", "0", "sysctl -w user.max_pid_namespaces=15000" },
	{ "/proc/sys/user/max_ipc_namespaces", "0", "sysctl -w user.max_ipc_namespaces=15000" },
	{ "/proc/sys/user/max_uts_namespaces", "0", "sysctl -w user.max_uts_namespaces=15000" },
};

/* What makes a container's /proc as it should be. */
#define UNMASK "start the container with --security-opt systempaths=unconfined " \
	"(podman: unmask=ALL), or --privileged"
#define SECCOMP "start the container with --security-opt seccomp=unconfined"

static const char *
mend_namespaces(void)
{
	static const char *const mends[] = {
		[TRY_SPACES] = NULL,
		[TRY_USERS] = "run as an ordinary user, or start the container with --cap-add SETFCAP",
		[TRY_MOUNTS] = SECCOMP ", and apparmor=unconfined where that is on",
		[TRY_PROC] = UNMASK, [TRY_SYSCTL] = UNMASK, [TRY_PACKET] = SECCOMP,
	};
	struct try_lab found;
	char line[32];

	if (try_lab(&found) == 0 || mends[found.step])
		return found.step < TRY_ALL ? mends[found.step] : NULL;
	for (size_t i = 0; i < sizeof(ns_switches) / sizeof(ns_switches[0]); i++)
		if (try_read_line(ns_switches[i].file, line, sizeof(line)) == 0 &&
		    strcmp(line, ns_switches[i].refuses) == 0)
			return ns_switches[i].mend;
	return in_container() ? SECCOMP ", or --privileged" : "run socknet with sudo";
}

void
probe_run(const struct probe *p, struct probe_result *out)
{
	memset(out, 0, sizeof(*out));
	out->ret = p->try(out->detail, sizeof(out->detail));
	if (out->ret == 0)
		return;
	if (p->container && in_container())
		out->mend = p->container;
	else if (strcmp(p->name, "namespaces") == 0)
		out->mend = mend_namespaces();
	else
		out->mend = p->mend;
}
