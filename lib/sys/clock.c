/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.c - see clock.h. */
#include "sys/clock.h"

#include <time.h>

static uint64_t
now(clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
sky_clock_wall(void)
{
	return now(CLOCK_REALTIME);
}

uint64_t
sky_clock_steady(void)
{
	return now(CLOCK_MONOTONIC);
}
