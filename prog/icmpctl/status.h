/* SPDX-License-Identifier: BSD-2-Clause */
/* status.h - what icmpd has done so far: for people, and for a collector. */
#ifndef ICMPCTL_STATUS_H
#define ICMPCTL_STATUS_H

struct opts;

/* Each returns the exit status. */
int status_run(const struct opts *o);
int metrics_run(const struct opts *o);

#endif
