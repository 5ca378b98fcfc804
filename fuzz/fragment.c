/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two bytes of MTU, one that says the order, then an IP packet: what it is cut
 * into comes together again. The packet is given to the reassembly as it is,
 * too, twice and in pieces of any kind.
 */
#include "fuzz.h"
#include "proto/fragment.h"
#include "proto/reasm.h"

#include <errno.h>

#define PIECES 128

static struct sky_reasm_slot slots[2];
static uint8_t train[200000];

struct pieces {
	size_t n, at[PIECES], len[PIECES];
};

static int
cut(struct pieces *p, const uint8_t *data, size_t len, size_t mtu)
{
	struct sky_wr wr = sky_wr_of(train, sizeof(train));
	struct sky_fragment f;
	int ret;

	if (sky_fragment_init(&f, data, len, mtu, 7) != 0)
		return 0;
	for (p->n = 0; p->n < PIECES; p->n++) {
		p->at[p->n] = sky_wr_len(&wr);
		ret = sky_fragment_next(&f, &wr);
		if (ret == 0)
			return p->n > 0;
		must(ret == 1);
		p->len[p->n] = sky_wr_len(&wr) - p->at[p->n];
		must(p->len[p->n] <= mtu);
	}
	return 0;
}

static void
together(const struct pieces *p, const uint8_t *data, size_t len, bool backwards)
{
	struct sky_reasm r;
	struct sky_reasm_out out = { .len = 0 };
	struct sky_ip ip;
	size_t from;
	int ret = 0;

	must(sky_ip_decode(&ip, data, len) == 0);
	if (ip.flags & SKY_IP_FRAG)
		return;
	sky_reasm_init(&r, slots, 2, 60);
	slots[0].used = slots[1].used = false;
	for (size_t i = 0; i < p->n; i++) {
		size_t k = backwards ? p->n - 1 - i : i;

		must(ret == 0);
		ret = sky_reasm_take(&r, train + p->at[k], p->len[k], 0, &out);
		/* A first fragment that does not hold the whole chain is refused. */
		if (ret == -EINVAL && ip.family == AF_INET6)
			return;
	}
	must(ret == 1);
	must(out.len >= ip.payload_len && out.len <= ip.len);
	from = ip.len - out.len;
	must(memcmp(out.payload, data + from, out.len) == 0);
}

static void
as_it_is(const uint8_t *data, size_t len)
{
	struct sky_reasm r;
	struct sky_reasm_out out;
	const uint8_t *first;
	size_t n = len / 3, first_len;

	sky_reasm_init(&r, slots, 2, 60);
	slots[0].used = slots[1].used = false;
	sky_reasm_take(&r, data, len, 0, &out);
	sky_reasm_take(&r, data, len, 0, &out);
	for (size_t i = 0; i < 3; i++)
		if (sky_reasm_take(&r, data + i * n, n, 1, &out) == 1)
			must(out.fragments || within(data, len, out.payload, out.len));
	while (sky_reasm_expire(&r, 1000, &first, &first_len))
		must(!first || (first_len && first_len <= SKY_REASM_FIRST));
	must(sky_reasm_deadline(&r) == UINT64_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	size_t mtu = sky_rd_u16(&rd);
	bool backwards = sky_rd_u8(&rd) & 1;
	struct pieces p;

	if (cut(&p, rd.at, sky_rd_left(&rd), mtu))
		together(&p, rd.at, sky_rd_left(&rd), backwards);
	as_it_is(rd.at, sky_rd_left(&rd));
	return 0;
}
