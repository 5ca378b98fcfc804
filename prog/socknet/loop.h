/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - the programs of a running lab, what they write, and waiting.
 *
 * There is no sleep: everything waits for an event or a deadline. What programs
 * write is kept (bounded) and reported line by line.
 */
#ifndef SOCKNET_LOOP_H
#define SOCKNET_LOOP_H

#include "capture.h"
#include "net.h"
#include "report.h"
#include "routers.h"
#include "vars.h"

#include <sys/types.h>

#define LOOP_TEXT (8u << 20)	/* bytes kept per stream */

enum { LOOP_STDOUT, LOOP_STDERR, LOOP_RECORDS, LOOP_STREAMS };

struct loop_stream {
	int fd;			/* -1: ended */
	char *text;
	size_t len, room;
	size_t told;		/* reported so far */
	bool cut;		/* more was written than is kept */
};

struct loop_proc {
	pid_t pid;		/* 0: not started */
	bool ended;
	int status;		/* as waitpid() gives it */
	int input;		/* its standard input, or -1 */
	const struct lab_step *step;	/* that started it */
	struct loop_stream s[LOOP_STREAMS];
};

struct loop {
	const struct lab *lab;
	struct report *report;
	struct net net;
	struct routers routers;
	struct vars vars;
	char text[VARS_TEXT];		/* for one comparison */
	const struct lab_step *book;	/* figures to print beside the next result */
	struct loop_proc *proc;		/* as lab->proc */
	struct capture *capture;	/* as lab->host */
	unsigned foreground;		/* index of the program waited for */
	int epoll, signals;
	int interrupted;	/* by this signal, or 0 */
	char broken[100];	/* a part of the lab has failed: this one */
	char error[300];
};

/* Returns 0, or -1 with error filled. The lab must be built in l->net. */
int loop_open(struct loop *l, const struct lab *lab, struct report *r);
void loop_close(struct loop *l);

/* Starts the program of a step. Returns 0, or -1 with error filled. */
int loop_start(struct loop *l, const struct lab_step *s, bool terminal);

/* Waits until the condition holds; it is asked after every event, and every
 * tick_ms if that is not 0. Returns 0, -ETIMEDOUT, or -EINTR after Ctrl-C. */
int loop_wait(struct loop *l, bool (*cond)(struct loop *l, void *arg), void *arg,
    uint64_t within_ns, unsigned tick_ms);

/* Takes in, without waiting, what has been captured. */
void loop_drain(struct loop *l);

/* Exit status as a shell tells it: 128 + n after a signal. */
int loop_status(const struct loop_proc *p);

#endif
