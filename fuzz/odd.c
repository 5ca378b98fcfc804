/* SPDX-License-Identifier: BSD-2-Clause */
/* The lower half of an odd host: whatever comes from either side, what it sends
 * are frames that fit, and no buffer is lost. The first byte chooses the manners;
 * then come frames: a byte with port and time, two of length. */
#include "fuzz.h"
#include "prog/socknet/odd/odd.h"

#define BUFFERS 24u
#define SLOTS 64u
#define MTU 600u

static struct odd_conf
conf_of(uint8_t choice)
{
	struct odd_conf c = { .wires = 1, .wire = { {
		.mac = { 2, 0, 0, 0, 0, 0x32 }, .mtu = MTU, .addrs = 1,
		.addr = { { 140, 252, 1, 32 } },
	} } };
	struct odd_manners *m = &c.manners;

	m->df = choice % 3;
	m->copy_df = choice & 4;
	m->arp_each = choice & 8;
	m->arp_keep = choice & 16 ? 1 : 0;
	m->cksum_off = choice & 32;
	m->timer = m->phase = 1000000000u;
	m->learns = 1;
	m->guess = 576;
	m->max_in = choice & 64 ? 1000 : 0;
	m->arp_late = 1000000;
	m->arp_times = 2;
	m->arp_flood = choice & 128 ? 100 : 0;
	m->arp_most = 10;
	return c;
}

static void
take(struct odd *o, uint64_t now)
{
	struct rt_frame f;

	for (unsigned n = 0; odd_output(o, now, &f); n++) {
		must(n < 2 * BUFFERS);
		must(f.iface < 2);
		must(f.len >= 14 && f.len <= 14 + MTU + 20);
	}
	odd_recycle(o);
}

/* Every buffer is there: so many frames pass at once, and no more. */
static void
count_buffers(struct odd *o, uint64_t now)
{
	static const uint8_t other[60] = { 0x33, 0x33, [12] = 0x86, [13] = 0xdd };
	struct rt_frame f;
	unsigned n = 0;

	for (unsigned i = 0; i < 2000 && odd_deadline(o) != RT_NEVER; i++) {
		now = odd_deadline(o) > now ? odd_deadline(o) : now;
		take(o, now);
	}
	must(odd_deadline(o) == RT_NEVER);
	for (unsigned i = 0; i < BUFFERS + 4; i++) {
		uint8_t frame[sizeof(other)];

		memcpy(frame, other, sizeof(other));
		odd_input(o, 0, frame, sizeof(frame), now);
	}
	while (odd_output(o, now, &f))
		n++;
	must(n == BUFFERS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct odd_conf c = conf_of(len ? data[0] : 0);
	void *mem = malloc(odd_room(&c, BUFFERS));
	struct rt_ledger *ledger = malloc(sizeof(*ledger) + SLOTS * sizeof(struct rt_record));
	uint64_t now = 1000000000u;
	const char *why;
	struct odd *o;

	must(mem && ledger);
	o = odd_init(mem, &c, BUFFERS, ledger, SLOTS, &why);
	must(o);
	for (size_t at = 1; at + 3 <= len;) {
		uint8_t head = data[at];
		size_t n = (size_t)(data[at + 1] << 8 | data[at + 2]);
		uint8_t *frame;

		at += 3;
		n = n < len - at ? n : len - at;
		frame = malloc(n + 1);
		must(frame);
		memcpy(frame, data + at, n);
		at += n;
		now += (uint64_t)(head >> 1) * 10000000u;
		odd_input(o, head & 1, frame, n, now);
		free(frame);
		take(o, now);
	}
	count_buffers(o, now);
	free(mem);
	free(ledger);
	return 0;
}
