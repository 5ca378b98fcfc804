/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths.h - every path that load balancers spread the flows to a host over.
 *
 * The Multipath Detection Algorithm: flows are sent through each router (node
 * control: only flows that were seen there count) until those that found k next
 * hops are so many that one more next hop would have shown with the given
 * certainty: 6 for one, 11 for two, 16, 21, ... at 95 % (Augustin, Friedman,
 * Teixeira: Measuring load-balanced paths in the Internet, 2007; Veitch et al.,
 * Failure control in multipath route tracing, 2009). What that leaves as the
 * chance to have missed something, of each node and of the whole graph, is told.
 *
 * A link is claimed only if one and the same flow was seen at both ends, and not
 * where that proves nothing: between two widths of a balancer that may spread
 * packets of one flow. Such a balancer is known by a flow that is seen in two
 * places; that there is none, by flows of different sets of routers never mixing,
 * or by asking again.
 *
 * Routers give few errors at a time (Linux: 6, then one a second). Each is asked
 * for no more than that; a flow that stays unanswered at a hop where somebody's
 * bucket is empty counts as one that showed nobody new. A flow unanswered without
 * that excuse is sent again; a control, a flow that was answered there, tells a
 * small bucket from a silent router. For each branch one packet of full size is
 * sent, and smaller ones as routers tell.
 *
 * Pure: no clock, no system call, no allocation; large: let it not be on the
 * stack. Times are ns of any clock that does not go back. The loop is that of
 * trace.h. Members of struct sky_paths are for reading through the functions.
 */
#ifndef SKY_PROTO_PATHS_H
#define SKY_PROTO_PATHS_H

#include "proto/hop.h"
#include <sockeye/rto.h>

#define SKY_PATHS_FLOWS 256
#define SKY_PATHS_HOPS 64
#define SKY_PATHS_NODES 256
#define SKY_PATHS_LINKS 512
#define SKY_PATHS_PACKETS 2048
#define SKY_PATHS_BRANCHES 32
#define SKY_PATHS_WIDE 32		/* next hops of one node that the rule is known for */
#define SKY_PATHS_QUEUE 256
#define SKY_PATHS_FAR 64			/* TTL of what is meant for the destination */
#define SKY_PATHS_NEVER UINT64_MAX

/* A member that is 0 takes the default. */
struct sky_paths_conf {
	uint32_t size;			/* sizeof(struct sky_paths_conf) */
	uint32_t len;			/* of a probe; 60, IPv6: say 80 */
	uint32_t full;			/* the interface's MTU; 0: do not ask for MTUs */
	uint32_t floor;			/* no path carries less: 68, IPv6: say 1280 */
	uint32_t packets;		/* hard cap; 600, at most SKY_PATHS_PACKETS */
	uint32_t flows;			/* at most; SKY_PATHS_FLOWS */
	uint8_t max;			/* TTL; 30, at most SKY_PATHS_HOPS - 1 */
	uint8_t gap;			/* silent TTLs in a row that end the path; 5 */
	uint8_t burst;			/* errors that one router gives at once; 6 */
	uint8_t flying;			/* unanswered probes at a time; 64 */
	uint8_t percent;		/* certainty at each node; 95 */
	bool stray_unchecked;		/* do not wait to tell kinds of balancers apart */
	uint64_t refill_ns;		/* until a router gives one error more; 1 s */
	uint64_t patience_ns;		/* waited for such at the end, in all; 0: not at all */
	uint64_t wait_ns;		/* for an answer before any round trip is known; 1 s */
	uint64_t min_wait_ns;		/* afterwards; 8 ms */
	struct sky_addr dst;		/* the destination */
};

/* --- results --- */

enum sky_paths_is {
	SKY_PATHS_SOURCE,		/* this host: node 0 */
	SKY_PATHS_ROUTER,
	SKY_PATHS_END,			/* the destination */
	SKY_PATHS_STOP,			/* says unreachable, or too big of all: type, code */
	SKY_PATHS_SILENT,		/* those of a hop that do not answer; one or more */
};

enum sky_paths_spread {
	SKY_PATHS_ONE,			/* one next hop */
	SKY_PATHS_BY_FLOW,		/* each flow keeps to one of several */
	SKY_PATHS_BY_PACKET,		/* one flow was seen at several */
	SKY_PATHS_BY_EITHER,		/* several; which of the two is not known */
};

struct sky_paths_node {
	struct sky_addr by;		/* unspecified: SOURCE, SILENT */
	uint64_t rtt_ns;		/* least; 0: none */
	uint16_t host;			/* nodes of one address share it */
	uint8_t ttl;
	uint8_t is;			/* enum sky_paths_is */
	uint8_t type, code;		/* STOP */
	uint8_t lack, stuck;		/* inside: flows it needs, rounds that brought none */
	uint16_t before;
	/* filled by sky_paths_node() */
	uint8_t spread;			/* enum sky_paths_spread */
	bool limited;			/* its answers ran out */
	uint16_t answers;		/* of this address, at any TTL */
	uint16_t flows;			/* seen here */
	uint16_t nexts, draws;		/* next hops found, flows that looked for them */
	bool settled;			/* draws are enough for the rule */
	double miss;			/* chance at most that a next hop was missed */
};

struct sky_paths_link {
	uint16_t from, to;		/* nodes; to is one hop further */
	uint16_t flows;			/* seen at both ends */
	bool sure;			/* claimed. Not: packets of one flow may have taken
					 * different ways */
};

enum sky_paths_size {
	SKY_PATHS_SIZE_NONE,		/* nothing large came through */
	SKY_PATHS_SIZE_DEVICE,		/* the whole of the interface's */
	SKY_PATHS_SIZE_TOLD,		/* `by` told what then came through */
	SKY_PATHS_SIZE_RANGE,		/* between mtu and most: a lie or an old router */
	SKY_PATHS_SIZE_HOLE,		/* same, and nobody says why */
	SKY_PATHS_SIZE_OPEN,		/* answers ran out before it was settled */
};

struct sky_paths_branch {
	uint16_t flow;
	uint8_t hops;			/* node[0..hops) */
	uint8_t size;			/* enum sky_paths_size */
	uint32_t mtu, most;
	struct sky_addr by;		/* TOLD, RANGE: who */
	uint8_t by_hop;			/* where that is on this branch; 0: not on it */
	bool whole;			/* up to the destination, else to the last node */
	uint16_t node[SKY_PATHS_HOPS];
};

enum sky_paths_stop {
	SKY_PATHS_RUNNING,
	SKY_PATHS_REACHED,
	SKY_PATHS_UNREACHABLE,
	SKY_PATHS_GAP,
	SKY_PATHS_MAX,
	SKY_PATHS_CAP,			/* packets or flows ran out */
	SKY_PATHS_LOCAL,		/* this host does not send: err */
	SKY_PATHS_INTERRUPTED,
	SKY_PATHS_LOOP,			/* the same routers again and again */
	SKY_PATHS_REFUSES,		/* a router calls the smallest too big: by */
};

struct sky_paths_result {
	uint8_t stop;			/* enum sky_paths_stop */
	bool reached, complete;		/* complete: every node is settled */
	int32_t err;
	struct sky_addr by;		/* UNREACHABLE, REFUSES */
	uint16_t nodes, links, branches;	/* how many there are to ask for */
	uint16_t flows, widest;		/* nodes of one hop, at most */
	uint32_t packets, answers, strays, shorts, limited, lost;
	double miss;			/* chance at most that the graph lacks something: the
					 * sum of the nodes', at most 1 */
	uint64_t rtt_ns, began, ended;	/* rtt_ns: the largest of the nodes' */
};

/* --- inside --- */

enum paths_cell_is { CELL_NEW, CELL_FLYING, CELL_SEEN, CELL_LIMITED, CELL_SILENT };
enum paths_kind { PATHS_CELL, PATHS_FAR, PATHS_CONTROL, PATHS_AGAIN, PATHS_FULL };
enum paths_probe_is { PATHS_FREE, PATHS_FLYING, PATHS_ANSWERED, PATHS_LOST };

/* What one flow met at one TTL. */
struct paths_cell {
	uint16_t node;			/* SEEN */
	uint8_t is, silent;		/* enum paths_cell_is; unanswered without an excuse */
};

struct paths_probe {
	uint64_t sent;
	uint16_t flow, len, host;	/* host: who answered */
	uint8_t ttl, kind, is;
};

struct paths_host {
	struct sky_addr by;
	uint16_t answers, burst, limited;
};

struct paths_branch {
	uint16_t flow;
	uint8_t is;			/* enum sky_paths_size */
	uint8_t excuses;
	uint8_t end, tries, refusals;	/* end: TTL that it is asked with; 0: SKY_PATHS_FAR */
	uint32_t low, size, above;	/* came through, asked now, does not come through */
	bool busy, done, told, hole, lied, starved;
	struct sky_addr by;
};

struct paths_hop {
	uint16_t width, one;		/* nodes; one of them */
	uint16_t again, astray;		/* repeats that were answered; by another node */
	uint16_t asked_again, credit;	/* credit: asked beyond what is believed */
	uint16_t pairs, parts;		/* see pathsend.c */
	uint16_t controls;		/* in flight */
	uint16_t dry;			/* flows unanswered in a row */
	bool asked_late;
};

struct sky_paths {
	struct sky_paths_conf conf;
	struct sky_rto rto;
	uint64_t began, ended, wake, last, stop_at;
	uint32_t next, answers, strays, shorts, limited, lost, unsent, flying;
	int32_t err;
	uint16_t flows, nodes, hosts, branches;
	uint16_t need[SKY_PATHS_WIDE + 1];
	uint8_t guess;			/* TTL of the destination, as its reply tells; 0 */
	uint8_t top;			/* the highest TTL that was answered */
	uint8_t far;			/* the highest that was asked, and 1 */
	uint8_t reach;			/* the path ends here: it is known; 0 */
	uint8_t stop;
	bool dirty, chosen, sized, done, reached, cut, second, looped;
	uint16_t queued, queue_at;
	struct { uint16_t flow, len; uint8_t ttl, kind; } queue[SKY_PATHS_QUEUE + 1];
	struct sky_paths_node node[SKY_PATHS_NODES];
	uint16_t silent[SKY_PATHS_HOPS];	/* the silent node of a hop; 0 */
	uint8_t bound[SKY_PATHS_FLOWS];	/* TTL with which it reached the end; 0 */
	uint16_t order[SKY_PATHS_NODES], rank[SKY_PATHS_NODES], shown, links;
	struct sky_paths_link link[SKY_PATHS_LINKS];
	struct paths_hop hop[SKY_PATHS_HOPS];
	struct paths_host host[SKY_PATHS_NODES];
	struct paths_branch branch[SKY_PATHS_BRANCHES];
	struct paths_cell cell[SKY_PATHS_FLOWS][SKY_PATHS_HOPS];
	struct paths_probe probe[SKY_PATHS_PACKETS + 1];
};

/* Returns 0, or -EINVAL: sizes do not fit (len, floor <= full <= 65535, if full),
 * or a number is above its limit. */
int sky_paths_init(struct sky_paths *p, const struct sky_paths_conf *c);

enum sky_paths_kind { SKY_PATHS_WAIT, SKY_PATHS_SEND, SKY_PATHS_DONE };

/* What is due now. SEND: out is to be sent at once. */
enum sky_paths_kind sky_paths_poll(struct sky_paths *p, uint64_t now, struct sky_hop_probe *out);
/* When to poll next if nothing comes; 0: at once. */
uint64_t sky_paths_deadline(const struct sky_paths *p);
/* An answer, or that a probe did not leave. Returns true if it taught something. */
bool sky_paths_answer(struct sky_paths *p, uint64_t now, const struct sky_hop_answer *a);
/* No more probes: the next poll says DONE. */
void sky_paths_stop(struct sky_paths *p, uint64_t now);

/* Judges what is known now. The three below tell the details of the last such
 * judgement: the i-th, from 0, in order of TTL; return 0, or -ENOENT past the last.
 * Links and branches name nodes by these numbers. */
void sky_paths_result(struct sky_paths *p, struct sky_paths_result *out);
int sky_paths_node(const struct sky_paths *p, unsigned i, struct sky_paths_node *out);
int sky_paths_link(const struct sky_paths *p, unsigned i, struct sky_paths_link *out);
/* A branch is the way of one flow; all of them together have every link. */
int sky_paths_branch(const struct sky_paths *p, unsigned i, struct sky_paths_branch *out);

/* Flows that must have looked from a node where k next hops were found, at percent
 * certainty that there is no other one; 0 for more than SKY_PATHS_WIDE. And the
 * chance that one of k + 1 equally likely ones did not show in n. */
unsigned sky_paths_need(unsigned k, unsigned percent);
double sky_paths_missed(unsigned k, unsigned n);

const char *sky_paths_stop_word(enum sky_paths_stop s);
const char *sky_paths_spread_word(enum sky_paths_spread s);
const char *sky_paths_size_word(enum sky_paths_size s);

#endif
