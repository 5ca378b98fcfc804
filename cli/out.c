/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.c - the JSON writer: one growing line, written whole; see out.h.
 */
#include "cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_FIRST 1024		/* bytes of line to begin with */

/* --json=3 and --json=- are descriptors; everything else names a file. */
static FILE *
open_json(const char *to)
{
	size_t len = strspn(to, "0123456789");
	int fd;

	if (strcmp(to, "-") == 0)
		return stdout;
	if (len == 0 || len > 6 || to[len])
		return fopen(to, "we");
	fd = (int)strtol(to, NULL, 10);
	if (fd == STDOUT_FILENO)
		return stdout;
	return fd == STDERR_FILENO ? stderr : fdopen(fd, "w");
}

int
out_open(struct out *o, FILE *text, const char *json_to)
{
	const char *plain = getenv("NO_COLOR");

	memset(o, 0, sizeof(*o));
	o->text = text;
	o->terminal = text && isatty(fileno(text));
	if (text)
		setvbuf(text, NULL, _IOLBF, BUFSIZ);	/* a line is one write */
	o->colour = o->terminal && !(plain && *plain);
	if (!json_to)
		return 0;
	o->line = malloc(LINE_FIRST);
	if (!o->line)
		return -ENOMEM;
	o->at = o->line;
	o->end = o->line + LINE_FIRST;
	o->json = open_json(json_to);
	if (o->json)
		return 0;
	free(o->line);
	o->line = NULL;
	return -errno;
}

static int
flush(FILE *f)
{
	if (!f)
		return 0;
	if (fflush(f) == EOF)
		return -errno;
	return ferror(f) ? -EIO : 0;
}

int
out_close(struct out *o)
{
	int rc = flush(o->text);
	int json = flush(o->json);

	if (o->json && o->json != stdout && o->json != stderr && fclose(o->json) == EOF && !json)
		json = -errno;
	free(o->line);
	if (!rc)
		rc = json;
	if (o->failed)
		rc = -o->failed;	/* the first one, by name */
	memset(o, 0, sizeof(*o));
	return rc;
}

/* Makes room for n more bytes. */
static bool
room(struct out *o, size_t n)
{
	size_t used = (size_t)(o->at - o->line);
	size_t size = (size_t)(o->end - o->line);
	char *line;

	if (!o->json || o->failed)
		return false;
	if (n <= size - used)
		return true;
	while (size - used < n)
		size *= 2;
	line = realloc(o->line, size);
	if (!line) {
		o->failed = ENOMEM;
		return false;
	}
	o->line = line;
	o->at = line + used;
	o->end = line + size;
	return true;
}

static void
put(struct out *o, const char *s, size_t n)
{
	if (!room(o, n))
		return;
	memcpy(o->at, s, n);
	o->at += n;
}

static void
put_text(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

/* How many bytes at s are one well-formed UTF-8 character (RFC 3629), or 0. */
static size_t
utf8(const unsigned char *s)
{
	static const struct { unsigned char first, last, lo, hi, more; } rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 1 }, { 0xe0, 0xe0, 0xa0, 0xbf, 2 },
		{ 0xe1, 0xec, 0x80, 0xbf, 2 }, { 0xed, 0xed, 0x80, 0x9f, 2 },
		{ 0xee, 0xef, 0x80, 0xbf, 2 }, { 0xf0, 0xf0, 0x90, 0xbf, 3 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 },
	};
	size_t i, k;

	if (s[0] < 0x80)
		return 1;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (s[0] >= rows[i].first && s[0] <= rows[i].last)
			break;
	if (i == sizeof(rows) / sizeof(rows[0]) || s[1] < rows[i].lo || s[1] > rows[i].hi)
		return 0;
	for (k = 2; k <= rows[i].more; k++)
		if (s[k] < 0x80 || s[k] > 0xbf)
			return 0;
	return (size_t)rows[i].more + 1;
}

static void
put_quoted(struct out *o, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char esc[8];
	size_t n;

	put(o, "\"", 1);
	for (; *s; s += n) {
		n = utf8(s);
		if (*s == '"' || *s == '\\') {
			put(o, "\\", 1);
			put(o, (const char *)s, 1);
		} else if (*s < 0x20 || *s == 0x7f || n == 0) {
			snprintf(esc, sizeof(esc), "\\u%04x", *s);
			put(o, esc, 6);
			n = 1;
		} else {
			put(o, (const char *)s, n);
		}
	}
	put(o, "\"", 1);
}

/* The comma, and the key unless this is an element of an array. */
static void
put_key(struct out *o, const char *key)
{
	if (!o->json)
		return;
	if (!o->first)
		put(o, ",", 1);
	o->first = false;
	if (!key)
		return;
	put_quoted(o, key);
	put(o, ":", 1);
}

void
out_str(struct out *o, const char *key, const char *value)
{
	put_key(o, key);
	put_quoted(o, value);
}

void
out_u64(struct out *o, const char *key, uint64_t value)
{
	char text[24];

	put_key(o, key);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_text(o, text);
}

void
out_i64(struct out *o, const char *key, int64_t value)
{
	char text[24];

	put_key(o, key);
	snprintf(text, sizeof(text), "%" PRId64, value);
	put_text(o, text);
}

void
out_bool(struct out *o, const char *key, bool value)
{
	put_key(o, key);
	put_text(o, value ? "true" : "false");
}

static void
enter(struct out *o, const char *key, const char *bracket)
{
	put_key(o, key);
	put(o, bracket, 1);
	o->first = true;
	o->depth++;
}

static void
leave(struct out *o, const char *bracket)
{
	put(o, bracket, 1);
	o->first = false;
	o->depth--;
}

void
out_open_object(struct out *o, const char *key)
{
	enter(o, key, "{");
}

void
out_close_object(struct out *o)
{
	leave(o, "}");
}

void
out_open_array(struct out *o, const char *key)
{
	enter(o, key, "[");
}

void
out_close_array(struct out *o)
{
	leave(o, "]");
}

void
out_begin(struct out *o, const char *type, uint64_t time_ns)
{
	char text[40];

	if (!o->json)
		return;
	o->at = o->line;
	o->first = true;
	o->depth = 0;
	enter(o, NULL, "{");
	out_u64(o, "v", 1);
	out_str(o, "type", type);
	snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64,
	    time_ns / 1000000000, time_ns % 1000000000);
	out_str(o, "time", text);
}

void
out_end(struct out *o)
{
	size_t n;

	if (!o->json)
		return;
	leave(o, "}");
	put(o, "\n", 1);
	n = (size_t)(o->at - o->line);
	if (o->failed)
		return;
	if (fwrite(o->line, 1, n, o->json) != n || (!o->lazy && fflush(o->json) == EOF))
		o->failed = errno;
}

void
out_addr(struct out *o, const char *key, const char *port_key, const struct sky_addr *a)
{
	char text[SKY_ADDRSTRLEN];

	out_str(o, key, sky_addr_format_host(a, text, sizeof(text)));
	if (port_key && sky_addr_port(a))
		out_u64(o, port_key, sky_addr_port(a));
}
