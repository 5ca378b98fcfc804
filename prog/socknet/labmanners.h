/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labmanners.h - how a router behaves: the words after `router NAME`.
 */
#ifndef SOCKNET_LABMANNERS_H
#define SOCKNET_LABMANNERS_H

#include "parse.h"

/* Reads [toward INTERFACE] BEHAVIOUR ... to the end of the line. */
int labmanners_read(struct parse *p, struct lab_router *r);

#endif
