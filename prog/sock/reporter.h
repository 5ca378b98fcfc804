/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reporter.h - --errors icmpd: the daemon as the second reporter.
 */
#ifndef SOCK_REPORTER_H
#define SOCK_REPORTER_H

#include "end.h"

/* Where it listens: SOCKEYE_ICMPD of the environment, or where it usually does. */
const char *reporter_path(void);

/* Waits until the daemon knows the socket: of what is sent before, nobody would
 * hear. Returns 0; or the exit status, after a line that says what is wrong. */
int reporter_await(struct end *e);

#endif
