/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure_probe.c - the sender's side of --measure.
 *
 * Greets, sends on a schedule of absolute times, asks for the report, tells.
 * Datagrams go out one by one, each with its own time in it.
 */
#include "measure.h"
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>

#define SECOND UINT64_C(1000000000)
#define AT_ONCE 32		/* sent before what came back is read */
#define PROGRESS_NS UINT64_C(250000000)
#define ERRNOS 8		/* kinds of refusal that are told one by one */
#define SIZES 64		/* so many are told one by one */
#define READ_ROUNDS 64		/* a flood must not keep us from sending */

struct probe {
	struct run *x;
	struct sky_prober p;
	unsigned char *buf;
	uint64_t start, next;		/* run_clock() */
	uint64_t tried, size;		/* datagrams; bytes of the next one */
	unsigned in_burst;
	uint64_t owed;			/* fraction of a ns, in 1/rate */
	uint64_t progress_at, interval_at, interval_from;
	struct sky_way then;		/* at the last interval */
	bool said_waits, said_echo;
	int told[ERRNOS];		/* refusals told already */
	uint64_t used, sizes;		/* numbers; how many sizes take turns */
	uint64_t sent[SIZES], back[SIZES]; /* of each size */
};

static bool
broken(const struct run *x)
{
	return x->failed || x->out.failed;
}

/* --- what comes --- */

static uint32_t
drops_now(struct run *x)
{
	struct sky_udp_info info = { .size = sizeof(info) };

	return sky_udp_info(&x->end.u, &info) < 0 ? 0 : (uint32_t)info.rx_drops;
}

static void
take(struct probe *m, const struct sky_msg *in)
{
	struct run *x = m->x;
	enum sky_measured what;
	uint64_t seq;

	/* The counter is left out of a datagram while it is 0. */
	what = sky_prober_take(&m->p, in->data, in->len,
	    in->have & SKY_MSG_TIME ? in->time_ns : run_now(),
	    in->have & SKY_MSG_DROPS ? in->drops : 0, run_clock());
	if (what == SKY_MEASURED_STRAY)
		run_stray(x, in);
	if (what == SKY_MEASURED_ECHO && !m->said_echo) {
		m->said_echo = true;
		out_line(&x->out, "the far end sends test packets back as they are: it is an echo "
		    "service, not a STAMP reflector");
	}
	if (sky_prober_first(&m->p, &seq) && m->sizes <= SIZES)
		m->back[seq % m->sizes]++;
}

/* Errors that quote a test packet of ours are matched by what it says. */
static void
take_errors(struct probe *m)
{
	struct run *x = m->x;
	unsigned char quotes[16384];
	struct sky_fate f[16];
	uint64_t seq;
	int n, i;

	while ((n = sky_udp_errors(&x->end.u, f, 16, quotes, sizeof(quotes))) > 0)
		for (i = 0; i < n; i++) {
			if (f[i].what == SKY_NOTHING)
				continue;
			if (sky_prober_quoted(&m->p, f[i].quote, f[i].quote_len, &seq)) {
				f[i].trust = SKY_TRUST_MATCHED;
				f[i].seq = seq;
				f[i].have |= SKY_HAVE_SEQ;
				if (f[i].origin != SKY_ORIGIN_LOCAL && f[i].what != SKY_QUENCHED)
					sky_prober_lost(&m->p, seq);
			}
			run_fate(x, &f[i]);
		}
}

static void
drain(struct probe *m)
{
	struct run *x = m->x;
	unsigned n, i, rounds = 0;

	do {
		n = run_receive(x);
		for (i = 0; i < n; i++)
			take(m, &x->in[i]);
	} while (n == x->batch && !broken(x) && rounds++ < READ_ROUNDS);
	take_errors(m);
}

/* --- what goes --- */

static bool
hand_over(struct probe *m, struct sky_msg *out)
{
	struct run *x = m->x;

	while (end_send(&x->end, &x->out, out, 1) == 0)
		if (broken(x) || (run_wait(x, 0, false, false) & RUN_SIGNAL))
			return false;
	return out->status == 0;
}

static struct sky_msg
message(struct probe *m, size_t len)
{
	return (struct sky_msg){ .data = m->buf, .len = len,
	    .have = m->x->end.connected ? 0 : SKY_MSG_PEER, .peer = m->x->c->dests[0] };
}

/* The first refusal of each kind is told at once, the others only counted. */
static void
refused(struct probe *m, const struct sky_msg *out)
{
	unsigned i;

	for (i = 0; i < ERRNOS - 1 && m->told[i] && m->told[i] != out->status; i++)
		;
	if (m->told[i] == out->status)
		return;
	m->told[i] = out->status;
	run_refused(m->x, &m->x->c->dests[0], out, "write");
}

static void
talk(struct probe *m)
{
	struct sky_msg out;
	size_t len;

	while ((len = sky_prober_control(&m->p, run_clock(), m->buf)) > 0) {
		out = message(m, len);
		if (!hand_over(m, &out))
			break;	/* it is said again */
	}
}

/* The schedule does not drift: what a division leaves is carried on. */
static void
schedule(struct probe *m, size_t len)
{
	const struct measure_config *c = &m->x->c->measure;
	unsigned __int128 due;

	if (!c->rate)
		return;
	due = (unsigned __int128)(c->bits ? len * 8 : 1) * SECOND + m->owed;
	m->next += (uint64_t)(due / c->rate);
	m->owed = (uint64_t)(due % c->rate);
}

static void
send_one(struct probe *m)
{
	struct sky_msg out = message(m, m->size);
	uint64_t now = run_now();
	bool taken;

	sky_prober_make(&m->p, m->buf, m->size, now);
	taken = hand_over(m, &out);
	m->tried++;
	sky_prober_sent(&m->p, taken);
	if (taken) {
		run_sent(m->x, &m->x->c->dests[0], 1, now);
		if (m->sizes <= SIZES)
			m->sent[m->used % m->sizes]++;
		m->used++;
	} else if (out.status) {
		refused(m, &out);
	}
	schedule(m, m->size);
	m->size = measure_size(&m->x->c->measure, m->used);
}

/* --- time --- */

static void
tell_interval(struct probe *m, uint64_t now)
{
	struct sky_way w = { .size = sizeof(w) };
	struct measure_interval i = { .sends = true };

	sky_prober_way(&m->p, SKY_WAY_ROUND, 0, &w);
	i.start = m->interval_from - m->start;
	i.end = now - m->start;
	i.sent = w.sent - m->then.sent;
	i.refused = w.lost[SKY_LOST_HOST] - m->then.lost[SKY_LOST_HOST];
	i.received = w.received - m->then.received;
	i.bytes = w.bytes - m->then.bytes;
	i.jitter = w.jitter;
	measure_tell_interval(&m->x->out, &i, run_now());
	m->then = w;
	m->interval_from = now;
}

static void
tick(struct probe *m)
{
	uint64_t now = run_clock(), each = m->x->c->measure.interval;
	struct sky_way w = { .size = sizeof(w) };

	if (each && now >= m->interval_at) {
		tell_interval(m, now);
		m->interval_at += each * ((now - m->interval_at) / each + 1);
	}
	if (!m->x->out.terminal || now < m->progress_at)
		return;
	m->progress_at = now + PROGRESS_NS;
	sky_prober_way(&m->p, SKY_WAY_ROUND, 0, &w);
	out_progress(&m->x->out, "%lu sent, %lu back", (unsigned long)w.sent,
	    (unsigned long)w.received);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Waits until then, reading what comes. Returns false when told to stop. */
static bool
wait_until(struct probe *m, uint64_t then)
{
	struct run *x = m->x;
	uint64_t most = x->c->measure.interval ? m->interval_at : RUN_FOREVER;
	unsigned events = run_wait(x, earlier(then, most), false, true);

	if (events & RUN_READABLE)
		drain(m);
	tick(m);
	return !(events & RUN_SIGNAL) && !broken(x);
}

static bool
greet(struct probe *m)
{
	bool going = true;

	while (going && !sky_prober_ready(&m->p)) {
		talk(m);
		going = sky_prober_ready(&m->p) || wait_until(m, sky_prober_deadline(&m->p));
	}
	if (going && !sky_prober_knows(&m->p))
		out_line(&m->x->out, "the far end does not answer as sock --measure does: "
		    "measuring as with any STAMP reflector");
	return going;
}

static bool
more(const struct probe *m, uint64_t now)
{
	const struct config *c = m->x->c;

	if (c->measure.duration)
		return now - m->start < c->measure.duration;
	return m->tried < c->count;
}

static void
send_all(struct probe *m)
{
	const struct measure_config *c = &m->x->c->measure;
	unsigned n = 0;
	uint64_t now;

	while (!broken(m->x) && !m->x->signal && more(m, now = run_clock())) {
		if (m->in_burst == 0 && c->rate && now < m->next) {
			n = 0;
			if (!wait_until(m, m->next))
				break;
			continue;
		}
		send_one(m);
		m->in_burst = (m->in_burst + 1) % (unsigned)c->burst;
		if (++n % AT_ONCE == 0 && !wait_until(m, 0))
			break;
	}
}

/* A signal here means that enough was waited; a second one ends the program. */
static void
finish(struct probe *m)
{
	uint64_t say_at = run_clock() + PROGRESS_NS;
	bool going = true;

	sky_prober_end(&m->p, run_clock(), m->x->c->wait);
	m->interval_at = RUN_FOREVER;
	while (going && !broken(m->x)) {
		talk(m);
		if (sky_prober_over(&m->p))
			break;
		if (sky_prober_waits(&m->p) && !m->said_waits && run_clock() >= say_at) {
			m->said_waits = true;
			out_line(&m->x->out, "the far end has not read everything yet: waiting");
		}
		going = wait_until(m, sky_prober_deadline(&m->p));
	}
	drain(m);
}

/* --- the end --- */

static bool
tells_sizes(const struct probe *m)
{
	return m->sizes > 1 && m->sizes <= SIZES && !m->x->c->measure.one_way;
}

static void
tell_sizes(struct probe *m)
{
	unsigned i;

	if (!tells_sizes(m))
		return;
	out_line(&m->x->out, "     bytes      left      back");
	for (i = 0; i < m->sizes; i++)
		out_line(&m->x->out, "%10lu%10lu%10lu",
		    (unsigned long)measure_size(&m->x->c->measure, i), (unsigned long)m->sent[i],
		    (unsigned long)m->back[i]);
}

static void
json_sizes(struct probe *m)
{
	struct out *o = &m->x->out;
	unsigned i;

	if (!tells_sizes(m))
		return;
	out_open_array(o, "sizes");
	for (i = 0; i < m->sizes; i++) {
		out_open_object(o, NULL);
		out_u64(o, "len", measure_size(&m->x->c->measure, i));
		out_u64(o, "sent", m->sent[i]);
		out_u64(o, "received", m->back[i]);
		out_close_object(o);
	}
	out_close_array(o);
}

static void
tell_json(struct probe *m, struct sky_way *w)
{
	struct out *o = &m->x->out;
	int d;

	out_begin(o, "summary", run_now());
	out_addr(o, "dst", "dport", &m->x->c->dests[0]);
	out_u64(o, "sent", w[SKY_WAY_ROUND].sent);
	out_u64(o, "received", w[SKY_WAY_ROUND].received);
	out_bool(o, "reported", sky_prober_reported(&m->p));
	out_open_array(o, "directions");
	for (d = SKY_WAY_OUT; d <= SKY_WAY_ROUND; d++)
		measure_json(o, d, &w[d]);
	out_close_array(o);
	json_sizes(m);
	out_end(o);
}

static void
tell(struct probe *m)
{
	struct run *x = m->x;
	struct sky_way w[3];
	int d;

	memset(w, 0, sizeof(w));
	for (d = SKY_WAY_OUT; d <= SKY_WAY_ROUND; d++) {
		w[d].size = sizeof(w[d]);
		sky_prober_way(&m->p, d, drops_now(x), &w[d]);
		if (d == SKY_WAY_OUT || !x->c->measure.one_way)
			x->bad |= measure_is_bad(&w[d]);
		measure_tell(&x->out, d, &w[d], x->c->measure.one_way);
	}
	if (sky_prober_knows(&m->p) && !sky_prober_reported(&m->p))
		out_line(&x->out, "the far end's report did not come");
	tell_sizes(m);
	tell_json(m, w);
}

static bool
prepare(struct probe *m)
{
	const struct config *c = m->x->c;
	uint32_t session;
	size_t room = c->measure.to > SKY_MEASURE_CONTROL ? c->measure.to : SKY_MEASURE_CONTROL;

	m->buf = malloc(room);
	if (!m->buf || getrandom(&session, sizeof(session), 0) != sizeof(session))
		return false;
	prctl(PR_SET_TIMERSLACK, 1);	/* for the schedule */
	m->size = c->measure.from;
	m->sizes = measure_sizes(&c->measure);
	m->interval_at = RUN_FOREVER;
	sky_prober_init(&m->p, session, c->measure.one_way ? SKY_PROBER_ONE_WAY : 0, drops_now(m->x));
	return true;
}

void
measure_probe(struct run *x)
{
	struct probe *m = calloc(1, sizeof(*m));

	if (!m || !(m->x = x, prepare(m))) {
		end_say_error("sock", ENOMEM);
		x->failed = ENOMEM;
	} else {
		run_pause(x, x->c->initial_pause);
		m->start = run_clock();
		if (!x->signal && greet(m)) {
			m->start = m->next = m->interval_from = run_clock();
			if (x->c->measure.interval)
				m->interval_at = m->start + x->c->measure.interval;
			m->progress_at = m->start + PROGRESS_NS;
			send_all(m);
			if (x->c->measure.interval)
				tell_interval(m, run_clock());
			finish(m);
		}
		tell(m);
	}
	if (m)
		free(m->buf);
	free(m);
}
