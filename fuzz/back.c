/* SPDX-License-Identifier: BSD-2-Clause */
/* Echoes of any size, in any pieces, or none. Three bytes are a step. */
#include "fuzz.h"

#include <proto/back.h>

#define MS UINT64_C(1000000)

static struct sky_back b;
static uint64_t now;
static uint32_t last;

static enum sky_back_kind
send_all(void)
{
	enum sky_back_kind kind;
	struct sky_hop_probe out;

	while ((kind = sky_back_poll(&b, now, &out)) == SKY_BACK_SEND) {
		must(out.id == ++last && out.len >= b.conf.small && out.len <= b.conf.high);
		must(last < SKY_BACK_PROBES);
	}
	must(kind == SKY_BACK_DONE || sky_back_deadline(&b) != SKY_BACK_NEVER);
	return kind;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_back_conf c = { .size = sizeof(c) };
	struct sky_back_result r;

	if (len < 2)
		return 0;
	c.rtt_ns = data[0] * MS;
	c.high = 64 + data[1] * 30;
	must(sky_back_init(&b, &c) == 0);
	last = 0;
	now = MS;
	for (data += 2, len -= 2; len >= 3; data += 3, len -= 3) {
		struct sky_hop_answer a = { .id = last - data[0] % 4, .what = data[0] >> 5,
		    .reply_len = data[0] & 16 ? 0 : 100, .fragsize = data[1] * 30 + data[2] % 30,
		    .type = data[2] & 3, .at = data[2] & 4 ? now : 0 };

		if (send_all() == SKY_BACK_DONE)
			break;
		if (data[0] & 8)
			now += data[1] * MS;
		else
			sky_back_answer(&b, now, &a);
	}
	send_all();
	sky_back_stop(&b, now);
	must(send_all() == SKY_BACK_DONE);
	sky_back_result(&b, &r);
	must(r.packets == last);
	must(r.mtu <= c.high && (!r.mtu || r.mtu <= r.most || r.how == SKY_BACK_LOST));
	return 0;
}
