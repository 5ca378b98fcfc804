/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes back to requests: datagrams and quotes of errors. The input is a
 * series of records: what, how long, bytes; some get the id of a request that is
 * in flight and a right check, so that they come past the head. */
#include "fuzz.h"

#include <sockeye/call.h>

static uint64_t ids[3];
static uint8_t lives[3];

static void
judge(int kind, const struct sky_call_news *n, const uint8_t *data, size_t len)
{
	uint32_t all = (uint32_t)((UINT64_C(1) << n->tries) - 1);

	must(kind == SKY_CALL_ENDED || kind == SKY_CALL_TOLD);
	must(n->kind == (uint32_t)kind && n->size == sizeof(*n));
	must(n->fate.what < SKY_WHATS);
	if (!n->known)
		must(kind == SKY_CALL_TOLD);
	must((n->answered | n->damaged | n->refused | n->lost_request | n->lost_reply |
	    n->lost_untold) == all || !n->known);
	must(!(n->seen & ~all));
	if (n->data)
		must(within(data, len, n->data, n->len));
	for (unsigned i = 0; kind == SKY_CALL_ENDED && i < 3; i++)
		if (n->id == ids[i])
			must(lives[i]-- == 1);
}

/* Puts the id of request i and a head that makes sense before the bytes. */
static size_t
dress(uint8_t *out, const uint8_t *data, size_t len)
{
	struct sky_call_head h = { .id = ids[data[0] % 3], .kind = data[1] & 1,
	    .nth = (uint8_t)(data[2] % 40), .copies = data[3], .seen = data[4] };

	if (sky_call_head_encode(&h, out, SKY_CALL_HEAD) != SKY_CALL_HEAD)
		return 0;
	memcpy(out + SKY_CALL_HEAD, data + 5, len - 5);
	return SKY_CALL_HEAD + len - 5;
}

static void
one(struct sky_call *c, uint64_t now, unsigned what, const uint8_t *data, size_t len)
{
	struct sky_addr from;
	struct sky_fate f = { .size = sizeof(f), .what = (uint8_t)(1 + what / 8 % (SKY_WHATS - 1)),
	    .have = SKY_HAVE_DST, .quote = data, .quote_len = (uint32_t)len };
	struct sky_call_news n;
	uint8_t dressed[512];
	size_t size;

	sky_addr_parse(&from, what & 4 ? "192.0.2.1:7" : "192.0.2.2:7");
	f.dst = from;
	if (what & 1 && len >= 5 && (size = dress(dressed, data, len)) > 0) {
		f.quote = data = dressed;
		f.quote_len = (uint32_t)(len = size);
	}
	if (what & 2)
		judge(sky_call_event(c, now, &f, &n), &n, data, len);
	else
		judge(sky_call_input(c, now, &from, data, len, &n), &n, data, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint64_t room[2048];
	struct sky_call_conf conf = { .size = sizeof(conf), .flags = len & 1, .requests = 3,
	    .peers = 1, .tries = 32, .rto = { .size = sizeof(conf.rto), .min_ns = 1,
	    .initial_ns = 1, .max_ns = 8 } };
	struct sky_call c;
	struct sky_call_news n;
	struct sky_addr dst;
	uint64_t now = 0;
	uint8_t out[64];
	size_t size;

	must(sky_call_init(&c, &conf, room, sizeof(room)) == 0);
	sky_addr_parse(&dst, "192.0.2.1:7");
	for (unsigned i = 0; i < 3; i++) {
		must(sky_call_start(&c, 0, &dst, "abc", i, i, &ids[i]) == 0);
		lives[i] = 1;
	}
	while (len >= 2) {
		size = data[1] < len - 2 ? data[1] : len - 2;
		while (sky_call_poll(&c, now, out, sizeof(out), &n) == SKY_CALL_SEND)
			must(n.len >= SKY_CALL_HEAD && n.nth <= 32);
		one(&c, now, data[0], data + 2, size);
		now += data[0] & 7;
		data += 2 + size;
		len -= 2 + size;
	}
	return 0;
}
