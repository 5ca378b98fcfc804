/* SPDX-License-Identifier: BSD-2-Clause */
/* drive.c - see drive.h. */
#include "drive.h"
#include "names.h"

#include <errno.h>
#include <string.h>

enum {
	BATCH = SKY_PATHSOCK_BATCH,
	HURRY = 2000000,	/* ns until a full buffer is tried again */
	PATIENCE = 500,		/* times */
};

struct queue {
	struct sky_hop_probe p[BATCH];
	unsigned n, tries;
};

static unsigned
send_some(struct run *r, const struct drive *d, const struct sky_hop_probe *p, unsigned n)
{
	unsigned sent;

	if (!d->sock)
		return run_send(r, p, n);
	sent = sky_pathsock_send(d->sock, p, n);
	r->packets += sent;
	for (unsigned i = 0; i < sent; i++)
		r->bytes += p[i].len;
	return sent;
}

/* What stays for long is told as not sent. */
static void
flush(struct run *r, const struct drive *d, struct queue *q)
{
	unsigned sent = q->n ? send_some(r, d, q->p, q->n) : 0;

	q->tries = sent ? 0 : q->tries + (q->n > 0);
	q->n -= sent;
	memmove(q->p, q->p + sent, q->n * sizeof(q->p[0]));
	if (q->tries < PATIENCE)
		return;
	for (unsigned i = 0; i < q->n; i++) {
		struct sky_hop_answer a = {
			.at = run_now(), .id = q->p[i].id, .what = SKY_HOP_LOCAL,
			.err = ENOBUFS, .trust = SKY_TRUST_MATCHED,
		};

		d->answer(d->engine, a.at, &a);
	}
	q->n = q->tries = 0;
}

static enum drive_kind
send_due(struct run *r, const struct drive *d, struct queue *q)
{
	enum drive_kind kind = DRIVE_WAIT;

	do {
		flush(r, d, q);
		if (q->n)
			return DRIVE_WAIT;
		while (q->n < BATCH) {
			kind = d->poll(d->engine, run_now(), &q->p[q->n]);
			if (kind != DRIVE_SEND)
				break;
			q->n++;
		}
	} while (q->n);
	return kind;
}

static void
take(struct run *r, const struct drive *d)
{
	struct sky_hop_answer a[BATCH];
	unsigned n = d->sock ? sky_pathsock_collect(d->sock, a, BATCH) : run_collect(r, a, BATCH);

	for (unsigned i = 0; i < n; i++) {
		d->answer(d->engine, run_now(), &a[i]);
		if (a[i].trust != SKY_TRUST_MISMATCH && a[i].what != SKY_HOP_LOCAL)
			names_want(r->names, &a[i].by);
	}
	if (d->news)
		d->news(r, d->engine);
}

static bool
wait(struct run *r, const struct drive *d, uint64_t deadline)
{
	int fd;

	if (!d->sock)
		return run_wait(r, deadline);
	fd = sky_pathsock_fd(d->sock);
	if (sky_pathsock_ready(d->sock))
		deadline = run_now();
	return run_wait_fds(r, &fd, 1, deadline);
}

bool
drive_run(struct run *r, const struct drive *d)
{
	struct queue q = { .n = 0 };
	uint64_t deadline;
	bool go = true;

	while (send_due(r, d, &q) != DRIVE_DONE) {
		deadline = q.n ? run_now() + HURRY : d->deadline(d->engine);
		if (go && !wait(r, d, deadline)) {
			go = false;
			q.n = 0;
			d->stop(d->engine, run_now());
		}
		take(r, d);
	}
	return go;
}
