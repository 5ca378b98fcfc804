/* SPDX-License-Identifier: BSD-2-Clause */
/* terminal.h - cbreak mode: keys are read as they are typed, and not echoed. */
#ifndef SOCK_TERMINAL_H
#define SOCK_TERMINAL_H

/* Standard input, which must be a terminal, until the program ends in whatever
 * way but SIGKILL; a stopped program gives it back meanwhile. Call it when the
 * program's other signals are set up. Returns 0 or a negative errno. */
int terminal_cbreak(void);

#endif
