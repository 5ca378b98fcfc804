/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h - icmpctl watch: every ICMP error on this host, and whose it is. */
#ifndef ICMPCTL_WATCH_H
#define ICMPCTL_WATCH_H

struct opts;

/* Returns the exit status. */
int watch_run(const struct opts *o);

#endif
