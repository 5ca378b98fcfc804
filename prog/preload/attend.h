/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attend.h - a wait was woken because the error queue of a socket is not empty.
 */
#ifndef PRELOAD_ATTEND_H
#define PRELOAD_ATTEND_H

#include "state.h"

/* True if the program is to know: it waits for something to receive, and a receive
 * will return the error; or it waits for errors alone, on a connected socket, where
 * there always were some. Else the queue has been emptied, so that the same does not
 * wake it again. Does not touch errno. */
bool attend(struct sock *s, int fd, bool wants_input);

#endif
