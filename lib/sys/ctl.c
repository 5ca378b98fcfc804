/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl.c - control messages, in and out: see msg.h. */
#include "sys/msg.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>

enum {
	CTL_FRAGSIZE4 = 25,	/* IP_RECVFRAGSIZE */
	CTL_FRAGSIZE6 = 77,	/* IPV6_RECVFRAGSIZE */
	CTL_SEGMENT = 103,	/* UDP_SEGMENT */
	CTL_GRO = 104,		/* UDP_GRO */
};

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void
addr4(struct sky_addr *a, const void *ip)
{
	memset(a, 0, sizeof(*a));
	a->u.in.sin_family = AF_INET;
	memcpy(&a->u.in.sin_addr, ip, 4);
}

static void
addr6(struct sky_addr *a, const uint8_t *ip, uint32_t scope)
{
	if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		addr4(a, ip + sizeof(mapped));
		return;
	}
	memset(a, 0, sizeof(*a));
	a->u.in6.sin6_family = AF_INET6;
	memcpy(&a->u.in6.sin6_addr, ip, 16);
	if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
		a->u.in6.sin6_scope_id = scope;
}

void
sky_msg_unmap(struct sky_addr *a)
{
	in_port_t port = a->u.in6.sin6_port;
	uint8_t ip[16];

	if (a->u.sa.sa_family != AF_INET6)
		return;
	memcpy(ip, &a->u.in6.sin6_addr, sizeof(ip));
	if (memcmp(ip, mapped, sizeof(mapped)) != 0)
		return;
	addr4(a, ip + sizeof(mapped));
	a->u.in.sin_port = port;
}

/* The value of a control message that is an int (TOS comes as one byte). */
static bool
int_of(const uint8_t *p, size_t len, uint32_t *v)
{
	int32_t n;

	if (len == 1) {
		*v = p[0];
		return true;
	}
	if (len != sizeof(n))
		return false;
	memcpy(&n, p, sizeof(n));
	*v = (uint32_t)n;
	return true;
}

static void
take_ttl(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	uint32_t v;

	if (!int_of(p, len, &v))
		return;
	c->ttl = (uint8_t)v;
	c->have |= SKY_CTL_TTL;
}

static void
take_tos(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	uint32_t v;

	if (!int_of(p, len, &v))
		return;
	c->tos = (uint8_t)v;
	c->have |= SKY_CTL_TOS;
}

static void
take_fragsize(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	if (int_of(p, len, &c->fragsize))
		c->have |= SKY_CTL_FRAGSIZE;
}

static void
take_gro(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	uint32_t v;

	if (len != sizeof(v) || !int_of(p, len, &v) || !v)
		return;
	c->seg = v;
	c->have |= SKY_CTL_SEG;
}

static void
take_drops(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	if (len == sizeof(uint32_t) && int_of(p, len, &c->drops))
		c->have |= SKY_CTL_DROPS;
}

/* The kernel says with spec_dst what a reply should come from: where that is
 * not the address in the header, the header's was a group's. */
static void
take_pktinfo4(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct in_pktinfo i;

	if (len != sizeof(i))
		return;
	memcpy(&i, p, sizeof(i));
	addr4(&c->local, &i.ipi_addr);
	c->ifindex = (uint32_t)i.ipi_ifindex;
	c->have |= SKY_CTL_LOCAL;
	if (i.ipi_addr.s_addr != i.ipi_spec_dst.s_addr)
		c->have |= SKY_CTL_GROUP;
	else
		c->have &= ~(uint32_t)SKY_CTL_GROUP;
}

static void
take_pktinfo6(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct in6_pktinfo i;

	if (len != sizeof(i))
		return;
	memcpy(&i, p, sizeof(i));
	if ((c->have & SKY_CTL_LOCAL) && memcmp(&i.ipi6_addr, mapped, sizeof(mapped)) == 0)
		return;		/* IP_PKTINFO of the same datagram says more */
	addr6(&c->local, i.ipi6_addr.s6_addr, i.ipi6_ifindex);
	c->ifindex = i.ipi6_ifindex;
	c->have |= SKY_CTL_LOCAL;
	if (i.ipi6_addr.s6_addr[0] == 0xff)
		c->have |= SKY_CTL_GROUP;
}

static void
take_time(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct timespec t;

	if (len != sizeof(t))
		return;
	memcpy(&t, p, sizeof(t));
	c->time_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	c->have |= SKY_CTL_TIME;
}

/* Transmit time stamps: software first, else the card's own clock. */
static void
take_stamp(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct timespec none = { 0 };
	size_t at = 0;

	if (len != 3 * sizeof(none))
		return;
	if (memcmp(p, &none, sizeof(none)) == 0)
		at = 2 * sizeof(none);
	take_time(c, p + at, sizeof(none));
	c->stamp = true;
}

static void
take_error(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct sock_extended_err e;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	sa_family_t family = AF_UNSPEC;

	if (len < sizeof(e))
		return;
	memcpy(&e, p, sizeof(e));
	c->err = (int32_t)e.ee_errno;
	c->origin = e.ee_origin;
	c->type = e.ee_type;
	c->code = e.ee_code;
	c->info = e.ee_info;
	c->data = e.ee_data;
	memset(&c->by, 0, sizeof(c->by));
	c->have |= SKY_CTL_ERROR;
	p += sizeof(e);
	len -= sizeof(e);
	if (len >= sizeof(family))
		memcpy(&family, p, sizeof(family));
	if (family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, p, sizeof(in));
		addr4(&c->by, &in.sin_addr);
	} else if (family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, p, sizeof(in6));
		addr6(&c->by, in6.sin6_addr.s6_addr, in6.sin6_scope_id);
	}
}

struct ctl_row {
	int level, type;
	void (*take)(struct sky_ctl *, const uint8_t *, size_t);
};

/* In the order of how often they come. */
static const struct ctl_row ctl_rows[] = {
	{ IPPROTO_IP, IP_PKTINFO, take_pktinfo4 },
	{ IPPROTO_IPV6, IPV6_PKTINFO, take_pktinfo6 },
	{ IPPROTO_UDP, CTL_GRO, take_gro },
	{ SOL_SOCKET, SCM_TIMESTAMPNS, take_time },
	{ IPPROTO_IP, IP_TTL, take_ttl },
	{ IPPROTO_IPV6, IPV6_HOPLIMIT, take_ttl },
	{ IPPROTO_IP, IP_TOS, take_tos },
	{ IPPROTO_IPV6, IPV6_TCLASS, take_tos },
	{ IPPROTO_IP, IP_RECVERR, take_error },
	{ IPPROTO_IPV6, IPV6_RECVERR, take_error },
	{ SOL_SOCKET, SO_RXQ_OVFL, take_drops },
	{ IPPROTO_IP, CTL_FRAGSIZE4, take_fragsize },
	{ IPPROTO_IPV6, CTL_FRAGSIZE6, take_fragsize },
	{ SOL_SOCKET, SCM_TIMESTAMPING, take_stamp },
};

static void
take_one(struct sky_ctl *c, const struct cmsghdr *h, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < sizeof(ctl_rows) / sizeof(ctl_rows[0]); i++) {
		const struct ctl_row *r = &ctl_rows[i];

		if (r->type == h->cmsg_type && r->level == h->cmsg_level) {
			r->take(c, p, len);
			return;
		}
	}
}

uint32_t
sky_ctl_decode(struct sky_ctl *c, const void *control, size_t len)
{
	const uint8_t *p = control;
	const size_t head = CMSG_LEN(0);
	struct cmsghdr h;

	c->have = 0;
	c->stamp = false;
	while (len >= head) {
		size_t step;

		memcpy(&h, p, sizeof(h));
		if (h.cmsg_len < head || h.cmsg_len > len)
			break;
		take_one(c, &h, p + head, h.cmsg_len - head);
		step = CMSG_ALIGN(h.cmsg_len);
		if (step >= len)
			break;
		p += step;
		len -= step;
	}
	return c->have;
}

size_t
sky_ctl_put(void *buf, size_t at, int level, int type, const void *data, size_t len)
{
	struct cmsghdr h = {
		.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type,
	};
	uint8_t *p = (uint8_t *)buf + at;

	if (at + CMSG_SPACE(len) > SKY_CTL_OUT)
		return at;
	memcpy(p, &h, sizeof(h));
	memcpy(p + CMSG_LEN(0), data, len);
	return at + CMSG_SPACE(len);
}

size_t
sky_ctl_put_local(void *buf, size_t at, int family, const struct sky_addr *local,
    uint32_t ifindex)
{
	struct in_pktinfo p4 = { .ipi_ifindex = (int)ifindex };
	struct in6_pktinfo p6 = { .ipi6_ifindex = ifindex };

	if (family == AF_INET) {
		if (local)
			p4.ipi_spec_dst = local->u.in.sin_addr;
		return sky_ctl_put(buf, at, IPPROTO_IP, IP_PKTINFO, &p4, sizeof(p4));
	}
	if (local)
		p6.ipi6_addr = local->u.in6.sin6_addr;
	return sky_ctl_put(buf, at, IPPROTO_IPV6, IPV6_PKTINFO, &p6, sizeof(p6));
}

static size_t
put_int(void *buf, size_t at, int family, int type4, int type6, int value)
{
	if (family == AF_INET)
		return sky_ctl_put(buf, at, IPPROTO_IP, type4, &value, sizeof(value));
	return sky_ctl_put(buf, at, IPPROTO_IPV6, type6, &value, sizeof(value));
}

size_t
sky_ctl_put_ttl(void *buf, size_t at, int family, uint8_t ttl)
{
	return put_int(buf, at, family, IP_TTL, IPV6_HOPLIMIT, ttl);
}

size_t
sky_ctl_put_tos(void *buf, size_t at, int family, uint8_t tos)
{
	return put_int(buf, at, family, IP_TOS, IPV6_TCLASS, tos);
}

/* Exactly two bytes: with four the kernel says EINVAL. */
size_t
sky_ctl_put_segment(void *buf, size_t at, uint16_t seg)
{
	return sky_ctl_put(buf, at, IPPROTO_UDP, CTL_SEGMENT, &seg, sizeof(seg));
}
