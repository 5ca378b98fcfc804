/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message between icmpd and a client, read as what its kind says and as every
 * other kind: what is read can be written, and is then read again as the same.
 */
#include "fuzz.h"
#include "proto/icmpdmsg.h"

static uint8_t again[SKY_ICMPDMSG_MAX];

static void
fates(struct sky_icmpdmsg m, const uint8_t *data, size_t len)
{
	struct sky_icmpdmsg_fate f, g;
	struct sky_icmpdmsg_out o;
	struct sky_icmpdmsg n;

	while (sky_icmpdmsg_next_fate(&m, &f) == 1) {
		must(within(data, len, f.fate.quote, f.fate.quote_len));
		must(within(data, len, f.fate.ext, f.fate.ext_len));
		must(f.fate.evidence < SKY_EVIDENCES && f.fate.trust <= SKY_TRUST_SHORT);
		sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_FATES, again, sizeof(again));
		must(sky_icmpdmsg_put_fate(&o, &f) == 0);
		must(sky_wr_len(&o.wr) <= SKY_ICMPDMSG_HEAD + SKY_ICMPDMSG_FATE_MAX);
		must(sky_icmpdmsg_open(&n, again, sky_icmpdmsg_end(&o)) == 0);
		must(sky_icmpdmsg_next_fate(&n, &g) == 1 && sky_icmpdmsg_next_fate(&n, &g) == 0);
	}
}

static void
sockets(struct sky_icmpdmsg m)
{
	struct sky_icmpdmsg_socket s, t;
	struct sky_icmpdmsg_out o;
	struct sky_icmpdmsg n;

	while (sky_icmpdmsg_next_socket(&m, &s) == 1) {
		sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_ADD, again, sizeof(again));
		must(sky_icmpdmsg_put_socket(&o, &s) == 0);
		must(sky_icmpdmsg_open(&n, again, sky_icmpdmsg_end(&o)) == 0);
		must(sky_icmpdmsg_next_socket(&n, &t) == 1);
		must(memcmp(&s, &t, sizeof(s)) == 0);
	}
}

static void
filters(struct sky_icmpdmsg m)
{
	struct sky_icmpd_filter f;

	while (sky_icmpdmsg_next_filter(&m, &f) == 1)
		must(f.bits <= 128);
}

static void
small(struct sky_icmpdmsg m)
{
	struct sky_icmpdmsg n = m, p = m, q = m;
	struct sky_icmpdmsg_result r;
	struct sky_icmpd_client c;
	uint64_t a, b;
	uint32_t flags;

	while (sky_icmpdmsg_next_result(&m, &r) == 1)
		must(r.err <= 0 && r.err > -4096);
	while (sky_icmpdmsg_next_client(&n, &c) == 1)
		continue;
	while (sky_icmpdmsg_next_pair(&p, &a, &b) == 1)
		continue;
	while (sky_icmpdmsg_next_hello(&q, &flags) == 1)
		continue;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_icmpdmsg m;

	if (sky_icmpdmsg_open(&m, data, len) < 0)
		return 0;
	must(m.left <= SKY_ICMPDMSG_RECORDS);
	fates(m, data, len);
	sockets(m);
	filters(m);
	small(m);
	return 0;
}
