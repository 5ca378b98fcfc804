/* SPDX-License-Identifier: BSD-2-Clause */
/* stat.c - medians, and order-statistic intervals for them. */
#include "stat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
ascending(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static void
sorted(const double *v, unsigned n, double out[STAT_MAX])
{
	memcpy(out, v, n * sizeof(*v));
	qsort(out, n, sizeof(*out), ascending);
}

static double
middle(const double *s, unsigned n)
{
	return n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

double
stat_median(const double *v, unsigned n)
{
	double s[STAT_MAX];

	if (n == 0 || n > STAT_MAX)
		return 0;
	sorted(v, n, s);
	return middle(s, n);
}

/* The probability that exactly k of n fair coins show heads. */
static double
coin(unsigned n, unsigned k)
{
	return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) - n * log(2));
}

/* The largest rank k such that missing on either side, fewer than k of n on
 * one side of the median, stays within 1 - level; 0 if there is none. */
static unsigned
rank(unsigned n, double level, double *coverage)
{
	double tail = 0, next;
	unsigned k;

	for (k = 0; k < n / 2; k++) {
		next = tail + 2 * coin(n, k);
		if (next > 1 - level)
			break;
		tail = next;
	}
	*coverage = 1 - tail;
	return k;
}

int
stat_interval(const double *v, unsigned n, double level, struct stat_range *out)
{
	double s[STAT_MAX];
	unsigned k;

	if (n == 0 || n > STAT_MAX)
		return -ERANGE;
	k = rank(n, level, &out->coverage);
	if (k == 0)
		return -ERANGE;
	sorted(v, n, s);
	out->low = s[k - 1];
	out->median = middle(s, n);
	out->high = s[n - k];
	return 0;
}

int
stat_ratio(const double *a, const double *b, unsigned n, double level,
    struct stat_range *out)
{
	double r[STAT_MAX];
	unsigned i;

	if (n > STAT_MAX)
		return -ERANGE;
	for (i = 0; i < n; i++)
		r[i] = a[i] / b[i];
	return stat_interval(r, n, level, out);
}

int
stat_difference(const double *a, const double *b, unsigned n, double level,
    struct stat_range *out)
{
	double d[STAT_MAX];
	unsigned i;

	if (n > STAT_MAX)
		return -ERANGE;
	for (i = 0; i < n; i++)
		d[i] = a[i] - b[i];
	return stat_interval(d, n, level, out);
}
