/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drive.h - runs an engine that asks for probes and takes answers, over the
 * sockets of a run: for the modes that are not one trace (loop.h).
 */
#ifndef SOCKPATH_DRIVE_H
#define SOCKPATH_DRIVE_H

#include "run.h"

#include "proto/hop.h"

enum drive_kind { DRIVE_WAIT, DRIVE_SEND, DRIVE_DONE };

/* As the functions of the engines have it; the engine itself comes first. */
struct drive {
	void *engine;
	enum drive_kind (*poll)(void *engine, uint64_t now, struct sky_hop_probe *out);
	uint64_t (*deadline)(const void *engine);
	void (*answer)(void *engine, uint64_t now, const struct sky_hop_answer *a);
	void (*stop)(void *engine, uint64_t now);	/* poll says DONE from now on */
	void (*news)(struct run *r, void *engine);	/* after answers; may be NULL */
	struct sky_pathsock *sock;	/* another one than the run's, or NULL */
};

/* To the end. False: a signal ended it. */
bool drive_run(struct run *r, const struct drive *d);

#endif
