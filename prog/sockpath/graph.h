/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * graph.h - hops with several routers side by side, and the links between them,
 * as text: a lane for each router of a hop.
 */
#ifndef SOCKPATH_GRAPH_H
#define SOCKPATH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#define GRAPH_LANES 40			/* more are not drawn */

struct graph_link {
	unsigned from, to;		/* lanes */
	bool sure;			/* else dotted */
};

/* The line of one router: `lanes` of the hop are alive beside it in live[]. */
void graph_node(char *buf, size_t size, unsigned lane, const bool *live, unsigned lanes,
    char mark);
/* The lines between two hops; line(data, text) is called for each. */
void graph_links(const struct graph_link *l, unsigned n,
    void (*line)(void *data, const char *text), void *data);

#endif
