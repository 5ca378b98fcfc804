/* SPDX-License-Identifier: BSD-2-Clause */
/* sockid.c - see sockid.h. */
#include "sys/sockid.h"
#include "sys/ret.h"
#include "sys/sockfd.h"
#include "sys/sockopt.h"

#include <string.h>

enum { COOKIE = 57, BOUND_IFINDEX = 62 };	/* SO_COOKIE, SO_BINDTOIFINDEX */

static int
ask(int fd, int name, void *out, socklen_t size)
{
	int saved = errno;

	return sky_ret(getsockopt(fd, SOL_SOCKET, name, out, &size), saved);
}

uint64_t
sky_sockid_cookie(int fd)
{
	uint64_t cookie = 0;

	return ask(fd, COOKIE, &cookie, sizeof(cookie)) < 0 ? 0 : cookie;
}

static struct sky_addr
addr_of(const struct sockaddr_storage *s, int len)
{
	struct sky_addr a;

	memset(&a, 0, sizeof(a));
	if (len > 0 && sky_addr_from(&a, (const struct sockaddr *)s, (socklen_t)len) < 0)
		memset(&a, 0, sizeof(a));
	return a;
}

int
sky_sockid_ask(int fd, struct sky_sockid *out)
{
	struct sockaddr_storage s;
	int group = 0, ifindex = 0;
	int r = sky_sockopt_kind(fd, &out->family, &out->type, &out->protocol);

	if (r < 0)
		return r;
	r = ask(fd, COOKIE, &out->cookie, sizeof(out->cookie));
	if (r < 0)
		return r;
	(void)ask(fd, SO_REUSEPORT, &group, sizeof(group));
	(void)ask(fd, BOUND_IFINDEX, &ifindex, sizeof(ifindex));
	out->group = group != 0;
	out->ifindex = (uint32_t)ifindex;
	out->local = addr_of(&s, sky_sockfd_name(fd, &s));
	out->remote = addr_of(&s, sky_sockfd_peer(fd, &s));
	return 0;
}
