/* SPDX-License-Identifier: BSD-2-Clause */
/* parse.c - words into values: see parse.h. */
#include "parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct lex_word *
parse_peek(const struct parse *p)
{
	return p->at < p->line.count ? &p->line.word[p->at] : NULL;
}

const struct lex_word *
parse_take(struct parse *p, const char *expected)
{
	const struct lex_word *w = parse_peek(p);

	if (!w)
		lex_bad(&p->lex, p->line.end_line, p->line.end_col, NULL,
		    "end of line", expected);
	else
		p->at++;
	return w;
}

bool
parse_keyword(struct parse *p, const char *keyword)
{
	const struct lex_word *w = parse_peek(p);

	if (!w || w->quoted || strcmp(w->text, keyword))
		return false;
	p->at++;
	return true;
}

int
parse_bad(struct parse *p, const struct lex_word *w, const char *what, const char *expected)
{
	return lex_bad(&p->lex, w->line, w->col, w->text, what, expected);
}

int
parse_refuse(struct parse *p, const char *expected)
{
	const struct lex_word *w = parse_take(p, expected);

	return w ? parse_bad(p, w, "not understood here", expected) : -1;
}

int
parse_end(struct parse *p)
{
	const struct lex_word *w = parse_peek(p);

	return w ? parse_bad(p, w, "not understood here", "the end of the line") : 0;
}

int
parse_host(struct parse *p, unsigned *host)
{
	const struct lex_word *w = parse_take(p, "a host");

	if (!w)
		return -1;
	*host = labfile_host(p->lab, w->text);
	if (*host == LAB_NONE)
		return parse_bad(p, w, "no such host", "a name from a host line above");
	if (p->lab->host[*host].lan)
		return parse_bad(p, w, "is a lan, not a host", "a name from a host line above");
	return 0;
}

int
parse_number(struct parse *p, const char *expected, uint64_t min, uint64_t max, uint64_t *out)
{
	const struct lex_word *w = parse_take(p, expected);
	uint64_t v = 0;

	if (!w)
		return -1;
	for (const char *s = w->text; *s || s == w->text; s++) {
		if (!isdigit((unsigned char)*s) || v > max / 10 + 1)
			return parse_bad(p, w, "not such a number", expected);
		v = v * 10 + (uint64_t)(*s - '0');
	}
	if (v < min || v > max)
		return parse_bad(p, w, "out of range", expected);
	*out = v;
	return 0;
}

int
parse_time_text(const char *text, size_t n, uint64_t *ns)
{
	static const struct {
		const char *suffix;
		double ns;
	} units[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 } };
	char copy[32], *end;
	double v;

	if (n >= sizeof(copy) || !isdigit((unsigned char)text[0]))
		return -1;
	memcpy(copy, text, n);
	copy[n] = 0;
	v = strtod(copy, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].suffix) && v * units[i].ns <= 600e9) {
			*ns = (uint64_t)(v * units[i].ns);
			return 0;
		}
	return -1;
}

int
parse_time(struct parse *p, uint64_t *ns)
{
	static const char expected[] = "a time up to 600s: 10s, 500ms";
	const struct lex_word *w = parse_take(p, expected);

	if (!w)
		return -1;
	return parse_time_text(w->text, strlen(w->text), ns) ?
	    parse_bad(p, w, "not a time", expected) : 0;
}

/* Splits "ADDR/LEN"; a length is put in plen if there is one. */
static int
split_plen(const char *text, char *host, size_t size, unsigned *plen, bool *given)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char *end;
	unsigned long v;

	if (n >= size)
		return -1;
	memcpy(host, text, n);
	host[n] = 0;
	*given = slash != NULL;
	if (!slash)
		return 0;
	v = strtoul(slash + 1, &end, 10);
	if (!isdigit((unsigned char)slash[1]) || *end || v > 128)
		return -1;
	*plen = (unsigned)v;
	return 0;
}

int
parse_addr(struct parse *p, const struct lex_word *w, bool with_plen, struct lab_addr *out)
{
	const char *expected = with_plen ?
	    "an address with its prefix length, 10.1.0.1/24 or fd01::1/64" :
	    "an address, 10.1.0.1 or fd01::1";
	char host[INET6_ADDRSTRLEN];
	bool given;

	*out = (struct lab_addr){ .text = w->text };
	if (split_plen(w->text, host, sizeof(host), &out->plen, &given) || given != with_plen)
		return parse_bad(p, w, "not an address", expected);
	if (inet_pton(AF_INET, host, out->bytes) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, host, out->bytes) == 1)
		out->family = AF_INET6;
	else
		return parse_bad(p, w, "not an address", expected);
	if (given && (out->plen == 0 || (out->family == AF_INET && out->plen > 32)))
		return parse_bad(p, w, "not a prefix length", "/1 to /32, or /128 for IPv6");
	return 0;
}

int
parse_own_addr(struct parse *p, const struct lex_word *w, struct lab_addr *out)
{
	static const uint8_t none6[15];
	bool v4;

	if (parse_addr(p, w, true, out))
		return -1;
	v4 = out->family == AF_INET;
	if (v4 ? out->bytes[0] == 0 || out->bytes[0] == 127 || out->bytes[0] >= 224 :
	    out->bytes[0] == 0xff || (!memcmp(out->bytes, none6, 15) && out->bytes[15] <= 1))
		return parse_bad(p, w, "no host has this address on a link",
		    "a unicast address, not of loopback");
	return 0;
}

void *
parse_alloc(struct parse *p, size_t size)
{
	size_t need = (size + 15) & ~(size_t)15;
	struct lab_pool *pool = p->lab->pool;
	char *at;

	if (!pool || pool->size - pool->used < need)
		pool = parse_grow(p->lab, need > 32768 ? need : 32768);
	if (!pool) {
		lex_bad(&p->lex, p->line.line, 1, NULL, "out of memory", NULL);
		return NULL;
	}
	at = pool->data + pool->used;
	pool->used += need;
	return memset(at, 0, need);
}

struct lab_pool *
parse_grow(struct lab *lab, size_t size)
{
	struct lab_pool *pool = malloc(sizeof(*pool) + size);

	if (!pool)
		return NULL;
	*pool = (struct lab_pool){ .next = lab->pool, .size = size };
	lab->pool = pool;
	return pool;
}

void *
parse_add(struct parse *p, void **base, unsigned *count, unsigned max,
    size_t size, const char *what)
{
	char told[40];
	char *grown;

	if (*count == max) {
		snprintf(told, sizeof(told), "at most %u", max);
		lex_bad(&p->lex, p->line.line, 1, what, "too many of these lines", told);
		return NULL;
	}
	if (*count % 16 == 0) {
		grown = realloc(*base, (*count + 16) * size);
		if (!grown) {
			lex_bad(&p->lex, p->line.line, 1, NULL, "out of memory", NULL);
			return NULL;
		}
		*base = grown;
	}
	grown = (char *)*base + (size_t)*count * size;
	++*count;
	return memset(grown, 0, size);
}

int
parse_rest(struct parse *p, const char *expected, struct lab_args *out)
{
	unsigned n = p->line.count - p->at;

	if (!n)
		return parse_take(p, expected) ? 0 : -1;
	out->argv = parse_alloc(p, (n + 1) * sizeof(*out->argv));
	if (!out->argv)
		return -1;
	for (out->argc = 0; out->argc < n; out->argc++)
		out->argv[out->argc] = p->line.word[p->at++].text;
	return 0;
}

const char *
parse_joined_to(struct parse *p, unsigned from, unsigned to)
{
	size_t size = 1, n = 0;
	char *s;

	for (unsigned i = from; i < to; i++)
		size += strlen(p->line.word[i].text) + 1;
	s = parse_alloc(p, size);
	for (unsigned i = from; s && i < to; i++) {
		size_t len = strlen(p->line.word[i].text);

		if (n)
			s[n++] = ' ';
		memcpy(s + n, p->line.word[i].text, len);
		n += len;
	}
	return s;
}

const char *
parse_joined(struct parse *p, unsigned from)
{
	return parse_joined_to(p, from, p->line.count);
}
