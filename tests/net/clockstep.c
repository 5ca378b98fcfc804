/* SPDX-License-Identifier: BSD-2-Clause */
/* clockstep.c - preloaded: every look at the wall clock sees another day, forwards and
 * back, as if somebody stepped it all the time. The steady clock is left alone. */
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *t);

int
clock_gettime(clockid_t id, struct timespec *t)
{
	static const int64_t steps[] = { 0, 86400, -86400, 3600000000, -1500000000, 1, -1 };
	static unsigned at;
	int r = (int)syscall(SYS_clock_gettime, id, t);

	if (r == 0 && id == CLOCK_REALTIME)
		t->tv_sec += steps[at++ % (sizeof(steps) / sizeof(steps[0]))];
	return r;
}
