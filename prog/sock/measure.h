/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure.h - --measure: test packets of STAMP to a mirror and back, and where
 * loss happened.
 */
#ifndef SOCK_MEASURE_H
#define SOCK_MEASURE_H

#include <sockeye/measure.h>

struct config;
struct opt;
struct out;
struct run;

/* What was asked for. */
struct measure_config {
	bool on, one_way;
	bool have_size, have_burst, have_duration, have_rate;
	uint64_t from, to, step;	/* bytes; step 0: 16 sizes */
	uint64_t rate;			/* datagrams, or bits of payload, a second; 0: no limit */
	bool bits;
	uint64_t burst;			/* datagrams sent at one moment */
	uint64_t duration, interval;	/* ns; 0: not asked for */
};

/* Readers of --size and --rate: NULL, or what was expected. */
const char *measure_take_size(void *config, const struct opt *o, const char *arg);
const char *measure_take_rate(void *config, const struct opt *o, const char *arg);
/* What may not be combined with it, and what it changes: it uses neither standard
 * input nor output for data, and reads datagrams whole. */
void measure_prepare(struct config *c);
void measure_check(const struct config *c);
void measure_check_ends(const struct config *c);
/* Bytes of the datagram with this number, and how many sizes take turns. */
uint64_t measure_sizes(const struct measure_config *m);
uint64_t measure_size(const struct measure_config *m, uint64_t number);

/* The role: prober, or with -s mirror. Its own summary is told at its end. */
void measure_run(struct run *x);
void measure_probe(struct run *x);
void measure_mirror(struct run *x);

/* --- telling --- */
/* "out  2000 sent, ..." in lines for people, one block for each direction. */
void measure_tell(struct out *o, enum sky_direction d, const struct sky_way *w, bool one_way);
/* One object of `directions`. */
void measure_json(struct out *o, enum sky_direction d, const struct sky_way *w);
/* True if anything was lost, corrupted or unexplained. */
bool measure_is_bad(const struct sky_way *w);

/* What one interval brought. */
struct measure_interval {
	uint64_t start, end;		/* ns since the start of the test */
	uint64_t sent, refused, received, bytes, jitter;
	bool sends;			/* sent and refused mean something */
};
void measure_tell_interval(struct out *o, const struct measure_interval *i, uint64_t time_ns);

#endif
