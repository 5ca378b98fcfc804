/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opts.h - what the user asked for, read once and const from then on.
 *
 * The letters are those of traceroute. What is wrong or cannot be combined ends
 * the program here, with one line and status 2.
 */
#ifndef SOCKPATH_OPTS_H
#define SOCKPATH_OPTS_H

#include "sock/pathsock.h"

/* In the order of the words of --style. */
enum style { STYLE_PLAIN, STYLE_TRACEROUTE, STYLE_TRACEPATH, STYLE_BOOK };

struct opts {
	/* where to */
	const char *host;		/* as typed; NULL with --targets */
	bool only4, only6;
	bool broadcast;			/* groups and broadcast addresses are meant */
	/* how */
	bool udp, icmp, tcp, raw;	/* at most one of the first three */
	uint16_t port;			/* 0: the method's usual one */
	uint16_t sport;			/* 0: any */
	const char *source;		/* address or name */
	const char *device;
	const char *router[SKY_PATHSOCK_ROUTERS];
	unsigned routers;
	bool direct;
	bool have_tos;
	int tos;
	int label;
	uint32_t len;			/* of a hop probe, whole packet; 0: usual */
	/* how much */
	int first, max;			/* TTLs */
	bool have_max;			/* then nothing goes further */
	int probes;			/* of each hop; 0: usual */
	int flying;			/* -N; 0: usual */
	uint64_t wait;			/* ns; 0: usual */
	bool have_factors;		/* of traceroute's -w, in thousandths; 0: do not apply */
	uint32_t here, near;
	uint64_t pause;			/* ns between probes */
	int packets;			/* at most; 0: usual */
	bool no_mtu;
	/* what else */
	bool paths;
	bool reverse;
	bool have_cycles;
	int cycles;			/* 0: without end */
	bool have_interval;
	uint64_t interval;		/* ns */
	/* many */
	const char *targets;		/* a file, - for standard input; NULL: one host */
	uint32_t shard, shards;		/* i of N, from 1; 0 of 0: not given */
	uint64_t rate;			/* probes a second; 0: usual */
	bool have_seed;
	uint64_t seed;
	const char *resume;		/* file of an earlier run's records */
	bool have_hop_rate;
	int hop_rate;			/* answers a second of one router; 0: no budget */
	bool have_patience;
	uint64_t patience;		/* ns to wait for a router's budget */
	bool every_hop;			/* share nothing between targets */
	uint64_t progress;		/* ns between lines of it; 0: usual */
	/* what is told */
	int style;			/* enum style */
	bool labels, mtu, back, whole;	/* for --style traceroute; otherwise always so */
	bool both;			/* for --style tracepath: names and numbers */
	bool numeric;
	unsigned verbose;
	bool json, document;
	const char *json_to;		/* as out_open() takes it */
	bool expect;
	int expect_mtu;
	/* accepted, because it is always so */
	bool always;
};

/* Ends the program on --help, --version and wrong input. */
void opts_read(struct opts *o, int argc, char **argv);
/* Says "sockpath: ..." and ends the program with status 2. */
_Noreturn void opts_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The method, and the port that goes with it. */
enum sky_pathsock_method opts_method(const struct opts *o);
uint16_t opts_port(const struct opts *o);

#endif
