/* SPDX-License-Identifier: BSD-2-Clause */
/* sockopts_own.h - the options that are more than a number; see sockopts.h. */
#ifndef SOCK_SOCKOPTS_OWN_H
#define SOCK_SOCKOPTS_OWN_H

#include "sockopts.h"

/* As sockopts_set() and sockopts_say(). */
int sockopts_set_own(int fd, const struct config *c, enum sockopts_when when);
void sockopts_say_own(int fd, const struct config *c, struct out *out);

#endif
