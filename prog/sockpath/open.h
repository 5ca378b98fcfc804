/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open.h - from what the user typed to addresses and sockets, and what is said
 * when that cannot be.
 */
#ifndef SOCKPATH_OPEN_H
#define SOCKPATH_OPEN_H

#include "run.h"

/* Host, source, routers: fills r->dst and r->conf. 0 or a status, said. */
int open_destination(struct run *r);
/* Opens r->sock. 0 or a status, said. */
int open_sockets(struct run *r);
/* First of all: a borrowed user is given back, so that files are opened with the
 * rights of who called; of what it had, what sockets need is kept. 0 or a status, said. */
int open_begin(void);
/* Gives privileges up for good. 0 or a status, said. */
int open_drop(void);

#endif
