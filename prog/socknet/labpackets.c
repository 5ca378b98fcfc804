/* SPDX-License-Identifier: BSD-2-Clause */
/* labpackets.c - packets in order, and pieces: see labpackets.h. */
#include "labpackets.h"
#include "labexpect.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "0.5s", "0.5s±20%", "0.5s+-20%", "0.4s..0.6s": a time as it is means ±10%. */
static int
read_after(struct parse *p, const struct lex_word *w, const char *text, struct lab_pattern *t)
{
	static const char expected[] = "a time: 0.5s±20%, or 0.4s..0.6s";
	const char *plus = strstr(text, "±"), *dots = strstr(text, "..");
	size_t sign = 2, n;
	uint64_t middle;
	double share = 10;
	char *end;

	if (!plus)
		plus = strstr(text, "+-");
	n = dots ? (size_t)(dots - text) : plus ? (size_t)(plus - text) : strlen(text);
	if (parse_time_text(text, n, &middle))
		return parse_bad(p, w, "not such a time", expected);
	t->timed = true;
	t->after_min = middle;
	if (dots)
		return parse_time_text(dots + 2, strlen(dots + 2), &t->after_max) ||
		    t->after_max < t->after_min ? parse_bad(p, w, "not such a time", expected) : 0;
	if (plus) {
		share = isdigit((unsigned char)plus[sign]) ? strtod(plus + sign, &end) : -1;
		if (share < 0 || share > 100 || strcmp(end, "%") != 0)
			return parse_bad(p, w, "not such a time", expected);
	}
	t->after_min = (uint64_t)((double)middle * (1 - share / 100));
	t->after_max = (uint64_t)((double)middle * (1 + share / 100));
	return 0;
}

static int
read_pattern_fields(struct parse *p, struct lab_pattern *t)
{
	struct lab_expect x = { .fields = 0 };
	const struct lex_word *w;

	while ((w = parse_peek(p))) {
		p->at++;
		if (!strncmp(w->text, "after=", 6)) {
			if (read_after(p, w, w->text + 6, t))
				return -1;
			continue;
		}
		if (labexpect_field(p, &x, w))
			return -1;
		if (x.compare != LAB_ANY)
			return parse_bad(p, w, "a line is one packet", "no count here");
	}
	if (labexpect_check(p, x.field, x.fields, labexpect_packet_keys, labexpect_packet_expected))
		return -1;
	t->field = parse_alloc(p, (x.fields + 1) * sizeof(*t->field));
	if (!t->field)
		return -1;
	memcpy(t->field, x.field, x.fields * sizeof(*t->field));
	t->fields = x.fields;
	return 0;
}

static int
read_pattern(struct parse *p, struct lab_pattern *t)
{
	static const char expected[] = "in or out, then udp, tcp, icmp, arp or piece; or }";
	const struct lex_word *w;

	t->line = p->line.line;
	t->text = parse_joined(p, 0);
	t->out = parse_keyword(p, "out");
	if (!t->text || (!t->out && !parse_keyword(p, "in")))
		return parse_refuse(p, expected);
	w = parse_take(p, expected);
	if (!w)
		return -1;
	for (unsigned i = 0; labexpect_packet_kinds[i]; i++)
		if (!strcmp(labexpect_packet_kinds[i], w->text))
			t->kind = labexpect_packet_kinds[i];
	return t->kind ? read_pattern_fields(p, t) : parse_bad(p, w, "not a kind of packet", expected);
}

static int
read_block(struct parse *p, struct lab_expect *x)
{
	unsigned began = p->line.line;

	for (;;) {
		p->at = 0;
		if (lex_next(&p->lex, &p->line) <= 0)
			return lex_bad(&p->lex, began, 1, NULL, "a block that does not end",
			    "a line with }");
		if (parse_keyword(p, "}"))
			return x->patterns ? parse_end(p) :
			    lex_bad(&p->lex, began, 1, NULL, "an empty block", "lines of packets");
		if (x->patterns == LAB_PATTERNS)
			return parse_bad(p, &p->line.word[0], "too many lines", "at most 64");
		if (read_pattern(p, &x->pattern[x->patterns++]))
			return -1;
	}
}

static int
read_captured(struct parse *p, struct lab_step *s)
{
	if (parse_host(p, &s->host))
		return -1;
	if (p->lab->host[s->host].router)
		return parse_bad(p, &p->line.word[p->at - 1], "a router keeps a ledger",
		    "expect router NAME did=...");
	p->lab->host[s->host].captured = true;
	return 0;
}

int
labpackets_read(struct parse *p, struct lab_step *s)
{
	s->expect.what = LAB_EX_PACKETS;
	if (read_captured(p, s))
		return -1;
	if (parse_keyword(p, "within") && parse_time(p, &s->within_ns))
		return -1;
	s->expect.pattern = parse_alloc(p, LAB_PATTERNS * sizeof(*s->expect.pattern));
	if (!s->expect.pattern)
		return -1;
	if (!parse_keyword(p, "{"))
		return parse_refuse(p, "{, then a packet on each line, then }");
	return parse_end(p) ? -1 : read_block(p, &s->expect);
}

/* "272@544+": bytes, offset, and whether more follow. */
static bool
is_piece(const char *s)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	strtoul(s, &end, 10);
	if (*end != '@' || !isdigit((unsigned char)end[1]))
		return false;
	strtoul(end + 1, &end, 10);
	return *end == 0 || !strcmp(end, "+");
}

int
labpackets_fragments(struct parse *p, struct lab_step *s)
{
	static const char expected[] = "the pieces of one packet: 552@0+ 106@552";
	unsigned from;

	s->expect.what = LAB_EX_FRAGMENTS;
	if (read_captured(p, s))
		return -1;
	from = p->at;
	while (parse_peek(p) && is_piece(parse_peek(p)->text))
		p->at++;
	if (p->at == from)
		return parse_refuse(p, expected);
	s->expect.text = parse_joined_to(p, from, p->at);
	return s->expect.text && !labexpect_fields(p, s) &&
	    !labexpect_check(p, s->expect.field, s->expect.fields, labexpect_packet_keys,
	    labexpect_packet_expected) ? 0 : -1;
}
