/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c - finds members in JSON: see json.h. */
#include "json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 32

static const char *
blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at) && *at)
		at++;
	return at;
}

/* Past the string that begins at at, or NULL. */
static const char *
skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at < end ? at + 1 : NULL;
}

static const char *skip_value(const char *at, const char *end, unsigned depth);

static const char *
skip_members(const char *at, const char *end, unsigned depth)
{
	char close = *at == '{' ? '}' : ']';
	bool object = *at == '{';

	at = blanks(at + 1, end);
	if (at < end && *at == close)
		return at + 1;
	while (at && at < end) {
		if (object) {
			at = *at == '"' ? skip_string(at, end) : NULL;
			at = at ? blanks(at, end) : NULL;
			if (!at || at == end || *at != ':')
				return NULL;
			at = blanks(at + 1, end);
		}
		at = skip_value(at, end, depth + 1);
		at = at ? blanks(at, end) : NULL;
		if (!at || at == end)
			return NULL;
		if (*at == close)
			return at + 1;
		if (*at != ',')
			return NULL;
		at = blanks(at + 1, end);
	}
	return NULL;
}

static const char *
skip_value(const char *at, const char *end, unsigned depth)
{
	const char *start = at;

	if (at >= end || depth > DEPTH)
		return NULL;
	if (*at == '"')
		return skip_string(at, end);
	if (*at == '{' || *at == '[')
		return skip_members(at, end, depth);
	while (at < end && (isalnum((unsigned char)*at) || strchr("+-.", *at)) && *at)
		at++;
	return at > start ? at : NULL;
}

bool
json_of(struct json *j, const char *text, size_t len)
{
	j->end = text + len;
	j->at = blanks(text, j->end);
	while (j->end > j->at && strchr(" \t\r\n", j->end[-1]) && j->end[-1])
		j->end--;
	return skip_value(j->at, j->end, 0) == j->end;
}

bool
json_at(const struct json *j, unsigned i, struct json *name, struct json *out)
{
	const char *at;

	if (j->at >= j->end || (*j->at != '{' && *j->at != '['))
		return false;
	at = blanks(j->at + 1, j->end);
	for (;; i--) {
		if (at >= j->end || *at == '}' || *at == ']')
			return false;
		if (*j->at == '{') {
			const char *after = skip_string(at, j->end);

			if (!after)
				return false;
			if (name)
				*name = (struct json){ at, after };
			at = blanks(blanks(after, j->end) + 1, j->end);
		}
		out->at = at;
		out->end = skip_value(at, j->end, 0);
		if (!out->end)
			return false;
		if (i == 0)
			return true;
		at = blanks(out->end, j->end);
		at = blanks(at < j->end && *at == ',' ? at + 1 : at, j->end);
	}
}

/* The member of that name, or the element of that number. */
static bool
step(const struct json *j, const char *name, size_t len, struct json *out)
{
	struct json key;
	char *end;

	if (j->at < j->end && *j->at == '[') {
		unsigned long i = strtoul(name, &end, 10);

		return end == name + len && json_at(j, (unsigned)i, NULL, out);
	}
	for (unsigned i = 0; json_at(j, i, &key, out); i++)
		if ((size_t)(key.end - key.at) == len + 2 && !memcmp(key.at + 1, name, len))
			return true;
	return false;
}

bool
json_find(const struct json *j, const char *path, struct json *out)
{
	struct json at = *j;

	while (*path) {
		size_t len = strcspn(path, ".");

		if (!step(&at, path, len, out))
			return false;
		at = *out;
		path += len + (path[len] == '.');
	}
	return true;
}

char *
json_text(const struct json *j, char *buf, size_t size)
{
	const char *at = j->at, *end = j->end;
	size_t n = 0;

	if (end - at >= 2 && *at == '"') {
		at++;
		end--;
	}
	while (at < end && n + 1 < size) {
		if (*at == '\\' && at + 1 < end)
			at++;
		buf[n++] = *at++;
	}
	buf[n] = 0;
	return buf;
}

uint64_t
json_u64(const struct json *j)
{
	char buf[32];

	return strtoull(json_text(j, buf, sizeof(buf)), NULL, 10);
}
