/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers in any order, late, doubled, forged. Two bytes are a step. */
#include "fuzz.h"

#include <proto/cycle.h>

#define MS UINT64_C(1000000)

static struct sky_cycle c;
static uint64_t now;
static uint32_t last;

static enum sky_cycle_kind
send_all(void)
{
	enum sky_cycle_kind kind;
	struct sky_hop_probe out;
	unsigned n = 0;

	while ((kind = sky_cycle_poll(&c, now, &out)) == SKY_CYCLE_SEND) {
		must(out.id == ++last && out.ttl >= 1 && out.ttl <= c.conf.hops);
		must(++n < 10000);
	}
	must(kind == SKY_CYCLE_DONE || sky_cycle_deadline(&c) != SKY_CYCLE_NEVER);
	return kind;
}

static void
sound(void)
{
	struct sky_cycle_hop h;

	for (unsigned i = 0; sky_cycle_hop(&c, i, &h) == 0; i++) {
		must(h.answered + h.pending <= h.sent);
		must(h.loss_low >= 0 && h.loss_low <= h.loss + 1e-9 && h.loss_high <= 1);
		must(h.loss <= h.loss_high + 1e-9 && h.spacing_ns >= c.conf.interval_ns);
		must(h.lost <= h.sent && h.limited <= h.sent && h.open <= h.sent);
		must(h.rtt_min <= h.rtt_max);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_cycle_conf conf = { .size = sizeof(conf) };

	if (len < 2)
		return 0;
	conf.hops = 1 + data[0] % 8;
	conf.cycles = data[1] % 200;
	conf.interval_ns = 100 * MS;
	for (unsigned i = 0; i < conf.hops; i++)
		conf.hop[i].ttl = i + 1;
	must(sky_cycle_init(&c, &conf) == 0);
	last = 0;
	now = MS;
	for (data += 2, len -= 2; len >= 2; data += 2, len -= 2) {
		struct sky_hop_answer a = { .id = last - data[0] % 32, .what = data[1] % 6,
		    .at = data[1] & 8 ? now : 0 };

		a.by.u.in.sin_family = AF_INET;
		a.by.u.in.sin_addr.s_addr = data[1] >> 5;
		if (send_all() == SKY_CYCLE_DONE)
			break;
		if (data[0] & 128)
			now += data[1] * MS;
		else
			sky_cycle_answer(&c, now, &a);
		sound();
	}
	sky_cycle_stop(&c, now);
	must(send_all() == SKY_CYCLE_DONE);
	sound();
	return 0;
}
