/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_list.c - targets out of a file or standard input; see mass.h. */
#include "mass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1024 };

/* Full: join what touches, and if that does not free half of it, double it. */
static int
more_room(struct mass_list *l)
{
	uint64_t room = l->all.room ? l->all.room : ROOM_FIRST;
	struct sky_range *range;

	if (l->all.ranges && sky_targets_seal(&l->all) == 0 && l->all.ranges < room / 2)
		return 0;
	if (l->all.room)
		room *= 2;
	range = malloc(room * sizeof(*range));
	if (!range)
		return -ENOMEM;
	sky_targets_move(&l->all, range, room);
	free(l->range);
	l->range = range;
	return 0;
}

static int
add_line(struct mass_list *l, const char *name, const char *line)
{
	char word[80];
	const char *why = "";
	int rc = sky_targets_add(&l->all, line, word, sizeof(word), &why);

	if (rc == -ENOSPC) {
		rc = more_room(l);
		if (rc == 0)
			rc = sky_targets_add(&l->all, line, word, sizeof(word), &why);
	}
	if (rc == 0)
		return 0;
	if (rc == -ENOMEM) {
		run_say("%s", strerror(ENOMEM));
		return STATUS_SYSTEM;
	}
	for (char *c = word; *c; c++)	/* a terminal may listen */
		*c = *c < ' ' || *c > '~' ? '?' : *c;
	run_say("%s, line %llu: '%s': no target (expected %s)", name,
	    (unsigned long long)l->lines, word, why);
	return STATUS_INPUT;
}

static int
read_lines(struct mass_list *l, FILE *f, const char *name)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = getline(&line, &size, f)) >= 0) {
		l->lines++;
		if (memchr(line, '\0', (size_t)n)) {
			run_say("%s, line %llu: a byte 0 (expected text)", name,
			    (unsigned long long)l->lines);
			rc = STATUS_INPUT;
			break;
		}
		rc = add_line(l, name, line);
	}
	if (rc == 0 && ferror(f)) {
		run_say("cannot read %s: %s", name, strerror(errno));
		rc = STATUS_SYSTEM;
	}
	free(line);
	return rc;
}

static int
check(struct mass_list *l, const struct opts *o, const char *name)
{
	if (sky_targets_seal(&l->all) < 0) {
		run_say("%s: more than 2^40 targets", name);
		return STATUS_INPUT;
	}
	for (uint64_t i = 0; i < l->all.ranges; i++) {
		l->v4 |= !l->all.range[i].v6;
		l->v6 |= l->all.range[i].v6;
	}
	if ((l->v4 && o->only6) || (l->v6 && o->only4)) {
		run_say("%s: has IPv%d addresses (expected none with -%d)", name,
		    o->only6 ? 4 : 6, o->only6 ? 6 : 4);
		return STATUS_INPUT;
	}
	if (l->all.count)
		return 0;
	run_say("%s: no targets (expected addresses or prefixes, one a line)", name);
	return STATUS_INPUT;
}

int
mass_list_read(struct mass_list *l, const struct opts *o)
{
	bool in = strcmp(o->targets, "-") == 0;
	const char *name = in ? "standard input" : o->targets;
	FILE *f = in ? stdin : fopen(o->targets, "re");
	int rc;

	memset(l, 0, sizeof(*l));
	if (!f) {
		run_say("--targets '%s': %s", o->targets, strerror(errno));
		return STATUS_INPUT;
	}
	rc = read_lines(l, f, name);
	if (!in)
		fclose(f);
	return rc ? rc : check(l, o, name);
}

void
mass_list_free(struct mass_list *l)
{
	free(l->range);
	l->range = NULL;
}
