/* SPDX-License-Identifier: BSD-2-Clause */
/* link.c - see link.h. */
#include "link.h"
#include "opts.h"

#include "cli/sig.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 5000		/* so long a silent daemon is waited for */

static void
say(const struct link *l, int err)
{
	fprintf(stderr, "icmpctl: '%s': %s%s\n", l->path, strerror(err),
	    err == ENOENT || err == ECONNREFUSED ? " (is icmpd running?)" : "");
}

struct link *
link_open(const struct opts *o)
{
	struct sky_icmpd_conf conf = { .size = sizeof(conf), .flags = SKY_ICMPD_NOW,
				       .path = o->socket };
	struct link *l = calloc(1, sizeof(*l));
	int r;

	if (!l) {
		fprintf(stderr, "icmpctl: %s\n", strerror(ENOMEM));
		return NULL;
	}
	l->path = o->socket ? o->socket : SKY_ICMPD_PATH;
	l->signals = sig_open();
	r = l->signals < 0 ? l->signals : sky_icmpd_open(&l->d, &conf);
	if (r == 0)
		return l;
	say(l, -r);
	link_close(l);
	return NULL;
}

void
link_close(struct link *l)
{
	sky_icmpd_close(&l->d);
	if (l->signals >= 0)
		close(l->signals);
	free(l);
}

static unsigned
take(struct link *l)
{
	int n = sky_icmpd_recv(&l->d, l->event, LINK_BATCH, l->quotes, sizeof(l->quotes));

	l->n = n > 0 ? (unsigned)n : 0;
	return l->n;
}

unsigned
link_wait(struct link *l, int timeout_ms)
{
	struct pollfd p[2] = { { .fd = l->signals, .events = POLLIN },
			       { .fd = sky_icmpd_fd(&l->d), .events = POLLIN } };

	l->n = 0;
	if (poll(p, 2, sky_icmpd_pending(&l->d) ? 0 : timeout_ms) < 0)
		return 0;
	if (p[0].revents)
		l->sig = sig_read(l->signals);
	return l->sig ? 0 : take(l);
}

int
link_ask(struct link *l, enum sky_icmpd_question q,
    void (*part)(void *arg, const struct sky_icmpd_event *e), void *arg)
{
	int r = sky_icmpd_ask(&l->d, q);
	unsigned rounds = 100000;

	if (r < 0) {
		say(l, -r);
		return 1;
	}
	while (rounds-- && link_wait(l, ANSWER_MS)) {
		for (unsigned i = 0; i < l->n; i++) {
			const struct sky_icmpd_event *e = &l->event[i];

			if (e->kind == SKY_ICMPD_DOWN || (e->kind == SKY_ICMPD_DONE && e->err)) {
				say(l, e->err ? -e->err : EPIPE);
				return 1;
			}
			if (e->kind == SKY_ICMPD_DONE)
				return 0;
			part(arg, e);
		}
	}
	if (!l->sig)
		say(l, ETIMEDOUT);
	return 1;
}
