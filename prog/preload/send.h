/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send.h - a send that an earlier datagram's error does not fail.
 *
 *	sending_begin(&x, fd, to, len);
 *	do
 *		r = next()->sendto(...);
 *	while (r < 0 && sending_again(&x));
 *	return sending_end(&x, r, n);
 */
#ifndef PRELOAD_SEND_H
#define PRELOAD_SEND_H

#include "state.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>

struct sending {
	struct sock *s;		/* NULL: none of ours */
	int fd;
	int tries;
	bool to_peer;		/* no destination given: the peer that it is connected to */
	bool swallowed;		/* what without an error queue is a success */
};

/* Turns the error queue on at the first send. */
void sending_begin(struct sending *x, int fd, const void *to, socklen_t len);
/* errno says why it failed: true if it was not this datagram's fault. */
bool sending_again(struct sending *x);

static inline ssize_t
sending_end(const struct sending *x, ssize_t r, size_t n)
{
	return x->swallowed ? (ssize_t)n : r;
}

#endif
