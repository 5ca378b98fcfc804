/* SPDX-License-Identifier: BSD-2-Clause */
/* packet.c - what a router looks at in a packet. */
#include "engine.h"
#include "wire/ip.h"

#include <errno.h>
#include <string.h>

/* Where ports are, for the ledger, balancing and NAT: in the first eight bytes
 * of UDP and TCP; an echo's identifier counts as its source port. */
static void
read_ports(struct rt_pkt *p, struct sky_rd rd)
{
	uint16_t a = 0, b = 0;

	if (p->off != 0)
		return;
	if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_TCP) {
		a = sky_rd_u16(&rd);
		b = sky_rd_u16(&rd);
	}
	if (rd.cut)
		return;
	sky_addr_set_port(&p->src, a);
	sky_addr_set_port(&p->dst, b);
}

int
rt_pkt_parse(struct rt_pkt *p, uint8_t *data, size_t len)
{
	struct sky_ip ip;
	int ret = sky_ip_decode(&ip, data, len);

	if (ret < 0)
		return ret;
	if (ip.flags & (SKY_IP_CUT | SKY_IP_BAD_LEN))
		return -EMSGSIZE;
	if (ip.flags & SKY_IP_BAD_HEAD)
		return -EINVAL;
	if (ip.family == AF_INET && sky_ip4_check(data, len) != SKY_CKSUM_GOOD)
		return -EINVAL;
	p->ip = data;
	p->len = ip.len;
	p->family = ip.family;
	p->src = ip.src;
	p->dst = ip.dst;
	p->id = ip.id;
	p->off = ip.off;
	p->hlen = (uint16_t)ip.head_len;
	p->proto = ip.proto;
	p->ttl = ip.ttl;
	p->df = ip.flags & SKY_IP_DF;
	p->more = ip.flags & SKY_IP_MORE;
	read_ports(p, ip.payload);
	return 0;
}
