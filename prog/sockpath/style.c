/* SPDX-License-Identifier: BSD-2-Clause */
/* style.c - the procedures of other programs: --style; see style.h. */
#include "style.h"
#include "names.h"
#include "say.h"
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define NAME_NS SECOND			/* a line waits so long for a name, at most */
#define NAMES_NS (3 * SECOND)		/* all of them, for names that did not come */
#define LEAST_NS (SECOND / 20)
#define FLOOR6 1280

enum { BATCH = 64 };

struct work {
	struct run *run;
	struct sky_serial serial;
	struct sky_serial_cell *cells;
	struct style_conf conf;
	struct style_page page;
	struct sky_hop_probe unsent;	/* taken from the engine, not by the socket */
	bool has_unsent;
	struct sky_serial_event event;	/* waits for its name */
	bool has_event;
	uint64_t since;			/* it began to wait */
	uint64_t waited;		/* for names that did not come */
	struct sky_addr nameless;	/* the last of those */
	bool ended;
};

/* What the originals do when not told otherwise. */
static const struct sky_serial_conf usual[] = {
	[STYLE_TRACEROUTE] = { .wait_ns = 5 * SECOND, .least_ns = LEAST_NS, .here = 3000,
	    .near = 10000, .window = 16, .probes = 3, .tries = 1 },
	[STYLE_TRACEPATH] = { .wait_ns = SECOND, .len = 65535, .window = 1, .probes = 2,
	    .tries = 3, .follow = true, .again = true, .brief = true },
	[STYLE_BOOK] = { .wait_ns = 5 * SECOND, .least_ns = LEAST_NS, .here = 3000,
	    .len = 65000, .window = 1, .probes = 3, .tries = 1, .follow = true, .again = true },
};

static void
configure(const struct run *r, struct sky_serial_conf *c)
{
	const struct opts *o = r->o;
	bool six = sky_addr_family(&r->dst) == AF_INET6;

	*c = usual[o->style];
	if (o->style == STYLE_TRACEROUTE && o->mtu) {
		c->follow = true;
		c->window = 1;
		c->len = 65000;
	}
	c->floor = c->follow && six ? FLOOR6 : sky_pathsock_least(&r->sock);
	if (o->len || !c->len)
		c->len = r->len;
	if (c->len < c->floor)
		c->floor = c->len;
	if (o->probes && !c->brief)
		c->probes = (uint8_t)o->probes;
	if (o->flying && !c->follow)
		c->window = (uint16_t)o->flying;
	if (o->wait)
		c->wait_ns = o->wait;
	if (o->wait) {			/* alone, it is waited for in any case */
		c->here = o->have_factors ? o->here : 0;
		c->near = o->have_factors ? o->near : 0;
	}
	c->pause_ns = o->pause;
	c->first = (uint8_t)o->first;
	c->max = (uint8_t)o->max;
}

static int
prepare(struct work *w, struct run *r)
{
	struct sky_serial_conf c;
	size_t n;
	int rc;

	configure(r, &c);
	n = (size_t)(c.max - c.first + 1) * c.probes;
	w->run = r;
	w->cells = calloc(n, sizeof(*w->cells));
	rc = w->cells ? sky_serial_init(&w->serial, &c, w->cells, n) : -ENOMEM;
	if (rc < 0)
		return rc;
	w->conf = (struct style_conf){ .style = (enum style)r->o->style, .host = r->o->host,
	    .dst = r->dst, .src = r->sock.sent.src, .numeric = r->o->numeric,
	    .labels = r->o->labels, .back = r->o->back, .both = r->o->both,
	    .first = c.first, .max = c.max, .len = c.len };
	w->page = (struct style_page){ .conf = &w->conf, .to = r->out.text };
	return 0;
}

/* The name of who answered, waited for as long as a person would. */
static bool
name_is_near(struct work *w)
{
	const struct sky_addr *by = &w->event.answer.by;
	struct names *n = w->run->names;

	if (sky_addr_family(by) == AF_UNSPEC || w->run->o->numeric)
		return false;
	names_want(n, by);
	if (names_of(n, by) || !names_pending(n) || w->run->signal ||
	    w->waited >= NAMES_NS || sky_addr_same_host(by, &w->nameless))
		return false;
	if (run_now() < w->since + NAME_NS)
		return true;
	w->waited += NAME_NS;
	w->nameless = *by;
	return false;
}

static const char *
name_of(const struct work *w)
{
	return sky_addr_family(&w->event.answer.by) == AF_UNSPEC ? NULL :
	    names_of(w->run->names, &w->event.answer.by);
}

static void
tell(struct work *w)
{
	for (;;) {
		if (!w->has_event) {
			w->has_event = sky_serial_told(&w->serial, &w->event);
			w->since = run_now();
		}
		if (!w->has_event || name_is_near(w))
			return;
		style_event(&w->page, &w->event, name_of(w));
		w->ended |= w->event.what == SKY_SERIAL_END;
		w->has_event = false;
	}
}

static void
hear(struct work *w)
{
	struct sky_hop_answer a[BATCH];
	unsigned n, i;

	do {
		n = run_collect(w->run, a, BATCH);
		for (i = 0; i < n; i++)
			sky_serial_answered(&w->serial, &a[i]);
	} while (n == BATCH);
}

/* False: there is nothing to do before something comes. */
static bool
send_one(struct work *w)
{
	if (!w->has_unsent)
		w->has_unsent = sky_serial_poll(&w->serial, run_now(), &w->unsent) ==
		    SKY_SERIAL_SEND;
	if (!w->has_unsent || run_send(w->run, &w->unsent, 1) == 0)
		return false;
	w->has_unsent = false;
	return true;
}

static uint64_t
deadline(const struct work *w)
{
	uint64_t at = sky_serial_deadline(&w->serial, run_now());
	uint64_t soon = run_now() + SECOND / 100;

	if (w->has_event && w->since + NAME_NS < at)
		at = w->since + NAME_NS;
	if ((w->has_event || w->has_unsent) && soon < at)
		at = soon;
	return at;
}

static void
loop(struct work *w)
{
	while (!w->ended) {
		while (send_one(w) && !sky_pathsock_ready(&w->run->sock))
			;
		hear(w);
		tell(w);
		if (w->ended || w->serial.err)
			continue;
		if (!run_wait(w->run, deadline(w)))
			return;
		hear(w);
		tell(w);
	}
}

static int
status(const struct work *w)
{
	int err = w->serial.err;
	enum sky_what what = say_why(w->run, err);

	if (err) {
		run_say("%s: %s (%s)", w->run->o->host, sky_fate_sentence(what), strerror(err));
		return err == ENOMEM || err == ENOBUFS ? STATUS_SYSTEM : STATUS_NOT;
	}
	if (!w->ended || w->serial.why != SKY_SERIAL_REACHED)
		return STATUS_NOT;
	if (w->run->o->expect && w->serial.len < (uint32_t)w->run->o->expect_mtu)
		return STATUS_MTU;
	return STATUS_REACHED;
}

int
path_style(struct run *r)
{
	struct work *w = calloc(1, sizeof(*w));
	int rc = w ? prepare(w, r) : -ENOMEM;

	if (rc < 0) {
		run_say("%s", strerror(-rc));
		rc = STATUS_SYSTEM;
	} else {
		style_begin(&w->page);
		loop(w);
		if (!w->ended)
			fputc('\n', r->out.text);
		if (!r->out.failed)
			r->out.failed = w->page.err;
		rc = status(w);
	}
	if (w)
		free(w->cells);
	free(w);
	return rc;
}
