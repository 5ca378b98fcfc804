/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poller.h - one descriptor that stands for many (epoll, level-triggered).
 */
#ifndef SKY_SYS_POLLER_H
#define SKY_SYS_POLLER_H

#include <stdint.h>

#define SKY_POLLER_BATCH 32

/* The descriptor, close-on-exec, to be closed with sky_sockfd_close(). */
int sky_poller_open(void);
/* Watches fd until it is closed; out: for room to send, too. token is given back
 * by sky_poller_take(). 0 or a negative errno. */
int sky_poller_add(int poller, int fd, int out, uint32_t token);
/* The same fd, with or without room to send; in: and whether to read. */
int sky_poller_change(int poller, int fd, int in, int out, uint32_t token);
int sky_poller_remove(int poller, int fd);
/* The tokens of those that have something, without waiting: how many. */
int sky_poller_take(int poller, uint32_t token[static SKY_POLLER_BATCH]);
/* The same, but sleeps until one has, or so many ms (-1: for ever) are over: 0. */
int sky_poller_sleep(int poller, uint32_t token[static SKY_POLLER_BATCH], int ms);

#endif
