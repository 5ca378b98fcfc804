/* SPDX-License-Identifier: BSD-2-Clause */
/* packets.c - see packets.h; one 16-bit word at a time, on purpose. */
#include "packets.h"

#include <arpa/inet.h>
#include <string.h>

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint16_t
transport_sum(const uint8_t *ip, const uint8_t *l4, size_t n, uint8_t proto)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t sum = proto + (uint32_t)n;

	if (v6 || proto != IPPROTO_ICMP)
		sum = add(sum, ip + (v6 ? 8 : 12), v6 ? 32 : 8);
	else
		sum = 0;
	sum = add(sum, l4, n);
	return (uint16_t)~sum;
}

static size_t
make_ip(uint8_t *ip, const struct spec *s, uint8_t proto, size_t n)
{
	if (s->v6) {
		memset(ip, 0, 40);
		ip[0] = 0x60;
		put16(ip + 4, (unsigned)n);
		ip[6] = proto;
		ip[7] = s->ttl;
		inet_pton(AF_INET6, s->src, ip + 8);
		inet_pton(AF_INET6, s->dst, ip + 24);
		return 40;
	}
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)n + 20);
	put16(ip + 4, s->id);
	ip[6] = s->df ? 0x40 : 0;
	ip[8] = s->ttl;
	ip[9] = proto;
	inet_pton(AF_INET, s->src, ip + 12);
	inet_pton(AF_INET, s->dst, ip + 16);
	put16(ip + 10, (uint16_t)~add(0, ip, 20));
	return 20;
}

size_t
make_udp(uint8_t *frame, const struct spec *s)
{
	size_t n = s->payload + 8u, h;
	uint8_t *ip = frame + 14, *udp;

	memcpy(frame, s->to, 6);
	memcpy(frame + 6, "\2\0\0\0\0\1", 6);
	put16(frame + 12, s->v6 ? 0x86dd : 0x0800);
	h = make_ip(ip, s, IPPROTO_UDP, n);
	udp = ip + h;
	put16(udp, s->sport);
	put16(udp + 2, s->dport);
	put16(udp + 4, (unsigned)n);
	put16(udp + 6, 0);
	for (size_t i = 0; i < s->payload; i++)
		udp[8 + i] = (uint8_t)(' ' + i % 95);
	put16(udp + 6, transport_sum(ip, udp, n, IPPROTO_UDP));
	return 14 + h + n;
}

size_t
make_icmp(uint8_t *frame, const struct spec *s, int type, int code, uint32_t rest,
    const void *body, size_t len)
{
	uint8_t *ip = frame + 14, *m = ip + 20;

	memcpy(frame, s->to, 6);
	memcpy(frame + 6, "\2\0\0\0\0\1", 6);
	put16(frame + 12, 0x0800);
	make_ip(ip, s, IPPROTO_ICMP, 8 + len);
	m[0] = (uint8_t)type;
	m[1] = (uint8_t)code;
	put16(m + 2, 0);
	put16(m + 4, rest >> 16);
	put16(m + 6, rest & 0xffff);
	memcpy(m + 8, body, len);
	put16(m + 2, transport_sum(ip, m, 8 + len, IPPROTO_ICMP));
	return 14 + 20 + 8 + len;
}

size_t
make_echo6_piece(uint8_t *frame, const struct spec *s, unsigned len, unsigned off, unsigned n)
{
	static uint8_t whole[70000];
	uint8_t *ip = frame + 14, *piece = ip + 40;
	uint16_t sum;

	make_ip(ip, s, IPPROTO_ICMPV6, len);
	for (unsigned i = 0; i < len; i++)
		whole[i] = (uint8_t)i;
	memcpy(whole, "\200\0\0\0\22\64\0\1", 8);
	sum = transport_sum(ip, whole, len, IPPROTO_ICMPV6);
	put16(whole + 2, sum);
	memcpy(frame, s->to, 6);
	memcpy(frame + 6, "\2\0\0\0\0\1", 6);
	put16(frame + 12, 0x86dd);
	make_ip(ip, s, 44, n + 8);
	piece[0] = IPPROTO_ICMPV6;
	piece[1] = 0;
	put16(piece + 2, off | (off + n < len));
	put16(piece + 4, 0);
	put16(piece + 6, s->id);
	memcpy(piece + 8, whole + off, n);
	return 14 + 40 + 8 + n;
}

size_t
make_arp(uint8_t *frame, int op, const uint8_t *mac, const char *ip,
    const uint8_t *target_mac, const char *target)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0 };

	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, 0x0806);
	memcpy(frame + 14, head, sizeof(head));
	frame[21] = (uint8_t)op;
	memcpy(frame + 22, mac, 6);
	inet_pton(AF_INET, ip, frame + 28);
	memcpy(frame + 32, target_mac, 6);
	inet_pton(AF_INET, target, frame + 38);
	return 42;
}

size_t
make_advert(uint8_t *frame, const uint8_t *to, const uint8_t *mac, const char *ip, const char *dst)
{
	struct spec s = { .v6 = true, .src = ip, .dst = dst, .ttl = 255 };
	uint8_t *m = frame + 14 + 40;

	memcpy(frame, to, 6);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, 0x86dd);
	make_ip(frame + 14, &s, IPPROTO_ICMPV6, 32);
	memset(m, 0, 32);
	m[0] = 136;
	m[4] = 0x60;
	inet_pton(AF_INET6, ip, m + 8);
	m[24] = 2;
	m[25] = 1;
	memcpy(m + 26, mac, 6);
	put16(m + 2, transport_sum(frame + 14, m, 32, IPPROTO_ICMPV6));
	return 14 + 40 + 32;
}

size_t
make_solicit(uint8_t *frame, const uint8_t *to, const uint8_t *mac, const char *ip,
    const char *target)
{
	size_t len = make_advert(frame, to, mac, ip, target);
	uint8_t *m = frame + 14 + 40;

	m[0] = 135;
	m[2] = m[3] = m[4] = 0;
	inet_pton(AF_INET6, target, m + 8);
	m[24] = 1;
	put16(m + 2, transport_sum(frame + 14, m, 32, IPPROTO_ICMPV6));
	return len;
}

uint16_t
plain_sum(const uint8_t *p, size_t n)
{
	return (uint16_t)add(0, p, n);
}

static const uint8_t *
transport(const uint8_t *frame, size_t *n, uint8_t *proto)
{
	const uint8_t *ip = frame + 14;

	if (ip[0] >> 4 == 6) {
		*n = get16(ip + 4);
		*proto = ip[6];
		return ip + 40;
	}
	*n = get16(ip + 2) - (ip[0] & 15) * 4u;
	*proto = ip[9];
	return ip + (ip[0] & 15) * 4;
}

bool
sums_right(const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + 14;
	size_t n;
	uint8_t proto;
	const uint8_t *l4 = transport(frame, &n, &proto);

	if (ip[0] >> 4 == 4 && add(0, ip, (ip[0] & 15) * 4u) != 0xffff)
		return false;
	return l4 + n == frame + len && transport_sum(ip, l4, n, proto) == 0;
}

static bool
is_at(const uint8_t *frame, const char *text, int at4, int at6)
{
	bool v6 = frame[14] >> 4 == 6;
	uint8_t a[16];

	inet_pton(v6 ? AF_INET6 : AF_INET, text, a);
	return memcmp(frame + 14 + (v6 ? at6 : at4), a, v6 ? 16 : 4) == 0;
}

bool
is_from(const uint8_t *frame, const char *src)
{
	return is_at(frame, src, 12, 8);
}

bool
is_to(const uint8_t *frame, const char *dst)
{
	return is_at(frame, dst, 16, 24);
}

const uint8_t *
icmp_of(const uint8_t *frame)
{
	size_t n;
	uint8_t proto;
	const uint8_t *l4 = transport(frame, &n, &proto);

	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ? l4 : NULL;
}
