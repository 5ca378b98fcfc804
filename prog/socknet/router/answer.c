/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer.c - the errors that a router sends: to whom, from which address, how
 * often, with how much quoted and what appended.
 */
#include "engine.h"
#include "wire/icmperr.h"

#include <string.h>

#define EXT_MAX 128

/* From the address of the interface the packet came in by (RFC 1812, 4.3.2.4),
 * the one on the way back if that has none, or the one told. */
static struct sky_addr
own_address(struct rt *r, const struct rt_pkt *p)
{
	const struct rt_manners *m = &r->conf->manners;
	struct sky_addr told = p->family == AF_INET ? m->answer_from4 : m->answer_from6;
	struct sky_addr a = { 0 };

	if (p->in != RT_NONE) {
		const struct rt_iface *f = &r->conf->iface[p->in];
		struct sky_addr here = p->family == AF_INET ? f->answer_from4 : f->answer_from6;

		if (sky_addr_family(&here) != AF_UNSPEC)
			return here;
	}
	if (sky_addr_family(&told) != AF_UNSPEC)
		return told;
	if (rt_route_is_own(r, &p->dst))
		a = p->dst;
	else if (p->in != RT_NONE)
		a = rt_route_address(r, p->in, p->family);
	for (unsigned i = 0; sky_addr_family(&a) == AF_UNSPEC && i < r->conf->ifaces; i++)
		a = rt_route_address(r, i, p->family);
	sky_addr_set_port(&a, 0);
	return a;
}

static void
put_labels(const struct rt_manners *m, struct sky_wr *w)
{
	uint8_t stack[RT_LABELS * 4];
	struct sky_wr s = sky_wr_of(stack, sizeof(stack));
	struct sky_icmpext_obj obj = { .class = SKY_ICMPEXT_MPLS, .type = 1, .data = stack };

	for (unsigned i = 0; i < m->labels; i++) {
		struct sky_mpls l = { .label = m->label[i] >> 12, .tc = m->label[i] >> 9 & 7,
			.bottom = i + 1u == m->labels, .ttl = (uint8_t)m->label[i] };

		sky_mpls_encode(&l, &s);
	}
	obj.len = (uint16_t)sky_wr_len(&s);
	sky_icmpext_obj_encode(&obj, w);
}

static void
put_interface(struct rt *r, const struct rt_pkt *p, struct sky_wr *w)
{
	const struct rt_iface *f = &r->conf->iface[p->in];
	struct sky_icmpext_if info = { .role = SKY_IF_INCOMING,
		.have = SKY_IF_INDEX | SKY_IF_NAME | SKY_IF_MTU, .index = p->in + 1u,
		.addr = rt_route_address(r, p->in, p->family), .mtu = f->mtu };

	if (sky_addr_family(&info.addr) != AF_UNSPEC)
		info.have |= SKY_IF_ADDR;
	memcpy(info.name, f->name, sizeof(f->name));
	sky_icmpext_if_encode(&info, w);
}

static size_t
put_extension(struct rt *r, const struct rt_pkt *p, uint8_t type, uint8_t *buf, size_t size)
{
	const struct rt_manners *m = &r->conf->manners;
	struct sky_wr w = sky_wr_of(buf, size);

	if ((!m->labels && !m->tell_interface) || !sky_icmp_extends(p->family, type))
		return 0;
	sky_icmpext_begin(&w);
	if (m->labels)
		put_labels(m, &w);
	if (m->tell_interface && p->in != RT_NONE)
		put_interface(r, p, &w);
	sky_icmpext_end(&w, 0);
	return w.full ? 0 : sky_wr_len(&w);
}

static bool
send_error(struct rt *r, const struct rt_pkt *p, uint8_t type, uint8_t code, uint32_t mtu,
    uint64_t now)
{
	const struct rt_manners *m = &r->conf->manners;
	uint8_t ext[EXT_MAX];
	struct sky_icmperr e = { .from = own_address(r, p), .type = type, .code = code,
		.rest = mtu, .ttl = m->ttl, .tos = p->family == AF_INET ? 0xc0 : 0,
		.id = r->own_id++, .ext = ext };
	int len;

	e.quote_max = p->family == AF_INET ? m->quote4 : m->quote6;
	if (e.quote_max)
		e.quote_max += p->hlen;
	e.ext_len = put_extension(r, p, type, ext, sizeof(ext));
	if (e.ext_len == 0)
		e.ext = NULL;
	len = sky_icmperr_build(&e, p->ip, p->len, rt_own_packet(r), RT_BIG - RT_ETHER);
	if (len > 0)
		rt_originate(r, (size_t)len, now);
	return len > 0;
}

void
rt_answer_about(struct rt *r, struct rt_record *rec, const struct rt_pkt *p, uint8_t type,
    uint8_t code, uint32_t mtu, uint64_t now)
{
	rec->type = type;
	rec->code = code;
	rec->mtu = (uint16_t)mtu;
	if (p->in == RT_NONE || p->group || !sky_icmperr_may(type, code, p->ip, p->len))
		return;
	if (r->conf->manners.silent) {
		rt_write(r, p, RT_ERROR_SILENT, RT_NONE, now);
		return;
	}
	if (!rt_limit_passes(r, &p->src, type, code, now)) {
		rt_write(r, p, RT_ERROR_LIMITED, RT_NONE, now);
		return;
	}
	if (send_error(r, p, type, code, mtu, now)) {
		rec->flags |= RT_REC_ANSWERED;
		r->ledger->errors_sent++;
	}
}

void
rt_answer(struct rt *r, const struct rt_pkt *p, enum rt_did did, uint8_t type, uint8_t code,
    uint32_t mtu, uint64_t now)
{
	rt_answer_about(r, rt_write(r, p, did, RT_NONE, now), p, type, code, mtu, now);
}
