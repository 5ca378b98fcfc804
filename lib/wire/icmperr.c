/* SPDX-License-Identifier: BSD-2-Clause */
/* icmperr.c - makes ICMP and ICMPv6 errors. */
#include "wire/icmperr.h"

#include <errno.h>

#define EXT_QUOTE_MIN 128

struct plan {
	size_t quote;		/* bytes of the packet */
	size_t pad;		/* zeros behind them */
	size_t icmp_len;
};

/* How much is quoted: RFC 4884 counts words of 4 bytes in ICMP, of 8 in ICMPv6,
 * in one byte. */
static int
plan_quote(struct plan *p, const struct sky_icmperr *e, int family, size_t len)
{
	size_t head = family == AF_INET6 ? SKY_IP6_HLEN : SKY_IP4_HLEN;
	size_t unit = family == AF_INET6 ? 8 : 4;
	size_t limit = e->limit ? e->limit : family == AF_INET6 ? 1280 : 576;
	size_t over = head + SKY_ICMP_LEN + e->ext_len;
	size_t room, told;

	if (limit > UINT16_MAX || over > limit)
		return -EINVAL;
	room = limit - over;
	p->quote = e->quote_max && e->quote_max < len ? e->quote_max : len;
	if (!e->ext) {
		p->quote = p->quote < room ? p->quote : room;
		p->icmp_len = SKY_ICMP_LEN + p->quote;
		return 0;
	}
	room = room < 255 * unit ? room / unit * unit : 255 * unit;
	if (e->hide_length && room > EXT_QUOTE_MIN)
		room = EXT_QUOTE_MIN;
	if (room < EXT_QUOTE_MIN)
		return -EINVAL;
	p->quote = p->quote < room ? p->quote : room;
	told = (p->quote + unit - 1) / unit * unit;
	if (told < EXT_QUOTE_MIN)
		told = EXT_QUOTE_MIN;
	p->pad = told - p->quote;
	p->icmp_len = SKY_ICMP_LEN + told + e->ext_len;
	return 0;
}

static int
write_ip(struct sky_wr *wr, const struct sky_icmperr *e, const struct sky_addr *to, size_t len)
{
	uint8_t ttl = e->ttl ? e->ttl : 64;
	struct sky_ip4 h4 = {
		.hlen = SKY_IP4_HLEN, .tos = e->tos, .len = (uint16_t)(SKY_IP4_HLEN + len),
		.id = e->id, .ttl = ttl, .proto = IPPROTO_ICMP,
	};
	struct sky_ip6 h6 = {
		.tclass = e->tos, .plen = (uint16_t)len, .next = IPPROTO_ICMPV6, .hops = ttl,
	};

	if (to->u.sa.sa_family == AF_INET) {
		memcpy(h4.src, &e->from.u.in.sin_addr, 4);
		memcpy(h4.dst, &to->u.in.sin_addr, 4);
		return sky_ip4_encode(&h4, wr);
	}
	memcpy(h6.src, &e->from.u.in6.sin6_addr, 16);
	memcpy(h6.dst, &to->u.in6.sin6_addr, 16);
	return sky_ip6_encode(&h6, wr);
}

int
sky_icmperr_build(const struct sky_icmperr *e, const void *packet, size_t len,
    void *out, size_t size)
{
	struct sky_icmp m = { .type = e->type, .code = e->code, .rest = e->rest };
	struct sky_wr wr = sky_wr_of(out, size);
	struct plan p = { 0 };
	struct sky_ip ip;
	size_t at;
	int ret = sky_ip_decode(&ip, packet, len);

	if (ret != 0 || ip.family != e->from.u.sa.sa_family)
		return -EINVAL;
	if (e->ext && !sky_icmp_extends(ip.family, e->type))
		return -EINVAL;
	if (plan_quote(&p, e, ip.family, len) != 0)
		return -EINVAL;
	if (e->ext && !e->hide_length)
		m.rest = sky_icmp_put_quote_len(ip.family, m.rest, p.quote + p.pad);
	ret = write_ip(&wr, e, &ip.src, p.icmp_len);
	if (ret != 0)
		return ret;
	at = sky_wr_len(&wr);
	sky_icmp_encode(&m, &wr);
	sky_wr_bytes(&wr, packet, p.quote);
	sky_wr_zero(&wr, p.pad);
	if (e->ext)
		sky_wr_bytes(&wr, e->ext, e->ext_len);
	if (wr.full)
		return -ENOSPC;
	sky_icmp_seal(wr.start + at, p.icmp_len, &e->from, &ip.src);
	return (int)sky_wr_len(&wr);
}

static bool
single_host4(uint32_t a)
{
	return a >> 24 != 0 && a >> 24 != 127 && a < 0xe0000000;
}

static bool
may4(const struct sky_ip *ip)
{
	struct sky_rd rd = ip->payload;
	uint32_t dst = ntohl(ip->dst.u.in.sin_addr.s_addr);

	if (ip->proto == IPPROTO_ICMP && sky_icmp_quotes(AF_INET, sky_rd_u8(&rd)))
		return false;
	if (ip->proto == IPPROTO_ICMP && rd.cut)
		return false;
	return dst < 0xe0000000 && single_host4(ntohl(ip->src.u.in.sin_addr.s_addr));
}

static bool
may6(const struct sky_ip *ip, uint8_t type, uint8_t code)
{
	struct sky_rd rd = ip->payload;
	const struct in6_addr *src = &ip->src.u.in6.sin6_addr;
	bool group_too = type == 2 || (type == 4 && code == 2);
	uint8_t icmp;

	if (IN6_IS_ADDR_UNSPECIFIED(src) || IN6_IS_ADDR_MULTICAST(src))
		return false;
	if (IN6_IS_ADDR_MULTICAST(&ip->dst.u.in6.sin6_addr) && !group_too)
		return false;
	if (ip->proto != IPPROTO_ICMPV6)
		return true;
	icmp = sky_rd_u8(&rd);
	/* 137: a redirect is not answered either (RFC 4443, 2.4 (e.2)). */
	return !rd.cut && icmp >= 128 && icmp != 137;
}

bool
sky_icmperr_may(uint8_t type, uint8_t code, const void *packet, size_t len)
{
	struct sky_ip ip;

	if (sky_ip_decode(&ip, packet, len) != 0 || ip.off)
		return false;
	return ip.family == AF_INET ? may4(&ip) : may6(&ip, type, code);
}
