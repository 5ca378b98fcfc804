/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers and time in any order, true or not. Four bytes are a step: what comes,
 * about which probe, with what number, after how long. */
#include "fuzz.h"

#include <string.h>
#include "proto/serial.h"

static struct sky_serial s;
static struct sky_serial_cell cells[SKY_SERIAL_CELLS];
static uint32_t last, most;
static uint64_t now;
static int end;

static int
send_all(const struct sky_serial_conf *c)
{
	struct sky_hop_probe p;
	enum sky_serial_kind kind;
	int n = 0;

	while ((kind = sky_serial_poll(&s, now, &p)) == SKY_SERIAL_SEND) {
		must(p.id == ++last && p.len >= c->floor && p.len <= c->len && !p.flow);
		must(p.ttl >= c->first && p.ttl <= c->max && ++n <= c->window);
		must(last <= most);
	}
	must(kind == SKY_SERIAL_DONE || sky_serial_deadline(&s, now) > now || s.has_smaller);
	return kind == SKY_SERIAL_DONE;
}

static void
hear(const struct sky_serial_conf *c)
{
	struct sky_serial_event e;

	while (sky_serial_told(&s, &e)) {
		must(!end);
		must(e.len <= c->len && e.len >= c->floor);
		must(e.what == SKY_SERIAL_END || (e.ttl >= c->first && e.ttl <= c->max));
		must(e.what != SKY_SERIAL_END || (e.why == SKY_SERIAL_FAILED) == (e.err != 0));
		end = e.what == SKY_SERIAL_END;
	}
}

static void
step(const uint8_t *b)
{
	struct sky_hop_answer a;

	memset(&a, 0, sizeof(a));
	now += (uint64_t)b[3] * b[3] * 1000000;
	a.at = now;
	a.what = b[0] % 7;
	a.err = a.what == SKY_HOP_LOCAL ? b[1] : 0;
	a.mtu = b[2] * 8u;
	a.id = b[0] & 0x40 ? 0 : last - b[1] % 20;
	a.trust = (b[0] >> 3) % 4;
	sky_serial_answered(&s, &a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sky_serial_conf c = { .wait_ns = 1000000000, .least_ns = 50000000, .here = 3000,
	    .near = 10000, .len = 1500, .floor = 68, .window = 16, .first = 1, .max = 5,
	    .probes = 3, .tries = 2 };

	if (size < 2)
		return 0;
	c.brief = data[0] & 1;
	c.again = data[0] & 2;
	c.follow = data[0] & 4;
	c.window = c.follow ? 1 : 1 + data[0] / 16;
	c.probes = 1 + data[1] % 10;
	c.pause_ns = data[1] & 0x80 ? 1000000 : 0;
	now = 1;
	last = 0;
	end = 0;
	/* each probe: its tries, one alone, a hundred for a full queue; and again for
	 * each size */
	most = 5u * c.probes * (c.tries + 101u) * (c.follow ? SKY_SERIAL_SIZES + 1 : 1);
	must(sky_serial_init(&s, &c, cells, SKY_SERIAL_CELLS) == 0);
	for (data += 2, size -= 2; size >= 4; data += 4, size -= 4) {
		if (send_all(&c))
			break;
		step(data);
		hear(&c);
	}
	for (int i = 0; i < 100000 && !send_all(&c); i++) {
		uint64_t at = sky_serial_deadline(&s, now);

		hear(&c);
		if (at != UINT64_MAX && at > now)
			now = at;
	}
	hear(&c);
	must(end);
	return 0;
}
