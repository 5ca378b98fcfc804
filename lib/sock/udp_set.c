/* SPDX-License-Identifier: BSD-2-Clause */
/* udp_set.c - changing and asking an open socket; groups; replies. */
#include "sock/conf.h"
#include "sock/refusal.h"
#include "sock/second.h"
#include "sys/route.h"
#include "sys/sockfd.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static int
set_gso(struct udp *u, int64_t value)
{
	int ask;

	sky_refusal_clear(&u->ring);
	u->refusals = 0;
	if (!value) {
		u->flags |= SKY_UDP_NO_GSO;
		u->cap[SKY_CAP_GSO] = 0;
		return 0;
	}
	ask = sky_sockopt_get(u->fd, u->carries, SKY_OPT_GSO, &(int){ 0 });
	u->cap[SKY_CAP_GSO] = ask < 0 ? ask : 1;
	if (ask < 0)
		return ask;
	u->flags &= ~(uint32_t)SKY_UDP_NO_GSO;
	return 0;
}

/* The kernel purges its queue but not the pending error, which would cost the
 * next datagram. What waited here stays counted. */
static void
forget_errors(struct udp *u)
{
	sky_sockopt_get(u->fd, u->carries, SKY_OPT_ERROR, &(int){ 0 });
	while (sky_ring_first(&u->ring)) {
		sky_ring_drop(&u->ring);
		udp_count(&u->taken, 1);
	}
}

static int
set_errors(struct udp *u, int64_t value)
{
	sky_conf_errors(u, value);
	if (!value)
		forget_errors(u);
	for (int i = SKY_CAP_ERRORS4; value && i <= SKY_CAP_ERRORS6; i++)
		if (u->cap[i] < 0)
			return u->cap[i];
	return 0;
}

static int
set_memory(struct udp *u, int64_t value)
{
	u->gso_memory_ns = (uint64_t)value * 1000000u;
	return 0;
}

static int
set_rcvbuf(struct udp *u, int64_t value)
{
	struct sky_meminfo m;
	int r = sky_sockopt_buffer(u->fd, true, (int)value);

	if (sky_sockopt_meminfo(u->fd, &m) == 0)
		u->rcvbuf = m.rcvbuf;
	return r;
}

static int
set_sndbuf(struct udp *u, int64_t value)
{
	return sky_sockopt_buffer(u->fd, false, (int)value);
}

static int
set_multicast_if(struct udp *u, int64_t value)
{
	return sky_sockopt_multicast_if(u->fd, u->carries, (unsigned)value);
}

static int
set_pmtu(struct udp *u, int64_t value)
{
	return sky_sockopt_set(u->fd, u->carries, SKY_OPT_PMTU, (int)value - SKY_PMTU_DONT);
}

struct set_row {
	int64_t min, max;
	int (*set)(struct udp *, int64_t);	/* NULL: the option, as it is */
	enum sky_opt opt;
};

static const struct set_row sets[] = {
	[SKY_SET_TTL] = { 1, 255, NULL, SKY_OPT_TTL },
	[SKY_SET_TOS] = { 0, 255, NULL, SKY_OPT_TOS },
	[SKY_SET_MULTICAST_TTL] = { 0, 255, NULL, SKY_OPT_MULTICAST_TTL },
	[SKY_SET_RCVBUF] = { 0, INT32_MAX, set_rcvbuf, 0 },
	[SKY_SET_SNDBUF] = { 0, INT32_MAX, set_sndbuf, 0 },
	[SKY_SET_PMTU] = { SKY_PMTU_DONT, SKY_PMTU_OMIT, set_pmtu, 0 },
	[SKY_SET_GSO] = { 0, 1, set_gso, 0 },
	[SKY_SET_ERRORS] = { 0, 1, set_errors, 0 },
	[SKY_SET_BROADCAST] = { 0, 1, NULL, SKY_OPT_BROADCAST },
	[SKY_SET_MULTICAST_IF] = { 0, INT32_MAX, set_multicast_if, 0 },
	[SKY_SET_NO_CHECKSUM] = { 0, 1, NULL, SKY_OPT_NO_CHECK },
	[SKY_SET_GSO_MEMORY_MS] = { 0, INT32_MAX, set_memory, 0 },
};

int
sky_udp_set(struct sky_udp *su, enum sky_udp_opt what, int64_t value)
{
	struct udp *u = udp_of(su);
	const struct set_row *row;

	if ((unsigned)what >= sizeof(sets) / sizeof(sets[0]))
		return -EINVAL;
	row = &sets[what];
	if (value < row->min || value > row->max)
		return -EINVAL;
	if (row->set)
		return row->set(u, value);
	return sky_sockopt_set(u->fd, u->carries, row->opt, (int)value);
}

static void
info_counters(const struct udp *u, struct sky_udp_info *out)
{
	out->rx = udp_counted(&u->rx);
	out->tx = udp_counted(&u->tx);
	out->rx_truncated = udp_counted(&u->truncated);
	out->rx_drops = u->drops;
	out->errors = udp_counted(&u->taken) + sky_ring_count(&u->ring);
	out->errors_lost = udp_counted(&u->lost) + udp_counted(&u->lost2) +
	    udp_counted(&u->ignored);
	out->errors_maybe_lost = udp_counted(&u->maybe_lost);
	out->retries = udp_counted(&u->tx_retries) + udp_counted(&u->rx_retries);
	out->gso_trains = udp_counted(&u->trains);
	out->gso_refused = udp_counted(&u->refused);
	out->enobufs = udp_counted(&u->enobufs);
	out->eperm = udp_counted(&u->eperm);
}

/* Where data was dropped for want of room, an error would have been too. */
static void
info_memory(struct udp *u, struct sky_udp_info *out)
{
	struct sky_meminfo m;

	if (sky_sockopt_meminfo(u->fd, &m) < 0)
		return;
	if (m.drops != u->drops_seen || udp_is_full(&m) ||
	    (u->run && udp_was_full(u, m.rmem + u->run)))
		udp_count(&u->maybe_lost, !u->plain);
	u->drops += (uint32_t)(m.drops - u->drops_seen);
	u->drops_seen = m.drops;
	out->rcvbuf = m.rcvbuf;
	out->sndbuf = m.sndbuf;
	out->rcvbuf_used = m.rmem;
}

int
sky_udp_info(struct sky_udp *su, struct sky_udp_info *out)
{
	struct udp *u = udp_of(su);
	uint32_t size = out->size;
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sky_fd fd;
	int r;

	if (size < sizeof(i))
		return -EINVAL;
	r = sky_fd_ask(u->fd, &fd);
	if (r < 0)
		return r;
	memcpy(i.cap, u->cap, sizeof(i.cap));
	if (u->icmpd)
		i.cap[SKY_CAP_ICMPD] = sky_second_state(u);
	i.family = u->family;
	i.connected = fd.connected;
	i.v6only = u->v6only;
	i.local = fd.local;
	i.peer = fd.peer;
	info_memory(u, &i);
	info_counters(u, &i);
	*out = i;
	out->size = size;
	return 0;
}

const char *
sky_cap_word(enum sky_cap c)
{
	static const char *const words[SKY_CAPS] = {
		[SKY_CAP_ERRORS4] = "errors4", [SKY_CAP_ERRORS6] = "errors6",
		[SKY_CAP_RFC4884] = "rfc4884", [SKY_CAP_LOCAL] = "local",
		[SKY_CAP_TTL] = "ttl", [SKY_CAP_TOS] = "tos", [SKY_CAP_TIME] = "time",
		[SKY_CAP_FRAGSIZE] = "fragsize", [SKY_CAP_DROPS] = "drops",
		[SKY_CAP_GSO] = "gso", [SKY_CAP_GRO] = "gro", [SKY_CAP_MEMINFO] = "meminfo",
		[SKY_CAP_ICMPD] = "icmpd",
	};

	return (unsigned)c < SKY_CAPS ? words[c] : "unknown";
}

static int
membership(struct sky_udp *su, const struct sky_addr *group, const struct sky_addr *source,
    unsigned ifindex, bool join)
{
	const struct udp *u = udp_of(su);
	int family = group ? sky_addr_family(group) : AF_UNSPEC;

	if (!group || !sky_addr_is_multicast(group))
		return -EINVAL;
	if (source && sky_addr_family(source) != family)
		return -EAFNOSUPPORT;
	if (!(u->carries & (family == AF_INET ? SKY_CARRIES4 : SKY_CARRIES6)))
		return -EAFNOSUPPORT;
	return sky_sockopt_group(u->fd, join, &group->u.sa, source ? &source->u.sa : NULL,
	    sky_addr_len(group), ifindex);
}

int
sky_udp_join(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source,
    unsigned ifindex)
{
	return membership(u, group, source, ifindex, true);
}

int
sky_udp_leave(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source,
    unsigned ifindex)
{
	return membership(u, group, source, ifindex, false);
}

/* From the address that was asked; a group's cannot be a source, there the
 * kernel chooses one of the interface. Pinning an interface elsewhere would
 * bypass the routing table. */
int
sky_udp_reply(struct sky_msg *out, const struct sky_msg *in)
{
	bool known = in->have & SKY_MSG_LOCAL;
	bool group = known && ((in->flags & SKY_MSG_GROUP) || sky_addr_is_multicast(&in->local));
	struct sky_msg m = { .tag = in->tag };

	if (!(in->have & SKY_MSG_PEER) || sky_addr_family(&in->peer) == AF_UNSPEC)
		return -EINVAL;
	m.peer = in->peer;
	m.have = SKY_MSG_PEER;
	if (known && !group) {
		m.local = in->local;
		sky_addr_set_port(&m.local, 0);
		m.have |= SKY_MSG_LOCAL;
	}
	if (known && (group || sky_addr_is_link_local(&in->local))) {
		m.ifindex = in->ifindex;
		m.have |= SKY_MSG_IFINDEX;
	}
	*out = m;
	return 0;
}

size_t
sky_udp_payload_max(int family)
{
	return family == AF_INET6 ? 65527 : 65507;
}

bool
sky_neighbour_unresolved(const struct sky_addr *dst)
{
	int family = sky_addr_family(dst);

	return (family == AF_INET || family == AF_INET6) && sky_route_unresolved(dst) == 1;
}
