/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.h - where a measurement happens: its network, its processors, its rank.
 *
 * What was obtained is remembered and can be said in one line, because a figure
 * without its placement means nothing.
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stddef.h>

/* Moves the process into a fresh network namespace whose only interface is lo,
 * up; through a user namespace of its own where that is needed. Call before
 * the first thread or socket. Returns 0, or a negative errno: then the process
 * is still where it was. */
int place_network(void);

/* Pins the calling thread to the n-th processor it may run on (the last one if
 * there are fewer). Returns that processor's number, or a negative errno. */
int place_pin(unsigned n);

/* SCHED_FIFO, lowest rank, for the calling thread. Returns 0 or a negative
 * errno (usually -EPERM). */
int place_fifo(void);

/* How many processors the process may run on. */
unsigned place_cpus(void);

/* "AMD EPYC, 2 processors, Linux 6.18.44, load 0.12". Returns buf. */
char *place_machine(char *buf, size_t size);

#endif
