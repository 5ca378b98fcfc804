/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inherit.c - see inherit.h.
 */
#include "inherit.h"
#include "opts.h"

#include <sockeye/udp.h>

#include <stdlib.h>
#include <string.h>

static bool
listens(int fd)
{
	socklen_t len = sizeof(int);
	int on = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

static void
must_agree(const struct config *c, bool right, const char *what)
{
	if (!right)
		opts_refuse("'--fd=%d': %s", c->fd, what);
}

void
inherit_read(struct config *c)
{
	struct sky_fd *f = &c->inherited;
	int rc = sky_fd_ask(c->fd, f);

	if (rc < 0)
		opts_refuse("'--fd=%d': %s (expected the number of an open socket)", c->fd,
		    strerror(-rc));
	must_agree(c, f->family == AF_INET || f->family == AF_INET6,
	    "its family is neither IPv4 nor IPv6");
	must_agree(c, f->type == SOCK_STREAM || (f->type == SOCK_DGRAM &&
	    f->protocol == IPPROTO_UDP), "it is neither TCP nor UDP");
	must_agree(c, !c->udp || f->type == SOCK_DGRAM, "it is TCP: leave -u out");
	must_agree(c, !(c->only4 && f->family != AF_INET) && !(c->only6 && f->family != AF_INET6),
	    "not of the family that -4 or -6 asks for");
	c->udp = f->type == SOCK_DGRAM;
	c->listening = !c->udp && listens(c->fd);
	must_agree(c, c->udp || c->listening || f->connected,
	    "it neither listens nor is connected");
	if (c->listening)
		c->server = true;
}

bool
inherit_wants_operands(struct config *c, int argc, char **argv)
{
	const struct sky_fd *f = &c->inherited;

	if (c->udp && !c->server && !f->connected && argc)
		return true;
	if (argc)
		opts_refuse("'%s': --fd has its ends already", argv[0]);
	if (c->udp && !f->connected)
		c->server = true;
	if (c->server) {
		c->bind = f->local;
		c->bind_to_port = sky_addr_port(&f->local);
		if (f->connected)
			c->foreign = f->peer;
		return false;
	}
	c->dests = calloc(1, sizeof(*c->dests));
	if (!c->dests)
		opts_refuse("out of memory");
	c->dests[0] = f->peer;
	c->ndests = 1;
	return false;
}
