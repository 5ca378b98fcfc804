/* SPDX-License-Identifier: BSD-2-Clause */
/* prefix.c - see prefix.h. */
#include "base/prefix.h"

#include <string.h>

static const uint8_t *
bytes_of(const struct sky_addr *a)
{
	if (sky_addr_family(a) == AF_INET)
		return (const uint8_t *)&a->u.in.sin_addr;
	return a->u.in6.sin6_addr.s6_addr;
}

bool
sky_prefix_has(const struct sky_addr *net, unsigned bits, const struct sky_addr *a)
{
	const uint8_t *x = bytes_of(net), *y = bytes_of(a);
	unsigned whole = bits / 8, rest = bits % 8;

	if (sky_addr_family(net) != sky_addr_family(a) || memcmp(x, y, whole) != 0)
		return false;
	return !rest || ((x[whole] ^ y[whole]) >> (8 - rest)) == 0;
}
