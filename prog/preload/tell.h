/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tell.h - one line about an error, for people.
 *
 * "1763757600.123456 dig[4711] to 192.0.2.7:53: refused (ECONNREFUSED), port
 * unreachable, says 192.0.2.7": to the file that was named, opened for each line
 * and appended to, or to standard error as long as that is what it was at the
 * start. Nothing is held open: the program owns its descriptors.
 */
#ifndef PRELOAD_TELL_H
#define PRELOAD_TELL_H

#include <sockeye/fate.h>

/* Nothing, if no lines are wanted. Does not touch errno. */
void tell(const struct sky_fate *f);

#endif
