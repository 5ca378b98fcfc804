/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sig.h - signals as a descriptor, and as an exit status.
 *
 * Ctrl-C (SIGINT) is how live programs end: the loop sees sig_fd() readable,
 * prints its summary and leaves with the status of what was seen so far. SIGTERM
 * and SIGHUP do the same and leave with 128 + n. A second one ends at once.
 */
#ifndef CLI_SIG_H
#define CLI_SIG_H

/* Ignores SIGPIPE, blocks SIGINT, SIGTERM, SIGHUP and opens a signalfd for them.
 * Returns the descriptor or a negative errno. */
int sig_open(void);
/* Reads one signal. Returns its number, 0 if none waits. From the second on
 * the default action is restored, so that a stuck program can be ended. */
int sig_read(int fd);
/* The status to leave with: status itself for 0 and SIGINT, else 128 + sig. */
int sig_status(int sig, int status);

#endif
