/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.h - an entry of the error queue, as a fate; for lib/sock alone.
 */
#ifndef SKY_SOCK_ENTRY_H
#define SKY_SOCK_ENTRY_H

#include "sys/errq.h"

#include <sockeye/fate.h>
#include <stdbool.h>

/* Everything but the quote, the local port, whether `by` is this host, and
 * (therefore) what: sky_fate_classify() comes after those. */
void entry_convert(struct sky_fate *f, const struct sky_errq *e, uint64_t now_ns);
/* Who said so matters here: see SKY_FATE_OWN. */
bool entry_host_unreachable(const struct sky_errq *e);

#endif
