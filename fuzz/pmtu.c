/* SPDX-License-Identifier: BSD-2-Clause */
/* News about probes, in any order, true or not. Three bytes are a step: what
 * happens, to which probe, with what number. */
#include "fuzz.h"

#include <sockeye/pmtu.h>

#define MS UINT64_C(1000000)

static struct sky_mtu m;
static uint32_t last, largest_acked, sizes[1024];
static uint64_t now;

static void
sound(const struct sky_mtu_conf *c)
{
	struct sky_mtu_result r;

	sky_mtu_result(&m, &r);
	must(r.size == sizeof(r) && r.packets <= c->packets && r.total_packets == last);
	must(r.mtu <= largest_acked && r.mtu <= r.most && r.most <= c->high);
	must((r.mtu == 0) == (r.certainty == SKY_MTU_UNKNOWN));
	must(r.certainty != SKY_MTU_EXACT || (r.mtu >= c->floor && r.mtu == r.most));
	must(r.told >= r.lies);
	must(sky_mtu_size(&m) >= c->floor && sky_mtu_size(&m) <= c->high);
}

static void
send_all(const struct sky_mtu_conf *c)
{
	struct sky_mtu_probe p;
	enum sky_mtu_kind kind;

	while ((kind = sky_mtu_poll(&m, now, &p)) == SKY_MTU_SEND) {
		must(p.seq == ++last && p.timeout_ns > 0);
		must(p.size >= c->floor && p.size <= c->high);
		sizes[p.seq % 1024] = p.size;
	}
	must(kind != SKY_MTU_WAIT || sky_mtu_deadline(&m) > now);
}

static void
step(const uint8_t *b)
{
	struct sky_fate f = { .size = sizeof(f), .what = SKY_TOO_BIG, .have = SKY_HAVE_MTU,
	    .mtu = b[2] * 8u, .trust = b[0] & 8 ? SKY_TRUST_SHORT : SKY_TRUST_MATCHED };
	uint32_t seq = last - b[1] % 70;

	switch (b[0] % 8) {
	case 0: case 1:
		if (sky_mtu_acked(&m, now, seq) == 0 && sizes[seq % 1024] > largest_acked)
			largest_acked = sizes[seq % 1024];
		break;
	case 2: case 3:
		must((unsigned)sky_mtu_hint(&m, now, seq, &f) <= SKY_MTU_UNVOUCHED);
		break;
	case 4:
		sky_mtu_lost(&m, now, seq);
		break;
	case 5:
		if (b[0] & 8)
			sky_mtu_local(&m, now, seq, f.mtu);
		else
			sky_mtu_unsent(&m, now, seq);
		break;
	case 6:
		sky_mtu_data(&m, now, f.mtu, b[1] & 1);
		break;
	default:
		now += b[1] * MS;
		if (b[2] == 255)
			sky_mtu_again(&m, now);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_mtu_conf c = { .size = sizeof(c), .floor = 68, .high = 1500, .packets = 80,
	    .raise_ns = 5000 * MS, .rto = { .size = sizeof(c.rto), .min_ns = MS,
	    .initial_ns = 10 * MS } };

	if (len < 2)
		return 0;
	c.batch = data[0] % 33;
	c.base = data[1] & 1 ? 576 : 1280;
	must(sky_mtu_init(&m, &c) == 0);
	last = largest_acked = 0;
	now = MS;
	for (data += 2, len -= 2; len >= 3; data += 3, len -= 3) {
		send_all(&c);
		sound(&c);
		step(data);
		sound(&c);
	}
	return 0;
}
