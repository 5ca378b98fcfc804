/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of records: whatever is found lies within the text. */
#include "fuzz.h"
#include "prog/socknet/json.h"

static void
visit(const struct json *j, const uint8_t *data, size_t len, unsigned depth)
{
	struct json name, value;
	char text[16];

	must(within(data, len, j->at, (size_t)(j->end - j->at)));
	must(strlen(json_text(j, text, sizeof(text))) < sizeof(text));
	json_u64(j);
	for (unsigned i = 0; depth < 4 && i < 64 && json_at(j, i, &name, &value); i++)
		visit(&value, data, len, depth + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct json j, found;

	if (!json_of(&j, (const char *)data, len))
		return 0;
	visit(&j, data, len, 0);
	if (json_find(&j, "fates.refused", &found) || json_find(&j, "a.0.b", &found))
		must(within(data, len, found.at, (size_t)(found.end - found.at)));
	return 0;
}
