/* SPDX-License-Identifier: BSD-2-Clause */
/* request.c - the loop of a client that asks and checks; see request.h. */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DATAGRAM 65536
#define REMEMBERED 64		/* ended requests of each destination */
#define FATES 16
#define QUOTES 16384
#define DROPS_NS UINT64_C(20000000) /* asking each time would cost as much as a request */
#define SPINS 64		/* looks in vain, and turns, before signals are looked for */

void
request_opts(struct config *c)
{
	const struct { bool wrong; const char *text; } rules[] = {
		{ !c->request && c->tries, "--tries belongs to --request" },
		{ !c->request && c->rto, "--rto belongs to --request" },
		{ !c->request, NULL },
		{ !c->udp, "--request needs -u: TCP itself sends again what was lost" },
		{ c->server, "--request is a client's: its server is -s --service echo" },
		{ c->errors != ERRORS_QUEUE, "--request hears of errors by the error queue alone "
		  "(expected no --errors, or queue)" },
		{ c->source_sink && c->write_size > SKY_CALL_DATA,
		  "-w is too large with --request (expected 0 to 65503: its head takes 24 bytes)" },
	};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].wrong && !rules[i].text)
			return;
		if (rules[i].wrong)
			opts_refuse("%s", rules[i].text);
	}
	c->unconnected = true;		/* to see who else answers */
	c->expect_answer = false;	/* each request expects one, each copy not */
}

/* Where the families are known. */
static void
check_size(const struct config *c)
{
	unsigned i;

	for (i = 0; i < c->ndests; i++)
		if (c->source_sink && c->write_size > SKY_CALL_DATA - 20 &&
		    sky_addr_family(&c->dests[i]) == AF_INET)
			opts_refuse("-w is too large with --request over IPv4 (expected 0 to 65483: "
			    "its head takes 24 bytes)");
}

static bool
open_call(struct request *q)
{
	const struct config *c = q->x->c;
	struct sky_call_conf conf = {
		.size = sizeof(conf), .flags = SKY_CALL_ECHO,
		.requests = c->ndests * (REMEMBERED + 1), .peers = c->ndests,
		.tries = (uint32_t)c->tries,
		.rto = { .size = sizeof(conf.rto), .initial_ns = c->rto, .min_ns = c->rto },
	};
	size_t size = sky_call_room(conf.requests, conf.peers);

	q->room = calloc(1, size);
	if (!q->room || getrandom(conf.seed, sizeof(conf.seed), 0) != sizeof(conf.seed))
		return false;
	return sky_call_init(&q->call, &conf, q->room, size) == 0;
}

static bool
open_buffers(struct request *q)
{
	unsigned char *data = malloc((REQUEST_BATCH + 1) * DATAGRAM);
	unsigned i;

	q->out = data;
	q->in = calloc(REQUEST_BATCH, sizeof(*q->in));
	q->to = calloc(q->x->c->ndests, sizeof(*q->to));
	if (!data || !q->in || !q->to)
		return false;
	for (i = 0; i < REQUEST_BATCH; i++) {
		q->in[i].data = data + (i + 1) * DATAGRAM;
		q->in[i].cap = DATAGRAM;
	}
	for (i = 0; i < q->x->c->ndests; i++) {
		q->to[i].dst = &q->x->c->dests[i];
		q->to[i].todo = q->input ? 0 : q->x->c->count;
	}
	return true;
}

static void
release(struct request *q)
{
	free(q->out);
	free(q->in);
	free(q->to);
	free(q->text);
	free(q->room);
}

/* --- out --- */

/* One request has ended: its destination may be asked again. */
static void
ended(struct request *q, const struct sky_call_news *n, uint64_t now)
{
	struct request_to *to = request_to(q, n);

	to->busy = false;
	to->next_at = now + q->x->c->pause;
	q->busy--;
}

static void
put(struct request *q, struct sky_call_news *n)
{
	struct sky_msg m = { .data = q->out, .len = n->len, .have = SKY_MSG_PEER, .peer = n->dst };
	struct sky_fate f;
	uint64_t sent_at = run_now(), now;

	while (!run_over(q->x) && end_send(&q->x->end, &q->x->out, &m, 1) == 0) {
		run_wait(q->x, 0, false, false);
		sent_at = run_now();
	}
	if (run_over(q->x))
		return;
	if (m.status == 0) {
		request_sent(q, n, sent_at);
		return;
	}
	request_unsent(q, n, &m, &f);
	now = run_clock();
	if (sky_call_unsent(&q->call, now, n->id, &f, n) == SKY_CALL_ENDED) {
		ended(q, n, now);
		request_news(q, n, NULL, sent_at);
	}
}

/* Books the answer that had to wait. */
static void
book_late(struct request *q)
{
	uint64_t at = q->late_at;

	q->late_at = 0;
	if (at)
		request_news(q, &q->late, &q->late_from, at);
}

static void
pump(struct request *q, uint64_t now)
{
	struct sky_call_news n;
	int kind;

	while (!run_over(q->x) &&
	    (kind = sky_call_poll(&q->call, now, q->out, DATAGRAM, &n)) > 0) {
		if (kind == SKY_CALL_SEND) {
			put(q, &n);
			book_late(q);
			continue;
		}
		if (kind == SKY_CALL_ENDED)
			ended(q, &n, now);
		request_news(q, &n, NULL, run_now());
	}
}

static void
ask(struct request *q, struct request_to *to, uint64_t now)
{
	uint64_t tag = to->asked * q->x->c->ndests + (uint64_t)(to - q->to), id;
	struct sky_call_news n;

	while (sky_call_start(&q->call, now, to->dst, q->text, q->len, tag, &id) == -ENOBUFS) {
		if (sky_call_forget(&q->call, &n) != SKY_CALL_FORGOTTEN)
			return;
		request_news(q, &n, NULL, run_now());
	}
	to->asked++;
	to->todo--;
	to->busy = true;
	q->busy++;
}

/* Starts what may start. Returns when the next may, or RUN_FOREVER. */
static uint64_t
ask_all(struct request *q, uint64_t now)
{
	uint64_t next = RUN_FOREVER;
	struct request_to *to;

	for (to = q->to; to < q->to + q->x->c->ndests; to++) {
		if (to->busy || !to->todo)
			continue;
		if (to->next_at <= now)
			ask(q, to, now);
		else if (to->next_at < next)
			next = to->next_at;
	}
	return next;
}

/* --- in --- */

/* Who spins sends the next request before the answer is booked, unless each is told
 * or printed. */
static bool
may_wait(const struct request *q)
{
	const struct config *c = q->x->c;

	return c->spin && c->source_sink && !c->verbose && !q->x->out.json;
}

/* One datagram, which came at a time. */
static void
take(struct request *q, const struct sky_msg *m, uint64_t now, uint64_t at)
{
	struct sky_call_news n;
	bool done = sky_call_input(&q->call, now, &m->peer, m->data, m->len, &n) == SKY_CALL_ENDED;

	book_late(q);
	if (done)
		ended(q, &n, now);
	if (!done || !may_wait(q)) {
		request_news(q, &n, &m->peer, at);
		return;
	}
	q->late = n;
	q->late_from = m->peer;
	q->late_at = at;
}

/* Returns false if nothing came. */
static bool
receive(struct request *q)
{
	/* More than are awaited are not looked for: looking costs. */
	unsigned most = q->busy && q->busy < REQUEST_BATCH ? q->busy : REQUEST_BATCH;
	int got = REQUEST_BATCH, i;
	bool any = false;
	uint64_t now;

	while (!run_over(q->x) && got == REQUEST_BATCH &&
	    (got = sky_udp_recv(&q->x->end.u, q->in, most)) > 0) {
		any = true;
		now = run_clock();
		for (i = 0; i < got; i++)
			take(q, &q->in[i], now,
			    q->in[i].have & SKY_MSG_TIME ? q->in[i].time_ns : run_now());
	}
	return any;
}

static void
errors(struct request *q)
{
	struct sky_fate f[FATES];
	unsigned char quotes[QUOTES];
	struct sky_call_news n;
	uint64_t now = run_clock();
	int got, i;

	while ((got = sky_udp_errors(&q->x->end.u, f, FATES, quotes, sizeof(quotes))) > 0) {
		for (i = 0; i < got; i++) {
			if (f[i].what == SKY_NOTHING)
				continue;	/* a time stamp */
			if (sky_call_event(&q->call, now, &f[i], &n) == SKY_CALL_ENDED)
				ended(q, &n, now);
			request_error(q, &n, &f[i]);
		}
	}
}

static void
drain(struct request *q, unsigned events)
{
	uint64_t now;

	receive(q);
	if (events & RUN_ERRORS)
		errors(q);
	now = run_clock();
	if (now < q->drops_at + DROPS_NS)
		return;
	q->drops_at = now;
	run_drops(q->x);
}

/* Returns true if something came that the next turn can use at once. */
static bool
spin(struct request *q)
{
	unsigned i;

	if (!q->x->c->spin || !q->busy || ++q->turns % SPINS == 0)
		return false;
	for (i = 0; i < SPINS; i++)
		if (receive(q))
			return true;
	return false;
}

/* --- the loop --- */

/* Every request that there was has ended. */
static bool
done(const struct request *q)
{
	unsigned i;

	if (q->busy || (q->input && (!q->end || q->used > q->len)))
		return false;
	for (i = 0; i < q->x->c->ndests; i++)
		if (q->to[i].todo)
			return false;
	return true;
}

static void
next_line(struct request *q)
{
	unsigned i;

	for (i = 0; i < q->x->c->ndests; i++)
		if (q->to[i].busy || q->to[i].todo)
			return;
	if (!request_text_next(q))
		return;
	for (i = 0; i < q->x->c->ndests; i++)
		q->to[i].todo = 1;
}

static void
turn(struct request *q)
{
	uint64_t next, due, now = run_clock();
	unsigned events, busy;
	bool reading;

	if (q->input)
		next_line(q);
	next = ask_all(q, now);
	busy = q->busy;
	pump(q, now);
	if (run_over(q->x) || q->busy < busy)
		return;		/* what was given up makes room for the next */
	reading = q->input && !q->end && !q->busy && next == RUN_FOREVER;
	if (spin(q))
		return;
	due = q->x->c->spin && q->busy ? 0 : sky_call_deadline(&q->call);
	events = run_wait(q->x, due < next ? due : next, reading, true);
	if (events & RUN_READABLE)
		drain(q, events);
	if (events & RUN_INPUT)
		request_text_read(q);
}

/* A copy that was sent in vain may still be answered, by a reply that tells what
 * became of the others. */
static void
linger(struct request *q)
{
	uint64_t deadline = run_clock() + q->x->c->wait;
	unsigned events;

	while (!run_over(q->x) && sky_call_awaited(&q->call) && run_clock() < deadline)
		if ((events = run_wait(q->x, deadline, false, true)) & RUN_READABLE)
			drain(q, events);
}

static void
finish(struct request *q)
{
	struct sky_call_news n;

	while (sky_call_forget(&q->call, &n) == SKY_CALL_FORGOTTEN)
		request_news(q, &n, NULL, run_now());
	request_summary(q);
}

void
request_run(struct run *x)
{
	struct request q = { .x = x, .input = !x->c->source_sink };

	check_size(x->c);
	if (!open_call(&q) || !open_buffers(&q) || !request_text_open(&q)) {
		end_say_error("sock", ENOMEM);
		x->failed = ENOMEM;
	} else {
		run_pause(x, x->c->initial_pause);
		while (!run_over(x) && !done(&q))
			turn(&q);
		book_late(&q);
		linger(&q);
		finish(&q);
	}
	release(&q);
}
