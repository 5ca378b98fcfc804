/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pathsin.h - inside paths.h, for the files that make it up.
 *
 * paths.c keeps probes and takes answers in; pathshost.c knows buckets; pathsplan.c
 * and pathsdoubt.c say which flow to send where; pathsize.c asks each branch for its MTU; pathsend.c judges: links, kinds
 * of balancers, chances.
 */
#ifndef SKY_PROTO_PATHSIN_H
#define SKY_PROTO_PATHSIN_H

#include "proto/paths.h"

#define PATHS_NONE UINT16_MAX
#define PATHS_GONE 255			/* ttl of a node that was a mistake */
#define PATHS_CREDIT 3			/* errors asked of an empty bucket: it may be larger */
#define PATHS_TRIES 4			/* unanswered, then a flow's hop is silent */

/* paths.c */
bool sky_paths_push(struct sky_paths *p, uint8_t kind, unsigned flow, unsigned ttl, unsigned len);
/* pathshost.c: who answers, PATHS_NONE if there are too many of them; one more of its
 * answers; one less than was hoped for, in the place of a flow that it answered. */
uint16_t sky_paths_host_of(struct sky_paths *p, const struct sky_addr *by);
void sky_paths_count_answer(struct sky_paths *p, unsigned host);
void sky_paths_learn_bucket(struct sky_paths *p, const struct paths_probe *b);
/* Errors that it can give now. */
unsigned sky_paths_tokens(const struct sky_paths *p, unsigned host, uint64_t now);
/* Somebody's bucket was empty when probe id was to be answered there. */
bool sky_paths_excused(struct sky_paths *p, uint32_t id);
/* Has the engine come again when host has an error to give; false: no patience. */
bool sky_paths_wait(struct sky_paths *p, unsigned host, uint64_t now);
/* Nobody answers the flow at this hop. */
void sky_paths_silent(struct sky_paths *p, unsigned flow, unsigned ttl);
/* What the flow met there was a mistake. */
void sky_paths_forget(struct sky_paths *p, unsigned flow, unsigned ttl);
/* The hop from which the flow gets no further; 0: none is known. It may be less
 * by bound[flow], if what it met before that is not known. */
unsigned sky_paths_ends(const struct sky_paths *p, unsigned flow);

/* pathsdoubt.c */
void sky_paths_doubts(struct sky_paths *p, uint64_t now);
void sky_paths_second(struct sky_paths *p, uint64_t now);

/* pathsplan.c */
/* Sends the flow there, if that was not done and is not beyond its end. */
bool sky_paths_ask(struct sky_paths *p, unsigned flow, unsigned ttl);
void sky_paths_plan(struct sky_paths *p, uint64_t now);
/* Does the flow pass this node of hop ttl, as far as is known? */
bool sky_paths_through(const struct sky_paths *p, unsigned flow, unsigned ttl, unsigned node);
struct paths_look {
	unsigned nexts, draws, flying;
};
/* What is known of the next hops of a node. parent: from sky_paths_parents(). */
struct paths_look sky_paths_look(const struct sky_paths *p, unsigned node, const uint16_t *parent);
/* For each node of a hop, the one node before it, PATHS_NONE if none or several. */
void sky_paths_parents(const struct sky_paths *p, unsigned ttl, uint16_t *parent);
unsigned sky_paths_enough(const struct sky_paths *p, unsigned nexts);

/* pathsize.c */
/* choose: the paths are known, so each branch can be asked. Returns true if there
 * is something to wait for. */
bool sky_paths_size_plan(struct sky_paths *p, uint64_t now, bool choose);
unsigned sky_paths_size_end(const struct sky_paths *p, unsigned flow);
void sky_paths_size_answer(struct sky_paths *p, const struct paths_probe *b,
    const struct sky_hop_answer *a);
void sky_paths_size_lost(struct sky_paths *p, uint32_t id);

/* pathsend.c */
/* Flows keep to their places at this hop: shown, refuted or open. */
enum paths_stable { PATHS_OPEN, PATHS_STABLE, PATHS_UNSTABLE };
enum paths_stable sky_paths_stable(const struct sky_paths *p, unsigned ttl);
/* Counts pairs and parts of each hop anew. */
void sky_paths_pair(struct sky_paths *p);

/* Nobody at all answers at this hop. */
static inline bool
paths_dead(const struct sky_paths *p, unsigned ttl)
{
	return p->silent[ttl] && p->hop[ttl].width == 1;
}

static inline bool
paths_terminal(const struct sky_paths_node *n)
{
	return n->is == SKY_PATHS_END || n->is == SKY_PATHS_STOP;
}

static inline bool
paths_known(const struct paths_cell *c)
{
	return c->is == CELL_SEEN || c->is == CELL_SILENT;
}

#endif
