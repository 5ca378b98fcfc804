/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.h - what the verbs of a lab file read their words with.
 *
 * Every function returns 0 (or a word) when well, -1 (or NULL) after having said
 * in the lexer's error what was found and what was expected.
 */
#ifndef SOCKNET_PARSE_H
#define SOCKNET_PARSE_H

#include "labfile.h"

struct parse {
	struct lab *lab;
	struct lex lex;
	struct lex_line line;
	unsigned at;		/* next word of the line */
	unsigned file;		/* its number; 0: the lab itself */
	labfile_reader reader;
};

struct verb {
	const char *word;
	int (*read)(struct parse *p);
	bool step;		/* happens in order, after the network was built */
};

extern const struct verb parse_step_verbs[];	/* ends with word NULL */

/* The next word, or NULL: "end of line (expected EXPECTED)". */
const struct lex_word *parse_take(struct parse *p, const char *expected);
/* The next word, not taken; NULL at the end of the line. */
const struct lex_word *parse_peek(const struct parse *p);
/* Takes the next word if it is this keyword (a quoted word never is). */
bool parse_keyword(struct parse *p, const char *keyword);
int parse_bad(struct parse *p, const struct lex_word *w, const char *what, const char *expected);
/* The next word, or the end of the line, is not what was expected. */
int parse_refuse(struct parse *p, const char *expected);
/* Fails if words are left. */
int parse_end(struct parse *p);

int parse_host(struct parse *p, unsigned *host);
int parse_number(struct parse *p, const char *expected, uint64_t min, uint64_t max, uint64_t *out);
int parse_time(struct parse *p, uint64_t *ns);
/* n bytes of text, up to 600s; silent. */
int parse_time_text(const char *text, size_t n, uint64_t *ns);
int parse_addr(struct parse *p, const struct lex_word *w, bool with_plen, struct lab_addr *out);
/* With its prefix length, and such that a host may have it on a link. */
int parse_own_addr(struct parse *p, const struct lex_word *w, struct lab_addr *out);
/* All words that are left, at least one. */
int parse_rest(struct parse *p, const char *expected, struct lab_args *out);
/* All words that are left, joined by blanks, from word `from` of the line. */
const char *parse_joined(struct parse *p, unsigned from);
/* The same up to word `to`. */
const char *parse_joined_to(struct parse *p, unsigned from, unsigned to);

/* Zeroed memory of the lab, aligned; NULL (and an error) if there is none. */
void *parse_alloc(struct parse *p, size_t size);
/* A piece of the lab's memory; the newest one is used up first. */
struct lab_pool {
	struct lab_pool *next;
	size_t used, size;
	_Alignas(16) char data[];
};
/* Another piece; NULL: out of memory. */
struct lab_pool *parse_grow(struct lab *lab, size_t size);
/* A zeroed element at the end of an array of the lab; NULL if it is full. */
void *parse_add(struct parse *p, void **base, unsigned *count, unsigned max,
    size_t size, const char *what);

/* The words of a host line: names. */
int labfile_read_host(struct parse *p);

/* What only the whole file shows: double and overlapping addresses, ... */
int parse_check(struct parse *p);

#endif
