/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diag.h - whose socket is it? The kernel's own lookup, asked by socket
 * diagnostics (netlink): the socket that it would give to an answer from remote
 * to local, which is the one that an ICMP error about local to remote is for.
 *
 * IPv4 ends find IPv6 sockets that carry IPv4. Needs no privilege. Nothing waits.
 */
#ifndef SKY_SYS_DIAG_H
#define SKY_SYS_DIAG_H

#include <sockeye/addr.h>

#define SKY_DIAG_BATCH 32

struct sky_diag_ask {
	uint8_t proto;			/* IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_TCP */
	uint32_t ifindex;		/* it came or would come in here; 0: anywhere */
	struct sky_addr local, remote;	/* of one family; remote may be all zero: any */
};

struct sky_diag_answer {
	int err;			/* 0; -ENOENT: no such socket; or another errno */
	uint32_t uid, inode;
	uint64_t cookie;		/* SO_COOKIE */
	uint64_t cgroup;		/* its number (that of its directory); 0: not told */
	struct sky_addr remote;		/* it is connected to; AF_UNSPEC: not connected */
};

struct sky_diag {
	int fd;
	uint32_t seq;			/* so that no answer is taken for another's */
};

/* 0, or a negative errno. */
int sky_diag_open(struct sky_diag *d);
/* Asks about a UDP socket of its own: 0 if the kernel knows it, -EPROTONOSUPPORT if it
 * has no such lookup (modules inet_diag, udp_diag), or another errno. */
int sky_diag_check(struct sky_diag *d);
/* Asks n questions, at most SKY_DIAG_BATCH. Each answer has an err of its own. */
void sky_diag_ask(struct sky_diag *d, const struct sky_diag_ask *q,
    struct sky_diag_answer *a, unsigned n);
void sky_diag_close(struct sky_diag *d);

#endif
