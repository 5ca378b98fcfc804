/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers from anywhere, to anything, at any time. Four bytes are a step. */
#include "fuzz.h"

#include <proto/paths.h>

#define MS UINT64_C(1000000)

static struct sky_paths p;
static uint64_t now;
static uint32_t last;

static void
send_all(void)
{
	enum sky_paths_kind kind;
	struct sky_hop_probe out;

	while ((kind = sky_paths_poll(&p, now, &out)) == SKY_PATHS_SEND) {
		must(out.id == ++last && out.ttl > 0 && out.len >= p.conf.len);
		must(out.flow < p.conf.flows && out.len <= 1500);
		must(out.ttl <= p.conf.max || out.ttl == SKY_PATHS_FAR);
	}
	must(last <= p.conf.packets && p.flying <= p.conf.flying);
	must(kind == SKY_PATHS_DONE || sky_paths_deadline(&p) != SKY_PATHS_NEVER);
}

static void
sound(void)
{
	struct sky_paths_result r;
	struct sky_paths_branch b;
	struct sky_paths_node n;
	struct sky_paths_link l;

	sky_paths_result(&p, &r);
	must(r.packets == last && r.answers <= r.packets && r.miss >= 0 && r.miss <= 1);
	must(r.nodes <= SKY_PATHS_NODES && r.links <= SKY_PATHS_LINKS);
	for (unsigned i = 0; i < r.nodes; i++) {
		must(sky_paths_node(&p, i, &n) == 0 && n.ttl <= p.conf.max);
		must(n.miss >= 0 && n.miss <= 1 && n.flows <= p.flows);
	}
	must(sky_paths_node(&p, r.nodes, &n) < 0);
	for (unsigned i = 0; i < r.links; i++) {
		must(sky_paths_link(&p, i, &l) == 0);
		must(l.from < r.nodes && l.to < r.nodes && l.flows > 0);
	}
	for (unsigned i = 0; i < r.branches; i++) {
		must(sky_paths_branch(&p, i, &b) == 0);
		must(b.hops <= p.conf.max && b.mtu <= 1500);
	}
	for (unsigned h = 0; h < SKY_PATHS_HOPS; h++)
		must(p.hop[h].width <= SKY_PATHS_NODES && p.hop[h].controls <= p.conf.flying);
}

static void
step(const uint8_t *b)
{
	struct sky_hop_answer a = { .at = b[0] & 16 ? now : 0, .id = last - b[1] % 70,
	    .what = b[0] % 6, .mtu = b[3] * 8u, .ttl = b[2], .err = b[3] & 1 ? 90 : 13,
	    .type = b[3] & 3, .code = b[3] >> 4, .trust = b[0] >> 6 };

	a.by.u.in.sin_family = AF_INET;
	a.by.u.in.sin_addr.s_addr = b[2] & 31 ? b[2] & 31 : b[3];
	if (b[0] & 32) {
		now += b[1] * MS * (b[0] & 1 ? 20 : 1);
		return;
	}
	sky_paths_answer(&p, now, &a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_paths_conf c = { .size = sizeof(c) };

	if (len < 4)
		return 0;
	c.full = data[0] & 1 ? 1500 : 0;
	c.max = 1 + data[1] % 63;
	c.packets = 10 + data[2] * 4;
	c.flows = 1 + data[3] % SKY_PATHS_FLOWS;
	c.patience_ns = data[0] & 2 ? 2000 * MS : 0;
	c.dst.u.in.sin_family = AF_INET;
	c.dst.u.in.sin_addr.s_addr = 7;
	must(sky_paths_init(&p, &c) == 0);
	last = 0;
	now = MS;
	for (data += 4, len -= 4; len >= 4; data += 4, len -= 4) {
		send_all();
		step(data);
	}
	send_all();
	sound();
	sky_paths_stop(&p, now);
	must(sky_paths_poll(&p, now, &(struct sky_hop_probe){ 0 }) == SKY_PATHS_DONE);
	sound();
	return 0;
}
