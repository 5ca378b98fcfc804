/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labs.h - where lab files and the programs of this build are.
 */
#ifndef SOCKNET_LABS_H
#define SOCKNET_LABS_H

#include <stdbool.h>
#include <stddef.h>

/* Directories, joined by colons, that go before PATH: all programs of the build
 * tree this program is in, or its own directory. Returns buf. */
char *labs_programs(char *buf, size_t size);

/* The directory of the labs that came with this program; false if none. */
bool labs_dir(char *buf, size_t size);

/* The file that the user means: a path, or the name of such a lab, with or
 * without number and suffix; labs before topologies. Returns buf, or NULL. */
char *labs_find(const char *name, char *buf, size_t size);

/* Prints the name and title of every lab. Returns an exit status. */
int labs_list(void);

#endif
