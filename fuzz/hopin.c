/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a raw socket hears about probes. The first byte: 1 IPv6, 2 probes are echo
 * requests, 4 a right tag is put at the place that the second byte says (in fours).
 * Only what has the tag, or our ends, is taken for ours.
 */
#include "fuzz.h"
#include "proto/hopin.h"

static const uint64_t key[2] = { 1, 2 };

static void
look(const struct sky_hop_answer *a, const struct sky_hopin *sent)
{
	must(a->what > SKY_HOP_NOTHING && a->what < SKY_HOP_LOCAL);
	must((a->trust == SKY_TRUST_MATCHED) == (a->id != 0));
	must(a->labels <= SKY_HOP_LABELS);
	must(sky_addr_port(&a->by) == 0);
	must(a->what == SKY_HOP_TOO_BIG || !a->mtu);
	must(!a->rewritten || a->trust == SKY_TRUST_MATCHED);
	must(a->what != SKY_HOP_REACHED || a->reply_len || sky_addr_same_host(&a->by, &sent->dst));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_hopin sent = { .key = { key[0], key[1] }, .last_id = 300 };
	struct sky_hop_answer a;
	struct sky_addr by;
	uint8_t copy[2048];
	int flags;
	uint32_t id;
	size_t at;

	if (len < 2 || len > sizeof(copy))
		return 0;
	flags = data[0];
	at = (size_t)data[1] * 4;
	data += 2;
	len -= 2;
	sky_addr_parse(&sent.src, flags & 1 ? "[fd00::1]:4660" : "10.0.0.1:4660");
	sky_addr_parse(&sent.dst, flags & 1 ? "[fd00:8::2]:33434" : "10.0.8.2:33434");
	sky_addr_parse(&by, flags & 1 ? "fd00:8::2" : "10.0.8.2");
	sent.proto = !(flags & 2) ? IPPROTO_UDP : flags & 1 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	memcpy(copy, data, len);
	if (flags & 4 && at + SKY_HOPTAG_LEN <= len)
		sky_hoptag_write(copy + at, key, 77);
	if (sky_hopin_icmp(&a, &sent, &by, copy, len))
		look(&a, &sent);
	must((sky_hoptag_read(key, copy, len, &id) == SKY_TRUST_MATCHED) == (id != 0));
	memset(&a, 0, sizeof(a));
	sky_hopin_guess(&a, copy, len, at);
	sky_hopin_labels(&a, copy, len);
	must(a.labels <= SKY_HOP_LABELS);
	return 0;
}
