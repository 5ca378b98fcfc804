/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - an ordinary main for a fuzz target: gives it each seed, and every
 * cut of it, and prints TAP. Without arguments the seeds are those in
 * $SOCKEYE_SRC/fuzz/seeds/NAME; arguments are folders or files.
 */
#include "fuzz.h"

#include <dirent.h>
#include <err.h>

#define SEED_MAX (1 << 17)
#define CUTS_MAX 4096		/* longer seeds are cut at their first so many bytes */

static unsigned count;

/* In memory of exactly its size, so that a sanitizer sees one byte too far. */
static void
give(const uint8_t *data, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	if (!p)
		err(1, "malloc");
	memcpy(p, data, len);
	LLVMFuzzerTestOneInput(p, len);
	free(p);
}

static void
replay_file(const char *path)
{
	static uint8_t data[SEED_MAX];
	const char *name = strrchr(path, '/');
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!f)
		err(1, "cannot open '%s'", path);
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	printf("# %s\n", path);
	fflush(stdout);
	for (size_t n = 0; n < len && n < CUTS_MAX; n++)
		give(data, n);
	give(data, len);
	printf("ok %u - %s, and every cut of it\n", ++count, name ? name + 1 : path);
}

static int
visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void
replay(const char *path)
{
	struct dirent **list;
	char file[4096];
	int n = scandir(path, &list, visible, alphasort);

	if (n < 0) {
		replay_file(path);
		return;
	}
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
		replay_file(file);
		free(list[i]);
	}
	free(list);
}

int
main(int argc, char **argv)
{
	const char *src = getenv("SOCKEYE_SRC");
	char seeds[4096];

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc < 2) {
		snprintf(seeds, sizeof(seeds), "%s/fuzz/seeds/%s", src ? src : ".", FUZZ_NAME);
		replay(seeds);
	}
	if (!count)
		printf("not ok 1 - there are seeds\n");
	printf("1..%u\n", count ? count : 1);
	return count ? 0 : 1;
}
