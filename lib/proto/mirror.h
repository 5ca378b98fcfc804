/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror.h - the inside of struct sky_mirror: shared by mirror.c, which reflects,
 * and mirrormsg.c, which reports.
 */
#ifndef SKY_PROTO_MIRROR_H
#define SKY_PROTO_MIRROR_H

#include "proto/probe.h"
#include "proto/track.h"
#include "wire/tally.h"

struct session {
	bool open;
	bool ours;			/* its sender is one of ours: checks, report */
	bool silent;			/* it wants no reflections */
	bool ending;			/* the sender has told its numbers */
	bool final;			/* the counts below are what was reported */
	bool thanked;			/* the report has arrived */
	struct sky_addr peer;
	uint16_t ssid;
	uint32_t session, serial, messages;
	uint64_t token;
	uint64_t used;			/* numbers, as the sender tells */
	uint64_t reflected, refused;
	uint64_t heard, end_heard, final_at, retry_at;
	unsigned tries;			/* of a report at close */
	uint32_t final_drops;
	uint64_t others;		/* mirror's when this one was last heard */
	struct sky_track out;
};

struct mirror {
	struct session *session;
	unsigned size, opened;
	uint64_t secret;
	uint32_t flags;
	bool closing;
	uint64_t others;		/* counts what is nobody's, and new sessions */
	struct sky_mirror_sums sums;
};

static inline struct mirror *
mirror_of(struct sky_mirror *m)
{
	return (struct mirror *)(void *)m->opaque;
}

static inline const struct mirror *
mirror_of_const(const struct sky_mirror *m)
{
	return (const struct mirror *)(const void *)m->opaque;
}

/* The session of a sender, or NULL. */
struct session *sky_mirror_find(struct mirror *m, const struct sky_addr *from, uint16_t ssid);
/* A new one, or NULL if there is no place. */
struct session *sky_mirror_add(struct mirror *m, const struct sky_mirror_in *in, uint16_t ssid);

#endif
