/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stdfd.h - descriptors 0, 1 and 2.
 *
 * A program may be started with some of them closed. Then what it opens next, a
 * socket perhaps, gets that number, and what is meant for people goes to the
 * network. First of all in main().
 */
#ifndef CLI_STDFD_H
#define CLI_STDFD_H

/* Occupies those that are closed, so that using them fails as before (EBADF).
 * Ends the program if even that is impossible. */
void stdfd_hold(void);

#endif
