/* SPDX-License-Identifier: BSD-2-Clause */
/* rawicmp.c - see rawicmp.h. */
#include "sys/rawicmp.h"
#include "sys/msg.h"
#include "sys/ret.h"
#include "sys/sockopt.h"

#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

/* Accepts from the packet's start: IP header, ICMP header, and the protocol of
 * the IP header quoted behind that. */
static const struct sock_filter quoting4[] = {
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),		/* X = length of the header */
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDPLITE, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

/* From the ICMPv6 header; what may stand before UDP is let through. */
static const struct sock_filter quoting6[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8 + 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 9, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 8, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDPLITE, 7, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ROUTING, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_FRAGMENT, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_DSTOPTS, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_AH, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_MH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

struct filter {
	const struct sock_filter *code;
	unsigned short n;
};

/* The kernel copies the program; it does not write to it. */
static int
attach(int fd, const struct filter *f)
{
	struct sock_fprog prog = { .len = f->n };
	int saved = errno;

	memcpy(&prog.filter, &(const void *){ f->code }, sizeof(void *));
	return sky_ret(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), saved);
}

/* The same types as the table of fates has; ICMPv6 errors are 1 to 127. */
static int
filter_types(int fd, int family)
{
	struct icmp_filter four = { ~(1u << ICMP_DEST_UNREACH | 1u << ICMP_SOURCE_QUENCH |
	    1u << ICMP_TIME_EXCEEDED | 1u << ICMP_PARAMETERPROB) };
	struct icmp6_filter six;
	int saved = errno;

	if (family == AF_INET)
		return sky_ret(setsockopt(fd, SOL_RAW, ICMP_FILTER, &four, sizeof(four)), saved);
	ICMP6_FILTER_SETBLOCKALL(&six);
	for (int type = 0; type < 128; type++)
		ICMP6_FILTER_SETPASS(type, &six);
	return sky_ret(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &six, sizeof(six)), saved);
}

static int
filter(int fd, int family)
{
	static const struct filter four = { quoting4, ROWS(quoting4) };
	static const struct filter six = { quoting6, ROWS(quoting6) };
	int r = filter_types(fd, family);

	return r < 0 ? r : attach(fd, family == AF_INET ? &four : &six);
}

int
sky_rawicmp_open(int family, int rcvbuf)
{
	unsigned carries = family == AF_INET ? SKY_CARRIES4 : SKY_CARRIES6;
	int saved = errno;
	int fd = sky_ret(socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6), saved);
	int r;

	if (fd < 0)
		return fd;
	r = filter(fd, family);
	if (r == 0)
		r = sky_sockopt_buffer(fd, true, rcvbuf);
	if (r < 0) {
		close(fd);
		errno = saved;
		return r;
	}
	sky_sockopt_set(fd, carries, SKY_OPT_PKTINFO, 1);
	sky_sockopt_set(fd, carries, SKY_OPT_TIMESTAMPNS, 1);
	if (family == AF_INET6)
		sky_sockopt_set(fd, carries, SKY_OPT_RECVTTL, 1);
	return fd;
}

static void
fill(struct sky_rawicmp *h, const struct sky_addr *from, const struct mmsghdr *m)
{
	struct sky_ctl c;
	uint32_t have = sky_ctl_decode(&c, m->msg_hdr.msg_control, m->msg_hdr.msg_controllen);

	memset(h, 0, sizeof(*h));
	h->len = m->msg_len < SKY_RAWICMP_DATA ? m->msg_len : SKY_RAWICMP_DATA;
	h->cut = m->msg_len > SKY_RAWICMP_DATA;
	if (m->msg_hdr.msg_namelen) {
		h->by = *from;
		/* a raw socket's addresses have a protocol where the port is */
		sky_addr_set_port(&h->by, 0);
	}
	if (have & SKY_CTL_LOCAL) {
		h->local = c.local;
		h->ifindex = c.ifindex;
	}
	if (have & SKY_CTL_TIME)
		h->time_ns = c.time_ns;
	h->have_hop = have & SKY_CTL_TTL;
	h->hop = h->have_hop ? c.ttl : 0;
}

int
sky_rawicmp_read(int fd, struct sky_rawicmp *h, uint8_t (*data)[SKY_RAWICMP_DATA], unsigned n)
{
	_Alignas(struct cmsghdr) uint8_t ctl[SKY_RAWICMP_BATCH][SKY_CTL_IN];
	struct sky_addr from[SKY_RAWICMP_BATCH];
	struct mmsghdr m[SKY_RAWICMP_BATCH];
	struct iovec iov[SKY_RAWICMP_BATCH];
	int got;

	if (n > SKY_RAWICMP_BATCH)
		n = SKY_RAWICMP_BATCH;
	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ data[i], SKY_RAWICMP_DATA };
		memset(&from[i], 0, sizeof(from[i]));
		m[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = ctl[i], .msg_controllen = sizeof(ctl[i]),
		};
	}
	got = sky_msg_recv(fd, m, n);
	if (got == -EAGAIN)
		return 0;
	for (int i = 0; i < got; i++)
		fill(&h[i], &from[i], &m[i]);
	return got;
}
