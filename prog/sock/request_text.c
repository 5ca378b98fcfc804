/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request_text.c - what is asked: lines of input, or the pattern of -i.
 *
 * A line keeps its newline, so that the echoed text is the text. One that is
 * longer than -r is asked in pieces; the last one may lack its newline.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATTERN_FIRST ' '	/* the printable characters, over and over */
#define PATTERN_SIZE 95
#define LONGEST (65507 - SKY_CALL_HEAD)

bool
request_text_open(struct request *q)
{
	const struct config *c = q->x->c;
	uint64_t i;

	q->cap = c->read_size < LONGEST ? c->read_size : LONGEST;
	q->text = malloc(q->input ? q->cap : c->write_size + 1);
	if (!q->text || q->input)
		return q->text;
	for (i = 0; i < c->write_size; i++)
		q->text[i] = (unsigned char)(PATTERN_FIRST + i % PATTERN_SIZE);
	q->len = c->write_size;
	return true;
}

void
request_text_read(struct request *q)
{
	ssize_t n = read(STDIN_FILENO, q->text + q->used, q->cap - q->used);

	if (n > 0)
		q->used += (size_t)n;
	else
		q->end = true;
}

/* The request that has ended makes room for what follows it. */
static void
drop_last(struct request *q)
{
	q->used -= q->len;
	if (q->used)
		memmove(q->text, q->text + q->len, q->used);
	q->len = 0;
}

bool
request_text_next(struct request *q)
{
	const unsigned char *newline;

	drop_last(q);
	newline = q->used ? memchr(q->text, '\n', q->used) : NULL;
	if (newline)
		q->len = (size_t)(newline - q->text) + 1;
	else if (q->end || q->used == q->cap)
		q->len = q->used;
	return q->len > 0;
}
