/* SPDX-License-Identifier: BSD-2-Clause */
/* hostile.c - frames that nobody should send, on both sides. */
#include "bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void
every_manner(struct bed *b)
{
	bed_conf(b);
	b->conf.manners = (struct odd_manners){ .df = ODD_DF_DISCOVER, .timer = S, .phase = S,
		.learns = 1, .guess = 576, .max_out = 60000, .max_in = 60000, .cksum_off = true,
		.arp_each = true, .arp_keep = 3, .copy_df = true, .arp_extra = 1,
		.arp_late = MS, .arp_times = 2, .arp_flood = 100, .arp_most = 20 };
}

/* What the host does for its kernel is the same afterwards. */
static void
still_works(struct bed *b)
{
	for (unsigned i = 0; i < 200; i++) {
		b->now += S;
		while (bed_take(b))
			;
		odd_recycle(b->o);
	}
	bed_know(b);
	bed_send(b, 100);
	assert_non_null(strstr(bed_seen(b), "wire: udp 100 DF"));
}

static size_t
sample(uint8_t *frame, unsigned which)
{
	struct spec s = { .src = GATE, .dst = HOST, .sport = 7, .dport = 9, .payload = 300,
		.ttl = 4, .id = 8 };
	uint8_t quoted[400];

	memcpy(s.to, mac_host, 6);
	make_udp(quoted, &s);
	switch (which % 4) {
	case 0:
		return make_udp(frame, &s);
	case 1:
		return make_icmp(frame, &s, 3, 4, 0, quoted + 14, 100);
	case 2:
		return make_icmp(frame, &s, 8, 0, 1, quoted, 100);
	default:
		return make_arp(frame, 1, mac_gate, GATE, mac_host, HOST);
	}
}

/* Each sample cut to each length, in memory of exactly that length. */
void
hostile_frames_change_nothing(void **state)
{
	uint8_t whole[1000];
	struct bed b;

	every_manner(&b);
	bed_start(&b, 32);
	for (unsigned which = 0; which < 4; which++) {
		size_t n = sample(whole, which);

		for (size_t len = 0; len <= n; len++)
			for (unsigned port = 0; port < 2; port++) {
				uint8_t *cut = malloc(len + !len);

				memcpy(cut, whole, len);
				bed_give(&b, port, cut, len);
				while (bed_take(&b))
					assert_in_range(b.out.len, 14, 14 + 1500);
				free(cut);
			}
	}
	still_works(&b);
	bed_stop(&b);
	(void)state;
}

void
hostile_bytes_leave_all_buffers(void **state)
{
	uint32_t x = 2463534242u;
	uint8_t frame[1000];
	struct bed b;

	every_manner(&b);
	bed_start(&b, 32);
	for (unsigned i = 0; i < 60000; i++) {
		size_t n = sample(frame, i);

		for (unsigned k = 0; k < 1 + i % 5; k++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			frame[12 + (x >> 8) % (n - 12)] = (uint8_t)x;
		}
		bed_give(&b, x >> 9 & 1, frame, n);
		b.now += MS;
		while (bed_take(&b))
			assert_in_range(b.out.len, 14, 14 + 1504);
	}
	still_works(&b);
	bed_stop(&b);
	(void)state;
}
