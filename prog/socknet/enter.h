/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enter.h - a program of the caller's on a host of a lab: a shell, or a command.
 *
 * It has the caller's standard input, output and error.
 */
#ifndef SOCKNET_ENTER_H
#define SOCKNET_ENTER_H

#include "loop.h"

/* With all privileges over the lab; the prompt names the host. Both return its
 * exit status (128 + n after a signal), or 1 after one line. */
int enter_shell(struct loop *l, unsigned host);

/* argv ends with NULL. As an ordinary user, as all programs of a lab. Signals
 * that reach socknet reach it. */
int enter_command(struct loop *l, unsigned host, const char *const *argv);

#endif
