/* SPDX-License-Identifier: BSD-2-Clause */
/* udp.c - opening and closing: see sockeye/udp.h. */
#include "sock/conf.h"
#include "sock/second.h"
#include "sys/sockfd.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

_Static_assert(sizeof(struct udp) <= sizeof(struct sky_udp), "the handle has room");
_Static_assert(_Alignof(struct udp) <= _Alignof(struct sky_udp), "wherever it lies");
_Static_assert(sizeof(struct sky_addr) == sizeof(struct sockaddr_in6), "addresses are 28 bytes");

static const uint64_t gso_memory_ns = 60000000000u;

static void
init(struct udp *u, int fd, int family, bool v6only, const struct sky_udp_conf *c)
{
	uint32_t slots = c->room ? (uint32_t)(c->room_size / SKY_UDP_SLOT) : 0;

	memset(u, 0, offsetof(struct udp, own_slot));
	u->magic = SKY_UDP_MAGIC;
	u->fd = fd;
	u->family = family;
	u->v6only = v6only;
	u->carries = family == AF_INET ? SKY_CARRIES4 :
	    v6only ? SKY_CARRIES6 : SKY_CARRIES4 | SKY_CARRIES6;
	u->want = c->want;
	u->flags = c->flags;
	u->gso_max = 128;
	u->gso_memory_ns = gso_memory_ns;
	if (slots)
		sky_ring_init(&u->ring, c->room, slots);
	else
		sky_ring_init(&u->ring, u->own_slot, SKY_UDP_OWN_SLOTS);
}

static int
addr_from(struct sky_addr *a, const struct sockaddr_storage *s, int len)
{
	memset(a, 0, sizeof(*a));
	return len < 0 ? len : sky_addr_from(a, (const struct sockaddr *)s, (socklen_t)len);
}

/* Learns the ends that the socket has by now. */
static void
learn_ends(struct udp *u)
{
	struct sockaddr_storage s;

	addr_from(&u->local, &s, sky_sockfd_name(u->fd, &s));
	u->connected = addr_from(&u->peer, &s, sky_sockfd_peer(u->fd, &s)) == 0 &&
	    sky_addr_family(&u->peer) != AF_UNSPEC;
}

/* A handle that never came to be open may be closed too, zeroed or not. */
static void
mark_closed(struct udp *u)
{
	u->magic = 0;
	u->fd = -1;
}

static int
choose_family(const struct sky_udp_conf *c)
{
	if (c->family != AF_UNSPEC)
		return c->family;
	if (c->local)
		return sky_addr_family(c->local);
	if (c->peer)
		return sky_addr_family(c->peer);
	return AF_INET6;
}

/* Both ends must be of one family, and one the socket carries. */
static int
check_ends(const struct sky_udp_conf *c, int family)
{
	int local = c->local ? sky_addr_family(c->local) : AF_UNSPEC;
	int peer = c->peer ? sky_addr_family(c->peer) : AF_UNSPEC;

	if ((c->local && !local) || (c->peer && !peer) || !family)
		return -EINVAL;
	if (local && peer && local != peer)
		return -EAFNOSUPPORT;
	if (family == AF_INET && (local == AF_INET6 || peer == AF_INET6))
		return -EAFNOSUPPORT;
	if ((c->flags & SKY_UDP_V6ONLY) && (local == AF_INET || peer == AF_INET))
		return -EAFNOSUPPORT;
	return 0;
}

static int
bind_and_connect(struct udp *u, const struct sky_udp_conf *c)
{
	struct sockaddr_storage s;
	int r = 0;

	if (c->local) {
		r = sky_addr_to(c->local, u->family, &s);
		if (r >= 0)
			r = sky_sockfd_bind(u->fd, &s, (socklen_t)r);
	}
	if (r >= 0 && c->peer) {
		r = sky_addr_to(c->peer, u->family, &s);
		if (r >= 0)
			r = sky_sockfd_connect(u->fd, &s, (socklen_t)r);
	}
	return r < 0 ? r : 0;
}

/* Only the wish for it keeps IPv4 out, whatever the system's default. */
static int
set_v6only(int fd, int family, const struct sky_udp_conf *c)
{
	if (family != AF_INET6)
		return 0;
	return sky_sockopt_set(fd, SKY_CARRIES6, SKY_OPT_V6ONLY, !!(c->flags & SKY_UDP_V6ONLY));
}

static int
open_second(struct udp *u, const struct sky_udp_conf *c)
{
	return c->icmpd ? sky_second_open(u, c->icmpd, c->icmpd_path) : 0;
}

int
sky_udp_open(struct sky_udp *su, const struct sky_udp_conf *conf)
{
	struct udp *u = udp_of(su);
	struct sky_udp_conf c;
	int family, fd;
	int r = sky_conf_read(&c, conf);

	mark_closed(u);
	if (r < 0)
		return r;
	family = choose_family(&c);
	r = check_ends(&c, family);
	if (r < 0)
		return r;
	fd = sky_sockfd_open(family);
	if (fd == -EAFNOSUPPORT && c.family == AF_UNSPEC && !c.local && !c.peer) {
		family = AF_INET;
		fd = sky_sockfd_open(family);
	}
	if (fd < 0)
		return fd;
	init(u, fd, family, family == AF_INET6 && (c.flags & SKY_UDP_V6ONLY), &c);
	r = set_v6only(fd, family, &c);
	if (r == 0)
		r = sky_conf_apply(u, &c, false);
	if (r == 0)
		r = bind_and_connect(u, &c);
	if (r < 0) {
		sky_udp_close(su);
		return r;
	}
	learn_ends(u);
	r = open_second(u, &c);
	if (r < 0)
		sky_udp_close(su);
	return r;
}

int
sky_udp_adopt(struct sky_udp *su, int fd, const struct sky_udp_conf *conf)
{
	struct udp *u = udp_of(su);
	struct sky_udp_conf c;
	int family, type, protocol, v6only = 0;
	int r = sky_conf_read(&c, conf);

	mark_closed(u);
	if (r == 0 && (c.local || c.peer))
		r = -EINVAL;
	if (r == 0)
		r = sky_sockopt_kind(fd, &family, &type, &protocol);
	if (r < 0)
		return r;
	if ((family != AF_INET && family != AF_INET6) || type != SOCK_DGRAM ||
	    protocol != IPPROTO_UDP)
		return -EPROTOTYPE;
	if (family == AF_INET6)
		sky_sockopt_get(fd, SKY_CARRIES6, SKY_OPT_V6ONLY, &v6only);
	init(u, fd, family, v6only, &c);
	r = sky_conf_apply(u, &c, true);
	if (r < 0) {
		mark_closed(u);
		return r;
	}
	learn_ends(u);
	r = open_second(u, &c);
	if (r < 0)
		mark_closed(u);
	return r;
}

int
sky_udp_fd(const struct sky_udp *u)
{
	const struct udp *h = udp_of_const(u);

	return h->magic == SKY_UDP_MAGIC ? h->fd : -1;
}

int
sky_udp_fds(const struct sky_udp *u, int fds[2])
{
	const struct udp *h = udp_of_const(u);

	fds[0] = sky_udp_fd(u);
	if (fds[0] < 0 || !h->icmpd)
		return 1;
	fds[1] = sky_icmpd_fd(h->icmpd);
	return 2;
}

int
sky_udp_release(struct sky_udp *su)
{
	int fd = sky_udp_fd(su);

	if (fd >= 0)
		sky_second_close(udp_of(su));
	mark_closed(udp_of(su));
	return fd;
}

void
sky_udp_close(struct sky_udp *su)
{
	int fd = sky_udp_release(su);

	if (fd >= 0)
		sky_sockfd_close(fd);
}

int
sky_fd_ask(int fd, struct sky_fd *out)
{
	struct sockaddr_storage s;
	int r;

	memset(out, 0, sizeof(*out));
	r = sky_sockopt_kind(fd, &out->family, &out->type, &out->protocol);
	if (r < 0)
		return r;
	addr_from(&out->local, &s, sky_sockfd_name(fd, &s));
	out->connected = addr_from(&out->peer, &s, sky_sockfd_peer(fd, &s)) == 0;
	return 0;
}
