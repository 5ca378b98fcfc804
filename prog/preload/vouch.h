/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vouch.h - was anything ever sent there?
 *
 * An error counts for the kernel if the ports that it quotes match; here the
 * destination must be one of the socket's recent ones, too, where that is known.
 */
#ifndef PRELOAD_VOUCH_H
#define PRELOAD_VOUCH_H

#include "state.h"

#include <sockeye/addr.h>
#include <sys/socket.h>

/* A datagram goes to this address; NULL to the peer, which needs no memory. */
void vouch_sent(struct sock *s, const void *to, socklen_t len);

enum vouch { VOUCH_YES, VOUCH_NO, VOUCH_UNKNOWN };

/* NO only if all that was ever sent is remembered. */
enum vouch vouch_ask(const struct sock *s, const struct sky_addr *to);

#endif
