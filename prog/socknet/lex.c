/* SPDX-License-Identifier: BSD-2-Clause */
/* lex.c - words of a lab file: see lex.h. */
#include "lex.h"

#include <stdio.h>
#include <string.h>

void
lex_init(struct lex *x, const char *text, size_t len, char *room, size_t room_len)
{
	*x = (struct lex){
		.at = text, .end = text + len, .line = 1, .col = 1,
		.out = room, .out_end = room + room_len,
	};
}

int
lex_bad(struct lex *x, unsigned line, unsigned col, const char *text,
    const char *what, const char *expected)
{
	size_t n = 0;

	if (x->error[0])
		return -1;
	x->bad_line = line;
	n += (size_t)snprintf(x->error, 32, "%u:%u: ", line & 0xffffffu, col);
	if (text)
		n += (size_t)snprintf(x->error + n, 110, "'%.100s': ", text);
	n = strlen(x->error);
	n += (size_t)snprintf(x->error + n, sizeof(x->error) - n, "%s", what);
	if (expected && n < sizeof(x->error))
		snprintf(x->error + n, sizeof(x->error) - n, " (expected %s)", expected);
	return -1;
}

static int
peek(const struct lex *x)
{
	return x->at < x->end ? (unsigned char)*x->at : -1;
}

static int
get(struct lex *x)
{
	int c = peek(x);

	if (c < 0)
		return c;
	x->at++;
	x->col++;
	if (c == '\n') {
		x->line++;
		x->col = 1;
	}
	return c;
}

static void
put(struct lex *x, int c)
{
	if (x->out < x->out_end)
		*x->out++ = (char)c;
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* A backslash followed by the end of the line. */
static bool
joins(const struct lex *x)
{
	return x->end - x->at >= 2 && x->at[0] == '\\' && x->at[1] == '\n';
}

static void
skip_blanks(struct lex *x)
{
	for (;;) {
		if (joins(x))
			get(x);
		else if (!is_blank(peek(x)))
			return;
		get(x);
	}
}

static int
unescape(int c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static int
quoted(struct lex *x)
{
	unsigned line = x->line, col = x->col;
	int q = get(x), c;

	while ((c = get(x)) != q) {
		if (c < 0 || c == '\n')
			return lex_bad(x, line, col, NULL, "a quote that does not end",
			    q == '"' ? "\" on the same line" : "' on the same line");
		if (c == '\\' && q == '"') {
			c = get(x);
			if (c < 0 || c == '\n')
				return lex_bad(x, line, col, NULL,
				    "a quote that does not end", "\" on the same line");
			c = unescape(c);
		}
		if (c == 0)
			return lex_bad(x, line, col, NULL, "a NUL byte", "text");
		put(x, c);
	}
	return 0;
}

static int
word(struct lex *x, struct lex_word *w)
{
	int c;

	*w = (struct lex_word){ .text = x->out, .line = x->line, .col = x->col };
	while ((c = peek(x)) >= 0 && c != '\n' && !is_blank(c) && !joins(x)) {
		if (c == 0)
			return lex_bad(x, x->line, x->col, NULL, "a NUL byte", "text");
		if (c == '"' || c == '\'') {
			w->quoted = true;
			if (quoted(x))
				return -1;
		} else {
			put(x, get(x));
		}
	}
	put(x, 0);
	x->out[-1] = 0;
	return 0;
}

static void
skip_comment(struct lex *x)
{
	while (peek(x) >= 0 && peek(x) != '\n')
		get(x);
}

int
lex_next(struct lex *x, struct lex_line *l)
{
	l->count = 0;
	while (l->count == 0) {
		if (peek(x) < 0)
			return 0;
		for (;;) {
			skip_blanks(x);
			if (peek(x) == '#')
				skip_comment(x);
			if (peek(x) < 0 || peek(x) == '\n')
				break;
			if (l->count == LEX_WORDS)
				return lex_bad(x, x->line, x->col, NULL,
				    "too many words", "at most 128 on a line");
			if (word(x, &l->word[l->count]))
				return -1;
			l->count++;
			l->end_line = x->line;
			l->end_col = x->col;
		}
		get(x);
	}
	l->line = l->word[0].line;
	return 1;
}
