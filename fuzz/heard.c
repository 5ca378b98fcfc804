/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a raw ICMP socket heard: the first byte says the family, whether more was
 * cut off and (bit 2) that the checksum is to be mended, so that what lies behind it
 * is reached. Quote and extension lie within the input, ends have the family.
 */
#include "fuzz.h"
#include "fate/heard.h"
#include "proto/icmpdmsg.h"
#include "wire/icmp.h"

static void
check(const struct sky_fate *f, const struct sky_heard *h)
{
	struct sky_icmpdmsg_fate m = { .fate = *f };
	struct sky_icmpdmsg_out o = { .records = 0 };
	uint8_t record[SKY_ICMPDMSG_FATE_MAX];
	char text[256];

	must(within(h->data, h->len, f->quote, f->quote_len));
	must(within(h->data, h->len, f->ext, f->ext_len));
	must(sky_addr_family(&f->src) == h->family && sky_addr_family(&f->dst) == h->family);
	must(f->proto == 17 || f->proto == 6 || f->proto == 136);
	must(f->what > SKY_NOTHING && f->what < SKY_WHATS);
	must(f->have & SKY_HAVE_BY);
	must(sky_fate_explain(f, text, sizeof(text)) > 0);
	/* whatever it is, it fits where a queue makes room */
	o.wr = sky_wr_of(record, sizeof(record));
	must(sky_icmpdmsg_put_fate(&o, &m) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t copy[2048];
	struct sky_heard h = { .data = copy, .time_ns = 1, .ifindex = 2 };
	struct sky_fate f;

	if (!len || len > sizeof(copy))
		return 0;
	h.family = data[0] & 1 ? AF_INET6 : AF_INET;
	h.cut = data[0] & 2;
	h.len = len - 1;
	memcpy(copy, data + 1, h.len);
	if (h.family == AF_INET6)
		h.by.u.sa.sa_family = AF_INET6;
	else if ((data[0] & 4) && h.len > (copy[0] & 15u) * 4u)
		sky_icmp_seal(copy + (copy[0] & 15u) * 4u, h.len - (copy[0] & 15u) * 4u, NULL, NULL);
	if (sky_fate_hear(&f, &h) == 0)
		check(&f, &h);
	return 0;
}
