/* SPDX-License-Identifier: BSD-2-Clause */
/* route.c - see route.h. */
#include "sys/route.h"
#include "sys/ret.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libmnl's own socket is allocated; only its message functions are used. */
enum { REPLY_SIZE = 8192 };

struct hop {
	int type;			/* RTN_* */
	uint32_t ifindex;
	uint8_t gateway[16];
	int gateway_family;		/* 0: the destination is on the link */
};

static const void *
ip_of(const struct sky_addr *a, size_t *len)
{
	if (a->u.sa.sa_family == AF_INET) {
		*len = 4;
		return &a->u.in.sin_addr;
	}
	*len = 16;
	return &a->u.in6.sin6_addr;
}

/* Sends h and puts the one answer into buf. Its length, or a negative errno. */
static int
ask(const struct nlmsghdr *h, void *buf, size_t size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int saved = errno;
	int fd = sky_ret(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), saved);
	int r;

	if (fd < 0)
		return fd;
	r = sky_ret(sendto(fd, h, h->nlmsg_len, MSG_DONTWAIT, (struct sockaddr *)&kernel,
	    sizeof(kernel)), saved);
	if (r >= 0)
		r = sky_ret(recv(fd, buf, size, MSG_DONTWAIT), saved);
	close(fd);
	errno = saved;
	return r;
}

/* The answer as a message of the type, or an errno that it carries. */
static int
check(const struct nlmsghdr *h, int len, int type)
{
	const struct nlmsgerr *e;

	if (!mnl_nlmsg_ok(h, len))
		return -EBADMSG;
	if (h->nlmsg_type == NLMSG_ERROR) {
		e = mnl_nlmsg_get_payload(h);
		return e->error ? e->error : -ENOENT;
	}
	return h->nlmsg_type == type ? 0 : -EBADMSG;
}

static int
take_route(const struct nlattr *attr, void *data)
{
	struct hop *hop = data;
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		if (len == sizeof(uint32_t))
			hop->ifindex = mnl_attr_get_u32(attr);
		break;
	case RTA_GATEWAY:
		if (len != 4 && len != 16)
			break;
		hop->gateway_family = len == 4 ? AF_INET : AF_INET6;
		memcpy(hop->gateway, mnl_attr_get_payload(attr), len);
		break;
	case RTA_VIA:
		if (len != 2 + 16 && len != 2 + 4)
			break;
		hop->gateway_family = len == 2 + 4 ? AF_INET : AF_INET6;
		memcpy(hop->gateway, (const char *)mnl_attr_get_payload(attr) + 2, len - 2);
		break;
	}
	return MNL_CB_OK;
}

static void
put_question(char *buf, const struct sky_addr *dst, const struct sky_addr *src,
    uint32_t ifindex)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtmsg *m;
	size_t len;
	const void *ip = ip_of(dst, &len);

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = (unsigned char)dst->u.sa.sa_family;
	m->rtm_dst_len = (unsigned char)(len * 8);
	mnl_attr_put(h, RTA_DST, len, ip);
	if (dst->u.sa.sa_family == AF_INET6 && dst->u.in6.sin6_scope_id && !ifindex)
		ifindex = dst->u.in6.sin6_scope_id;
	if (ifindex)
		mnl_attr_put_u32(h, RTA_OIF, ifindex);
	if (!src || src->u.sa.sa_family != dst->u.sa.sa_family)
		return;
	ip = ip_of(src, &len);
	m->rtm_src_len = (unsigned char)(len * 8);
	mnl_attr_put(h, RTA_SRC, len, ip);
}

/* buf holds the question and then the answer. */
static int
ask_question(char *buf, size_t size, struct hop *hop)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)buf;
	const struct rtmsg *m;
	int r = ask(h, buf, size);

	if (r < 0)
		return r;
	r = check(h, r, RTM_NEWROUTE);
	if (r < 0)
		return r;
	m = mnl_nlmsg_get_payload(h);
	*hop = (struct hop){ .type = m->rtm_type };
	mnl_attr_parse(h, sizeof(*m), take_route, hop);
	return 0;
}

static int
ask_route(const struct sky_addr *dst, struct hop *hop)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];

	put_question(buf, dst, NULL, 0);
	return ask_question(buf, sizeof(buf), hop);
}

static int
take_probes(const struct nlattr *attr, void *data)
{
	uint32_t *probes = data;

	if (mnl_attr_get_type(attr) == NDA_PROBES &&
	    mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		*probes = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int
ask_neighbour(int family, const void *ip, size_t len, uint32_t ifindex, uint32_t *probes)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ndmsg *m;
	int r;

	h->nlmsg_type = RTM_GETNEIGH;
	h->nlmsg_flags = NLM_F_REQUEST;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ndm_family = (unsigned char)family;
	m->ndm_ifindex = (int)ifindex;
	mnl_attr_put(h, NDA_DST, len, ip);
	r = ask(h, buf, sizeof(buf));
	if (r < 0)
		return r;
	r = check(h, r, RTM_NEWNEIGH);
	if (r < 0)
		return r;
	m = mnl_nlmsg_get_payload(h);
	mnl_attr_parse(h, sizeof(*m), take_probes, probes);
	return m->ndm_state;
}

static void
take_source(struct sky_route *out, int family, const void *ip, size_t len)
{
	memset(&out->source, 0, sizeof(out->source));
	out->source.u.sa.sa_family = (sa_family_t)family;
	if (len == 4)
		memcpy(&out->source.u.in.sin_addr, ip, 4);
	else
		memcpy(&out->source.u.in6.sin6_addr, ip, 16);
}

static int
take_metric(const struct nlattr *attr, void *data)
{
	struct sky_route *out = data;

	if (mnl_attr_get_type(attr) == RTAX_MTU && mnl_attr_get_payload_len(attr) == 4)
		out->mtu = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int
take_way(const struct nlattr *attr, void *data)
{
	struct sky_route *out = data;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == RTA_PREFSRC && (len == 4 || len == 16))
		take_source(out, len == 4 ? AF_INET : AF_INET6, mnl_attr_get_payload(attr), len);
	else if (mnl_attr_get_type(attr) == RTA_METRICS)
		mnl_attr_parse_nested(attr, take_metric, out);
	return MNL_CB_OK;
}

static void
fill_way(struct sky_route *out, const struct hop *hop)
{
	static const struct {
		uint8_t kernel, type;
	} rows[] = {
		{ RTN_UNICAST, SKY_ROUTE_UNICAST }, { RTN_LOCAL, SKY_ROUTE_LOCAL },
		{ RTN_BROADCAST, SKY_ROUTE_BROADCAST }, { RTN_MULTICAST, SKY_ROUTE_MULTICAST },
		{ RTN_ANYCAST, SKY_ROUTE_UNICAST },
	};
	struct sockaddr_in *in = &out->gateway.u.in;
	struct sockaddr_in6 *in6 = &out->gateway.u.in6;

	out->type = SKY_ROUTE_REFUSED;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kernel == hop->type)
			out->type = rows[i].type;
	out->ifindex = hop->ifindex;
	out->gateway.u.sa.sa_family = (sa_family_t)hop->gateway_family;
	if (hop->gateway_family == AF_INET)
		memcpy(&in->sin_addr, hop->gateway, 4);
	else if (hop->gateway_family == AF_INET6)
		memcpy(&in6->sin6_addr, hop->gateway, 16);
}

int
sky_route_find(const struct sky_addr *dst, const struct sky_addr *src, uint32_t ifindex,
    struct sky_route *out)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	struct hop hop;
	int r;

	memset(out, 0, sizeof(*out));
	put_question(buf, dst, src, ifindex);
	r = ask_question(buf, sizeof(buf), &hop);
	if (r < 0)
		return r;
	mnl_attr_parse((const struct nlmsghdr *)(const void *)buf, sizeof(struct rtmsg), take_way, out);
	fill_way(out, &hop);
	return 0;
}

int
sky_route_is_own(const struct sky_addr *a)
{
	struct hop hop;
	int r = ask_route(a, &hop);

	return r < 0 ? r : hop.type == RTN_LOCAL;
}

/* The kernel counts probes from here on, as if the unicast ones had been sent. */
static uint32_t
probes_before(int family, uint32_t ifindex)
{
	char name[IF_NAMESIZE], path[128], text[16] = "";
	int saved = errno;
	int fd;

	if (!if_indextoname(ifindex, name))
		name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/sys/net/ipv%c/neigh/%s/ucast_solicit",
	    family == AF_INET ? '4' : '6', name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	errno = saved;
	return text[0] ? (uint32_t)strtoul(text, NULL, 10) : UINT32_MAX;
}

int
sky_route_neighbour(const struct sky_addr *dst, uint32_t *probes)
{
	struct hop hop;
	size_t len;
	const void *ip = ip_of(dst, &len);
	int family = dst->u.sa.sa_family;
	int r = ask_route(dst, &hop);
	uint32_t before;

	*probes = 0;
	if (r < 0)
		return r;
	if (hop.type != RTN_UNICAST)
		return 0;
	if (hop.gateway_family) {
		family = hop.gateway_family;
		ip = hop.gateway;
		len = family == AF_INET ? 4 : 16;
	}
	r = ask_neighbour(family, ip, len, hop.ifindex, probes);
	if (r < 0)
		return r;
	before = *probes ? probes_before(family, hop.ifindex) : 0;
	*probes -= *probes < before ? *probes : before;
	return r & NUD_INCOMPLETE ? 1 : r & NUD_FAILED ? 2 : 0;
}

int
sky_route_unresolved(const struct sky_addr *dst)
{
	uint32_t probes;
	int r = sky_route_neighbour(dst, &probes);

	return r < 0 ? r : r == 1;
}
