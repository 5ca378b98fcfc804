/* SPDX-License-Identifier: BSD-2-Clause */
/* self.h - where the running program lies: what belongs to it lies beside it. */
#ifndef CLI_SELF_H
#define CLI_SELF_H

#include <stdbool.h>
#include <stddef.h>

/* The directory of this program, cut to size; false if it cannot be told. */
bool self_dir(char *buf, size_t size);

#endif
