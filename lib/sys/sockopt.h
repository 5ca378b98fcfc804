/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt.h - socket options by one name for both families.
 *
 * A row of the table knows the level and number of an option for IPv4 and for
 * IPv6; a dual-stack socket needs both set (IPV6_RECVERR alone delivers nothing
 * about v4-mapped peers). All return 0 or a negative errno and leave errno alone.
 */
#ifndef SKY_SYS_SOCKOPT_H
#define SKY_SYS_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Which protocols a socket carries. */
enum sky_carries {
	SKY_CARRIES4 = 1,
	SKY_CARRIES6 = 2,
};

enum sky_opt {
	SKY_OPT_RECVERR, SKY_OPT_RECVERR_RFC4884, SKY_OPT_PKTINFO, SKY_OPT_RECVTTL,
	SKY_OPT_RECVTOS, SKY_OPT_FRAGSIZE, SKY_OPT_TTL, SKY_OPT_TOS,
	SKY_OPT_MULTICAST_TTL, SKY_OPT_MULTICAST_ALL, SKY_OPT_PMTU, SKY_OPT_FREEBIND,
	SKY_OPT_TIMESTAMPNS, SKY_OPT_RXQ_OVFL, SKY_OPT_REUSEADDR, SKY_OPT_REUSEPORT,
	SKY_OPT_BROADCAST, SKY_OPT_DONTROUTE, SKY_OPT_NO_CHECK,
	SKY_OPT_GRO, SKY_OPT_GSO, SKY_OPT_V6ONLY,
	SKY_OPT_SYNCNT,		/* TCP: how often a SYN is repeated */
	SKY_OPT_FLOWINFO,	/* IPv6: flow labels are taken from addresses */
	SKY_OPT_ERROR,		/* asked only: the pending error, which that clears */
	SKY_OPTS
};

/* Sets an int option for what the socket carries; the first failure, if any. */
int sky_sockopt_set(int fd, unsigned carries, enum sky_opt opt, int value);
/* Asks the first row that applies. */
int sky_sockopt_get(int fd, unsigned carries, enum sky_opt opt, int *value);

/* SO_RCVBUFFORCE / SO_SNDBUFFORCE where allowed, else the plain option. */
int sky_sockopt_buffer(int fd, bool receive, int bytes);
int sky_sockopt_device(int fd, const char *name);
int sky_sockopt_multicast_if(int fd, unsigned carries, unsigned ifindex);
/* Joins or leaves; source may be NULL. Addresses of the group's own family. */
int sky_sockopt_group(int fd, bool join, const struct sockaddr *group,
    const struct sockaddr *source, socklen_t len, unsigned ifindex);

/* Among the sockets that share fd's port (SO_REUSEPORT), payload that begins with
 * these 8 bytes, big endian, goes to the second, all else to the first. */
int sky_sockopt_steer(int fd, uint64_t first8);

/* The MTU of the path that the kernel has in its cache for a connected socket, or
 * that of the interface. The MTU, or a negative errno. */
int sky_sockopt_mtu(int fd, unsigned carries);
/* IPv4 options for all that is sent: at most 40 bytes, as on the wire but for a
 * source route, where the last address is the destination itself. */
int sky_sockopt_options4(int fd, const void *data, size_t len);
/* A raw ICMP or ICMPv6 socket gets errors and echo replies, and nothing else. */
int sky_sockopt_icmp_filter(int fd, int family);

/* SO_DOMAIN, SO_TYPE, SO_PROTOCOL. */
int sky_sockopt_kind(int fd, int *family, int *type, int *protocol);

/* What SO_MEMINFO says now: no datagram is needed to learn of drops. */
struct sky_meminfo {
	uint32_t rmem, rcvbuf, wmem, sndbuf, drops;
};
int sky_sockopt_meminfo(int fd, struct sky_meminfo *out);

#endif
