/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hist.h - times counted in bounded memory, and their quantiles.
 *
 * Log-linear: 64 steps in each power of two, so that a quantile is within 0.8 %
 * (1/128) of a value that was added; below 128 ns it is exact. Distances from
 * `base` are counted, with their sign: two clocks that differ by an hour leave
 * the delays between them fine differences of a large number. The least and the
 * most are exact; beyond 137 s from the base all are counted as that. Pure.
 */
#ifndef SKY_PROTO_HIST_H
#define SKY_PROTO_HIST_H

#include <stdint.h>

#define SKY_HIST_STEPS 2048

struct sky_hist {
	uint64_t n;
	int64_t base, min, max;		/* ns; of no meaning while n is 0 */
	uint32_t above[SKY_HIST_STEPS];	/* base and more */
	uint32_t below[SKY_HIST_STEPS];
};

/* base is 0 unless the first value is more than 10 s away from it: then it is
 * the first value. A struct of zeroes is an empty one. */
void sky_hist_add(struct sky_hist *h, int64_t ns);
/* The value at rank ceil(n * part / whole), between min and max; 0 if empty. */
int64_t sky_hist_quantile(const struct sky_hist *h, unsigned part, unsigned whole);

#endif
