/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lablink.h - the verbs of wires: a link between two, a lan of many.
 */
#ifndef SOCKNET_LABLINK_H
#define SOCKNET_LABLINK_H

#include "parse.h"

int lablink_read(struct parse *p);
int lablink_read_lan(struct parse *p);

#endif
