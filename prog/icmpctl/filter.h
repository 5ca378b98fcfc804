/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h - which errors icmpctl watch shows.
 *
 * Of each kind several may be given: any of them will do. Kinds that were not
 * given let everything pass. A port is that of either end; a network that of the
 * source, the destination or who said so.
 */
#ifndef ICMPCTL_FILTER_H
#define ICMPCTL_FILTER_H

#include <sockeye/fate.h>

#define FILTER_MAX 16

struct opt;

struct filter {
	const char *process[FILTER_MAX];
	uint16_t port[FILTER_MAX];
	struct { struct sky_addr net; unsigned bits; } prefix[FILTER_MAX];
	unsigned processes, ports, prefixes;
	uint64_t fates;			/* bits of enum sky_what; 0: all */
};

/* Rows of the option table: config is a struct whose filter lies at the row's
 * offset. Return NULL, or what was expected. */
const char *filter_process(void *config, const struct opt *o, const char *arg);
const char *filter_port(void *config, const struct opt *o, const char *arg);
const char *filter_fate(void *config, const struct opt *o, const char *arg);
const char *filter_prefix(void *config, const struct opt *o, const char *arg);

/* By what the record itself says. */
bool filter_passes(const struct filter *f, const struct sky_fate *fate);
/* By its process; pid 0: none is known, and then only without such a filter. */
bool filter_passes_process(const struct filter *f, uint32_t pid, const char *comm);

#endif
