/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mass.h - the paths to a whole list of targets, as JSON lines.
 *
 * mass_list.c reads the list, mass_resume.c what an earlier run has written,
 * mass_io.c sends and listens (in a thread), mass_say.c writes; mass.c has the
 * loop between them and the engine (proto/mass.h).
 */
#ifndef SOCKPATH_MASS_H
#define SOCKPATH_MASS_H

#include "run.h"

#include "proto/mass.h"
#include "sys/volley.h"

#include <pthread.h>
#include <stdatomic.h>

#define MASS_BATCH 64

/* --- the list --- */

struct mass_list {
	struct sky_targets all;		/* sealed */
	struct sky_range *range;
	uint64_t lines;
	bool v4, v6;			/* families there are */
};

/* 0 or a status, said: a bad line is quoted with its number. */
int mass_list_read(struct mass_list *l, const struct opts *o);
void mass_list_free(struct mass_list *l);

/* --- what an earlier run has written --- */

struct mass_resume {
	int fd;				/* to go on writing; -1: no --resume */
	uint64_t seed;
	uint8_t *done;			/* bit per place in the shard, or NULL */
	uint64_t count;			/* of them set */
	char to[16];			/* fd, as out_open() takes it */
};

/* Opens the file, holds it against the list and the options, and cuts off a line
 * that was not finished. A file that is empty or not there begins a run. 0 or a
 * status, said. */
int mass_resume_open(struct mass_resume *r, const struct opts *o, const struct mass_list *l);
void mass_resume_free(struct mass_resume *r);

/* --- sending and listening --- */

#define MASS_RING 16384			/* answers between the threads; a power of 2 */

struct mass_io {
	struct sky_volley *volley[2];	/* IPv4, IPv6; NULL: no such targets */
	uint64_t key[2];		/* of the marks */
	uint16_t port;
	uint32_t device;		/* to leave by; 0: any */
	uint16_t mtu[2];		/* largest packet that the device carries, IPv4 and IPv6 */
	struct sky_mass_answer *ring;
	_Atomic uint32_t head, tail;	/* written at head, read at tail */
	_Atomic bool asleep;		/* the reader waits for wake */
	_Atomic bool stop;
	_Atomic uint64_t forged;	/* answers without our seal */
	int wake, halt;			/* eventfd: for the reader; for the thread */
	pthread_mutex_t lock;		/* who takes from the sockets */
	bool turn;			/* which family was helped with last */
	struct sky_addr judged;		/* who was looked up last; lock */
	bool own;			/* that was this host */
	pthread_t thread;
	bool started;
};

/* 0 or a status, said. start only when privileges are dropped. */
int mass_io_open(struct mass_io *io, const struct opts *o, const struct mass_list *l);
int mass_io_start(struct mass_io *io);
void mass_io_close(struct mass_io *io);
/* The MTU of the device that packets to a leave by. */
uint16_t mass_io_mtu(const struct mass_io *io, const struct sky_addr *a);
/* How many left, in order; fewer than n: *err says why the next one did not. */
unsigned mass_io_send(struct mass_io *io, const struct sky_mass_probe *p, unsigned n, int *err);
/* True and an answer, if there is one. */
bool mass_io_take(struct mass_io *io, struct sky_mass_answer *a);
/* Up to MASS_BATCH answers taken from the sockets at once; 0 if there are none, or the
 * thread is about it. */
unsigned mass_io_help(struct mass_io *io, struct sky_mass_answer *a);
/* Sleeps until an answer, the deadline (steady ns) or a signal; true: a signal. */
bool mass_io_wait(struct mass_io *io, int signals, uint64_t deadline);

/* --- the run --- */

struct mass {
	const struct opts *o;
	struct mass_list list;
	struct mass_resume resume;
	struct mass_io io;
	struct sky_mass_conf conf;
	void *memory;
	struct sky_mass *engine;
	struct out out;
	int signals, signal;
	uint64_t began, told, flushed;	/* steady ns */
	uint64_t unsent;		/* probes that the kernel had no room for at once */
	uint64_t below;			/* targets whose MTU is below what was expected */
	bool cut;			/* by a signal, or for want of a place to write */
};

void mass_say_run(struct mass *m);
void mass_say_target(struct mass *m, const struct sky_mass_result *r);
void mass_say_end(struct mass *m);
/* On standard error, now and then: how far it is, and how much longer. */
void mass_say_progress(struct mass *m, uint64_t now);

#endif
