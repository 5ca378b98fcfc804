/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service.h - what a supervisor and its service say to each other, as systemd does
 * it: descriptors that are open already (sd_listen_fds(3)), and news (sd_notify(3)).
 */
#ifndef SKY_SYS_SERVICE_H
#define SKY_SYS_SERVICE_H

/* How many descriptors were handed over, the first is SKY_SERVICE_FD; 0 if none.
 * They become close-on-exec, and the environment forgets them. */
#define SKY_SERVICE_FD 3
int sky_service_descriptors(void);
/* Is fd a listening socket of this family and type? */
int sky_service_is_listener(int fd, int family, int type);

/* Opens the way for news, before rights are given up: a descriptor, or -1 if nobody
 * asked for news. */
int sky_service_open(void);
/* text: "READY=1" and the like. 0 or a negative errno; nothing for -1. */
int sky_service_tell(int fd, const char *text);

#endif
