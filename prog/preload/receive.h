/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * receive.h - a receive that returns what the error queue holds.
 *
 *	if (!receiving_begin(&x, fd, flags))
 *		return -1;
 *	do
 *		r = next()->recv(..., flags | x.extra);
 *	while (r < 0 && receiving_again(&x));
 *	return r;
 */
#ifndef PRELOAD_RECEIVE_H
#define PRELOAD_RECEIVE_H

#include "patience.h"
#include "state.h"

struct receiving {
	struct sock *s;		/* NULL: none of ours */
	int fd;
	int extra;		/* MSG_DONTWAIT: it is us who wait, see receive.c */
	bool waited;
	struct patience w;	/* once it has */
};

/* False: errno is the next error's, return it. */
bool receiving_begin(struct receiving *x, int fd, int flags);
/* errno says why it failed. False: it says what the program is to see. */
bool receiving_again(struct receiving *x);

#endif
