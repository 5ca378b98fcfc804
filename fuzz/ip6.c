/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv6 packet: header and chain written again; the chain ends, in the input. */
#include "fuzz.h"
#include "wire/ip.h"

#include <errno.h>

static void
fragment(const struct sky_ip6_chain *c, const uint8_t *at)
{
	uint8_t out[SKY_IP6_FRAGLEN];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));

	must(sky_ip6_frag_encode(&c->frag, &wr) == 0);
	must(out[0] == at[0] && out[2] == at[2]);
	must(out[3] == (at[3] & 0xf9));
	must(memcmp(out + 4, at + 4, 4) == 0);
}

static void
chain(const struct sky_ip6 *ip, struct sky_rd rd)
{
	const uint8_t *data = rd.at;
	size_t len = sky_rd_left(&rd);
	struct sky_ip6_chain c;
	int ret = sky_ip6_chain_decode(&c, ip->next, &rd);

	must(ret == 0 || ret == -EMSGSIZE || ret == -EINVAL);
	must(c.count <= SKY_IP6_CHAIN_MAX && c.len <= len && c.unfrag_len <= c.len);
	must(c.next_at == SKY_IP6_IN_BASE ? c.unfrag_len == 0 || c.has_frag : c.next_at < c.unfrag_len);
	must(!c.final || within(data, len, c.final, 16));
	if (ret == 0)
		must(rd.at == data + c.len && !rd.cut);
	if (c.has_frag) {
		must(c.unfrag_len + SKY_IP6_FRAGLEN <= c.len);
		fragment(&c, data + c.unfrag_len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t out[SKY_IP6_HLEN];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));
	struct sky_ip6 h;
	struct sky_ip ip;

	if (sky_ip6_decode(&h, &rd) != 0)
		return 0;
	must(sky_ip6_encode(&h, &wr) == 0);
	must(memcmp(out, data, sizeof(out)) == 0);
	chain(&h, rd);
	must(sky_ip_decode(&ip, data, len) == 0);
	must(within(data, len, ip.payload.at, sky_rd_left(&ip.payload)));
	must(sky_rd_left(&ip.payload) <= ip.payload_len && ip.head_len <= len);
	sky_ip_check_payload(&ip);
	return 0;
}
