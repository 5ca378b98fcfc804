/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrtext.h - addresses out of text, as far as that needs no kernel.
 *
 * The public sky_addr_parse() is this and a look at the names of interfaces.
 */
#ifndef SKY_BASE_ADDRTEXT_H
#define SKY_BASE_ADDRTEXT_H

#include <sockeye/addr.h>

/* Room for the name of an interface with its NUL (the kernel's IFNAMSIZ). */
#define SKY_IFNAME 16

/* Reads every form that sky_addr_parse() names, and "fe80::1%2" with the scope
 * as a number. A scope that is a name is put into ifname, with scope 0 in *a:
 * the caller looks it up; ifname is empty otherwise. "::ffff:192.0.2.1" gives
 * plain IPv4. Returns 0, -EINVAL, -ERANGE for a port above 65535, -ENODEV for a
 * name that is too long for an interface; *a is unspecified then. */
int sky_addr_scan(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text);

#endif
