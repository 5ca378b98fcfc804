/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mass_resume.c - an earlier run's records, read back; see mass.h. They are our
 * own, one a line, their members in the order in which we write them.
 */
#include "mass.h"

#include "cli/opt.h"
#include "proto/perm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The value behind "key":, a number or a string of digits; false if not there. */
static bool
member(const char *line, const char *key, uint64_t *out)
{
	char want[32], digits[24];
	const char *p;
	size_t n;

	snprintf(want, sizeof(want), "\"%s\":", key);
	p = strstr(line, want);
	if (!p)
		return false;
	p += strlen(want);
	p += *p == '"';
	n = strspn(p, "0123456789");
	if (!n || n >= sizeof(digits))
		return false;
	memcpy(digits, p, n);
	digits[n] = '\0';
	errno = 0;
	*out = strtoull(digits, NULL, 10);
	return errno == 0;
}

static bool
is_type(const char *line, const char *type)
{
	char want[48];

	snprintf(want, sizeof(want), "{\"v\":1,\"type\":\"%s\",", type);
	return strncmp(line, want, strlen(want)) == 0;
}

/* The first record is that of the run: the same list, the same share of it. */
static int
take_run(struct mass_resume *r, const struct opts *o, const struct mass_list *l, const char *line)
{
	uint64_t digest, shard, shards;

	if (!is_type(line, "run") || !member(line, "seed", &r->seed) ||
	    !member(line, "digest", &digest) || !member(line, "shard", &shard) ||
	    !member(line, "shards", &shards)) {
		run_say("--resume '%s': does not begin with the record of a run", o->resume);
		return STATUS_INPUT;
	}
	if (digest != l->all.digest) {
		run_say("--resume '%s': is about another list of targets", o->resume);
		return STATUS_INPUT;
	}
	if (shard != (o->shards ? o->shard : 1) || shards != (o->shards ? o->shards : 1)) {
		run_say("--resume '%s': is shard %" PRIu64 "/%" PRIu64 " (expected the same "
		    "--shard)", o->resume, shard, shards);
		return STATUS_INPUT;
	}
	if (o->have_seed && o->seed != r->seed) {
		run_say("--resume '%s': has seed %" PRIu64 " (expected the same --seed, or none)",
		    o->resume, r->seed);
		return STATUS_INPUT;
	}
	return 0;
}

static void
take_target(struct mass_resume *r, uint64_t share, uint64_t first, uint64_t step,
    const char *line)
{
	uint64_t n, place;

	if (!is_type(line, "target") || !member(line, "n", &n) || n < first)
		return;
	place = (n - first) / step;
	if ((n - first) % step || place >= share || (r->done[place / 8] >> (place % 8) & 1))
		return;
	r->done[place / 8] |= (uint8_t)(1u << place % 8);
	r->count++;
}

/* Only lines that end count; *good is where they do. */
static int
read_back(struct mass_resume *r, const struct opts *o, const struct mass_list *l, FILE *f,
    off_t *good)
{
	uint64_t shards = o->shards ? o->shards : 1, first = o->shards ? o->shard - 1 : 0;
	uint64_t share = sky_perm_share(l->all.count, first, shards);
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = 0;

	r->done = calloc(share / 8 + 1, 1);
	if (!r->done) {
		run_say("%s", strerror(ENOMEM));
		return STATUS_SYSTEM;
	}
	while (rc == 0 && (n = getline(&line, &size, f)) > 0 && line[n - 1] == '\n') {
		if (*good == 0)
			rc = take_run(r, o, l, line);
		else
			take_target(r, share, first, shards, line);
		*good += n;
	}
	free(line);
	return rc;
}

static int
cannot(const struct opts *o)
{
	run_say("--resume '%s': %s", o->resume, strerror(errno));
	return STATUS_SYSTEM;
}

int
mass_resume_open(struct mass_resume *r, const struct opts *o, const struct mass_list *l)
{
	struct stat st;
	off_t good = 0;
	FILE *f;
	int rc;

	r->fd = open(o->resume, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (r->fd < 0)
		return cannot(o);
	if (fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		run_say("--resume '%s': not a file", o->resume);
		return STATUS_INPUT;
	}
	if (flock(r->fd, LOCK_EX | LOCK_NB) < 0) {
		run_say("--resume '%s': another run is writing to it", o->resume);
		return STATUS_SYSTEM;
	}
	snprintf(r->to, sizeof(r->to), "%d", r->fd);
	f = fopen(o->resume, "re");
	if (!f)
		return cannot(o);
	rc = read_back(r, o, l, f, &good);
	fclose(f);
	if (rc)
		return rc;
	if (ftruncate(r->fd, good) < 0 || lseek(r->fd, good, SEEK_SET) < 0)
		return cannot(o);
	if (good == 0) {	/* nothing of use: a new run */
		free(r->done);
		r->done = NULL;
	}
	return 0;
}

void
mass_resume_free(struct mass_resume *r)
{
	free(r->done);
	r->done = NULL;
}
