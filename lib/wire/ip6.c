/* SPDX-License-Identifier: BSD-2-Clause */
/* ip6.c - the IPv6 header and its extension headers. */
#include "wire/ip6.h"

#include <errno.h>
#include <netinet/in.h>

int
sky_ip6_decode(struct sky_ip6 *ip, struct sky_rd *rd)
{
	uint32_t first = sky_rd_u32(rd);

	ip->tclass = (uint8_t)(first >> 20);
	ip->flow = first & 0xfffff;
	ip->plen = sky_rd_u16(rd);
	ip->next = sky_rd_u8(rd);
	ip->hops = sky_rd_u8(rd);
	sky_rd_copy(rd, ip->src, 16);
	sky_rd_copy(rd, ip->dst, 16);
	if (rd->cut)
		return -EMSGSIZE;
	return first >> 28 == 6 ? 0 : -EINVAL;
}

int
sky_ip6_encode(const struct sky_ip6 *ip, struct sky_wr *wr)
{
	sky_wr_u32(wr, 6u << 28 | (uint32_t)ip->tclass << 20 | (ip->flow & 0xfffff));
	sky_wr_u16(wr, ip->plen);
	sky_wr_u8(wr, ip->next);
	sky_wr_u8(wr, ip->hops);
	sky_wr_bytes(wr, ip->src, 16);
	sky_wr_bytes(wr, ip->dst, 16);
	return wr->full ? -ENOSPC : 0;
}

int
sky_ip6_frag_decode(struct sky_ip6_frag *f, struct sky_rd *rd)
{
	uint16_t bits;

	f->next = sky_rd_u8(rd);
	sky_rd_u8(rd);
	bits = sky_rd_u16(rd);
	f->off = bits & 0xfff8;
	f->more = bits & 1;
	f->id = sky_rd_u32(rd);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_ip6_frag_encode(const struct sky_ip6_frag *f, struct sky_wr *wr)
{
	if (f->off % 8)
		return -EINVAL;
	sky_wr_u8(wr, f->next);
	sky_wr_u8(wr, 0);
	sky_wr_u16(wr, (uint16_t)(f->off | f->more));
	sky_wr_u32(wr, f->id);
	return wr->full ? -ENOSPC : 0;
}

/* RFC 8200 4.4 type 0, RFC 6275 type 2, RFC 8754 type 4 (listed backwards). */
static const uint8_t *
routing_final(struct sky_rd body)
{
	size_t n = sky_rd_left(&body) / 16;
	const uint8_t *head = sky_rd_take(&body, 8);
	const uint8_t *list = sky_rd_take(&body, n * 16);

	if (!head || !list || !n || !head[3])
		return NULL;
	if (head[2] == 0)
		return list + (n - 1) * 16;
	return head[2] == 2 || head[2] == 4 ? list : NULL;
}

/* One header other than a fragment header. */
static int
step(struct sky_ip6_chain *c, struct sky_rd *rd)
{
	struct sky_rd peek = *rd, body;
	uint8_t next = sky_rd_u8(&peek);
	uint8_t units = sky_rd_u8(&peek);
	size_t len = c->proto == IPPROTO_AH ? (units + (size_t)2) * 4 : (units + (size_t)1) * 8;

	if (peek.cut || sky_rd_left(rd) < len) {
		rd->cut = true;
		return -EMSGSIZE;
	}
	body = sky_rd_part(rd, len);
	if (c->proto == IPPROTO_ROUTING)
		c->final = routing_final(body);
	/* RFC 8200 4.5: through the routing header, else hop-by-hop. */
	if (!c->has_frag && (c->proto == IPPROTO_ROUTING || c->proto == IPPROTO_HOPOPTS)) {
		c->next_at = c->len;
		c->unfrag_len = c->len + (uint32_t)len;
	}
	c->len += (uint32_t)len;
	c->proto = next;
	return 0;
}

static int
step_frag(struct sky_ip6_chain *c, struct sky_rd *rd, uint32_t named_at)
{
	struct sky_rd peek = *rd;
	struct sky_ip6_frag frag;

	if (c->has_frag)
		return -EINVAL;
	if (sky_ip6_frag_decode(&frag, &peek) != 0) {
		rd->cut = true;
		return -EMSGSIZE;
	}
	*rd = peek;
	c->unfrag_len = c->len;
	c->next_at = named_at;
	c->frag = frag;
	c->has_frag = true;
	c->len += SKY_IP6_FRAGLEN;
	c->proto = frag.next;
	return 0;
}

static bool
is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	    proto == IPPROTO_DSTOPTS || proto == IPPROTO_FRAGMENT || proto == IPPROTO_AH;
}

int
sky_ip6_chain_decode(struct sky_ip6_chain *c, uint8_t next, struct sky_rd *rd)
{
	uint32_t named_at = SKY_IP6_IN_BASE;

	*c = (struct sky_ip6_chain){ .proto = next, .next_at = SKY_IP6_IN_BASE };
	while (is_extension(c->proto)) {
		uint32_t at = c->len;
		int ret;

		if (c->has_frag && c->frag.off)
			return 0;
		if (c->count == SKY_IP6_CHAIN_MAX)
			return -EINVAL;
		ret = c->proto == IPPROTO_FRAGMENT ? step_frag(c, rd, named_at) : step(c, rd);
		if (ret != 0)
			return ret;
		named_at = at;
		c->count++;
	}
	return 0;
}
