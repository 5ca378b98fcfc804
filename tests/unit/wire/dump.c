/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump.c - prints what lib/wire reads in a capture, for tests/golden.
 *
 * wire-dump fields FILE: a line per frame, the fields that tshark -T fields
 * prints in tests/golden/make-expected.sh, "|" between them; of an ICMP error
 * "outer,quoted". wire-dump verdicts FILE: frame, state of the IPv4 header's
 * checksum, state of the transport's. Reads classic pcap only.
 */
#include "wire/arp.h"
#include "wire/icmpext.h"
#include "wire/link.h"
#include "wire/quote.h"
#include "wire/tcphdr.h"
#include "wire/udphdr.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field {
	F_IP_SRC, F_IP_DST, F_IP_LEN, F_IP_ID, F_IP_TTL, F_IP_PROTO, F_IP_OFF, F_IP_SUM,
	F_IP6_SRC, F_IP6_DST, F_IP6_PLEN, F_IP6_HLIM,
	F_UDP_SPORT, F_UDP_DPORT, F_UDP_LEN, F_UDP_SUM, F_TCP_SPORT, F_TCP_DPORT, F_TCP_SEQ, F_TCP_SUM,
	F_ICMP_TYPE, F_ICMP_CODE, F_ICMP_SUM, F_ICMP_MTU, F_EXT_SUM, F_MPLS_LABEL, F_MPLS_TTL,
	F_IF_INDEX, F_IF_IP4,
	F_ICMP6_TYPE, F_ICMP6_CODE, F_ICMP6_SUM, F_ICMP6_MTU, F_ICMP6_POINTER,
	F_ARP_OP, F_ARP_SRC, F_ARP_DST, F_VLAN_ID, F_VLAN_AD,
	FIELDS
};

struct line {
	char text[FIELDS][128];
	enum sky_cksum_state ip, transport;
	bool seen_ip;
};

static void __attribute__((format(printf, 3, 4)))
put(struct line *l, enum field f, const char *fmt, ...)
{
	char *at = l->text[f];
	size_t used = strlen(at);
	va_list ap;

	if (used)
		used += (size_t)snprintf(at + used, sizeof(l->text[f]) - used, ",");
	va_start(ap, fmt);
	vsnprintf(at + used, sizeof(l->text[f]) - used, fmt, ap);
	va_end(ap);
}

static void
put_addr(struct line *l, enum field f, int family, const void *addr)
{
	char buf[INET6_ADDRSTRLEN];

	put(l, f, "%s", inet_ntop(family, addr, buf, sizeof(buf)));
}

/* tshark's numbers: 0 bad, 1 good, 2 unverified, 3 not present. */
static int
status(enum sky_cksum_state s)
{
	static const int of[] = {
		[SKY_CKSUM_NONE] = 3, [SKY_CKSUM_GOOD] = 1, [SKY_CKSUM_BAD] = 0,
		[SKY_CKSUM_PARTIAL] = 0, [SKY_CKSUM_CUT] = 2,
	};

	return of[s];
}

static void
put_ip(struct line *l, const struct sky_ip *ip, const uint8_t *data, size_t len)
{
	if (ip->family == AF_INET6) {
		put_addr(l, F_IP6_SRC, AF_INET6, &ip->src.u.in6.sin6_addr);
		put_addr(l, F_IP6_DST, AF_INET6, &ip->dst.u.in6.sin6_addr);
		put(l, F_IP6_PLEN, "%u", ip->len - SKY_IP6_HLEN);
		put(l, F_IP6_HLIM, "%u", ip->ttl);
		return;
	}
	put_addr(l, F_IP_SRC, AF_INET, &ip->src.u.in.sin_addr);
	put_addr(l, F_IP_DST, AF_INET, &ip->dst.u.in.sin_addr);
	put(l, F_IP_LEN, "%u", ip->len);
	put(l, F_IP_ID, "0x%04x", ip->id);
	put(l, F_IP_TTL, "%u", ip->ttl);
	put(l, F_IP_PROTO, "%u", ip->proto);
	put(l, F_IP_OFF, "%u", ip->off / 8);
	put(l, F_IP_SUM, "%d", status(sky_ip4_check(data, len)));
}

static void
put_udp(struct line *l, struct sky_rd rd)
{
	struct sky_udphdr u;

	if (sky_udphdr_decode(&u, &rd) != 0)
		return;
	put(l, F_UDP_SPORT, "%u", u.sport);
	put(l, F_UDP_DPORT, "%u", u.dport);
	put(l, F_UDP_LEN, "%u", u.len);
}

static void
put_tcp(struct line *l, struct sky_rd rd)
{
	struct sky_tcphdr t;

	if (sky_tcphdr_decode(&t, &rd) != 0)
		return;
	put(l, F_TCP_SPORT, "%u", t.sport);
	put(l, F_TCP_DPORT, "%u", t.dport);
	put(l, F_TCP_SEQ, "%u", t.seq);
}

static void
put_object(struct line *l, const struct sky_icmpext_obj *obj)
{
	struct sky_rd stack = sky_rd_of(obj->data, obj->len);
	struct sky_icmpext_if f;
	struct sky_mpls m;

	while (obj->class == SKY_ICMPEXT_MPLS && sky_mpls_next(&stack, &m) > 0) {
		put(l, F_MPLS_LABEL, "%u", m.label);
		put(l, F_MPLS_TTL, "%u", m.ttl);
	}
	if (obj->class != SKY_ICMPEXT_INTERFACE || sky_icmpext_if_decode(&f, obj) != 0)
		return;
	if (f.have & SKY_IF_INDEX)
		put(l, F_IF_INDEX, "%u", f.index);
	if (f.have & SKY_IF_ADDR && f.addr.u.sa.sa_family == AF_INET)
		put_addr(l, F_IF_IP4, AF_INET, &f.addr.u.in.sin_addr);
}

static void
put_quote(struct line *l, int family, const struct sky_icmp *m, struct sky_rd body)
{
	struct sky_icmpext ext;
	struct sky_icmpext_obj obj;
	struct sky_quote q;
	struct sky_rd objects;
	size_t qlen;

	if (sky_icmpext_find(&ext, &qlen, family, m, body.at, sky_rd_left(&body)) > 0)
		put(l, F_EXT_SUM, "%d", status(ext.state));
	objects = sky_icmpext_objects(&ext);
	while (sky_icmpext_next(&objects, &obj) > 0)
		put_object(l, &obj);
	if (sky_quote_decode(&q, family, body.at, qlen) != 0)
		return;
	put_ip(l, &q.ip, body.at, qlen);
	if (!(q.have & SKY_QUOTE_PORTS))
		return;
	put(l, q.ip.proto == IPPROTO_UDP ? F_UDP_SPORT : F_TCP_SPORT, "%u", ntohs(q.src.u.in.sin_port));
	put(l, q.ip.proto == IPPROTO_UDP ? F_UDP_DPORT : F_TCP_DPORT, "%u", ntohs(q.dst.u.in.sin_port));
	if (q.have & SKY_QUOTE_UDP)
		put(l, F_UDP_LEN, "%u", q.udp_len);
	if (q.ip.proto == IPPROTO_TCP && q.have & SKY_QUOTE_SEQ)
		put(l, F_TCP_SEQ, "%u", q.seq);
}

static void
put_icmp(struct line *l, const struct sky_ip *ip, struct sky_rd rd)
{
	bool six = ip->family == AF_INET6;
	struct sky_icmp m;

	if (sky_icmp_decode(&m, &rd) != 0)
		return;
	put(l, six ? F_ICMP6_TYPE : F_ICMP_TYPE, "%u", m.type);
	put(l, six ? F_ICMP6_CODE : F_ICMP_CODE, "%u", m.code);
	put(l, six ? F_ICMP6_SUM : F_ICMP_SUM, "%d", status(sky_ip_check_payload(ip)));
	if (sky_icmp_mtu(ip->family, &m))
		put(l, six ? F_ICMP6_MTU : F_ICMP_MTU, "%u", sky_icmp_mtu(ip->family, &m));
	if (six && m.type == 4)
		put(l, F_ICMP6_POINTER, "%u", sky_icmp_pointer(AF_INET6, &m));
	if (sky_icmp_quotes(ip->family, m.type))
		put_quote(l, ip->family, &m, rd);
}

static void
put_packet(struct line *l, const uint8_t *data, size_t len)
{
	struct sky_ip ip;

	if (sky_ip_decode(&ip, data, len) != 0)
		return;
	l->seen_ip = !(ip.flags & (SKY_IP_BAD_LEN | SKY_IP_BAD_HEAD));
	l->ip = ip.family == AF_INET ? sky_ip4_check(data, len) : SKY_CKSUM_NONE;
	l->transport = sky_ip_check_payload(&ip);
	put_ip(l, &ip, data, len);
	if (ip.off)
		return;
	if (ip.proto == IPPROTO_UDP) {
		put_udp(l, ip.payload);
		put(l, F_UDP_SUM, "%d", status(l->transport));
	} else if (ip.proto == IPPROTO_TCP) {
		put_tcp(l, ip.payload);
		put(l, F_TCP_SUM, "%d", status(l->transport));
	} else if (ip.proto == IPPROTO_ICMP || ip.proto == IPPROTO_ICMPV6) {
		put_icmp(l, &ip, ip.payload);
	}
}

static void
put_arp(struct line *l, struct sky_rd rd)
{
	struct sky_arp a;

	if (sky_arp_decode(&a, &rd) != 0)
		return;
	put(l, F_ARP_OP, "%u", a.op);
	put_addr(l, F_ARP_SRC, AF_INET, a.spa);
	put_addr(l, F_ARP_DST, AF_INET, a.tpa);
}

static void
put_ether(struct line *l, const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_link eth;

	if (sky_link_decode(&eth, &rd) != 0)
		return;
	for (unsigned i = 0; i < eth.tags; i++)
		put(l, eth.tag[i].tpid == SKY_LINK_8021AD ? F_VLAN_AD : F_VLAN_ID, "%u",
		    eth.tag[i].tci & 0xfff);
	if (eth.type == SKY_LINK_ARP)
		put_arp(l, rd);
	if (eth.type == SKY_LINK_IP4 || eth.type == SKY_LINK_IP6)
		put_packet(l, rd.at, sky_rd_left(&rd));
}

/* PPP in HDLC framing: ff 03 00 21 is IPv4; ff 03 02 81 is MPLS, one label. */
static void
put_ppp(struct line *l, const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint32_t head = sky_rd_u32(&rd);

	if (head == 0xff030281)
		sky_rd_u32(&rd);
	if (head == 0xff030281 || head == 0xff030021)
		put_packet(l, rd.at, sky_rd_left(&rd));
}

static const struct linktype {
	uint32_t number;
	void (*put)(struct line *l, const uint8_t *data, size_t len);
} linktypes[] = {
	{ 1, put_ether }, { 9, put_ppp }, { 101, put_packet }, { 228, put_packet },
	{ 229, put_packet }, { 12, put_packet },
};

static void
print(const struct line *l, unsigned frame, bool verdicts)
{
	if (verdicts) {
		printf("%u\t%s\t%s\n", frame, l->seen_ip ? sky_cksum_word(l->ip) : "-",
		    l->seen_ip ? sky_cksum_word(l->transport) : "-");
		return;
	}
	printf("%u", frame);
	for (int i = 0; i < FIELDS; i++)
		printf("|%s", l->text[i]);
	printf("\n");
}

static uint32_t
num(const uint8_t *p, bool little)
{
	return little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] :
	    (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
dump(FILE *f, const char *path, bool verdicts)
{
	static uint8_t head[24], rec[16], data[1 << 18];
	const struct linktype *lt = linktypes;
	bool little;

	if (fread(head, 1, 24, f) != 24)
		errx(1, "'%s' is no capture", path);
	little = head[0] == 0xd4;
	while (lt < linktypes + sizeof(linktypes) / sizeof(linktypes[0]) &&
	    lt->number != num(head + 20, little))
		lt++;
	if (lt == linktypes + sizeof(linktypes) / sizeof(linktypes[0]))
		errx(1, "'%s' has link type %u", path, num(head + 20, little));
	for (unsigned n = 1; fread(rec, 1, 16, f) == 16; n++) {
		uint32_t len = num(rec + 8, little);
		struct line l = { .seen_ip = false };
		uint8_t *exact;

		if (len > sizeof(data) || fread(data, 1, len, f) != len)
			errx(1, "'%s' is cut in frame %u", path, n);
		/* Of its own size, so that a sanitizer sees one byte too far. */
		exact = malloc(len ? len : 1);
		if (!exact)
			err(1, "malloc");
		memcpy(exact, data, len);
		lt->put(&l, exact, len);
		free(exact);
		print(&l, n, verdicts);
	}
}

int
main(int argc, char **argv)
{
	FILE *f;

	if (argc != 3)
		errx(2, "usage: wire-dump fields|verdicts FILE");
	f = fopen(argv[2], "rb");
	if (!f)
		err(1, "cannot open '%s'", argv[2]);
	dump(f, argv[2], strcmp(argv[1], "verdicts") == 0);
	fclose(f);
	return 0;
}
