/* SPDX-License-Identifier: BSD-2-Clause */
/* sockopt.c - see sockopt.h. */
#include "sys/sockopt.h"
#include "sys/ret.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <linux/tcp.h>
#include <netinet/udp.h>
#include <string.h>

/* Newer than some C libraries know; the kernel's numbers. */
enum {
	V4_RECVERR_RFC4884 = 26,
	V6_RECVERR_RFC4884 = 31,
	V6_MULTICAST_ALL = 29,
	V6_FREEBIND = 78,
	UDP_NO_CHECK6_TX_OPT = 101,
	UDP_SEGMENT_OPT = 103,
	UDP_GRO_OPT = 104,
	IPV6_FLOWINFO_SEND_OPT = 33,
	MEMINFO_OPT = 55,
	ASK_MEMINFO_VARS = 9,
};

struct opt_row {
	int level4, name4;	/* name 0: none (IPPROTO_IP is level 0) */
	int level6, name6;
};

#define BOTH(a, b) { IPPROTO_IP, a, IPPROTO_IPV6, b }
#define ANY(level, name) { level, name, level, name }

static const struct opt_row rows[SKY_OPTS] = {
	[SKY_OPT_RECVERR] = BOTH(IP_RECVERR, IPV6_RECVERR),
	[SKY_OPT_RECVERR_RFC4884] = BOTH(V4_RECVERR_RFC4884, V6_RECVERR_RFC4884),
	[SKY_OPT_PKTINFO] = BOTH(IP_PKTINFO, IPV6_RECVPKTINFO),
	[SKY_OPT_RECVTTL] = BOTH(IP_RECVTTL, IPV6_RECVHOPLIMIT),
	[SKY_OPT_RECVTOS] = BOTH(IP_RECVTOS, IPV6_RECVTCLASS),
	[SKY_OPT_FRAGSIZE] = BOTH(25, 77),
	[SKY_OPT_TTL] = BOTH(IP_TTL, IPV6_UNICAST_HOPS),
	[SKY_OPT_TOS] = BOTH(IP_TOS, IPV6_TCLASS),
	[SKY_OPT_MULTICAST_TTL] = BOTH(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS),
	[SKY_OPT_MULTICAST_ALL] = BOTH(IP_MULTICAST_ALL, V6_MULTICAST_ALL),
	[SKY_OPT_PMTU] = BOTH(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER),
	[SKY_OPT_FREEBIND] = BOTH(IP_FREEBIND, V6_FREEBIND),
	[SKY_OPT_TIMESTAMPNS] = ANY(SOL_SOCKET, SO_TIMESTAMPNS),
	[SKY_OPT_RXQ_OVFL] = ANY(SOL_SOCKET, SO_RXQ_OVFL),
	[SKY_OPT_REUSEADDR] = ANY(SOL_SOCKET, SO_REUSEADDR),
	[SKY_OPT_REUSEPORT] = ANY(SOL_SOCKET, SO_REUSEPORT),
	[SKY_OPT_BROADCAST] = ANY(SOL_SOCKET, SO_BROADCAST),
	[SKY_OPT_DONTROUTE] = ANY(SOL_SOCKET, SO_DONTROUTE),
	[SKY_OPT_NO_CHECK] = { SOL_SOCKET, SO_NO_CHECK, IPPROTO_UDP, UDP_NO_CHECK6_TX_OPT },
	[SKY_OPT_GRO] = ANY(IPPROTO_UDP, UDP_GRO_OPT),
	[SKY_OPT_GSO] = ANY(IPPROTO_UDP, UDP_SEGMENT_OPT),
	[SKY_OPT_SYNCNT] = ANY(IPPROTO_TCP, TCP_SYNCNT),
	[SKY_OPT_FLOWINFO] = { 0, 0, IPPROTO_IPV6, IPV6_FLOWINFO_SEND_OPT },
	[SKY_OPT_ERROR] = ANY(SOL_SOCKET, SO_ERROR),
	[SKY_OPT_V6ONLY] = { 0, 0, IPPROTO_IPV6, IPV6_V6ONLY },
};

static int
set_raw(int fd, int level, int name, const void *value, socklen_t len)
{
	int saved = errno;

	return sky_ret(setsockopt(fd, level, name, value, len), saved);
}

static int
get_raw(int fd, int level, int name, void *value, socklen_t *len)
{
	int saved = errno;

	return sky_ret(getsockopt(fd, level, name, value, len), saved);
}

int
sky_sockopt_set(int fd, unsigned carries, enum sky_opt opt, int value)
{
	const struct opt_row *o = &rows[opt];
	int r = 0, r6 = 0;

	if ((carries & SKY_CARRIES4) && o->name4)
		r = set_raw(fd, o->level4, o->name4, &value, sizeof(value));
	if ((carries & SKY_CARRIES6) && o->name6 &&
	    !((carries & SKY_CARRIES4) && o->level6 == o->level4))
		r6 = set_raw(fd, o->level6, o->name6, &value, sizeof(value));
	return r ? r : r6;
}

int
sky_sockopt_get(int fd, unsigned carries, enum sky_opt opt, int *value)
{
	const struct opt_row *o = &rows[opt];
	socklen_t len = sizeof(*value);

	if ((carries & SKY_CARRIES6) && o->name6)
		return get_raw(fd, o->level6, o->name6, value, &len);
	return get_raw(fd, o->level4, o->name4, value, &len);
}

int
sky_sockopt_buffer(int fd, bool receive, int bytes)
{
	int forced = receive ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;

	if (set_raw(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) == 0)
		return 0;
	return set_raw(fd, SOL_SOCKET, receive ? SO_RCVBUF : SO_SNDBUF, &bytes, sizeof(bytes));
}

int
sky_sockopt_device(int fd, const char *name)
{
	return set_raw(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1);
}

int
sky_sockopt_multicast_if(int fd, unsigned carries, unsigned ifindex)
{
	struct ip_mreqn q = { .imr_ifindex = (int)ifindex };
	int index = (int)ifindex;
	int r = 0, r6 = 0;

	if (carries & SKY_CARRIES4)
		r = set_raw(fd, IPPROTO_IP, IP_MULTICAST_IF, &q, sizeof(q));
	if (carries & SKY_CARRIES6)
		r6 = set_raw(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
	return r ? r : r6;
}

int
sky_sockopt_group(int fd, bool join, const struct sockaddr *group,
    const struct sockaddr *source, socklen_t len, unsigned ifindex)
{
	int level = group->sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	struct group_req q = { .gr_interface = ifindex };
	struct group_source_req s = { .gsr_interface = ifindex };

	if (!source) {
		memcpy(&q.gr_group, group, len);
		return set_raw(fd, level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP,
		    &q, sizeof(q));
	}
	memcpy(&s.gsr_group, group, len);
	memcpy(&s.gsr_source, source, len);
	return set_raw(fd, level, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
	    &s, sizeof(s));
}

int
sky_sockopt_steer(int fd, uint64_t first8)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),	/* a shorter one: 0 */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(first8 >> 32), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)first8, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return set_raw(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog));
}

int
sky_sockopt_mtu(int fd, unsigned carries)
{
	bool v6 = carries & SKY_CARRIES6;
	int value = 0;
	socklen_t len = sizeof(value);
	int r = get_raw(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &value, &len);

	return r < 0 ? r : value;
}

int
sky_sockopt_options4(int fd, const void *data, size_t len)
{
	return set_raw(fd, IPPROTO_IP, IP_OPTIONS, data, (socklen_t)len);
}

int
sky_sockopt_icmp_filter(int fd, int family)
{
	/* a bit set: not wanted; types above 31 are never filtered */
	struct icmp_filter f4 = { .data = ~(1u << 0 | 1u << 3 | 1u << 11 | 1u << 12) };
	struct icmp6_filter f6;

	if (family == AF_INET)
		return set_raw(fd, SOL_RAW, ICMP_FILTER, &f4, sizeof(f4));
	ICMP6_FILTER_SETBLOCKALL(&f6);
	for (int type = 1; type <= 4; type++)
		ICMP6_FILTER_SETPASS(type, &f6);
	ICMP6_FILTER_SETPASS(129, &f6);
	return set_raw(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f6, sizeof(f6));
}

int
sky_sockopt_kind(int fd, int *family, int *type, int *protocol)
{
	socklen_t len = sizeof(int);
	int r = get_raw(fd, SOL_SOCKET, SO_DOMAIN, family, &len);

	if (r == 0)
		r = get_raw(fd, SOL_SOCKET, SO_TYPE, type, &len);
	if (r == 0)
		r = get_raw(fd, SOL_SOCKET, SO_PROTOCOL, protocol, &len);
	return r;
}

int
sky_sockopt_meminfo(int fd, struct sky_meminfo *out)
{
	uint32_t v[ASK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(v);
	int r = get_raw(fd, SOL_SOCKET, MEMINFO_OPT, v, &len);

	if (r < 0)
		return r;
	*out = (struct sky_meminfo){
		.rmem = v[SK_MEMINFO_RMEM_ALLOC], .rcvbuf = v[SK_MEMINFO_RCVBUF],
		.wmem = v[SK_MEMINFO_WMEM_ALLOC], .sndbuf = v[SK_MEMINFO_SNDBUF],
		.drops = v[SK_MEMINFO_DROPS],
	};
	return 0;
}
