/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopts_own.c - the options that are more than a number: device, source
 * route, groups, SIGIO, buffers; see sockopts.h.
 */
#include "sockopts_own.h"
#include "end.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int
set_device(int fd, const struct config *c)
{
	if (!c->so.device)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, c->so.device,
	    (socklen_t)strlen(c->so.device) + 1);
}

static void
say_device(int fd, const struct config *c, struct out *out)
{
	char name[IF_NAMESIZE] = "";
	socklen_t len = sizeof(name);

	if (!c->so.device)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len) < 0)
		out_line(out, "SO_BINDTODEVICE: %s", strerror(errno));
	else if (strcmp(name, c->so.device) != 0)
		out_line(out, "SO_BINDTODEVICE = %s (%s asked for)", name, c->so.device);
	else if (c->verbose)
		out_line(out, "SO_BINDTODEVICE = %s", name);
}

/* RFC 791, 3.1: type, length, pointer to the next hop, hops. The kernel takes the
 * first hop out and puts the destination behind the last. */
static socklen_t
route_bytes(const struct sockopts *so, uint8_t *b)
{
	unsigned i;

	*b++ = IPOPT_NOP;
	*b++ = so->strict ? IPOPT_SSRR : IPOPT_LSRR;
	*b++ = (uint8_t)(3 + 4 * so->hops);
	*b++ = 4;
	for (i = 0; i < so->hops; i++)
		memcpy(b + 4 * i, &so->hop[i].u.in.sin_addr, 4);
	return 4 + 4 * so->hops;
}

static int
set_route(int fd, const struct config *c)
{
	uint8_t b[4 + 4 * SOCKOPTS_HOPS];

	if (!c->so.hops)
		return 0;
	return setsockopt(fd, IPPROTO_IP, IP_OPTIONS, b, route_bytes(&c->so, b));
}

static void
say_route(int fd, const struct config *c, struct out *out)
{
	uint8_t asked[4 + 4 * SOCKOPTS_HOPS], got[64] = { 0 };
	socklen_t size = route_bytes(&c->so, asked), len = sizeof(got);
	char text[SKY_ADDRSTRLEN];
	unsigned i;

	if (!c->so.hops)
		return;
	if (getsockopt(fd, IPPROTO_IP, IP_OPTIONS, got, &len) < 0)
		out_line(out, "IP_OPTIONS: %s", strerror(errno));
	else if (len != size || memcmp(asked, got, size) != 0)
		out_line(out, "IP_OPTIONS = %u bytes that are not those asked for", (unsigned)len);
	else if (c->verbose) {
		for (i = 0; i < c->so.hops; i++)
			out_line(out, "source route to %s",
			    sky_addr_format_host(&c->so.hop[i], text, sizeof(text)));
		out_line(out, "source route size %u bytes", (unsigned)len);
	}
}

static int
join(int fd, const struct sockopts_group *g)
{
	int level = sky_addr_family(&g->group) == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	struct group_source_req s = { .gsr_interface = g->ifindex };
	struct group_req q = { .gr_interface = g->ifindex };

	memcpy(&q.gr_group, &g->group.u, sky_addr_len(&g->group));
	if (!sky_addr_family(&g->source))
		return setsockopt(fd, level, MCAST_JOIN_GROUP, &q, sizeof(q));
	s.gsr_group = q.gr_group;
	memcpy(&s.gsr_source, &g->source.u, sky_addr_len(&g->source));
	return setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &s, sizeof(s));
}

static int
set_groups(int fd, const struct config *c)
{
	unsigned i;

	for (i = 0; i < c->so.groups; i++)
		if (join(fd, &c->so.group[i]) < 0)
			return -1;
	return 0;
}

/* What the kernel keeps for this socket and group, on that interface. */
static int
joined_at(int fd, const struct sockopts_group *g, unsigned ifindex)
{
	int level = sky_addr_family(&g->group) == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	struct group_filter f = { .gf_interface = ifindex, .gf_numsrc = 1 };
	socklen_t len = sizeof(f);

	memcpy(&f.gf_group, &g->group.u, sky_addr_len(&g->group));
	return getsockopt(fd, level, MCAST_MSFILTER, &f, &len);
}

/* Which interface the kernel took has to be found. */
static int
joined(int fd, const struct sockopts_group *g)
{
	struct if_nameindex *all = g->ifindex ? NULL : if_nameindex(), *i;
	int rc = joined_at(fd, g, g->ifindex), err;

	for (i = all; rc < 0 && i && i->if_index; i++)
		rc = joined_at(fd, g, i->if_index);
	err = errno;
	if (all)
		if_freenameindex(all);
	errno = err;
	return rc;
}

static void
say_groups(int fd, const struct config *c, struct out *out)
{
	char text[SKY_ADDRSTRLEN];
	unsigned i;

	for (i = 0; i < c->so.groups; i++) {
		if (joined(fd, &c->so.group[i]) < 0)
			out_line(out, "IP_ADD_MEMBERSHIP: %s: %s",
			    sky_addr_format_host(&c->so.group[i].group, text, sizeof(text)),
			    strerror(errno));
		else if (c->verbose)
			out_line(out, "%s", c->so.group[i].implied ?
			    "multicast group joined" : "IP_ADD_MEMBERSHIP set");
	}
}

/* The signal is blocked: run.c reads it from a descriptor. */
static int
set_sigio(int fd, const struct config *c)
{
	sigset_t set;
	int on = 1;

	if (!c->so.sigio)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0)
		return -1;
	return ioctl(fd, FIOASYNC, &on);
}

static void
say_sigio(int fd, const struct config *c, struct out *out)
{
	int flags = fcntl(fd, F_GETFL);

	if (!c->so.sigio)
		return;
	if (flags < 0 || !(flags & O_ASYNC))
		out_line(out, "FIOASYNC is not in force");
	else if (c->verbose)
		out_line(out, "FIOASYNC set");
}

/* Linux has no such option: the library asks for IP_PKTINFO. */
static void
say_dest(int fd, const struct config *c, struct out *out)
{
	(void)fd;
	if (c->udp && c->show_dest && c->verbose)
		out_line(out, "IP_RECVDSTADDR set");
}

/* RFC 6935, 5: only for tunnels, and only if the receiver was told to expect it. */
static void
say_no_checksum(int fd, const struct config *c, struct out *out)
{
	int family = AF_INET;
	socklen_t len = sizeof(family);

	if (!c->so.no_checksum || !c->udp)
		return;
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	if (family == AF_INET6)
		out_line(out, "IPv6: a receiver drops datagrams without a checksum unless it "
		    "asked for them (RFC 6935)");
}

static const struct {
	const char *name;
	enum sockopts_when when;
	int (*set)(int fd, const struct config *c);	/* -1 and errno if not */
	void (*say)(int fd, const struct config *c, struct out *out);
	const char *instead;	/* for whoever may not */
} own[] = {
	{ "IP_RECVDSTADDR", SOCKOPTS_OPEN, NULL, say_dest, NULL },
	{ "SO_BINDTODEVICE", SOCKOPTS_BIND, set_device, say_device, NULL },
	{ "IP_OPTIONS", SOCKOPTS_CONNECT, set_route, say_route, "source routes need CAP_NET_RAW; "
	  "without it ask for a route on this host: ip route add HOST via ROUTER" },
	{ "IP_ADD_MEMBERSHIP", SOCKOPTS_OPEN, set_groups, say_groups, NULL },
	{ "FIOASYNC", SOCKOPTS_OPEN, set_sigio, say_sigio, NULL },
	{ "SO_NO_CHECK", SOCKOPTS_OPEN, NULL, say_no_checksum, NULL },
};

#define OWN (sizeof(own) / sizeof(own[0]))

int
sockopts_set_own(int fd, const struct config *c, enum sockopts_when when)
{
	char text[64];
	size_t i;
	int err;

	for (i = 0; i < OWN; i++) {
		if (own[i].when != when || !own[i].set || own[i].set(fd, c) == 0)
			continue;
		err = errno;
		snprintf(text, sizeof(text), "can't set %s", own[i].name);
		end_say_error(text, err);
		if (err == EPERM && own[i].instead)
			fprintf(stderr, "sock: %s\n", own[i].instead);
		return 1;
	}
	return 0;
}

void
sockopts_say_own(int fd, const struct config *c, struct out *out)
{
	size_t i;

	for (i = 0; i < OWN; i++)
		own[i].say(fd, c, out);
}
