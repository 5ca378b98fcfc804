/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inherit.h - --fd: a socket that somebody else opened.
 *
 * All that the command line would say about it is asked of the socket itself:
 * family, UDP or TCP, server (it listens, or has no peer) or client, the ends.
 */
#ifndef SOCK_INHERIT_H
#define SOCK_INHERIT_H

#include <stdbool.h>

struct config;

/* Fills in what c->fd is, before the operands are read. Ends the program with
 * status 2 if it is no socket that can be used so. */
void inherit_read(struct config *c);
/* The operands, of which only an unconnected UDP client may have some. Returns
 * true if they are to be read as usual. */
bool inherit_wants_operands(struct config *c, int argc, char **argv);

#endif
