/* SPDX-License-Identifier: BSD-2-Clause */
/* STAMP's packets, and prober and mirror fed with anything: what is reflected is
 * as long as what came, counts stay within what was told. The first byte chooses
 * who gets it, each further datagram begins where the last ended. */
#include "fuzz.h"
#include "proto/probe.h"
#include "wire/tally.h"

#include <sockeye/measure.h>

static void
written_again(const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len), tail;
	uint8_t out[SKY_STAMP_LEN], *copy;
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_stamp_probe p;

	if (sky_stamp_probe_decode(&p, &rd) < 0) {
		must(len < SKY_STAMP_LEN);
		return;
	}
	must(sky_stamp_probe_encode(&p, &wr) == 0);
	must(memcmp(out, data, 4) == 0 && memcmp(out + 12, data + 12, 4) == 0);
	must(p.odd || memcmp(out + 16, data + 16, 28) == 0);
	copy = malloc(len);
	wr = sky_wr_of(copy, len - SKY_STAMP_LEN);
	tail = rd;
	must(sky_stamp_mirror(&tail, &wr) == 0);
	must(sky_wr_len(&wr) == len - SKY_STAMP_LEN);
	free(copy);
}

static void
to_mirror(const uint8_t *data, size_t len)
{
	static uint64_t room[100000 / sizeof(uint64_t)];
	struct sky_mirror_out out = { .size = sizeof(out) };
	struct sky_mirror_in in = { .size = sizeof(in), .data = data, .len = len, .now = 1 };
	struct sky_way there = { .size = sizeof(there) }, back = there;
	uint8_t buf[SKY_MEASURE_CONTROL], *copy = malloc(len + 1);
	struct sky_mirror m;
	uint32_t drops = 0;
	int session;
	size_t n;

	must(sky_mirror_init(&m, room, sizeof(room), 2, 5, 0) == 0);
	sky_addr_parse(&in.from, "192.0.2.1:5");
	for (unsigned i = 0; i < 3; i++, in.drops = drops += len) {
		n = sky_tally_is(data, len) ? sky_mirror_control(&m, &in, buf, &out) :
		    sky_mirror_take(&m, &in, 7, copy, &out);
		must(n == 0 || n == len || sky_tally_is(data, len));
		if (n && !sky_tally_is(data, len))
			sky_mirror_sent(&m, out.session, i != 1);
	}
	must(sky_mirror_sessions(&m) <= 1);
	sky_mirror_close(&m, 2);
	for (unsigned i = 0; i < 5; i++)
		sky_mirror_due(&m, i * 1000000000u, drops, buf, &session);
	while (sky_mirror_ended(&m, UINT64_MAX - 1, drops, &session, &in.from, &there, &back))
		must(there.received <= 3);
	free(copy);
}

static void
to_prober(const uint8_t *data, size_t len)
{
	struct sky_way w = { .size = sizeof(w) };
	uint8_t buf[200];
	struct sky_prober *p = malloc(sizeof(*p));
	enum sky_measured what;
	uint64_t seq;

	sky_prober_init(p, 0x12abcd, 0, 0);
	for (unsigned i = 0; i < 8; i++) {
		must(sky_prober_make(p, buf, sizeof(buf), i) == 0);
		sky_prober_sent(p, true);
	}
	for (unsigned i = 0; i < 3; i++) {
		what = sky_prober_take(p, data, len, 5, i, i);
		must(what != SKY_MEASURED_BACK || len >= SKY_STAMP_LEN);
		sky_prober_control(p, i, buf);
	}
	must(!sky_prober_quoted(p, data, len, &seq) || seq < 8);
	for (int d = SKY_WAY_OUT; d <= SKY_WAY_ROUND; d++)
		sky_prober_way(p, d, 3, &w);
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1)
		return 0;
	written_again(data + 1, len - 1);
	if (data[0] & 1)
		to_prober(data + 1, len - 1);
	else
		to_mirror(data + 1, len - 1);
	return 0;
}
