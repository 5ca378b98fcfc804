/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tell.c - what was learnt, into the ledger, the lines and JSON; see run.h.
 */
#include "crlf.h"
#include "data.h"
#include "run.h"
#include "train.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FATES 16		/* read at once */
#define QUOTES 16384		/* bytes for what they quote */
#define UNREAD_ROUNDS 1024	/* a flood must not keep us from ending */

/* A record of our own making. */
static void
begin(struct sky_fate *f, enum sky_what what, enum sky_evidence by)
{
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	f->what = (uint8_t)what;
	f->evidence = (uint8_t)by;
	f->proto = IPPROTO_UDP;
	f->time_ns = run_now();
	f->have = SKY_HAVE_TIME;
}

static void
show(struct run *x, const struct sky_fate *f)
{
	out_fate_line(&x->out, f);
	out_fate(&x->out, f);
}

void
run_sent(struct run *x, const struct sky_addr *dst, uint64_t n, uint64_t time_ns)
{
	sky_ledger_sent_many(&x->ledger, dst, x->sent, n, time_ns);
	x->sent += n;
}

/* The line with which the sources' programs ended. */
static void
say_write_error(struct run *x, const struct sky_msg *m, const char *verb)
{
	fflush(stdout);
	if (x->c->source_sink)
		fprintf(stderr, "%s returned -1, expected %zu: %s\n", verb, m->len,
		    strerror(-m->status));
	else
		fprintf(stderr, "%s error: %s\n", verb, strerror(-m->status));
}

/* True if a send's errno is the news of an earlier datagram: only a plain
 * connected socket hears of one that way. */
static bool
from_earlier(const struct run *x, int err)
{
	static const int own[] = { EMSGSIZE, EPERM, ENOBUFS, ENOMEM, EINVAL };
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] == err)
			return false;
	return x->end.plain && x->end.connected && x->sent > 0;
}

void
run_refused(struct run *x, const struct sky_addr *dst, const struct sky_msg *m, const char *verb)
{
	struct sky_fate f;

	begin(&f, SKY_NOTHING, SKY_BY_CALL);
	f.err = -m->status;
	f.dst = *dst;
	f.len = (uint32_t)m->len;
	f.have |= SKY_HAVE_DST | SKY_HAVE_LEN;
	if (m->have & SKY_MSG_MTU) {
		f.mtu = m->mtu;
		f.have |= SKY_HAVE_MTU;
	}
	f.origin = from_earlier(x, f.err) ? SKY_ORIGIN_ICMP : SKY_ORIGIN_LOCAL;
	sky_fate_classify(&f);
	sky_ledger_take(&x->ledger, &f);
	if (x->end.plain || x->c->stop_on_error) {
		say_write_error(x, m, verb);
		x->failed = -m->status;
	} else {
		out_fate_line(&x->out, &f);
	}
	out_fate(&x->out, &f);
}

/* What m says, as a record about its sender. */
static void
from_message(const struct run *x, struct sky_fate *f, const struct sky_msg *m, enum sky_what what)
{
	begin(f, what, SKY_BY_REPLY);
	f->dst = m->peer;
	f->src = x->local;
	f->len = (uint32_t)m->len;
	f->have |= SKY_HAVE_DST | SKY_HAVE_SRC | SKY_HAVE_LEN;
	if (m->have & SKY_MSG_TIME)
		f->time_ns = m->time_ns;
	if (m->flags & SKY_MSG_TRUNC) {
		f->full_len = (uint32_t)m->full_len;
		f->have |= SKY_HAVE_FULL_LEN;
	}
}

/* The ledger books a note with the peer, whichever way the datagram went; for
 * the reader it came from there and was going to us. */
static void
tell_truncated(struct run *x, const struct sky_msg *m)
{
	struct sky_fate f;

	if (x->c->truncation == TRUNCATION_BSD)
		return;
	from_message(x, &f, m, SKY_TRUNCATED);
	sky_ledger_take(&x->ledger, &f);
	f.src = m->peer;
	f.dst = x->local;
	if (m->have & SKY_MSG_LOCAL) {
		f.dst = m->local;
		sky_addr_set_port(&f.dst, sky_addr_port(&x->local));
	}
	show(x, &f);
}

/* Who was asked, when m's sender is not a destination itself: one that is a
 * group or broadcast address answers by other addresses. */
static const struct sky_addr *
asked(const struct run *x, const struct sky_msg *m)
{
	const struct sky_addr *group = NULL, *d;
	unsigned i;

	for (i = 0; i < x->c->ndests; i++) {
		d = &x->c->dests[i];
		if (sky_addr_equal(d, &m->peer))
			return d;
		if (sky_addr_is_multicast(d) || (x->end.broadcast && x->c->ndests == 1))
			group = d;
	}
	return group;
}

void
run_answer(struct run *x, const struct sky_msg *m)
{
	const struct sky_addr *dst = asked(x, m);
	struct sky_fate f;

	from_message(x, &f, m, dst ? SKY_ANSWERED : SKY_STRAY);
	f.by = m->peer;
	f.have |= SKY_HAVE_BY;
	if (dst)
		f.dst = *dst;
	sky_ledger_take(&x->ledger, &f);
	if (!dst)
		out_fate_line(&x->out, &f);
	out_fate(&x->out, &f);
	if (!(m->flags & SKY_MSG_TRUNC))
		return;
	tell_truncated(x, m);
}

void
run_fate(struct run *x, struct sky_fate *f)
{
	sky_ledger_take(&x->ledger, f);
	show(x, f);
}

void
run_stray(struct run *x, const struct sky_msg *m)
{
	struct sky_fate f;

	from_message(x, &f, m, SKY_STRAY);
	f.by = m->peer;
	f.have |= SKY_HAVE_BY;
	sky_ledger_take(&x->ledger, &f);
	if (x->c->verbose)
		show(x, &f);
}

/* How many of x->in[i..n-1] come from one sender, one after the other. */
static unsigned
same_sender(const struct run *x, unsigned i, unsigned n)
{
	unsigned k = i + 1;

	while (k < n && sky_addr_equal(&x->in[i].peer, &x->in[k].peer))
		k++;
	return k - i;
}

/* Bytes as reads of their own would have given them. */
static void
arrived_train(struct run *x, const struct sky_msg *m)
{
	struct sky_msg part;
	size_t off = 0;

	if (!(m->flags & SKY_MSG_TRUNC) && (m->seg ? m->seg : m->len) <= x->c->read_size) {
		x->bytes += m->len;
		return;
	}
	while (train_next(m, &off, x->c->read_size, &part)) {
		x->bytes += part.len;
		if (part.flags & SKY_MSG_TRUNC)
			tell_truncated(x, &part);
	}
}

void
run_arrived(struct run *x, unsigned n)
{
	unsigned i, k, same;
	uint64_t parts;

	for (i = 0; i < n; i += same) {
		same = same_sender(x, i, n);
		for (parts = 0, k = i; k < i + same; k++)
			parts += train_parts(&x->in[k]);
		sky_ledger_heard(&x->ledger, &x->in[i].peer, parts);
		x->received += parts;
	}
	for (i = 0; i < n; i++) {
		x->trains |= x->in[i].seg != 0;
		arrived_train(x, &x->in[i]);
	}
}

void
run_unread(struct run *x)
{
	unsigned n, i, same, rounds = 0;
	uint64_t count = 0;
	struct sky_fate f;

	while (rounds++ < UNREAD_ROUNDS && (n = run_receive(x)) > 0) {
		for (i = 0; i < n; i += same) {
			same = same_sender(x, i, n);
			sky_ledger_heard(&x->ledger, &x->in[i].peer, same);
			from_message(x, &f, &x->in[i], SKY_UNREAD);
			f.count = same;
			sky_ledger_take(&x->ledger, &f);
		}
		count += n;
	}
	if (!count)
		return;
	begin(&f, SKY_UNREAD, SKY_BY_REPLY);
	f.count = count;
	f.dst = x->local;
	f.have |= SKY_HAVE_DST;
	show(x, &f);
}

/* --stop-on-error: the end of the sources' programs, and their line. */
static void
stop_on(struct run *x, const struct sky_fate *f)
{
	struct sky_msg m = { .len = x->c->write_size, .status = -f->err };

	if (!x->c->stop_on_error || x->failed || !sky_fate_is_bad(f->what) || !f->err)
		return;
	say_write_error(x, &m, "write");
	x->failed = f->err;
}

/* A connected socket has one own end, with which a capture can be searched. */
static void
tell_own_end(const struct run *x, struct sky_fate *f)
{
	if (f->have & SKY_HAVE_SRC || sky_addr_is_any(&x->local))
		return;
	f->src = x->local;
	f->have |= SKY_HAVE_SRC;
}

void
run_errors(struct run *x)
{
	struct sky_fate f[FATES];
	unsigned char quotes[QUOTES];
	int n, i;

	if (x->end.plain)
		return;
	while ((n = sky_udp_errors(&x->end.u, f, FATES, quotes, sizeof(quotes))) > 0) {
		for (i = 0; i < n; i++) {
			if (f[i].what == SKY_NOTHING)
				continue;	/* a time stamp */
			tell_own_end(x, &f[i]);
			x->learnt++;
			memory_vouch(&x->memory, &f[i]);
			sky_ledger_take(&x->ledger, &f[i]);
			show(x, &f[i]);
			stop_on(x, &f[i]);
		}
	}
}

void
run_drops(struct run *x)
{
	struct sky_udp_info info = { .size = sizeof(info) };
	struct sky_fate f;

	if (sky_udp_info(&x->end.u, &info) < 0 || info.rx_drops <= x->drops_seen)
		return;
	begin(&f, SKY_DROPPED_RECEIVING, SKY_BY_COUNTER);
	f.count = info.rx_drops - x->drops_seen;
	if (x->trains)		/* the kernel counts one of these once */
		f.flags |= SKY_FATE_AT_LEAST;
	x->drops_seen = info.rx_drops;
	/* The ledger books it as this host's loss, of senders unknown; for the
	 * reader the destination is our own end. */
	sky_ledger_take(&x->ledger, &f);
	f.dst = x->local;
	f.have |= SKY_HAVE_DST;
	show(x, &f);
}

void
run_print(struct run *x, const struct sky_msg *m)
{
	size_t len = x->c->crlf ? crlf_strip(m->data, m->len) : m->len;
	int rc = data_print(m->data, len);

	if (rc < 0 && !x->failed)
		x->failed = -rc;
}

unsigned
run_receive(struct run *x)
{
	struct sky_fate f;
	int n = x->c->peek ? wake_peek(x) : 0;

	if (n == 0)
		n = sky_udp_recv(&x->end.u, x->in, x->c->peek ? 1 : x->batch);
	if (n >= 0)
		return (unsigned)n;
	x->failed = -n;
	end_say_error("read error", -n);
	if (!x->end.plain || !x->end.connected)
		return 0;
	begin(&f, SKY_NOTHING, SKY_BY_CALL);
	f.err = -n;
	f.origin = SKY_ORIGIN_ICMP;
	f.dst = x->c->server ? x->c->foreign : x->c->dests[0];
	f.have |= SKY_HAVE_DST;
	sky_fate_classify(&f);
	sky_ledger_take(&x->ledger, &f);
	out_fate(&x->out, &f);
	return 0;
}
