/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labpackets.h - expectations of packets in order, and of pieces.
 */
#ifndef SOCKNET_LABPACKETS_H
#define SOCKNET_LABPACKETS_H

#include "parse.h"

/* `expect packets HOST {`, its lines and `}`. */
int labpackets_read(struct parse *p, struct lab_step *s);
/* `expect fragments HOST key=value ... 272@0+ 106@272`. */
int labpackets_fragments(struct parse *p, struct lab_step *s);

#endif
