/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * number.c - numbers and times as every program reads them; see opt.h.
 * Exact integer arithmetic: 0.1 s is 100000000 ns, not nearly so.
 */
#include "cli/opt.h"

#include <errno.h>
#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits into *out and moves *text on. */
static int
digits(const char **text, uint64_t *out)
{
	const char *s = *text;
	uint64_t n = 0;

	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++) {
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return -ERANGE;
	}
	*text = s;
	*out = n;
	return 0;
}

/* The factor of a suffix in a table, 0 if it is not in there. */
struct suffix {
	const char *text;
	uint64_t factor;
};

static uint64_t
factor_of(const struct suffix *table, const char *text)
{
	for (; table->text; table++)
		if (strcmp(table->text, text) == 0)
			return table->factor;
	return 0;
}

static const struct suffix sizes[] = {
	{ "", 1 },
	{ "k", 1000 }, { "K", 1000 },
	{ "m", 1000000 }, { "M", 1000000 },
	{ "g", 1000000000 }, { "G", 1000000000 },
	{ NULL, 0 }
};

int
opt_number(const char *text, uint64_t *out)
{
	uint64_t factor;
	int rc = digits(&text, out);

	if (rc == -ERANGE)
		return rc;
	factor = factor_of(sizes, text);
	if (rc || !factor)
		return -EINVAL;
	return __builtin_mul_overflow(*out, factor, out) ? -ERANGE : 0;
}

static const struct suffix times[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "min", 60000000000 },
	{ "h", 3600000000000 },
	{ NULL, 0 }
};

/* ".25" of a unit, in ns; digits past what the unit can hold are dropped. */
static int
fraction(const char **text, const char **from)
{
	if (**text != '.')
		return 0;
	*from = ++*text;
	while (is_digit(**text))
		++*text;
	return *text == *from ? -EINVAL : 0;
}

int
opt_duration(const char *text, uint64_t unit, uint64_t *out)
{
	const char *frac = "";
	uint64_t part;
	int rc;

	if (*text == '.')
		*out = 0;
	else if ((rc = digits(&text, out)) < 0)
		return rc;
	if (fraction(&text, &frac) < 0)
		return -EINVAL;
	if (*text)
		unit = factor_of(times, text);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(*out, unit, out))
		return -ERANGE;
	for (part = unit; is_digit(*frac); frac++) {
		part /= 10;
		*out += part * (uint64_t)(*frac - '0');
	}
	return 0;
}
