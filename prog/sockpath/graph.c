/* SPDX-License-Identifier: BSD-2-Clause */
/* graph.c - see graph.h. A lane is two columns; a link that changes lanes goes one
 * lane a line: to the right at once, to the left as late as it can, as the pictures
 * of version control have it. */
#include "graph.h"

#include <string.h>

#define WIDTH (2 * GRAPH_LANES + 1)

static void
trim(char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == ' ')
		text[--n] = '\0';
}

void
graph_node(char *buf, size_t size, unsigned lane, const bool *live, unsigned lanes, char mark)
{
	size_t at = 0;

	for (unsigned i = 0; i < lanes && i < GRAPH_LANES && at + 3 < size; i++) {
		buf[at++] = i == lane ? mark : live[i] ? '|' : ' ';
		buf[at++] = ' ';
	}
	buf[at] = '\0';
	trim(buf);
}

static void
mark(char *row, unsigned column, char with, bool sure)
{
	char *c = &row[column];

	if (!sure && *c == ' ')
		*c = with == '|' ? ':' : '.';
	else if (sure && ((*c == '\\' && with == '/') || (*c == '/' && with == '\\')))
		*c = 'X';
	else if (sure && *c != 'X')
		*c = with;
}

/* Where a link is in line `row` of `rows`. */
static void
draw(char *text, const struct graph_link *l, unsigned row, unsigned rows)
{
	unsigned gap = l->from > l->to ? l->from - l->to : l->to - l->from;
	unsigned lane;

	if (l->to > l->from) {
		if (row < gap)
			mark(text, 2 * (l->from + row) + 1, '\\', l->sure);
		else
			mark(text, 2 * l->to, '|', l->sure);
		return;
	}
	if (row < rows - gap) {
		mark(text, 2 * l->from, '|', l->sure);
		return;
	}
	lane = l->from - (row - (rows - gap));
	mark(text, 2 * lane - 1, '/', l->sure);
}

void
graph_links(const struct graph_link *l, unsigned n, void (*line)(void *, const char *), void *data)
{
	char text[WIDTH + 1];
	unsigned rows = 1;

	for (unsigned i = 0; i < n; i++) {
		unsigned gap = l[i].from > l[i].to ? l[i].from - l[i].to : l[i].to - l[i].from;

		if (l[i].from < GRAPH_LANES && l[i].to < GRAPH_LANES && gap > rows)
			rows = gap;
	}
	for (unsigned row = 0; row < rows; row++) {
		memset(text, ' ', WIDTH);
		text[WIDTH] = '\0';
		for (unsigned i = 0; i < n; i++)
			if (l[i].from < GRAPH_LANES && l[i].to < GRAPH_LANES)
				draw(text, &l[i], row, rows);
		trim(text);
		line(data, text);
	}
}
