/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.h - from struct sky_udp_conf to options in force; for udp.c alone. */
#ifndef SKY_SOCK_CONF_H
#define SKY_SOCK_CONF_H

#include "sock/handle.h"

/* A conf that makes sense? Takes what is known of it into known (a smaller or
 * NULL conf has defaults). 0 or -EINVAL. */
int sky_conf_read(struct sky_udp_conf *known, const struct sky_udp_conf *c);

/* Sets what must be set before bind, and what tells of fates and datagrams. A
 * missing option is noted in u->cap. 0, or what an option said without which
 * the socket would not be what was asked for. */
int sky_conf_apply(struct udp *u, const struct sky_udp_conf *c, bool adopted);

/* Asks for errors, or stops it (the queue is purged). */
void sky_conf_errors(struct udp *u, bool on);

#endif
