/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wake.h - when the socket is to be read: the timeout of -x, SIGIO of -I, the
 * look before the read of -Z.
 */
#ifndef SOCK_WAKE_H
#define SOCK_WAKE_H

#include <stdbool.h>
#include <stdint.h>

struct run;

struct wake {
	bool reading;		/* the role waits for nothing but the socket */
	uint64_t since;		/* when it began to; 0: it has just read */
	int signals;		/* descriptor of SIGIO; 0: not asked for */
	bool more;		/* it came, and not all was read since */
	uint64_t came;		/* how often */
};

/* Returns 0 or a negative errno. */
int wake_open(struct run *x);
/* The descriptor to wait for instead of the socket. */
int wake_fd(const struct run *x);
/* When to stop waiting, at the latest. */
uint64_t wake_deadline(struct run *x, uint64_t deadline);
/* After the wait: is the socket to be read? A read that waited too long ends
 * the run. */
bool wake_up(struct run *x, bool readable);
/* Looks at the next datagram and leaves it there. Returns 0, or the negative
 * errno that a plain socket gave for it. */
int wake_peek(struct run *x);

#endif
