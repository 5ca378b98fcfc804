/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt_help.h - what every program says about its own table: --help, --version
 * and the hidden --options. Used by opt.c alone.
 */
#ifndef CLI_OPT_HELP_H
#define CLI_OPT_HELP_H

#include "cli/opt.h"

/* If the first len letters of name are one of the three (help and version may be
 * shortened as far as the table allows): prints to standard output and returns
 * true. value: what --help is asked about, NULL otherwise. */
bool opt_builtin(const struct opt_program *p, const char *name, size_t len, const char *value);

#endif
