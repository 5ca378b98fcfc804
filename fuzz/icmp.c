/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole ICMP (first byte even) or ICMPv6 (odd) message: header, quote and
 * extension lie within the input and are written again; an error made about the
 * quoted packet is read back.
 */
#include "fuzz.h"
#include "wire/icmperr.h"
#include "wire/quote.h"
#include "wire/udphdr.h"

static void
interface(const struct sky_icmpext_obj *obj)
{
	uint8_t out[128];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_icmpext_if f, again;
	struct sky_icmpext_obj back = { .class = obj->class, .data = out + 4 };

	if (sky_icmpext_if_decode(&f, obj) != 0)
		return;
	must(memchr(f.name, 0, sizeof(f.name)));
	must(sky_icmpext_if_encode(&f, &wr) == 0);
	back.type = out[3];
	back.len = (uint16_t)(sky_wr_len(&wr) - 4);
	must(sky_icmpext_if_decode(&again, &back) == 0);
	must(again.have == f.have && again.role == f.role && again.index == f.index);
	must(again.mtu == f.mtu && strcmp(again.name, f.name) == 0);
	must(memcmp(&again.addr, &f.addr, sizeof(f.addr)) == 0);
}

static void
labels(const struct sky_icmpext_obj *obj)
{
	struct sky_rd stack = sky_rd_of(obj->data, obj->len);
	const uint8_t *at = obj->data;
	struct sky_mpls m;

	for (; sky_mpls_next(&stack, &m) > 0; at += 4) {
		uint8_t out[4];
		struct sky_wr wr = sky_wr_of(out, sizeof(out));

		must(sky_mpls_encode(&m, &wr) == 0);
		must(memcmp(out, at, 4) == 0);
	}
}

static void
objects(const struct sky_icmpext *ext)
{
	struct sky_rd rd = sky_icmpext_objects(ext);
	struct sky_icmpext_obj obj;

	while (sky_icmpext_next(&rd, &obj) > 0) {
		must(within(ext->at, ext->len, obj.data, obj.len));
		if (obj.class == SKY_ICMPEXT_MPLS)
			labels(&obj);
		if (obj.class == SKY_ICMPEXT_INTERFACE)
			interface(&obj);
	}
}

static void
quote(int family, const uint8_t *data, size_t len)
{
	struct sky_quote q;

	if (sky_quote_decode(&q, family, data, len) != 0)
		return;
	must(q.src.u.sa.sa_family == family && q.dst.u.sa.sa_family == family);
	must(within(data, len, q.transport, q.transport_len));
	must(within(data, len, q.payload, q.payload_len));
	must(q.payload_len <= q.transport_len);
	must(!(q.have & SKY_QUOTE_UDP) || q.have & SKY_QUOTE_EIGHT);
	must(!(q.have & SKY_QUOTE_EIGHT) || (q.transport_len >= 8 && !q.ip.off));
}

/* The packet, or as much of it as fits, comes back out of an error about it. */
static void
error_about(int family, const uint8_t *data, size_t len)
{
	uint8_t out[1280], ext[12] = { 0x20, 0, 0, 0, 0, 8, 1, 1, 0x18, 0x96, 1, 1 };
	struct sky_icmperr e = { .type = family == AF_INET ? 11 : 3, .ext = ext, .ext_len = 12 };
	struct sky_wr wr = sky_wr_of(ext, sizeof(ext));
	struct sky_icmpext found;
	struct sky_icmp m;
	struct sky_ip ip;
	size_t qlen;
	int n;

	wr.at = wr.end;
	sky_icmpext_end(&wr, 0);
	e.from.u.sa.sa_family = (sa_family_t)family;
	sky_icmperr_may(e.type, 0, data, len);
	n = sky_icmperr_build(&e, data, len, out, sizeof(out));
	if (n < 0)
		return;
	must(sky_ip_decode(&ip, out, (size_t)n) == 0 && ip.len == (uint32_t)n);
	must(sky_ip_check_payload(&ip) == SKY_CKSUM_GOOD);
	must(sky_icmp_decode(&m, &ip.payload) == 0);
	must(sky_icmpext_find(&found, &qlen, family, &m, ip.payload.at, sky_rd_left(&ip.payload)) == 1);
	must(found.len == 12 && memcmp(found.at, ext, 12) == 0);
	must(memcmp(ip.payload.at, data, qlen < len ? qlen : len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int family = len && data[0] & 1 ? AF_INET6 : AF_INET;
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t out[SKY_ICMP_LEN];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_icmpext ext;
	struct sky_icmp m;
	size_t qlen, left;
	int ret;

	sky_rd_u8(&rd);
	if (sky_icmp_decode(&m, &rd) != 0)
		return 0;
	must(sky_icmp_encode(&m, &wr) == 0);
	must(memcmp(out, data + 1, sizeof(out)) == 0);
	left = sky_rd_left(&rd);
	ret = sky_icmpext_find(&ext, &qlen, family, &m, rd.at, left);
	must(ret == 0 || ret == 1);
	must(ret ? qlen + ext.len == left && ext.at == rd.at + qlen : qlen == left && !ext.at);
	must(!ret || !ext.guessed || ext.state == SKY_CKSUM_GOOD);
	objects(&ext);
	quote(family, rd.at, qlen);
	error_about(family, rd.at, left);
	return 0;
}
