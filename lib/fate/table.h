/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h - what the modules of this folder ask of the tables beside fate.h. */
#ifndef SKY_FATE_TABLE_H
#define SKY_FATE_TABLE_H

#include <sockeye/fate.h>

/* How the sentence about one datagram begins: "refused", "no route from this
 * host". Static. */
const char *sky_fate_head(enum sky_what what);

/* The row for the ICMP error that f carries, or NULL. */
const struct sky_icmp_row *sky_fate_icmp(const struct sky_fate *f);

/* True if f came from an ICMP error, even if no type and code are left. */
bool sky_fate_from_icmp(const struct sky_fate *f);

#endif
