/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stat.h - what a handful of noisy measurements may be said to show.
 *
 * The interval is that of order statistics: between the k-th smallest and the
 * k-th largest of n values lies the median of what they were drawn from, with
 * the probability that the binomial distribution gives. It supposes nothing
 * about the shape of the noise, and no random numbers are needed, so the same
 * measurements always give the same answer.
 */
#ifndef BENCH_STAT_H
#define BENCH_STAT_H

/* At most this many values in one set. */
#define STAT_MAX 256

struct stat_range {
	double low, median, high;
	double coverage;	/* what the interval really covers, `level` or more */
};

/* The middle value, the mean of the two middle ones if n is even; 0 if n is 0
 * or above STAT_MAX. v is not changed. */
double stat_median(const double *v, unsigned n);

/* The median of v and its narrowest interval that covers at least `level` (such
 * as 0.95). Returns 0, or -ERANGE when n is too small for that level (fewer
 * than 6 values for 0.95) or above STAT_MAX. */
int stat_interval(const double *v, unsigned n, double level, struct stat_range *out);

/* The same of the ratios a[i] / b[i] of values measured in pairs. */
int stat_ratio(const double *a, const double *b, unsigned n, double level,
    struct stat_range *out);

/* The same of the differences a[i] - b[i]. */
int stat_difference(const double *a, const double *b, unsigned n, double level,
    struct stat_range *out);

#endif
