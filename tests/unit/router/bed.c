/* SPDX-License-Identifier: BSD-2-Clause */
/* bed.c - see bed.h. */
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t mac[3][6] = { { 2, 1 }, { 2, 2 }, { 2, 3 } };
const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t mac_b[6] = { 2, 0, 0, 0, 0, 2 };
const uint8_t mac_c[6] = { 2, 0, 0, 0, 0, 3 };

struct rt_net
net(const char *text, unsigned len)
{
	struct rt_net n = { .len = (uint8_t)len };

	assert_int_equal(sky_addr_parse(&n.addr, text), 0);
	return n;
}

static void
add_iface(struct rt_conf *c, const char *name, const char *a4, const char *a6)
{
	struct rt_iface *f = &c->iface[c->ifaces];

	strcpy(f->name, name);
	memcpy(f->mac, mac[c->ifaces++], 6);
	f->mtu = 1500;
	f->addr[f->addrs++] = net(a4, 24);
	f->addr[f->addrs++] = net(a6, 64);
}

void
conf_init(struct bed *b)
{
	memset(b, 0, sizeof(*b));
	b->now = 1000 * S;
	b->conf.seed = 7;
	add_iface(&b->conf, "a", "10.0.1.1", "fd01::1");
	add_iface(&b->conf, "b", "10.0.2.1", "fd02::1");
	add_iface(&b->conf, "c", "10.0.3.1", "fd03::1");
}

void
give(struct bed *b, unsigned iface, void *data, size_t len)
{
	rt_recycle(b->r);
	rt_input(b->r, iface, data, len, b->now);
}

bool
take(struct bed *b)
{
	return rt_output(b->r, b->now, &b->out);
}

static void
know(struct bed *b, unsigned iface, const uint8_t *m, const char *ip, const char *own)
{
	uint8_t f[64];

	give(b, iface, f, make_arp(f, 1, m, ip, mac[iface], own));
	assert_true(take(b));
	assert_false(take(b));
}

static void
know6(struct bed *b, unsigned iface, const uint8_t *m, const char *ip, const char *own)
{
	uint8_t f[128];

	give(b, iface, f, make_solicit(f, mac[iface], m, ip, own));
	assert_true(take(b));
	assert_int_equal(icmp_of(b->out.data)[0], 136);
	assert_true(sums_right(b->out.data, b->out.len));
	assert_false(take(b));
}

void
start(struct bed *b)
{
	const char *why;

	b->mem = malloc(rt_room(&b->conf, 256));
	b->ledger = malloc(sizeof(*b->ledger) + SLOTS * sizeof(struct rt_record));
	b->r = rt_init(b->mem, &b->conf, 256, b->ledger, SLOTS, &why);
	assert_non_null(b->r);
	know(b, 0, mac_a, "10.0.1.2", "10.0.1.1");
	know(b, 1, mac_b, "10.0.2.2", "10.0.2.1");
	know(b, 2, mac_c, "10.0.3.2", "10.0.3.1");
	know6(b, 0, mac_a, "fd01::2", "fd01::1");
	know6(b, 1, mac_b, "fd02::2", "fd02::1");
	know6(b, 2, mac_c, "fd03::2", "fd03::1");
}

void
stop(struct bed *b)
{
	free(b->mem);
	free(b->ledger);
}

struct spec
to_b(void)
{
	struct spec s = { .src = "10.0.1.2", .dst = "10.0.2.2", .sport = 1108, .dport = 9,
		.payload = 100, .ttl = 64, .df = true, .id = 4711 };

	memcpy(s.to, mac[0], 6);
	return s;
}

struct spec
to_b6(void)
{
	struct spec s = { .v6 = true, .src = "fd01::2", .dst = "fd02::2", .sport = 1108,
		.dport = 9, .payload = 100, .ttl = 64 };

	memcpy(s.to, mac[0], 6);
	return s;
}

uint8_t frame[70000];

bool
pass(struct bed *b, const struct spec *s)
{
	give(b, 0, frame, make_udp(frame, s));
	return take(b);
}

/* Gives the error about one packet. */
const uint8_t *
error_about(struct bed *b, const struct spec *s)
{
	if (!pass(b, s))
		return NULL;
	assert_int_equal(b->out.iface, 0);
	assert_true(sums_right(b->out.data, b->out.len));
	return icmp_of(b->out.data);
}


size_t
cut(uint8_t *piece, const uint8_t *f, unsigned off, unsigned bytes, bool more)
{
	uint8_t *ip = piece + 14;
	unsigned sum;

	memcpy(piece, f, 34);
	memcpy(ip + 20, f + 34 + off, bytes);
	ip[2] = (uint8_t)((bytes + 20) >> 8);
	ip[3] = (uint8_t)(bytes + 20);
	ip[6] = (uint8_t)(off >> 11 | (more ? 0x20 : 0));
	ip[7] = (uint8_t)(off >> 3);
	ip[10] = ip[11] = 0;
	sum = (uint16_t)~plain_sum(ip, 20);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	return 34 + bytes;
}

const char *
pieces(struct bed *b, unsigned iface, char *text, size_t size)
{
	size_t used = 0;

	*text = 0;
	while (used < size && take(b)) {
		const uint8_t *ip = (const uint8_t *)b->out.data + 14;
		unsigned field = get16(ip + 6);

		assert_int_equal(b->out.iface, iface);
		assert_int_equal(plain_sum(ip, 20), 0xffff);
		assert_int_equal(b->out.len, 14u + get16(ip + 2));
		used += (size_t)snprintf(text + used, size - used, "%s%u@%u%s", used ? " " : "",
		    get16(ip + 2) - 20u, (field & 0x1fff) * 8, field & 0x2000 ? "+" : "");
	}
	return text;
}
