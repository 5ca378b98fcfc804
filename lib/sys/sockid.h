/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockid.h - which socket a descriptor is: all that the kernel calls it by.
 */
#ifndef SKY_SYS_SOCKID_H
#define SKY_SYS_SOCKID_H

#include <sockeye/addr.h>

struct sky_sockid {
	int family, type, protocol;
	uint64_t cookie;		/* SO_COOKIE: no other socket ever has it */
	uint32_t ifindex;		/* it is bound to; 0: to none */
	bool group;			/* it has SO_REUSEPORT */
	struct sky_addr local, remote;	/* AF_UNSPEC: none; v4-mapped undone */
};

/* 0, -EBADF, -ENOTSOCK, or -ENOPROTOOPT if the kernel has no cookies. */
int sky_sockid_ask(int fd, struct sky_sockid *out);
/* The cookie alone, 0 if there is none. */
uint64_t sky_sockid_cookie(int fd);

#endif
