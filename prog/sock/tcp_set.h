/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_set.h - the options of TCP sockets: those that TCP shares with UDP, from
 * sockopts.h, and its own.
 */
#ifndef SOCK_TCP_SET_H
#define SOCK_TCP_SET_H

#include "opts.h"

#include "cli/out.h"

/* Everything that must be set before bind, connect and listen: a connection
 * has what its listener had. Returns 0; or the exit status, after a line that
 * names the option. */
int tcp_set(const struct config *c, int fd);
/* What is set on a connection; and, with -v, each option that was asked for,
 * read back from the kernel, in the sources' words, and TCP_MAXSEG. */
void tcp_set_open(const struct config *c, struct out *out, int fd);

#endif
