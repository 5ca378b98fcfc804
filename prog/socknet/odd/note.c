/* SPDX-License-Identifier: BSD-2-Clause */
/* note.c - what was done to each packet, in the router's form. */
#include "part.h"

#include "wire/udphdr.h"

#include <string.h>

void
odd_pkt_of(struct odd_pkt *p, const void *data, size_t len, unsigned in)
{
	struct sky_udphdr u;
	struct sky_ip ip;
	struct sky_rd rd;

	*p = (struct odd_pkt){ .in = (uint8_t)in, .len = (uint16_t)(len > 65535 ? 65535 : len) };
	if (sky_ip_decode(&ip, data, len))
		return;
	if (ip.len < p->len && !(ip.flags & SKY_IP_BAD_LEN))
		p->len = (uint16_t)ip.len;	/* the link has padded it */
	p->src = ip.src;
	p->dst = ip.dst;
	p->id = (uint16_t)ip.id;
	p->off = ip.off;
	p->proto = ip.proto;
	p->ttl = ip.ttl;
	p->df = ip.flags & SKY_IP_DF;
	p->more = ip.flags & SKY_IP_MORE;
	rd = ip.payload;
	if (ip.off || (ip.proto != IPPROTO_UDP && ip.proto != IPPROTO_TCP) ||
	    sky_udphdr_decode(&u, &rd))
		return;
	sky_addr_set_port(&p->src, u.sport);
	sky_addr_set_port(&p->dst, u.dport);
}

struct rt_record *
odd_note(struct odd *o, const struct odd_pkt *p, enum rt_did did, unsigned out, uint64_t now)
{
	uint64_t n = o->ledger->next;
	struct rt_record *rec = &o->ledger->record[n & (o->slots - 1)];

	o->ledger->count[did]++;
	__atomic_store_n(&rec->time_ns, 0, __ATOMIC_RELEASE);
	*rec = (struct rt_record){
		.src = p->src, .dst = p->dst, .len = p->len, .id = p->id, .off = p->off,
		.proto = p->proto, .ttl = p->ttl, .in = p->in, .out = (uint8_t)out,
		.due_ns = out == 255 ? 0 : now, .did = (uint8_t)did,
		.flags = (uint8_t)((p->df ? RT_REC_DF : 0) | (p->more ? RT_REC_MORE : 0)),
	};
	__atomic_store_n(&rec->time_ns, now ? now : 1, __ATOMIC_RELEASE);
	__atomic_store_n(&o->ledger->next, n + 1, __ATOMIC_RELEASE);
	return rec;
}

struct rt_record *
odd_note_arp(struct odd *o, unsigned wire, const struct sky_arp *a, bool sent, uint64_t due,
    uint64_t now)
{
	unsigned port = 2 * wire + 1;
	struct odd_pkt p = {
		.src = sky_ip_addr4(a->spa, 0), .dst = sky_ip_addr4(a->tpa, 0),
		.len = SKY_ARP_LEN, .in = (uint8_t)(sent ? 255 : port),
	};
	struct rt_record *rec = odd_note(o, &p, RT_NEIGHBOUR, sent ? port : 255, now);

	rec->type = (uint8_t)a->op;
	rec->due_ns = sent ? due : 0;
	return rec;
}
