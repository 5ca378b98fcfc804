/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set.h - options of sockets: one table for UDP and TCP.
 *
 * A row says which member of the config asks for it, its level and name for
 * IPv4 and IPv6, and how it is told. Every socket of the program goes through
 * here, so that an option works the same wherever it applies.
 */
#ifndef SOCK_SET_H
#define SOCK_SET_H

#include "opts.h"

#include "cli/out.h"

/* Sets everything that the config asks for on a socket of the family that is
 * not bound yet; an AF_INET6 socket that also carries IPv4 gets both. Returns 0;
 * or the exit status, after a line that names the option. */
int set_apply(const struct config *c, int fd, int family, int type);

/* With -v: each option that was asked for, read back from the kernel, in the
 * sources' words; TCP_MAXSEG of every connection. */
void set_say(const struct config *c, struct out *out, int fd, int family, int type);

#endif
