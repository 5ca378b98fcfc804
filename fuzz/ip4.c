/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv4 packet: what is read can be written again, and lies within the input. */
#include "fuzz.h"
#include "wire/ip.h"

#include <errno.h>

static void
options(const struct sky_ip4 *ip, const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_ip4_opts(ip);
	struct sky_ip4_opt opt;
	size_t sum = 0;

	while (sky_ip4_opt_next(&rd, &opt) > 0) {
		sum += opt.len;
		must(opt.len >= 1 && sum <= 40);
		must(opt.len < 2 || within(data, len, opt.data, opt.len - 2u));
	}
	must(sky_ip4_final(ip) == ip->dst || within(data, len, sky_ip4_final(ip), 4));
}

static void
written_again(const struct sky_ip4 *ip, const uint8_t *data, size_t len)
{
	uint8_t out[SKY_IP4_HMAX];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));

	must(sky_ip4_encode(ip, &wr) == 0);
	must(sky_wr_len(&wr) == ip->hlen);
	must(sky_ip4_check(out, ip->hlen) == SKY_CKSUM_GOOD);
	must(memcmp(out, data, 10) == 0);
	must(memcmp(out + 12, data + 12, ip->hlen - 12u) == 0);
	/* 0 and 0xffff are the same sum. */
	if (sky_ip4_check(data, len) == SKY_CKSUM_GOOD && ip->sum != 0xffff)
		must(memcmp(out, data, ip->hlen) == 0);
	must(sky_ip4_set_ttl(out, ip->hlen, (uint8_t)(ip->ttl - 1)) == 0);
	must(sky_ip4_check(out, ip->hlen) == SKY_CKSUM_GOOD);
}

static void
either_version(const uint8_t *data, size_t len)
{
	struct sky_ip ip;

	if (sky_ip_decode(&ip, data, len) != 0)
		return;
	must(within(data, len, ip.payload.at, sky_rd_left(&ip.payload)));
	must(ip.flags & (SKY_IP_BAD_LEN | SKY_IP_BAD_HEAD) ||
	    sky_rd_left(&ip.payload) <= ip.payload_len);
	must(ip.src.u.sa.sa_family == ip.family && ip.final.u.sa.sa_family == ip.family);
	sky_ip_check_payload(&ip);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len), part;
	struct sky_ip4 ip;
	int ret = sky_ip4_decode(&ip, &rd);

	either_version(data, len);
	must(ret == 0 || ret == -EMSGSIZE || ret == -EINVAL);
	if (ret != 0)
		return 0;
	options(&ip, data, len);
	written_again(&ip, data, len);
	sky_ip4_payload(&ip, &rd, &part);
	must(within(data, len, part.at, sky_rd_left(&part)));
	must(sky_rd_left(&part) + ip.hlen <= len);
	return 0;
}
