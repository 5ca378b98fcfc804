/* SPDX-License-Identifier: BSD-2-Clause */
/* addr.c - addresses from text, with the names of interfaces. */
#include "base/addrtext.h"

#include <errno.h>
#include <net/if.h>

int
sky_addr_parse(struct sky_addr *a, const char *text)
{
	char ifname[SKY_IFNAME];
	int saved = errno;
	int r = sky_addr_scan(a, ifname, text);

	if (r != 0 || ifname[0] == '\0')
		return r;
	a->u.in6.sin6_scope_id = if_nametoindex(ifname);
	errno = saved;
	if (a->u.in6.sin6_scope_id)
		return 0;
	*a = (struct sky_addr){ 0 };
	return -ENODEV;
}
