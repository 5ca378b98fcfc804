/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum against one that adds byte by byte. The first three
 * bytes say where the rest is divided and how it is aligned.
 */
#include "fuzz.h"
#include "wire/cksum.h"

static uint16_t
slow(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)(p[i] << 8);
		if (sum > 0xffff)
			sum = (sum & 0xffff) + 1;
	}
	return (uint16_t)(0xffff - sum);
}

/* UDP over IPv4 from 1.2.3.4 to 5.6.7.8, whose addresses and protocol sum up to
 * 0x0102 + 0x0304 + 0x0506 + 0x0708 + 17. */
static void
udp(uint8_t *p, size_t len)
{
	struct sky_addr src = { .u.in = { .sin_family = AF_INET } }, dst = src;
	const uint8_t a[4] = { 1, 2, 3, 4 }, b[4] = { 5, 6, 7, 8 };
	uint16_t sum;

	if (len < 8)
		return;
	memcpy(&src.u.in.sin_addr, a, 4);
	memcpy(&dst.u.in.sin_addr, b, 4);
	p[4] = (uint8_t)(len >> 8);
	p[5] = (uint8_t)len;
	p[6] = p[7] = 0;
	must(sky_cksum_check(&src, &dst, 17, p, len, len) == SKY_CKSUM_NONE);
	sum = slow(p, len, 0x1014 + 17 + (uint32_t)len);
	if (!sum)
		sum = 0xffff;
	p[6] = (uint8_t)(sum >> 8);
	p[7] = (uint8_t)sum;
	must(sky_cksum_check(&src, &dst, 17, p, len, len) == SKY_CKSUM_GOOD);
	must(sky_cksum_check(&src, &dst, 17, p, len - 1, len) == SKY_CKSUM_CUT);
	p[len - 1] ^= 1;
	must(sky_cksum_check(&src, &dst, 17, p, len, len) != SKY_CKSUM_GOOD);
}

static void
changed_word(uint8_t *p, size_t len, uint16_t is)
{
	uint16_t sum = slow(p, len, 0), was;

	if (len < 2)
		return;
	was = (uint16_t)(p[0] << 8 | p[1]);
	p[0] = (uint8_t)(is >> 8);
	p[1] = (uint8_t)is;
	sum = sky_cksum_update(sum, was, is);
	/* 0 and 0xffff are the same sum. */
	must(sum % 0xffff == slow(p, len, 0) % 0xffff);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_cksum c = sky_cksum_start();
	size_t a, b, n = len < 3 ? 0 : len - 3, shift;
	uint8_t *copy, *p;

	if (len < 3 || n > 60000)
		return 0;
	shift = data[2] % 16;
	copy = malloc(n + shift + 1);
	must(copy);
	p = copy + shift;
	memcpy(p, data + 3, n);
	a = n ? data[0] % (n + 1) : 0;
	b = a + data[1] % (n - a + 1);
	sky_cksum_add(&c, p, a);
	sky_cksum_add(&c, p + a, b - a);
	sky_cksum_add(&c, p + b, n - b);
	must(sky_cksum_finish(&c) == slow(p, n, 0));
	must(sky_cksum_of(p, n) == slow(p, n, 0));
	changed_word(p, n, (uint16_t)(data[0] << 8 | data[1]));
	udp(p, n);
	free(copy);
	return 0;
}
