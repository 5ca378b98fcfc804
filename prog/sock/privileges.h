/* SPDX-License-Identifier: BSD-2-Clause */
/* privileges.h - what nobody needs any more once the sockets are open. */
#ifndef SOCK_PRIVILEGES_H
#define SOCK_PRIVILEGES_H

/* Gives up another user's or group's, and the chance to get them back. Returns 0
 * or a negative errno. */
int privileges_drop(void);

#endif
