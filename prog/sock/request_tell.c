/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request_tell.c - what became of requests and of each of their copies.
 *
 * The ledger holds datagrams, so each copy is one: answered by its own reply,
 * silent if its request was given up, else without news. A request is well if
 * one of its copies was answered.
 */
#include "data.h"
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
show(struct run *x, const struct sky_fate *f)
{
	out_fate_line(&x->out, f);
	out_fate(&x->out, f);
}

/* The number of a copy in the ledger, where each has one. */
static uint64_t
copy_number(const struct sky_call_news *n, unsigned nth)
{
	return n->tag * SKY_CALL_TRIES + nth - 1;
}

/* f is about copy nth; for the reader its number is that of the request. */
static void
book(struct request *q, const struct sky_call_news *n, struct sky_fate *f, unsigned nth)
{
	f->have &= ~(uint32_t)SKY_HAVE_TAG;
	if (n->known && nth) {
		f->seq = copy_number(n, nth);
		f->have |= SKY_HAVE_SEQ;
	}
	sky_ledger_take(&q->x->ledger, f);
	f->have &= ~(uint32_t)SKY_HAVE_SEQ;
	if (n->known) {
		f->seq = request_number(q, n) - 1;
		f->have |= SKY_HAVE_SEQ;
	}
}

void
request_sent(struct request *q, const struct sky_call_news *n, uint64_t time_ns)
{
	char end[SKY_ADDRSTRLEN], waited[16];
	struct request_to *to = request_to(q, n);
	bool told = n->nth > 1 && n->refused >> (n->nth - 2) & 1;	/* a line said why */

	sky_ledger_sent(&q->x->ledger, &n->dst, copy_number(n, n->nth), time_ns);
	q->x->sent++;
	if (n->nth > 1) {
		to->again++;
		out_line(&q->x->out, "request %lu to %s: %ssent again (copy %u), "
		    "waiting %s", (unsigned long)request_number(q, n),
		    out_end_point(&n->dst, end, sizeof(end)), told ? "" : "no answer, ", n->nth,
		    out_duration(n->timeout_ns, waited, sizeof(waited)));
	} else if (q->x->c->verbose) {
		out_line(&q->x->out, "wrote %u bytes", n->len);
	}
}

void
request_unsent(struct request *q, const struct sky_call_news *n, const struct sky_msg *m,
    struct sky_fate *f)
{
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	f->evidence = SKY_BY_CALL;
	f->origin = SKY_ORIGIN_LOCAL;
	f->proto = IPPROTO_UDP;
	f->time_ns = run_now();
	f->err = -m->status;
	f->dst = n->dst;
	f->len = n->len;
	f->have = SKY_HAVE_TIME | SKY_HAVE_DST | SKY_HAVE_LEN;
	if (m->have & SKY_MSG_MTU) {
		f->mtu = m->mtu;
		f->have |= SKY_HAVE_MTU;
	}
	sky_fate_classify(f);
	book(q, n, f, n->nth);
	show(q->x, f);
}

/* --- requests that ended --- */

/* What became of the copies before the answered one. */
static void
say_lost(struct request *q, const struct sky_call_news *n)
{
	static const char *const words[] = {
		"lost on the way there", "its reply lost on the way back",
		"lost, which way not told by peer", "its reply damaged",
	};
	const uint32_t masks[] = { n->lost_request, n->lost_reply, n->lost_untold, n->damaged };
	char end[SKY_ADDRSTRLEN];
	unsigned nth, i;

	if (n->nth < 2)
		return;
	out_end_point(&n->dst, end, sizeof(end));
	for (nth = 1; nth < n->nth; nth++)
		for (i = 0; i < 4; i++)
			if (masks[i] >> (nth - 1) & 1)
				out_line(&q->x->out, "request %lu to %s: copy %u %s",
				    (unsigned long)request_number(q, n), end, nth, words[i]);
}

/* The data to standard output; a reader that went away ends the run. */
static void
print(struct run *x, const struct sky_call_news *n)
{
	int rc = data_print(n->data, n->len);

	if (rc < 0 && !x->failed)
		x->failed = -rc;
}

static void
answered(struct request *q, struct sky_call_news *n)
{
	request_to(q, n)->answered++;
	say_lost(q, n);
	if (!q->x->c->source_sink)
		print(q->x, n);
	else if (q->x->c->verbose)
		out_line(&q->x->out, "received %u bytes", n->len);
	book(q, n, &n->fate, n->nth);
	out_fate(&q->x->out, &n->fate);
}

/* Given up: no copy has an answer. */
static void
given_up(struct request *q, struct sky_call_news *n)
{
	struct sky_fate f = n->fate;
	unsigned nth;

	f.what = SKY_SILENT;
	for (nth = 1; nth <= n->tries; nth++)
		if (!((n->damaged | n->refused) >> (nth - 1) & 1))
			book(q, n, &f, nth);
	n->fate.count = n->fate.what == SKY_SILENT ? n->tries : 0;
	book(q, n, &n->fate, 0);
	show(q->x, &n->fate);
}

static void
count_lost(struct request *q, const struct sky_call_news *n)
{
	struct request_to *to = request_to(q, n);
	unsigned seen = (unsigned)__builtin_popcount(n->seen);
	unsigned answered = (unsigned)__builtin_popcount(n->answered);

	to->ended++;
	to->told |= n->told;
	to->lost_request += (unsigned)__builtin_popcount(n->lost_request);
	to->lost_reply += (unsigned)__builtin_popcount(n->lost_reply);
	to->lost_untold += (unsigned)__builtin_popcount(n->lost_untold);
	to->needless += answered > 1 ? answered - 1 : 0;
	to->doubled += n->told && n->copies > seen ? n->copies - seen : 0;
}

/* --- datagrams that end nothing --- */

static void
came(struct request *q, struct sky_call_news *n, const struct sky_addr *from)
{
	struct sky_fate f = n->fate;
	char end[SKY_ADDRSTRLEN];

	if (f.what == SKY_DUPLICATED || f.what == SKY_LATE) {
		f.what = SKY_ANSWERED;		/* the ledger knows what that makes of it */
		book(q, n, &f, n->nth);
		n->fate.seq = f.seq;
		n->fate.have |= SKY_HAVE_SEQ;
		n->fate.have &= ~(uint32_t)SKY_HAVE_TAG;
		if (n->first && n->fate.what == SKY_DUPLICATED) {
			out_line(&q->x->out, "request %lu to %s: copy %u answered too",
			    (unsigned long)request_number(q, n),
			    out_end_point(&n->dst, end, sizeof(end)), n->nth);
			out_fate(&q->x->out, &f);
			return;
		}
	} else {
		book(q, n, &n->fate, 0);
	}
	if (n->fate.what == SKY_STRAY && n->known)
		out_line(&q->x->out, "the answer to request %lu to %s came from another address:",
		    (unsigned long)request_number(q, n), out_end_point(&n->dst, end, sizeof(end)));
	if (n->fate.what == SKY_STRAY)
		n->fate.dst = *from;
	show(q->x, &n->fate);
}

void
request_news(struct request *q, struct sky_call_news *n, const struct sky_addr *from,
    uint64_t time_ns)
{
	n->fate.time_ns = time_ns;
	n->fate.have |= SKY_HAVE_TIME;
	if (n->kind == SKY_CALL_FORGOTTEN)
		count_lost(q, n);
	else if (n->kind == SKY_CALL_TOLD && from)
		came(q, n, from);
	else if (n->kind == SKY_CALL_ENDED && n->fate.what == SKY_ANSWERED)
		answered(q, n);
	else if (n->kind == SKY_CALL_ENDED && n->fate.evidence != SKY_BY_CALL)
		given_up(q, n);
}

void
request_error(struct request *q, struct sky_call_news *n, struct sky_fate *f)
{
	struct sky_fate other = *f;

	if (!n->known && f->trust == SKY_TRUST_UNKNOWN) {
		/* of a request long forgotten, or of nobody's: no copy of these */
		other.trust = SKY_TRUST_MISMATCH;
		book(q, n, &other, 0);
	} else {
		book(q, n, f, n->nth);
	}
	show(q->x, f);
}

/* --- the end --- */

static void
say_to(struct request *q, const struct request_to *to)
{
	char end[SKY_ADDRSTRLEN];
	struct out *o = &q->x->out;

	out_line(o, "requests to %s: %lu, answered %lu; sent again %lu, of them in vain %lu",
	    out_end_point(to->dst, end, sizeof(end)), (unsigned long)to->asked,
	    (unsigned long)to->answered, (unsigned long)to->again, (unsigned long)to->needless);
	if (to->told)
		out_line(o, "  lost on the way there %lu, on the way back %lu",
		    (unsigned long)to->lost_request, (unsigned long)to->lost_reply);
	if (to->lost_untold)
		out_line(o, "  lost, which way not told by peer: %lu", (unsigned long)to->lost_untold);
	if (to->doubled)
		out_line(o, "  came to the peer more than once: %lu", (unsigned long)to->doubled);
}

static void
say_timer(struct request *q, const struct sky_rto *t)
{
	char rto[16], srtt[16], var[16];

	out_duration(t->rto_ns, rto, sizeof(rto));
	if (t->samples)
		out_line(&q->x->out, "  retransmission timeout %s (round trip %s, variation %s)", rto,
		    out_duration(t->srtt_ns, srtt, sizeof(srtt)),
		    out_duration(t->rttvar_ns, var, sizeof(var)));
	else
		out_line(&q->x->out, "  retransmission timeout %s (no round trip measured)", rto);
}

static void
put_timer(struct request *q, const struct sky_rto *t)
{
	out_u64(&q->x->out, "rto_ns", t->rto_ns);
	if (!t->samples)
		return;
	out_u64(&q->x->out, "srtt_ns", t->srtt_ns);
	out_u64(&q->x->out, "rttvar_ns", t->rttvar_ns);
}

/* What nobody told is left out. */
static void
put_to(struct request *q, const struct request_to *to, const struct sky_rto *t)
{
	struct out *o = &q->x->out;

	if (!o->json)
		return;
	out_begin(o, "requests", run_now());
	out_addr(o, "dst", "dport", to->dst);
	out_u64(o, "requests", to->asked);
	out_u64(o, "answered", to->answered);
	out_u64(o, "again", to->again);
	out_u64(o, "needless", to->needless);
	if (to->told) {
		out_u64(o, "lost_request", to->lost_request);
		out_u64(o, "lost_reply", to->lost_reply);
		out_u64(o, "doubled", to->doubled);
	}
	out_u64(o, "lost_untold", to->lost_untold);
	if (t)
		put_timer(q, t);
	out_end(o);
}

void
request_summary(struct request *q)
{
	struct sky_rto t;
	unsigned i;
	bool timed;

	for (i = 0; i < q->x->c->ndests; i++) {
		timed = sky_call_timer(&q->call, q->to[i].dst, &t) == 0;
		say_to(q, &q->to[i]);
		if (timed)
			say_timer(q, &t);
		put_to(q, &q->to[i], timed ? &t : NULL);
	}
}
