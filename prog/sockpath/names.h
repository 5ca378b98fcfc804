/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - names of hops, asked for in parallel, never waited for.
 *
 * By c-ares, with the resolver that this host is configured for; without it (at
 * build time) there are no names, and names_built() says so. A name that is no
 * name (control characters, too long) is none.
 */
#ifndef SOCKPATH_NAMES_H
#define SOCKPATH_NAMES_H

#include <poll.h>
#include <sockeye/addr.h>

#define NAMES_FDS 16
#define NAMES_SIZE 256

struct names;

bool names_built(void);
/* on false: no question is ever asked. NULL: no memory. */
struct names *names_new(bool on);
void names_free(struct names *n);

/* Asks, once for each address. */
void names_want(struct names *n, const struct sky_addr *a);
/* The name, or NULL if there is none (yet). Valid until names_free(). */
const char *names_of(struct names *n, const struct sky_addr *a);
/* Those that came after names_of() had to say no: *i from 0; the name and *a, NULL
 * when there are no more. */
const char *names_late(struct names *n, unsigned *i, struct sky_addr *a);
/* How many questions are not answered. */
unsigned names_pending(const struct names *n);

/* What to poll for: fills p, lowers *timeout (ms; -1: none). Returns how many. */
unsigned names_poll(struct names *n, struct pollfd p[static NAMES_FDS], int *timeout);
/* After the poll. */
void names_serve(struct names *n, const struct pollfd *p, unsigned fds);

#endif
