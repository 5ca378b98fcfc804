/* SPDX-License-Identifier: BSD-2-Clause */
/* An Ethernet frame, its tags and ARP: written again as they were. */
#include "fuzz.h"
#include "wire/arp.h"
#include "wire/link.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t out[14 + 4 * SKY_LINK_TAGS + SKY_ARP_LEN];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_link l;
	struct sky_arp a;
	size_t head;

	sky_link_raw(data, len);
	if (sky_link_decode(&l, &rd) != 0)
		return 0;
	must(l.tags <= SKY_LINK_TAGS);
	must(sky_link_encode(&l, &wr) == 0);
	head = sky_wr_len(&wr);
	must(head <= len && rd.at == data + head);
	must(memcmp(out, data, head) == 0);
	if (sky_arp_decode(&a, &rd) != 0)
		return 0;
	must(sky_arp_encode(&a, &wr) == 0);
	must(memcmp(out + head + 2, data + head + 2, SKY_ARP_LEN - 2) == 0);
	return 0;
}
