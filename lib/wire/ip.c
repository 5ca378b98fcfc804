/* SPDX-License-Identifier: BSD-2-Clause */
/* ip.c - an IP packet of either version. */
#include "wire/ip.h"

#include <errno.h>

struct sky_addr
sky_ip_addr4(const uint8_t bytes[static 4], uint16_t port)
{
	struct sky_addr a = { .u.in = { .sin_family = AF_INET, .sin_port = htons(port) } };

	memcpy(&a.u.in.sin_addr, bytes, 4);
	return a;
}

struct sky_addr
sky_ip_addr6(const uint8_t bytes[static 16], uint16_t port)
{
	struct sky_addr a = { .u.in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };

	memcpy(&a.u.in6.sin6_addr, bytes, 16);
	return a;
}

/* rd is behind all headers; here is how much of the packet there is. */
static void
take_payload(struct sky_ip *ip, struct sky_rd *rd)
{
	if (ip->len < ip->head_len) {
		ip->flags |= SKY_IP_BAD_LEN;
		ip->payload = *rd;
		return;
	}
	ip->payload_len = ip->len - ip->head_len;
	if (sky_rd_left(rd) < ip->payload_len)
		ip->flags |= SKY_IP_CUT;
	ip->payload = sky_rd_part(rd, ip->payload_len);
}

static int
decode4(struct sky_ip *ip, struct sky_rd *rd)
{
	struct sky_ip4 h;
	struct sky_rd all = *rd;
	int ret = sky_ip4_decode(&h, rd);

	if (ret != 0 && (ret != -EMSGSIZE || sky_rd_left(&all) < SKY_IP4_HLEN))
		return ret;
	ip->family = AF_INET;
	ip->src = sky_ip_addr4(h.src, 0);
	ip->dst = sky_ip_addr4(h.dst, 0);
	ip->final = sky_ip_addr4(sky_ip4_final(&h), 0);
	ip->proto = h.proto;
	ip->ttl = h.ttl;
	ip->tos = h.tos;
	ip->id = h.id;
	ip->off = h.off;
	ip->head_len = h.hlen;
	ip->len = h.len;
	ip->flags = (h.df ? SKY_IP_DF : 0) | (h.mf ? SKY_IP_MORE : 0);
	if (h.mf || h.off) {
		ip->flags |= SKY_IP_FRAG;
		ip->frag_proto = h.proto;
		ip->frag_at = h.hlen;
	}
	if (ret != 0)
		ip->flags |= SKY_IP_BAD_HEAD;
	else
		take_payload(ip, rd);
	return 0;
}

static void
take_chain(struct sky_ip *ip, uint8_t next, struct sky_rd *rd)
{
	struct sky_ip6_chain c;
	int ret = sky_ip6_chain_decode(&c, next, rd);

	ip->proto = c.proto;
	ip->head_len = SKY_IP6_HLEN + c.len;
	if (c.final)
		ip->final = sky_ip_addr6(c.final, 0);
	if (c.has_frag) {
		ip->id = c.frag.id;
		ip->off = c.frag.off;
		ip->frag_proto = c.frag.next;
		ip->frag_at = SKY_IP6_HLEN + c.unfrag_len + SKY_IP6_FRAGLEN;
		ip->flags |= c.frag.more ? SKY_IP_MORE : 0;
		ip->flags |= c.frag.more || c.frag.off ? SKY_IP_FRAG : 0;
	}
	if (ret != 0)
		ip->flags |= SKY_IP_BAD_HEAD;
	else
		take_payload(ip, rd);
}

static int
decode6(struct sky_ip *ip, struct sky_rd *rd)
{
	struct sky_ip6 h;
	struct sky_rd within;
	int ret = sky_ip6_decode(&h, rd);

	if (ret != 0)
		return ret;
	ip->family = AF_INET6;
	ip->flags = SKY_IP_DF;
	ip->src = sky_ip_addr6(h.src, 0);
	ip->dst = sky_ip_addr6(h.dst, 0);
	ip->final = ip->dst;
	ip->ttl = h.hops;
	ip->tos = h.tclass;
	ip->len = SKY_IP6_HLEN + (uint32_t)h.plen;
	if (sky_rd_left(rd) < h.plen)
		ip->flags |= SKY_IP_CUT;
	/* Extension headers must lie within the payload length, too. */
	within = sky_rd_part(rd, h.plen);
	take_chain(ip, h.next, &within);
	return 0;
}

int
sky_ip_decode(struct sky_ip *ip, const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len), peek = rd;
	uint8_t version = sky_rd_u8(&peek) >> 4;

	*ip = (struct sky_ip){ .family = AF_UNSPEC };
	if (peek.cut)
		return -EMSGSIZE;
	if (version == 4)
		return decode4(ip, &rd);
	return version == 6 ? decode6(ip, &rd) : -EINVAL;
}

enum sky_cksum_state
sky_ip_check_payload(const struct sky_ip *ip)
{
	size_t have = sky_rd_left(&ip->payload);

	if (ip->flags & (SKY_IP_FRAG | SKY_IP_BAD_HEAD | SKY_IP_BAD_LEN))
		return SKY_CKSUM_CUT;
	return sky_cksum_check(&ip->src, &ip->final, ip->proto, ip->payload.at, have,
	    ip->payload_len);
}
