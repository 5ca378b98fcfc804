/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * patience.h - what is left of a time to wait, when a wait was woken by what is
 * not shown to the program. Reads no clock before that.
 */
#ifndef PRELOAD_PATIENCE_H
#define PRELOAD_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct patience {
	int64_t left_ns;	/* negative: for ever */
	int64_t end_ns;		/* CLOCK_MONOTONIC */
};

/* Reads the clock only if the time is limited and not over at once. */
void patience_begin(struct patience *p, int64_t ns);
int64_t patience_of(const struct timespec *t);		/* NULL: for ever */
bool patience_makes_sense(const struct timespec *t);
/* Is there time for one more wait? What is left is what the clock says. */
bool patience_again(struct patience *p);
int patience_ms(const struct patience *p);
/* NULL for ever, else t filled. */
struct timespec *patience_spec(const struct patience *p, struct timespec *t);

#endif
