/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.c - see conf.h. */
#include "sock/conf.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

enum {
	WANTS = SKY_WANT_LOCAL | SKY_WANT_TTL | SKY_WANT_TOS | SKY_WANT_TIME |
		SKY_WANT_FRAGSIZE | SKY_WANT_DROPS,
	FLAGS = SKY_UDP_PLAIN | SKY_UDP_REUSEADDR | SKY_UDP_REUSEPORT | SKY_UDP_V6ONLY |
		SKY_UDP_BROADCAST | SKY_UDP_GRO | SKY_UDP_NO_GSO | SKY_UDP_MULTICAST_ALL |
		SKY_UDP_DONTROUTE | SKY_UDP_FREEBIND | SKY_UDP_LOCAL_TWICE,
};

static bool
is_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		if (b[i])
			return false;
	return true;
}

static bool
values_make_sense(const struct sky_udp_conf *c)
{
	if ((c->want & ~(uint32_t)WANTS) || (c->flags & ~(uint32_t)FLAGS))
		return false;
	if (c->family != AF_UNSPEC && c->family != AF_INET && c->family != AF_INET6)
		return false;
	if (c->rcvbuf < 0 || c->sndbuf < 0 || c->pmtu < 0 || c->pmtu > SKY_PMTU_OMIT)
		return false;
	if (c->ttl < 0 || c->ttl > 255 || c->tos < 0 || c->tos > 255)
		return false;
	if (c->room && (uintptr_t)c->room % sizeof(uint64_t))
		return false;
	return is_zero(c->reserved, sizeof(c->reserved));
}

/* A conf from a newer header may be longer: as long as it asks nothing new. */
int
sky_conf_read(struct sky_udp_conf *known, const struct sky_udp_conf *c)
{
	*known = (struct sky_udp_conf){ .size = sizeof(*known) };
	if (!c)
		return 0;
	if (c->size < sizeof(*c))
		return -EINVAL;
	if (!is_zero((const char *)c + sizeof(*c), c->size - sizeof(*c)))
		return -EINVAL;
	*known = *c;
	return values_make_sense(c) ? 0 : -EINVAL;
}

struct want_row {
	enum sky_want want;
	enum sky_cap cap;
	enum sky_opt opt;
};

static const struct want_row wants[] = {
	{ SKY_WANT_LOCAL, SKY_CAP_LOCAL, SKY_OPT_PKTINFO },
	{ SKY_WANT_TTL, SKY_CAP_TTL, SKY_OPT_RECVTTL },
	{ SKY_WANT_TOS, SKY_CAP_TOS, SKY_OPT_RECVTOS },
	{ SKY_WANT_TIME, SKY_CAP_TIME, SKY_OPT_TIMESTAMPNS },
	{ SKY_WANT_FRAGSIZE, SKY_CAP_FRAGSIZE, SKY_OPT_FRAGSIZE },
	{ SKY_WANT_DROPS, SKY_CAP_DROPS, SKY_OPT_RXQ_OVFL },
};

struct flag_row {
	enum sky_udp_flag flag;
	enum sky_opt opt;
	bool fatal;			/* bind would do something else without it */
};

static const struct flag_row flags[] = {
	{ SKY_UDP_REUSEADDR, SKY_OPT_REUSEADDR, true },
	{ SKY_UDP_REUSEPORT, SKY_OPT_REUSEPORT, true },
	{ SKY_UDP_FREEBIND, SKY_OPT_FREEBIND, true },
	{ SKY_UDP_BROADCAST, SKY_OPT_BROADCAST, true },
	{ SKY_UDP_DONTROUTE, SKY_OPT_DONTROUTE, true },
};

static int32_t
in_force(int r)
{
	return r < 0 ? r : 1;
}

void
sky_conf_errors(struct udp *u, bool on)
{
	u->plain = !on;
	u->cap[SKY_CAP_ERRORS4] = u->cap[SKY_CAP_ERRORS6] = u->cap[SKY_CAP_RFC4884] = 0;
	if (u->carries & SKY_CARRIES4)
		u->cap[SKY_CAP_ERRORS4] = in_force(sky_sockopt_set(u->fd,
		    SKY_CARRIES4, SKY_OPT_RECVERR, on));
	if (u->carries & SKY_CARRIES6)
		u->cap[SKY_CAP_ERRORS6] = in_force(sky_sockopt_set(u->fd,
		    SKY_CARRIES6, SKY_OPT_RECVERR, on));
	u->cap[SKY_CAP_RFC4884] = in_force(sky_sockopt_set(u->fd, u->carries,
	    SKY_OPT_RECVERR_RFC4884, on));
	if (!on)
		for (int i = SKY_CAP_ERRORS4; i <= SKY_CAP_RFC4884; i++)
			u->cap[i] = u->cap[i] < 0 ? u->cap[i] : 0;
}

/* Whoever had an adopted socket may have asked for things: room for those too. */
static void
apply_wants(struct udp *u, bool adopted)
{
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		if (u->want & wants[i].want)
			u->cap[wants[i].cap] = in_force(sky_sockopt_set(u->fd, u->carries,
			    wants[i].opt, 1));
	if (u->flags & SKY_UDP_GRO)
		u->cap[SKY_CAP_GRO] = in_force(sky_sockopt_set(u->fd, u->carries,
		    SKY_OPT_GRO, 1));
	u->ctl_len = u->want || (u->flags & SKY_UDP_GRO) || adopted ? SKY_CTL_IN : 0;
}

static void
ask_offers(struct udp *u)
{
	struct sky_meminfo m;
	int value;

	u->cap[SKY_CAP_MEMINFO] = in_force(sky_sockopt_meminfo(u->fd, &m));
	u->rcvbuf = u->cap[SKY_CAP_MEMINFO] == 1 ? m.rcvbuf : 0;
	if (!(u->flags & SKY_UDP_NO_GSO))
		u->cap[SKY_CAP_GSO] = in_force(sky_sockopt_get(u->fd, u->carries,
		    SKY_OPT_GSO, &value));
	if (u->cap[SKY_CAP_GSO] < 0)
		u->flags |= SKY_UDP_NO_GSO;
}

static int
apply_flags(const struct udp *u, const struct sky_udp_conf *c)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int r;

		if (!(c->flags & flags[i].flag))
			continue;
		r = sky_sockopt_set(u->fd, u->carries, flags[i].opt, 1);
		if (r < 0 && flags[i].fatal)
			return r;
	}
	return c->device ? sky_sockopt_device(u->fd, c->device) : 0;
}

static int
apply_values(const struct udp *u, const struct sky_udp_conf *c)
{
	int r = 0;

	if (c->rcvbuf)
		r = sky_sockopt_buffer(u->fd, true, c->rcvbuf);
	if (r == 0 && c->sndbuf)
		r = sky_sockopt_buffer(u->fd, false, c->sndbuf);
	if (r == 0 && c->ttl)
		r = sky_sockopt_set(u->fd, u->carries, SKY_OPT_TTL, c->ttl);
	if (r == 0 && c->tos)
		r = sky_sockopt_set(u->fd, u->carries, SKY_OPT_TOS, c->tos);
	if (r == 0 && c->pmtu)
		r = sky_sockopt_set(u->fd, u->carries, SKY_OPT_PMTU, c->pmtu - SKY_PMTU_DONT);
	return r;
}

int
sky_conf_apply(struct udp *u, const struct sky_udp_conf *c, bool adopted)
{
	int r = apply_flags(u, c);

	if (r == 0)
		r = apply_values(u, c);
	if (r < 0)
		return r;
	/* Groups that other sockets joined are not this one's business; an
	 * adopted socket keeps what it receives. */
	if (!adopted)
		sky_sockopt_set(u->fd, u->carries, SKY_OPT_MULTICAST_ALL,
		    !!(u->flags & SKY_UDP_MULTICAST_ALL));
	if (!(u->flags & SKY_UDP_PLAIN))
		sky_conf_errors(u, true);
	u->plain = u->flags & SKY_UDP_PLAIN;
	apply_wants(u, adopted);
	ask_offers(u);
	return 0;
}
