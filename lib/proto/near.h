/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near.h - who will answer for a target at a distance, judged by its neighbours.
 *
 * For each distance and each of eight lengths of prefix it is remembered who
 * answered last, and how many did in a row. Nobody may be asked out of turn
 * (see hops.h), so the engine must guess who it is going to ask; and where no
 * guess is possible yet, only a few may go ahead. The table is of fixed size and
 * forgets: then more are asked than need be, or fewer at a time. Pure.
 */
#ifndef SKY_PROTO_NEAR_H
#define SKY_PROTO_NEAR_H

#include <sockeye/addr.h>

#define SKY_NEAR_FREE UINT32_MAX	/* explorer of no cell */

struct sky_near_cell {
	uint32_t tag;
	uint32_t node;		/* of hops.h, SKY_HOPS_SILENT too; NONE: nothing yet */
	uint8_t agree;		/* answers in a row that were the same */
	uint8_t flight;		/* sent ahead and not back */
};

struct sky_near {
	struct sky_near_cell *cell;
	uint32_t mask;
	uint32_t ahead;		/* how many may go ahead at a time */
};

enum sky_near_say {
	SKY_NEAR_KNOWN,		/* *node will answer */
	SKY_NEAR_LIKELY,	/* *node will, but that may not be told unasked */
	SKY_NEAR_GO,		/* not sure: go ahead; *cell is to be given back. *node
				 * is a guess, or SKY_HOPS_NONE, SKY_HOPS_SILENT */
	SKY_NEAR_HOLD,		/* not known, and enough went ahead: later */
};

/* cells: a power of 2. */
size_t sky_near_size(uint32_t cells);
void sky_near_init(struct sky_near *n, void *memory, uint32_t cells, uint32_t ahead);

enum sky_near_say sky_near_ask(struct sky_near *n, const struct sky_addr *a, uint8_t ttl,
    uint32_t *node, uint32_t *cell);
/* One that went ahead is back, with an answer or without. */
void sky_near_back(struct sky_near *n, uint32_t cell);
void sky_near_told(struct sky_near *n, const struct sky_addr *a, uint8_t ttl, uint32_t node);
/* The nearest neighbours' value, however little it is worth; SKY_HOPS_NONE. */
uint32_t sky_near_last(const struct sky_near *n, const struct sky_addr *a, uint8_t ttl);

#endif
