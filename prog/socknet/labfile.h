/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labfile.h - the language of lab files, labfile(5), into a struct lab.
 *
 * One table of verbs; each verb reads its own words. Pure: no system call, no
 * clock, memory from malloc only; bounded by the figures in lab.h.
 */
#ifndef SOCKNET_LABFILE_H
#define SOCKNET_LABFILE_H

#include "lab.h"
#include "lex.h"

/* Largest file. */
#define LABFILE_MAX (1u << 20)

/* text need not end with a NUL; it is not kept; file is. Returns 0, or -1 with
 * error ("LINE:COL: ...") filled. labfile_release() is needed in both cases. */
int labfile_parse(struct lab *lab, const char *file, const char *text, size_t len,
    char error[LEX_ERROR]);
void labfile_release(struct lab *lab);

/* The index of a host or a program by its name, or LAB_NONE. */
unsigned labfile_host(const struct lab *lab, const char *name);
unsigned labfile_proc(const struct lab *lab, const char *name);

#endif
