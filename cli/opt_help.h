/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt_help.h - what every program says about its own table: --help, --version
 * and the hidden --options. Used by opt.c alone.
 */
#ifndef CLI_OPT_HELP_H
#define CLI_OPT_HELP_H

#include "cli/opt.h"

/* If name is one of the three (help and version may be shortened as far as the
 * table allows): prints to standard output and returns true. */
bool opt_builtin(const struct opt_program *p, const char *name);

#endif
