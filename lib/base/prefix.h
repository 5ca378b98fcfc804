/* SPDX-License-Identifier: BSD-2-Clause */
/* prefix.h - networks: an address, and how many of its bits count. */
#ifndef SKY_BASE_PREFIX_H
#define SKY_BASE_PREFIX_H

#include <sockeye/addr.h>

/* True if a begins with the first bits of net; both are of the same family, or it is
 * false. bits: 0 to 32 for IPv4, to 128 for IPv6. Ports and scopes do not matter. */
bool sky_prefix_has(const struct sky_addr *net, unsigned bits, const struct sky_addr *a);

#endif
