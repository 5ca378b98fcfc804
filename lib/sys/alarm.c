/* SPDX-License-Identifier: BSD-2-Clause */
/* alarm.c - see alarm.h. */
#include "sys/alarm.h"
#include "sys/ret.h"

#include <sys/timerfd.h>
#include <time.h>

int
sky_alarm_open(void)
{
	int saved = errno;

	return sky_ret(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), saved);
}

int
sky_alarm_set(int fd, uint64_t ns)
{
	struct itimerspec t = { .it_value = { .tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u) } };
	int saved = errno;

	return sky_ret(timerfd_settime(fd, 0, &t, NULL), saved);
}
