/* SPDX-License-Identifier: BSD-2-Clause */
/* quote.c - the packet quoted inside an ICMP error. */
#include "wire/quote.h"

#include "wire/icmp.h"
#include "wire/tcphdr.h"
#include "wire/udphdr.h"

#include <errno.h>

static void
set_ports(struct sky_quote *q, uint16_t sport, uint16_t dport)
{
	bool six = q->ip.family == AF_INET6;

	*(six ? &q->src.u.in6.sin6_port : &q->src.u.in.sin_port) = htons(sport);
	*(six ? &q->dst.u.in6.sin6_port : &q->dst.u.in.sin_port) = htons(dport);
	q->have |= SKY_QUOTE_PORTS;
}

static void
set_payload(struct sky_quote *q, const struct sky_rd *rd)
{
	q->have |= SKY_QUOTE_PAYLOAD;
	q->payload = rd->at;
	q->payload_len = sky_rd_left(rd);
}

/* UDP, UDP-Lite, SCTP and DCCP all begin with two ports. */
static void
read_ports(struct sky_quote *q, struct sky_rd rd)
{
	uint16_t sport = sky_rd_u16(&rd);
	uint16_t dport = sky_rd_u16(&rd);

	if (!rd.cut)
		set_ports(q, sport, dport);
}

static void
read_udp(struct sky_quote *q, struct sky_rd rd)
{
	struct sky_udphdr u;

	read_ports(q, rd);
	if (sky_udphdr_decode(&u, &rd) != 0)
		return;
	q->udp_len = u.len;
	q->udp_sum = u.sum;
	q->have |= SKY_QUOTE_UDP;
	set_payload(q, &rd);
}

static void
read_tcp(struct sky_quote *q, struct sky_rd rd)
{
	struct sky_tcphdr t;
	bool whole;

	read_ports(q, rd);
	whole = sky_tcphdr_decode(&t, &rd) == 0;
	if (q->transport_len >= 8) {
		q->seq = t.seq;
		q->have |= SKY_QUOTE_SEQ;
	}
	if (whole)
		set_payload(q, &rd);
}

static void
read_icmp(struct sky_quote *q, struct sky_rd rd)
{
	struct sky_icmp m;

	if (sky_icmp_decode(&m, &rd) != 0)
		return;
	q->seq = m.rest;
	q->have |= SKY_QUOTE_SEQ;
	set_payload(q, &rd);
}

static const struct row {
	uint8_t proto;
	void (*read)(struct sky_quote *q, struct sky_rd rd);
} rows[] = {
	{ IPPROTO_UDP, read_udp },
	{ IPPROTO_TCP, read_tcp },
	{ IPPROTO_ICMP, read_icmp },
	{ IPPROTO_ICMPV6, read_icmp },
	{ IPPROTO_UDPLITE, read_ports },
	{ IPPROTO_SCTP, read_ports },
	{ IPPROTO_DCCP, read_ports },
};

int
sky_quote_decode(struct sky_quote *q, int family, const void *data, size_t len)
{
	int ret;

	*q = (struct sky_quote){ .have = 0 };
	ret = sky_ip_decode(&q->ip, data, len);
	if (ret != 0)
		return ret;
	if (q->ip.family != family)
		return -EINVAL;
	q->src = q->ip.src;
	q->dst = q->ip.final;
	q->transport = q->ip.payload.at;
	q->transport_len = sky_rd_left(&q->ip.payload);
	if (q->ip.off)
		return 0;
	if (q->transport_len >= 8)
		q->have |= SKY_QUOTE_EIGHT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].proto == q->ip.proto)
			rows[i].read(q, q->ip.payload);
	return 0;
}
