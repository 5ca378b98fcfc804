/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lex.h - words of a lab file, with the place each one stands at.
 *
 * A word ends at a blank. "..." knows \" \\ \n \t, '...' knows nothing; both may
 * be part of a word (key="a b"). A word that begins with # starts a comment. A
 * backslash at the end of a line joins the next line. Pure and bounded: texts
 * go to memory of the caller, at most LEX_WORDS words a line.
 */
#ifndef SOCKNET_LEX_H
#define SOCKNET_LEX_H

#include <stdbool.h>
#include <stddef.h>

#define LEX_WORDS 128
#define LEX_ERROR 400

struct lex_word {
	const char *text;	/* ends with a NUL */
	unsigned line, col;	/* from 1; a tab is one column */
	bool quoted;		/* a quote was used: never a keyword */
};

struct lex_line {
	struct lex_word word[LEX_WORDS];
	unsigned count;
	unsigned line;
	unsigned end_line, end_col;	/* just after the last word */
};

struct lex {
	const char *at, *end;
	unsigned line, col;
	char *out, *out_end;	/* words are written here */
	unsigned bad_line;	/* where error is */
	char error[LEX_ERROR];	/* "LINE:COL: ..." once something was wrong */
};

/* text need not end with a NUL. room of len * 2 + 2 always suffices. */
void lex_init(struct lex *x, const char *text, size_t len, char *room, size_t room_len);

/* The next line that has words. Returns 1, 0 at the end, -1 on an error. */
int lex_next(struct lex *x, struct lex_line *l);

/* Sets the error (the first one stays) and returns -1:
 * "LINE:COL: 'TEXT': WHAT (expected EXPECTED)"; text and expected may be NULL. */
int lex_bad(struct lex *x, unsigned line, unsigned col, const char *text,
    const char *what, const char *expected);

#endif
