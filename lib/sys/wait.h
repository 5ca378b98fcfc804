/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.h - one descriptor that stands for many (epoll, level-triggered).
 */
/* Who has this folder's parent in his search path finds this file when he asks for
 * <sys/wait.h>. */
#include_next <sys/wait.h>

#ifndef SKY_SYS_WAIT_H
#define SKY_SYS_WAIT_H

#include <stdint.h>

#define SKY_WAIT_BATCH 32

/* The descriptor, close-on-exec, to be closed with sky_sockfd_close(). */
int sky_wait_open(void);
/* Watches fd until it is closed; out: for room to send, too. token is given back
 * by sky_wait_take(). 0 or a negative errno. */
int sky_wait_add(int wait, int fd, int out, uint32_t token);
/* The tokens of those that have something, without waiting: how many. */
int sky_wait_take(int wait, uint32_t token[static SKY_WAIT_BATCH]);

#endif
