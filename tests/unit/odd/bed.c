/* SPDX-License-Identifier: BSD-2-Clause */
/* bed.c - see bed.h; frames are read byte by byte, on purpose. */
#include "bed.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t mac_host[6] = { 2, 0, 0, 0, 0, 0x32 };
const uint8_t mac_gate[6] = { 2, 0, 0, 0, 0, 0x04 };
static const uint8_t made_up[6] = { 0x02, 0x6f, 140, 252, 1, 4 };
static uint8_t frame[66000], last[66000];

void
bed_conf(struct bed *b)
{
	struct odd_wire *w = &b->conf.wire[0];

	memset(b, 0, sizeof(*b));
	b->now = 1000 * S;
	b->conf.wires = 1;
	memcpy(w->mac, mac_host, 6);
	w->mtu = 1500;
	w->addrs = 1;
	inet_pton(AF_INET, HOST, w->addr[0]);
}

void
bed_start(struct bed *b, unsigned buffers)
{
	const char *why;

	b->mem = malloc(odd_room(&b->conf, buffers));
	b->ledger = malloc(sizeof(*b->ledger) + SLOTS * sizeof(struct rt_record));
	b->o = odd_init(b->mem, &b->conf, buffers, b->ledger, SLOTS, &why);
	assert_non_null(b->o);
}

void
bed_stop(struct bed *b)
{
	free(b->mem);
	free(b->ledger);
}

void
bed_give(struct bed *b, unsigned port, void *f, size_t len)
{
	odd_recycle(b->o);
	odd_input(b->o, port, f, len, b->now);
}

bool
bed_take(struct bed *b)
{
	return odd_output(b->o, b->now, &b->out);
}

void
bed_send(struct bed *b, unsigned payload)
{
	struct spec s = { .src = HOST, .dst = FAR, .sport = 38196, .dport = 9,
		.payload = (uint16_t)payload, .ttl = 64, .df = true, .id = 1 };

	memcpy(s.to, made_up, 6);
	bed_give(b, KERNEL, frame, make_udp(frame, &s));
}

void
bed_arp(struct bed *b, int op, const uint8_t *mac, const char *ip, const char *target)
{
	size_t n = make_arp(frame, op, mac, ip, mac_host, target);

	bed_give(b, WIRE, frame, n);
}

void
bed_know(struct bed *b)
{
	bed_send(b, 1);
	while (bed_take(b))
		;
	bed_arp(b, 2, mac_gate, GATE, HOST);
	while (bed_take(b))
		;
}

void
bed_too_big(struct bed *b, uint16_t mtu)
{
	struct spec s = { .src = "140.252.1.29", .dst = HOST, .ttl = 60, .df = true, .id = 9 };

	memcpy(s.to, mac_host, 6);
	bed_give(b, WIRE, frame, make_icmp(frame, &s, 3, 4, mtu, last + 14, 28));
}

/* A piece of the packet at whole, bytes at..at+n of what is behind its header. */
static size_t
make_piece(uint8_t *out, const uint8_t *whole, unsigned at, unsigned n, bool more)
{
	uint32_t sum = 0;

	memcpy(out, whole, 34);
	memcpy(out + 34, whole + 34 + at, n);
	out[16] = (uint8_t)((n + 20) >> 8);
	out[17] = (uint8_t)(n + 20);
	out[20] = (uint8_t)((more ? 0x20 : 0) | at / 8 >> 8);
	out[21] = (uint8_t)(at / 8);
	out[24] = out[25] = 0;
	for (unsigned i = 14; i < 34; i += 2)
		sum += get16(out + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	out[24] = (uint8_t)(sum >> 8);
	out[25] = (uint8_t)sum;
	return 34 + n;
}

void
bed_pieces(struct bed *b, int code, unsigned first)
{
	struct spec s = { .src = "140.252.1.29", .dst = HOST, .ttl = 60, .id = 9 };
	static uint8_t piece[1600];
	size_t n;

	memcpy(s.to, mac_host, 6);
	n = make_icmp(frame, &s, 3, code, 0, last + 14, 500) - 34;
	bed_give(b, WIRE, piece, make_piece(piece, frame, first, (unsigned)n - first, false));
	assert_string_equal(bed_seen(b), "");
	bed_give(b, WIRE, piece, make_piece(piece, frame, 0, first, true));
}

static void
name_ip(char *out, size_t size, const uint8_t *ip)
{
	unsigned total = get16(ip + 2), bits = get16(ip + 6), off = (bits & 0x1fff) * 8;

	if (off || bits & 0x2000)
		snprintf(out, size, "%u@%u%s %u", total - 20, off, bits & 0x2000 ? "+" : "",
		    get16(ip + 4));
	else if (ip[9] == 17)
		snprintf(out, size, "udp %u%s", total - 28, bits & 0x4000 ? " DF" : "");
	else
		snprintf(out, size, "icmp %d/%d%s", ip[20], ip[21], bits & 0x4000 ? " DF" : "");
}

static void
name_frame(char *out, size_t size, const uint8_t *f)
{
	char a[20];

	switch (get16(f + 12)) {
	case 0x0800:
		name_ip(out, size, f + 14);
		break;
	case 0x0806:
		inet_ntop(AF_INET, f + (f[21] == 1 ? 38 : 28), a, sizeof(a));
		snprintf(out, size, "arp %s %s", f[21] == 1 ? "who-has" : "reply", a);
		break;
	default:
		snprintf(out, size, "type %04x", get16(f + 12));
		break;
	}
}

const char *
bed_seen(struct bed *b)
{
	static char text[8192];
	size_t n = 0;

	text[0] = 0;
	while (bed_take(b) && n < sizeof(text) - 80) {
		n += (size_t)snprintf(text + n, 80, "%s%s: ", n ? "; " : "",
		    b->out.iface == WIRE ? "wire" : "kernel");
		name_frame(text + n, 60, b->out.data);
		n += strlen(text + n);
		memcpy(last, b->out.data, b->out.len);
	}
	return text;
}
