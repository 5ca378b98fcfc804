/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - finds members in one JSON object, where they lie.
 *
 * Nothing is copied or allocated. Text that is not JSON has no members. Nesting
 * beyond 32 is not looked into.
 */
#ifndef SOCKNET_JSON_H
#define SOCKNET_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	const char *at, *end;	/* one value, blanks left out */
};

/* Reads one value that fills the text. False if it is not JSON. */
bool json_of(struct json *j, const char *text, size_t len);

/* path: names of members and indices of elements, joined by dots:
 * "fates.refused", "destinations.0.dst". False if there is none. */
bool json_find(const struct json *j, const char *path, struct json *out);

/* Element i of an array, or value i of an object with its name (name may be
 * NULL). False past the end. */
bool json_at(const struct json *j, unsigned i, struct json *name, struct json *out);

/* The value as text: strings without quotes and escapes, others as written. Cut
 * to fit; ends with a NUL; returns buf. */
char *json_text(const struct json *j, char *buf, size_t size);
/* An integer, or 0. */
uint64_t json_u64(const struct json *j);

#endif
