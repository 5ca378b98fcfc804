/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * say.h - hops and paths as lines for people and as JSON: one writer for both.
 */
#ifndef SOCKPATH_SAY_H
#define SOCKPATH_SAY_H

#include "run.h"

#include "proto/trace.h"

/* What is known when the trace begins. */
void say_head(struct run *r);
/* One hop: a line, and a record unless a document is wanted. */
void say_hop(struct run *r, const struct sky_trace_hop *h);
/* The end: MTU, way back (NULL: not asked for), stop, cost; and the record, or the
 * document with all hops of t. */
void say_end(struct run *r, const struct sky_trace *t, const struct path_back *back);
/* The names that came after their lines. */
void say_names(struct run *r);
/* The exit status. */
int say_status(const struct run *r, const struct sky_trace_path *p);

/* "name (address)", or the address; asks for nothing. Returns buf. */
char *say_who(struct run *r, const struct sky_addr *a, char *buf, size_t size);
enum { SAY_WHO = 256 + SKY_ADDRSTRLEN };

/* --- for say*.c alone --- */
/* What is remarkable at a hop: "black hole ...; rate limited ...". */
void say_remarks(struct run *r, const struct sky_trace_hop *h, char *buf, size_t size);
/* The sentences of the end. */
void say_mtu(const struct sky_trace_path *p, char *buf, size_t size);
void say_back(const struct path_back *b, char *buf, size_t size);
void say_stop(struct run *r, const struct sky_trace_path *p, char *buf, size_t size);
/* The members of a hop, of the end. */
void say_hop_json(struct run *r, const struct sky_trace_hop *h);
void say_end_json(struct run *r, const struct sky_trace_path *p, const struct path_back *back);

/* What an errno of sending means here. */
enum sky_what say_why(const struct run *r, int err);

#endif
