/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labexpect.h - the verb `expect`, and what its kinds share.
 */
#ifndef SOCKNET_LABEXPECT_H
#define SOCKNET_LABEXPECT_H

#include "parse.h"

int labexpect_read(struct parse *p);

/* What is the same for every kind of packet. */
extern const char *const labexpect_packet_kinds[];	/* ends with NULL */
extern const char *const labexpect_packet_keys[];	/* ends with NULL */
extern const char labexpect_packet_expected[];

/* One KEY=VALUE or count; those that are left, and within. */
int labexpect_field(struct parse *p, struct lab_expect *x, const struct lex_word *w);
int labexpect_fields(struct parse *p, struct lab_step *s);
/* Are all keys known? known ends with NULL. */
int labexpect_check(struct parse *p, const struct lab_field *f, unsigned n,
    const char *const *known, const char *expected);

/* labstep.c: a new step; the name of a program. */
struct lab_step *labstep_new(struct parse *p, enum lab_verb verb);
int labstep_proc(struct parse *p, struct lab_step *s);

#endif
