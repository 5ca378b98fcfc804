/* SPDX-License-Identifier: BSD-2-Clause */
/* massbed.h - the engine of mass.h run on an Internet of inet.h, in simulated time. */
#ifndef TEST_PROTO_MASSBED_H
#define TEST_PROTO_MASSBED_H

#include "inet.h"

#include "proto/mass.h"

struct massbed_event {
	uint64_t at;
	struct sky_mass_answer answer;
};

struct massbed {
	struct inet net;
	struct sky_targets list;
	struct sky_range *range;
	void *memory;
	struct sky_mass *mass;
	struct massbed_event *heap;
	size_t events, room;
	uint64_t now;
	uint64_t limit;		/* gives up at this time */
	bool cut_quotes;	/* routers quote 8 bytes of what they got */
};

/* Every destination of the net is a target. */
void massbed_init(struct massbed *b, const struct inet_conf *c);
void massbed_release(struct massbed *b);
/* conf.targets is filled in; a new engine on the same net. */
void massbed_engine(struct massbed *b, struct sky_mass_conf *c);
/* Until all is over: each result to see(). False if the time was up. */
bool massbed_run(struct massbed *b, void (*see)(void *arg, const struct sky_mass_result *r),
    void *arg);

#endif
