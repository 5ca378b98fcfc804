/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that are opened to see whether they may be. */
#include "try.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_RECVERR_RFC4884
#define IP_RECVERR_RFC4884 26
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

static int
open_and_close(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int
option(int family, int level, int name)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	const int on = 1;

	if (fd < 0)
		return -errno;
	ret = setsockopt(fd, level, name, &on, sizeof(on)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

int
try_errors4(char *detail, size_t size)
{
	return option(AF_INET, IPPROTO_IP, IP_RECVERR);
}

int
try_errors6(char *detail, size_t size)
{
	return option(AF_INET6, IPPROTO_IPV6, IPV6_RECVERR);
}

int
try_rfc4884(char *detail, size_t size)
{
	return option(AF_INET, IPPROTO_IP, IP_RECVERR_RFC4884);
}

int
try_gro(char *detail, size_t size)
{
	return option(AF_INET, IPPROTO_UDP, UDP_GRO);
}

int
try_gso(char *detail, size_t size)
{
	return option(AF_INET, IPPROTO_UDP, UDP_SEGMENT);
}

/* A port of loopback that nobody listens on: bound, then closed again. */
static int
closed_port(struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)sin, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)sin, &len) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The errno that waits in the error queue, or -ETIMEDOUT. */
static int
queued_error(int fd)
{
	char control[512];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = fd };
	struct sock_extended_err e;

	if (poll(&p, 1, 1000) <= 0)
		return -ETIMEDOUT;
	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		return (int)e.ee_errno;
	}
	return -ENODATA;
}

int
try_refused(char *detail, size_t size)
{
	const int on = 1;
	struct sockaddr_in sin;
	int fd, ret = closed_port(&sin);

	if (ret < 0)
		return ret;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) < 0 ||
	    sendto(fd, "?", 1, 0, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		ret = -errno;
	else
		ret = queued_error(fd);
	close(fd);
	if (ret > 0 && ret != ECONNREFUSED)
		return -ret;
	return ret == ECONNREFUSED ? 0 : ret;
}

int
try_meminfo(char *detail, size_t size)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		ret = -errno;
	else if (len <= SK_MEMINFO_DROPS * sizeof(info[0]))
		ret = -EOPNOTSUPP;
	close(fd);
	return ret;
}

int
try_buffer(char *detail, size_t size)
{
	const int want = 4 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), got = 0;
	socklen_t len = sizeof(got);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof(want));
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len);
	close(fd);
	/* the kernel doubles what was asked, for its own books */
	snprintf(detail, size, "%d KiB at most", got / 2 / 1024);
	return got / 2 >= want ? 0 : -ENOBUFS;
}

int
try_lowport(char *detail, size_t size)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(7) };
	char start[16];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 && errno != EADDRINUSE)
		ret = -errno;
	close(fd);
	if (ret && try_read_line("/proc/sys/net/ipv4/ip_unprivileged_port_start", start,
				 sizeof(start)) == 0)
		snprintf(detail, size, "from %s on", start);
	return ret;
}

int
try_neighbour(char *detail, size_t size)
{
	struct {
		struct nlmsghdr h;
		struct ndmsg d;
	} ask = { .h = { .nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETNEIGH,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	char answer[8192];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), ret = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return -errno;
	if (send(fd, &ask, sizeof(ask), 0) < 0)
		ret = -errno;
	else if (poll(&p, 1, 1000) <= 0)
		ret = -ETIMEDOUT;
	else if (recv(fd, answer, sizeof(answer), 0) < (ssize_t)sizeof(ask.h))
		ret = -EPROTO;
	close(fd);
	return ret;
}

int
try_ping(char *detail, size_t size)
{
	return open_and_close(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}

int
try_raw(char *detail, size_t size)
{
	return open_and_close(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

int
try_packet(char *detail, size_t size)
{
	/* protocol 0: no packet is ever delivered to it */
	return open_and_close(AF_PACKET, SOCK_DGRAM, 0);
}
