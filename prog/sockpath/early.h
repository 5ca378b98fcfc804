/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early.h - one valid document, whenever the program ends.
 *
 * Who asked for --json=document gets one even if the program is ended while it
 * still looks for an address, or finds that it cannot begin.
 */
#ifndef SOCKPATH_EARLY_H
#define SOCKPATH_EARLY_H

#include "opts.h"

/* From now on until the signals are read (sig_open), SIGINT, SIGTERM and SIGHUP
 * write a document that says so, and end the program. */
void early_begin(const struct opts *o);
void early_end(const struct opts *o);
/* The document of a run that could not begin; standard error has said why. */
void early_failed(const struct opts *o, int status);

#endif
