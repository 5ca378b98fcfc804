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

/* Gives the text of a file that is included: malloc()ed, its length in *len, its
 * name for messages in path; NULL if there is none. by: the file that wants it. */
typedef char *(*labfile_reader)(const char *by, const char *name, char *path, size_t size,
    size_t *len);

/* text need not end with a NUL; it is not kept; file is. reader may be NULL:
 * nothing can be included. Returns 0, or -1 with error ("LINE:COL: ...") filled;
 * lab->fault is then the file meant. labfile_release() is needed in both cases. */
int labfile_parse_with(struct lab *lab, const char *file, const char *text, size_t len,
    labfile_reader reader, char error[LEX_ERROR]);
/* The same without a reader. */
int labfile_parse(struct lab *lab, const char *file, const char *text, size_t len,
    char error[LEX_ERROR]);
void labfile_release(struct lab *lab);

/* The index of a host or a program by its name, or LAB_NONE. */
unsigned labfile_host(const struct lab *lab, const char *name);
unsigned labfile_proc(const struct lab *lab, const char *name);

#endif
