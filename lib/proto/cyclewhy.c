/* SPDX-License-Identifier: BSD-2-Clause */
/* cyclewhy.c - loss or an empty bucket: what the pattern of the answers says. */
#include "proto/cyclein.h"

#define RUN_LEAST 4			/* silences in a row that chance does not make */
#define RUN_MOST 20
#define CHANCE 1e-4			/* of such a run, with the loss that is seen */
#define LOSS_LEAST 0.1			/* assumed for it */
#define IN_ROW 3			/* answers in a row, at full speed: no bucket */
#define GAP_LEAST 3			/* intervals between answers of an empty one */
#define REGULAR 6			/* such gaps of one length: a bucket */
#define LOOK 50				/* probes before half speed is tried */
#define LOOK_SILENT 5			/* silences among them that call for it */
#define BETTER 4			/* a trial expects so many times fewer of them */
#define IS_BUCKET -6.9			/* odds, as logarithms: 1000 to 1, */
#define IS_LOSS 3.0			/* 20 to 1 */
#define AGAIN 1000			/* probes until the next trial */
#define SLOWEST UINT64_C(10000000000)

/* What is under way belongs to what was before. */
static void
enter(struct cycle_hop *h, enum sky_cycle_mode mode)
{
	h->h.mode = mode;
	h->regime = h->last_sent;
	h->next_at = h->last_sent + h->h.spacing_ns;
	h->run = h->gaps = h->in_row = 0;
	h->long_runs = 0;
	h->meter_open = h->meter_answered = 0;
	h->odds = 0;
	h->fast_sent = h->fast_silent = 0;
}

/* How many silences in a row are more than chance, at this hop. */
static unsigned
run_limit(const struct cycle_hop *h)
{
	double p = (h->h.lost + 0.5) / (h->h.fair + h->h.lost + 5.0), all = 1;
	unsigned n = 0;

	p = p < LOSS_LEAST ? LOSS_LEAST : p;
	for (; all > CHANCE * 1.01 && n < RUN_MOST; n++)
		all *= p;
	return n < RUN_LEAST ? RUN_LEAST : n;
}

/* So many were not lost after all; late answers may have said so before. */
static uint64_t
regain(struct cycle_hop *h, uint64_t n)
{
	n = n < h->h.lost ? n : h->h.lost;
	h->h.lost -= n;
	return n;
}

static void
lose_run(struct cycle_hop *h)
{
	h->h.lost += h->run;
	h->fast_silent += h->run;
	h->long_runs += h->run >= GAP_LEAST ? h->run : 0;
	h->run = 0;
}

/* --- meter: at full speed, in silence --- */

static void
begin_meter(struct cycle_hop *h)
{
	uint64_t silent = h->run, busy = h->busy, runs = h->long_runs;

	enter(h, SKY_CYCLE_METER);
	h->long_runs = runs;
	h->meter_open = silent;
	h->busy = busy;
	h->last_answer = 0;
}

static void
spaced(struct cycle_hop *h, uint64_t interval, uint64_t period)
{
	uint64_t spacing = period + period / 5;

	spacing = (spacing + interval - 1) / interval * interval;
	h->h.limited_rate = true;
	h->h.period_ns = period;
	h->h.spacing_ns = spacing < SLOWEST ? spacing : SLOWEST;
	enter(h, SKY_CYCLE_SPACED);
}

/* Answers at equal distances. The burst is what came before, and what it gave
 * before that; less what the bucket got meanwhile. */
static void
is_bucket(struct cycle_hop *h, uint64_t interval)
{
	uint64_t period = (h->gap[0] + h->gap[1]) / 2;
	uint64_t refilled = h->at_once * interval / period;

	h->h.limited += h->meter_open + regain(h, h->long_runs);
	if (!h->h.burst)
		h->h.burst = h->at_once + h->spent - (refilled < h->at_once ? refilled : 0);
	spaced(h, interval, period);
}

static bool
alike(uint64_t a, uint64_t b, uint64_t interval)
{
	uint64_t more = a > b ? a : b, less = a > b ? b : a;

	return more - less <= interval + less / 4;
}

static void
meter(struct cycle_hop *h, uint64_t interval, uint64_t sent, bool answered)
{
	uint64_t gap = h->last_answer ? sent - h->last_answer : 0;

	if (!answered) {
		h->meter_open++;
		h->in_row = 0;
		return;
	}
	h->meter_answered++;
	h->last_answer = sent;
	if (++h->in_row >= IN_ROW) {		/* an outage: all of it was loss */
		h->h.lost += h->meter_open;
		h->h.fair += h->meter_answered;
		enter(h, SKY_CYCLE_FREE);
		return;
	}
	if (gap < GAP_LEAST * interval)
		return;
	h->gap[h->gaps % 2] = gap;
	if (++h->gaps >= 2 && alike(h->gap[0], h->gap[1], interval))
		is_bucket(h, interval);
}

/* --- trial: so slowly that a bucket would answer all --- */

/* The logarithm of x, 0 < x <= 1: the series of atanh, after halving. */
static double
logarithm(double x)
{
	double sum = 0, t, power;

	for (; x < 0.5; x *= 2)
		sum -= 0.693147180559945;
	t = power = (x - 1) / (x + 1);
	for (unsigned i = 1; i < 30; i += 2, power *= t * t)
		sum += 2 * power / i;
	return sum;
}

static void
begin_trial(struct cycle_hop *h, uint64_t interval)
{
	uint64_t n = h->fast_sent, silent = h->fast_silent;
	double p = (double)silent / (double)n, slower;

	h->before_mode = h->h.mode;
	h->before_spacing = h->h.spacing_ns;
	p = p > 0.95 ? 0.95 : p;
	slower = 1.5 / (1 - p) > 2 ? 1.5 / (1 - p) : 2;
	h->h.spacing_ns = (uint64_t)((double)h->h.spacing_ns * slower);
	h->h.spacing_ns = (h->h.spacing_ns + interval - 1) / interval * interval;
	if (h->h.spacing_ns > SLOWEST && SLOWEST > interval)
		h->h.spacing_ns = SLOWEST;
	enter(h, SKY_CYCLE_TRIAL);
	h->fast_sent = n;
	h->fast_silent = silent;
	h->fast_p = p;
}

/* It answers what comes more slowly: the silences before were an empty bucket. */
static void
slower_is_better(struct cycle_hop *h)
{
	uint64_t answered = h->fast_sent - h->fast_silent;

	h->h.limited += regain(h, h->fast_silent);
	h->h.fair -= answered < h->h.fair ? answered : h->h.fair;
	h->h.limited_rate = true;
	h->h.period_ns = (uint64_t)((double)h->before_spacing / (1 - h->fast_p));
	enter(h, SKY_CYCLE_SPACED);
}

static void
as_before(struct cycle_hop *h)
{
	h->h.spacing_ns = h->before_spacing;
	enter(h, h->before_mode);
	h->no_trial = AGAIN;
}

/* Wald's sequential test: as many silences as before, or a quarter of them? */
static void
trial(struct cycle_hop *h, uint64_t interval, bool answered)
{
	double p = h->fast_p, q = p / BETTER;

	h->h.fair += answered;
	h->h.lost += !answered;
	h->run = answered ? 0 : h->run + 1;
	if (h->run >= run_limit(h) && h->before_mode == SKY_CYCLE_FREE) {
		h->run = regain(h, h->run);
		h->h.spacing_ns = interval;
		begin_meter(h);
		return;
	}
	h->odds += answered ? logarithm((1 - p) / (1 - q)) : -logarithm(q / p);
	if (h->odds < IS_BUCKET)
		slower_is_better(h);
	else if (h->odds > IS_LOSS)
		as_before(h);
}

/* Silences enough to wonder, since the last look. */
static void
wonder(struct cycle_hop *h, uint64_t interval)
{
	h->no_trial -= h->no_trial > 0;
	if (h->no_trial || h->fast_sent < LOOK)
		return;
	if (h->fast_silent >= LOOK_SILENT)
		begin_trial(h, interval);
	else if (h->fast_sent >= 4 * LOOK)
		h->fast_sent = h->fast_silent = 0;
}

/* --- the others --- */

/* Several silences of one length, one after the other, too short for a run that
 * chance would not make: how a bucket looks that gives a few errors a second. */
static bool
regular(struct cycle_hop *h, uint64_t interval, uint64_t sent)
{
	uint64_t gap = h->last_answer ? sent - h->last_answer : 0;

	h->last_answer = sent;
	if (gap < GAP_LEAST * interval)
		h->gaps = 0;
	else if (h->gaps && alike(gap, h->gap[0], interval))
		h->gaps++;
	else
		h->gaps = 1;
	h->gap[1] = h->gap[0];
	h->gap[0] = gap;
	return h->gaps >= REGULAR;
}

static void
free_running(struct cycle_hop *h, uint64_t interval, uint64_t sent, bool answered)
{
	h->fast_sent++;
	if (answered && regular(h, interval, sent)) {
		lose_run(h);
		h->h.limited += regain(h, h->fast_silent);
		h->long_runs = 0;
		is_bucket(h, interval);
		return;
	}
	if (!answered) {
		h->at_once = h->at_once ? h->at_once : h->busy;
		if (++h->run >= run_limit(h))
			begin_meter(h);
		return;
	}
	lose_run(h);
	h->busy++;
	h->h.fair++;
	wonder(h, interval);
}

/* A long silence at this pace is not the bucket that was measured. */
static void
at_its_pace(struct cycle_hop *h, uint64_t interval, bool answered)
{
	h->fast_sent++;
	if (answered) {
		lose_run(h);
		h->h.fair++;
		wonder(h, interval);
		return;
	}
	if (++h->run % run_limit(h) == 0 && h->h.spacing_ns < SLOWEST)
		h->h.spacing_ns += h->h.spacing_ns / 2;
}

/* Sent at the pace before: at an empty bucket, or as what the trial looks back at. */
static void
of_before(struct cycle_hop *h, bool answered)
{
	if (h->h.mode == SKY_CYCLE_SPACED) {
		h->h.limited += !answered;
		return;
	}
	h->h.fair += answered;
	h->h.lost += !answered;
	h->fast_sent++;
	h->fast_silent += !answered;
}

void
sky_cycle_feed(struct cycle_hop *h, uint64_t interval, uint64_t sent, bool answered)
{
	bool before = sent <= h->regime;

	if (before && (h->h.mode == SKY_CYCLE_SPACED || h->h.mode == SKY_CYCLE_TRIAL))
		of_before(h, answered);
	else if (h->h.mode == SKY_CYCLE_FREE)
		free_running(h, interval, sent, answered);
	else if (h->h.mode == SKY_CYCLE_METER)
		meter(h, interval, sent, answered);
	else if (h->h.mode == SKY_CYCLE_TRIAL)
		trial(h, interval, answered);
	else
		at_its_pace(h, interval, answered);
}
