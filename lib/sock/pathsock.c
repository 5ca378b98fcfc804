/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsock.c - opening, flows, closing; see pathsock.h. */
#include "sock/pathsock.h"
#include "sys/clock.h"
#include "sys/device.h"
#include "sys/route.h"
#include "sys/sockfd.h"
#include "sys/sockopt.h"
#include "sys/poller.h"

#include <errno.h>
#include <string.h>

enum {
	BUFFER = 1 << 20,
	PMTU_DONT = 0, PMTU_PROBE = 3,	/* of IP_MTU_DISCOVER and its sister */
	LARGEST = 65535, USUAL = 1500,
	OPTION_LSRR = 131, OPTION_NOP = 1,
	TOKEN_RAW = UINT16_MAX,
	MAX_STAMP_AGE = 10,		/* seconds */
};

/* Time stamps are of the wall clock: it is believed only as a difference. */
uint64_t
sky_pathsock_when(uint64_t stamp)
{
	uint64_t wall = sky_clock_wall(), now = sky_clock_steady();
	uint64_t age = wall - stamp;

	if (!stamp || stamp > wall || age > MAX_STAMP_AGE * UINT64_C(1000000000) || age > now)
		return now;
	return now - age;
}

uint32_t
sky_pathsock_heads(const struct sky_pathsock *s)
{
	uint32_t ip = s->family == AF_INET ? 20 : 40;

	if (s->conf.routers)
		ip += 4 + 4 * (s->conf.routers + 1);	/* and dst */
	return ip + 8;
}

uint32_t
sky_pathsock_least(const struct sky_pathsock *s)
{
	return s->conf.method == SKY_PATHSOCK_TCP ? 0 : sky_pathsock_heads(s) + SKY_HOPTAG_MIN;
}

/* A loose source route: a no-op makes it a multiple of four. */
static int
set_routers(struct sky_pathsock *s, int fd)
{
	uint8_t opts[40];
	struct sky_wr wr = sky_wr_of(opts, sizeof(opts));

	if (!s->conf.routers)
		return 0;
	if (s->family != AF_INET || s->conf.routers > SKY_PATHSOCK_ROUTERS)
		return -EAFNOSUPPORT;
	sky_wr_u8(&wr, OPTION_NOP);
	sky_wr_u8(&wr, OPTION_LSRR);
	sky_wr_u8(&wr, (uint8_t)(3 + 4 * (s->conf.routers + 1)));
	sky_wr_u8(&wr, 4);
	for (unsigned i = 0; i < s->conf.routers; i++)
		sky_wr_bytes(&wr, &s->conf.router[i].u.in.sin_addr, 4);
	sky_wr_bytes(&wr, &s->conf.dst.u.in.sin_addr, 4);
	return wr.full ? -EINVAL : sky_sockopt_options4(fd, opts, sky_wr_len(&wr));
}

/* What every socket of the path gets; only the first group must succeed. */
int
sky_pathsock_options(struct sky_pathsock *s, int fd)
{
	const struct sky_pathsock_conf *c = &s->conf;
	unsigned v = s->carries;
	int r = sky_sockopt_set(fd, v, SKY_OPT_RECVERR, 1);

	if (r == 0 && c->device)
		r = sky_sockopt_device(fd, c->device);
	if (r == 0 && c->have_tos)
		r = sky_sockopt_set(fd, v, SKY_OPT_TOS, c->tos);
	if (r == 0 && c->broadcast)
		r = sky_sockopt_set(fd, v, SKY_OPT_BROADCAST, 1);
	if (r == 0 && c->direct)
		r = sky_sockopt_set(fd, v, SKY_OPT_DONTROUTE, 1);
	if (r == 0 && c->label && s->family == AF_INET6)
		r = sky_sockopt_set(fd, v, SKY_OPT_FLOWINFO, 1);
	if (r == 0)
		r = set_routers(s, fd);
	if (r == 0)
		r = sky_sockopt_set(fd, v, SKY_OPT_PMTU, c->fragment ? PMTU_DONT : PMTU_PROBE);
	if (r < 0)
		return r;
	sky_sockopt_set(fd, v, SKY_OPT_TIMESTAMPNS, 1);
	sky_sockopt_set(fd, v, SKY_OPT_RECVTTL, 1);
	sky_sockopt_set(fd, v, SKY_OPT_FRAGSIZE, 1);
	sky_sockopt_set(fd, v, SKY_OPT_RECVERR_RFC4884, 1);
	sky_sockopt_buffer(fd, true, BUFFER);
	return 0;
}

static int
bind_way(struct sky_pathsock *s, struct sky_pathsock_way *w)
{
	struct sky_addr a = s->conf.src;
	struct sockaddr_storage to = { .ss_family = (sa_family_t)s->family };
	uint16_t port = sky_addr_port(&a);
	int len, r;

	if (sky_addr_family(&a) == AF_UNSPEC)
		a.u.sa.sa_family = (sa_family_t)s->family;
	sky_addr_set_port(&a, port ? (uint16_t)(port + w->flow) : 0);
	len = sky_addr_to(&a, s->family, &to);
	if (len < 0)
		return len;
	r = sky_sockfd_bind(w->fd, &to, (socklen_t)len);
	if (r < 0)
		return r;
	len = sky_sockfd_name(w->fd, &to);
	if (len < 0)
		return len;
	sky_addr_from(&a, (const struct sockaddr *)&to, (socklen_t)len);
	w->port = sky_addr_port(&a);
	return 0;
}

static int
open_udp(struct sky_pathsock *s, struct sky_pathsock_way *w)
{
	int r = sky_sockfd_open(s->family);

	if (r < 0)
		return r;
	w->fd = r;
	r = sky_pathsock_options(s, w->fd);
	return r < 0 ? r : bind_way(s, w);
}

/* Of a raw socket the identifiers are ours to choose, and flows share it: they may
 * be wanted when the privilege is given up already. */
static int
choose_identifier(struct sky_pathsock *s, struct sky_pathsock_way *w)
{
	uint16_t number;
	int r = sky_device_random(&number, sizeof(number));

	if (w != s->way)
		number = (uint16_t)(s->way[0].port + w->flow);
	w->port = number;
	return r;
}

/* A ping socket; where the group may not have one, a raw one. */
static int
open_icmp(struct sky_pathsock *s, struct sky_pathsock_way *w)
{
	int proto = s->family == AF_INET ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6;
	int r;

	if (s->ping_raw) {
		w->fd = s->way[0].fd;
		return choose_identifier(s, w);
	}
	r = sky_sockfd_make(s->family, SOCK_DGRAM, proto);
	s->ping_raw = r == -EACCES || r == -EPERM || r == -EPROTONOSUPPORT;
	if (s->ping_raw)
		r = sky_sockfd_make(s->family, SOCK_RAW, proto);
	if (r < 0)
		return s->ping_raw ? -EACCES : r;
	w->fd = r;
	r = sky_pathsock_options(s, w->fd);
	if (r == 0)
		r = bind_way(s, w);
	if (r < 0 || !s->ping_raw)
		return r;
	r = sky_sockopt_icmp_filter(w->fd, s->family);
	return r < 0 ? r : choose_identifier(s, w);
}

static bool
is_shared(const struct sky_pathsock *s, const struct sky_pathsock_way *w)
{
	return w != s->way && w->fd == s->way[0].fd;
}

static int
open_way(struct sky_pathsock *s, uint16_t flow)
{
	struct sky_pathsock_way *w = &s->way[s->ways];
	int r;

	*w = (struct sky_pathsock_way){ .fd = -1, .flow = flow };
	r = s->conf.method == SKY_PATHSOCK_ICMP ? open_icmp(s, w) : open_udp(s, w);
	if (r == 0 && !is_shared(s, w))
		r = sky_poller_add(s->wait, w->fd, 0, s->ways);
	if (r == 0)
		s->ways++;
	else if (w->fd >= 0 && !is_shared(s, w))
		sky_sockfd_close(w->fd);
	return r;
}

struct sky_pathsock_way *
sky_pathsock_flow(struct sky_pathsock *s, uint16_t flow, int *err)
{
	for (unsigned i = 0; i < s->ways; i++)
		if (s->way[i].flow == flow)
			return &s->way[i];
	*err = s->ways == SKY_PATHSOCK_FLOWS ? EMFILE : -open_way(s, flow);
	return *err ? NULL : &s->way[s->ways - 1];
}

static int
open_raw(struct sky_pathsock *s)
{
	int proto = s->family == AF_INET ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6;
	int r = sky_sockfd_make(s->family, SOCK_RAW, proto);

	if (r < 0)
		return r;
	s->raw = r;
	r = sky_sockopt_icmp_filter(s->raw, s->family);
	if (r < 0)
		return r;
	sky_sockopt_set(s->raw, s->carries, SKY_OPT_TIMESTAMPNS, 1);
	sky_sockopt_set(s->raw, s->carries, SKY_OPT_RECVTTL, 1);
	sky_sockopt_buffer(s->raw, true, BUFFER);
	return sky_poller_add(s->wait, s->raw, 0, TOKEN_RAW);
}

/* A socket of its own is connected, to learn what the kernel would choose: the
 * source address, and the MTU that it has cached. */
static void
ask_kernel(struct sky_pathsock *s)
{
	struct sky_addr to = s->conf.dst, here;
	struct sockaddr_storage name;
	int len, fd = sky_sockfd_open(s->family);

	if (fd < 0)
		return;
	if (!sky_addr_port(&to))
		sky_addr_set_port(&to, 9);
	len = sky_addr_to(&to, s->family, &name);
	if (s->conf.device)
		sky_sockopt_device(fd, s->conf.device);
	if (s->conf.broadcast)
		sky_sockopt_set(fd, s->carries, SKY_OPT_BROADCAST, 1);
	if (len > 0 && sky_sockfd_connect(fd, &name, (socklen_t)len) == 0) {
		int mtu = sky_sockopt_mtu(fd, s->carries);

		s->cached_mtu = mtu > 0 && (uint32_t)mtu < s->device_mtu ? (uint32_t)mtu : 0;
		len = sky_sockfd_name(fd, &name);
		if (len > 0 && sky_addr_from(&here, (struct sockaddr *)&name, (socklen_t)len) == 0 &&
		    (sky_addr_family(&s->sent.src) == AF_UNSPEC || sky_addr_is_any(&s->sent.src)))
			s->sent.src = here;
	}
	sky_sockfd_close(fd);
}

static bool
is_for_many(const struct sky_addr *a)
{
	return sky_addr_is_multicast(a) || (sky_addr_family(a) == AF_INET &&
	    a->u.in.sin_addr.s_addr == htonl(INADDR_BROADCAST));
}

/* What the routing table says before anything is sent. */
static int
ask_route(struct sky_pathsock *s)
{
	const struct sky_pathsock_conf *c = &s->conf;
	const struct sky_addr *first = c->routers ? &c->router[0] : &c->dst;
	bool bound = sky_addr_family(&c->src) && !sky_addr_is_any(&c->src);
	uint32_t index = c->device ? sky_device_find(c->device) : 0;
	struct sky_route route;
	int r;

	if (c->device && !index)
		return -ENODEV;
	if (bound && sky_route_is_own(&c->src) == 0)
		return -EADDRNOTAVAIL;
	r = sky_route_find(first, bound ? &c->src : NULL, index, &route);
	s->route_err = r < 0 ? -r : 0;
	if (!c->broadcast && (route.type == SKY_ROUTE_BROADCAST || is_for_many(&c->dst)))
		return -EDESTADDRREQ;
	r = sky_device_mtu(s->route_err ? index : route.ifindex);
	s->device_mtu = r > 0 && r < LARGEST ? (uint32_t)r : r < 0 ? USUAL : LARGEST;
	return 0;
}

static int
choose_key(struct sky_pathsock *s)
{
	uint64_t *key = s->sent.key;

	memcpy(key, s->conf.key, sizeof(s->sent.key));
	return key[0] | key[1] ? 0 : sky_device_random(key, sizeof(s->sent.key));
}

static int
open_all(struct sky_pathsock *s)
{
	int r = choose_key(s);

	if (r == 0)
		r = ask_route(s);
	if (r == 0)
		r = sky_poller_open();
	if (r < 0)
		return r;
	s->wait = r;
	ask_kernel(s);
	r = s->conf.method == SKY_PATHSOCK_TCP ? 0 : open_way(s, 0);
	if (r == 0 && s->conf.raw)
		r = open_raw(s);
	return r;
}

int
sky_pathsock_open(struct sky_pathsock *s, const struct sky_pathsock_conf *c)
{
	int r;

	memset(s, 0, sizeof(*s));
	s->conf = *c;
	s->family = sky_addr_family(&c->dst);
	s->carries = s->family == AF_INET ? SKY_CARRIES4 : SKY_CARRIES6;
	s->wait = s->raw = -1;
	s->sent.proto = c->method == SKY_PATHSOCK_UDP ? IPPROTO_UDP :
	    c->method == SKY_PATHSOCK_TCP ? IPPROTO_TCP :
	    s->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	s->sent.dst = c->dst;
	s->sent.src = c->src;
	if ((s->family != AF_INET && s->family != AF_INET6) ||
	    (c->raw && c->method == SKY_PATHSOCK_TCP))
		return -EAFNOSUPPORT;
	r = open_all(s);
	if (r < 0)
		sky_pathsock_close(s);
	return r;
}

void
sky_pathsock_close(struct sky_pathsock *s)
{
	bool tcp = s->conf.method == SKY_PATHSOCK_TCP;

	for (unsigned i = s->ways; i-- > 0;) {
		if (s->way[i].fd < 0 || is_shared(s, &s->way[i]))
			continue;
		tcp ? sky_sockfd_abort(s->way[i].fd) : sky_sockfd_close(s->way[i].fd);
	}
	if (s->raw >= 0)
		sky_sockfd_close(s->raw);
	if (s->wait >= 0)
		sky_sockfd_close(s->wait);
	s->raw = s->wait = -1;
	s->ways = 0;
}
