/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_split.c - two sockets at one port, and the kernel sorts; see udp.h.
 */
#include "sock/handle.h"
#include "sys/sockopt.h"

#include <errno.h>

/* u's own flag is set only after its bind, which so failed if the port was held;
 * the filter works on a group, which is there once the second has joined. */
int
sky_udp_split(struct sky_udp *su, struct sky_udp *second, uint64_t first8,
    const struct sky_udp_conf *c)
{
	struct sky_udp_conf conf = { .size = sizeof(conf) };
	struct udp *u = udp_of(su);
	struct sky_fd own;
	int r = sky_fd_ask(u->fd, &own);

	if (r < 0)
		return r;
	if (own.connected || !sky_addr_port(&own.local))
		return -EINVAL;
	if (c)
		conf = *c;
	conf.local = &own.local;
	conf.peer = NULL;
	conf.family = own.family;
	conf.flags |= SKY_UDP_REUSEPORT;
	r = sky_sockopt_set(u->fd, u->carries, SKY_OPT_REUSEPORT, 1);
	if (r < 0)
		return r;
	r = sky_udp_open(second, &conf);
	if (r < 0)
		return r;
	r = sky_sockopt_steer(u->fd, first8);
	if (r < 0)
		sky_udp_close(second);
	return r;
}
