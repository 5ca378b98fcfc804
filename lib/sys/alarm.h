/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alarm.h - a descriptor that becomes readable after a time (timerfd).
 */
#ifndef SKY_SYS_ALARM_H
#define SKY_SYS_ALARM_H

#include <stdint.h>

/* The descriptor, close-on-exec, or a negative errno. */
int sky_alarm_open(void);
/* In ns from now, once; 0: not at all, and not readable any more. */
int sky_alarm_set(int fd, uint64_t ns);

#endif
