/* SPDX-License-Identifier: BSD-2-Clause */
/* reporter.c - see reporter.h. */
#include "reporter.h"
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_NS UINT64_C(2000000000)

const char *
reporter_path(void)
{
	const char *path = getenv("SOCKEYE_ICMPD");

	return path && *path ? path : SKY_ICMPD_PATH;
}

int
reporter_await(struct end *e)
{
	struct sky_udp_info info = { .size = sizeof(info) };
	uint64_t end = run_clock() + WAIT_NS;
	struct sky_fate f;
	int fds[2], rc = 0;

	sky_udp_fds(&e->u, fds);
	do {
		struct pollfd p = { .fd = fds[1], .events = POLLIN };

		poll(&p, 1, 100);
		while (sky_udp_errors(&e->u, &f, 1, NULL, 0) > 0)
			continue;
		rc = sky_udp_info(&e->u, &info);
		rc = rc < 0 ? rc : info.cap[SKY_CAP_ICMPD];
	} while (rc == -ENOTCONN && run_clock() < end);
	if (rc == 1)
		return 0;
	fprintf(stderr, "sock: '%s': %s (expected icmpd(8) there)\n", reporter_path(),
	    strerror(rc == -ENOTCONN ? ETIMEDOUT : -rc));
	return 1;
}
