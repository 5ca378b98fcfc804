/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - what time it is; neither call enters the kernel on usual machines. */
#ifndef SKY_SYS_CLOCK_H
#define SKY_SYS_CLOCK_H

#include <stdint.h>

uint64_t sky_clock_wall(void);		/* CLOCK_REALTIME, ns */
uint64_t sky_clock_steady(void);	/* CLOCK_MONOTONIC, ns */

#endif
