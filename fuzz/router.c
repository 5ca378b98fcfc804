/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forwarding engine: two bytes say how it behaves, then frames, each behind
 * its interface, the time since the one before (10 ms) and its length. What
 * leaves fits its link, is whole, and has a right IPv4 header checksum.
 */
#include "fuzz.h"
#include "prog/socknet/router/rt.h"
#include "wire/ip.h"

#define SLOTS 256
#define BUFFERS 64

struct run {
	struct rt_conf conf;
	struct rt *r;
	struct rt_ledger *ledger;
	void *mem;
	uint64_t now;
};

static struct rt_net
net(const char *text, uint8_t len)
{
	struct rt_net n = { .len = len };

	must(sky_addr_parse(&n.addr, text) == 0);
	return n;
}

static void
interfaces(struct rt_conf *c)
{
	static const char *const four[] = { "10.0.1.1", "10.0.2.1", "10.0.3.1" };
	static const char *const six[] = { "fd01::1", "fd02::1", "fd03::1" };

	c->ifaces = 3;
	for (uint8_t i = 0; i < 3; i++) {
		struct rt_iface *f = &c->iface[i];

		memcpy(f->mac, (uint8_t[]){ 2, i, 0, 0, 0, 0 }, 6);
		f->mtu = 1500;
		f->addrs = 2;
		f->addr[0] = net(four[i], 24);
		f->addr[1] = net(six[i], 64);
	}
}

static void
behave(struct rt_conf *c, uint8_t a, uint8_t b)
{
	static const uint16_t mtus[] = { 1500, 1280, 296, 68 };
	struct rt_manners *m = &c->manners;

	c->seed = a;
	c->iface[1].mtu = mtus[a & 3];
	c->iface[1].toobig = a >> 2 & 3;
	c->iface[1].nat = a & 16;
	m->reassemble = a & 32;
	m->tell_interface = a & 64;
	m->labels = a & 128 ? 2 : 0;
	m->quench = b & 1;
	m->quote4 = m->quote6 = b & 2 ? 8 : 0;
	m->copy_df = b & 4;
	m->answer_all = b & 8;
	m->answer_type = b >> 4;
	m->limit = b & 16 ? RT_LIMIT_KERNEL : RT_LIMIT_NONE;
	if (b & 32)
		c->iface[1].harm = (struct rt_harm){ .delay_ns = 20000000, .jitter_ns = 5000000,
			.loss = 100000, .duplicate = 300000, .reorder = 200000,
			.reorder_ns = 30000000, .corrupt = 500000, .mend_sums = b & 64,
			.rate_bps = 64000, .queue = 1500 };
	c->route[0] = (struct rt_route){ .net = net("10.9.0.0", 16), .hops = 2,
		.balance = b >> 7 };
	c->route[0].hop[0] = (struct rt_hop){ .iface = 1, .via = net("10.0.2.2", 0).addr };
	c->route[0].hop[1] = (struct rt_hop){ .iface = 2, .via = net("10.0.3.2", 0).addr };
	c->route[1] = (struct rt_route){ .net = net("fd99::", 16), .kind = RT_PROHIBIT };
	c->routes = 2;
}

static void
judge(const struct run *u, const struct rt_frame *f)
{
	const uint8_t *d = f->data;
	unsigned type;

	must(f->iface < 3 && f->len > 14);
	type = (unsigned)d[12] << 8 | d[13];
	must(type == 0x0806 || type == 0x0800 || type == 0x86dd);
	must(f->len - 14 <= u->conf.iface[f->iface].mtu || type == 0x0806);
	if (type == 0x0800) {
		must(((size_t)d[16] << 8 | d[17]) == f->len - 14);
		must(sky_ip4_check(d + 14, f->len - 14) == SKY_CKSUM_GOOD);
	} else if (type == 0x86dd) {
		must(((size_t)d[18] << 8 | d[19]) + 40 == f->len - 14);
	}
}

static void
drain(struct run *u)
{
	struct rt_frame f;
	unsigned n = 0;

	while (rt_output(u->r, u->now, &f)) {
		judge(u, &f);
		must(++n < 4096);
	}
	rt_recycle(u->r);
}

static void
one(struct run *u, struct sky_rd *rd)
{
	uint8_t iface = sky_rd_u8(rd) % 3;
	uint8_t wait = sky_rd_u8(rd);
	size_t len = sky_rd_u16(rd);
	const uint8_t *data;
	uint8_t *copy;

	len = len < sky_rd_left(rd) ? len : sky_rd_left(rd);
	data = sky_rd_take(rd, len);
	copy = malloc(len ? len : 1);
	must(copy != NULL);
	if (len)
		memcpy(copy, data, len);
	u->now += wait * 10000000u;
	drain(u);
	rt_input(u->r, iface, copy, len, u->now);
	drain(u);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	struct run *u = calloc(1, sizeof(*u));
	const char *why;

	must(u != NULL);
	interfaces(&u->conf);
	behave(&u->conf, sky_rd_u8(&rd), sky_rd_u8(&rd));
	u->mem = malloc(rt_room(&u->conf, BUFFERS));
	u->ledger = malloc(sizeof(*u->ledger) + SLOTS * sizeof(struct rt_record));
	must(u->mem && u->ledger);
	u->now = 1000000000;
	u->r = rt_init(u->mem, &u->conf, BUFFERS, u->ledger, SLOTS, &why);
	must(u->r != NULL);
	while (!rd.cut && sky_rd_left(&rd) > 0)
		one(u, &rd);
	for (unsigned i = 0; i < 200 && rt_deadline(u->r) != RT_NEVER; i++) {
		u->now = rt_deadline(u->r) > u->now ? rt_deadline(u->r) : u->now;
		drain(u);
	}
	free(u->ledger);
	free(u->mem);
	free(u);
	return 0;
}
