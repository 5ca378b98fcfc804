/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prober.c - makes test packets and reads what comes back; see measure.h.
 */
#include "proto/probe.h"
#include "proto/track.h"
#include "wire/tally.h"

#include <errno.h>
#include <string.h>

#define RETRY_NS UINT64_C(250000000)	/* the first; then doubled */
#define RETRY_MOST_NS UINT64_C(2000000000)
#define GREETINGS 4			/* 1.75 s until a mirror is a stranger's */
#define ENDINGS 8			/* 11.75 s until a report is given up */
#define SETTLE_NS UINT64_C(200000000)	/* for reflections that the report overtook */
#define NEVER UINT64_MAX

enum phase { GREETING, RUNNING, ENDING, SETTLING, WAITING, OVER };

struct prober {
	uint32_t session, flags, serial;
	enum phase phase;
	unsigned tries;
	uint64_t deadline;
	bool ours, reported, thanks, busy;
	uint64_t token;
	uint64_t used, refused;		/* numbers that left; datagrams that did not */
	bool first;			/* the last one taken was a new reflection */
	uint32_t last;			/* its number */
	uint64_t named;			/* lost, by an error that says so */
	uint8_t is_named[SKY_TRACK_WINDOW / 8];
	uint32_t messages;		/* that came: the mirror says how many it sent */
	struct sky_tally report;
	struct sky_track out, back, round; /* out: from reflections alone */
};

_Static_assert(SKY_MEASURE_MAGIC == SKY_TALLY_MAGIC, "one magic");
_Static_assert(SKY_MEASURE_CONTROL == SKY_TALLY_MAX, "room for any message");
_Static_assert(sizeof(struct prober) <= sizeof(struct sky_prober), "SKY_PROBER is too small");

bool
sky_measure_is_message(const void *data, size_t len)
{
	return sky_tally_is(data, len);
}

static struct prober *
of(struct sky_prober *p)
{
	return (struct prober *)(void *)p->opaque;
}

static const struct prober *
of_const(const struct sky_prober *p)
{
	return (const struct prober *)(const void *)p->opaque;
}

int
sky_prober_init(struct sky_prober *sp, uint32_t session, uint32_t flags, uint32_t drops)
{
	struct prober *p = of(sp);

	memset(p, 0, sizeof(*p));
	/* The identifier of RFC 8972, 3 must not be 0. */
	p->session = session & 0xffff ? session : session | 1;
	p->flags = flags;
	sky_track_init(&p->out, 0);
	sky_track_init(&p->back, drops);
	sky_track_init(&p->round, 0);
	return 0;
}

int
sky_prober_make(struct sky_prober *sp, void *buf, size_t len, uint64_t time_ns)
{
	struct prober *p = of(sp);
	struct sky_wr wr = sky_wr_of(buf, len);
	struct sky_stamp_probe probe = {
		.seq = (uint32_t)p->used,
		.time_ns = time_ns,
		.error = SKY_PROBE_ERROR,
		.ssid = (uint16_t)p->session,
	};
	uint8_t *value;
	size_t n;

	if (sky_stamp_probe_encode(&probe, &wr) < 0)
		return -EINVAL;
	if (sky_stamp_pad(&wr, len - SKY_STAMP_LEN, SKY_STAMP_UNKNOWN, &value, &n) < 0)
		return -EINVAL;
	sky_probe_pattern(value, n, p->session, probe.seq);
	sky_probe_seal(buf, len, p->session);
	return 0;
}

void
sky_prober_sent(struct sky_prober *sp, bool taken)
{
	struct prober *p = of(sp);

	if (taken)
		p->used++;
	else
		p->refused++;
}

/* --- what comes back --- */

/* A foreign mirror returns the padding, perhaps cut; what there is must be ours. */
static bool
intact(const struct prober *p, const uint8_t *data, size_t len, uint32_t seq)
{
	size_t head = SKY_STAMP_LEN + 4;

	if (p->ours)
		return sky_probe_sealed(data, len, p->session);
	return len <= head || sky_probe_pattern_is(data + head, len - head, p->session, seq);
}

static void
measure(struct prober *p, const struct sky_stamp_reply *r, uint64_t time_ns)
{
	int64_t there = (int64_t)(r->came_ns - r->probe_time_ns);
	int64_t back = (int64_t)(time_ns - r->time_ns);

	sky_track_delay(&p->out, there);
	sky_track_delay(&p->back, back);
	sky_track_delay(&p->round, (int64_t)((uint64_t)there + (uint64_t)back));
}

static void
settle_if_all(struct prober *p)
{
	if (p->phase == SETTLING &&
	    !sky_track_missing(&p->back, p->report.value[SKY_REPORT_REFLECTED]))
		p->phase = OVER;
	if (p->phase == WAITING && !sky_track_missing(&p->round, p->used))
		p->phase = OVER;
}

/* What a mirror copies and a sender leaves zero (RFC 8762, 4.2.1 and 4.3.1). */
static bool
is_echo(const struct sky_stamp_reply *r)
{
	return r->error == SKY_PROBE_ERROR && !r->probe_error && !r->probe_time_raw;
}

static enum sky_measured
take_reflection(struct prober *p, const void *data, size_t len, uint64_t time_ns, uint32_t drops)
{
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_stamp_reply r;
	enum sky_track_kind kind;

	if (sky_stamp_reply_decode(&r, &rd) < 0 ||
	    (r.ssid && r.ssid != (uint16_t)p->session) || r.probe_seq >= p->used) {
		sky_track_other(&p->back, drops);
		return SKY_MEASURED_STRAY;
	}
	if (is_echo(&r)) {
		sky_track_other(&p->back, drops);
		return SKY_MEASURED_ECHO;
	}
	if (!intact(p, data, len, r.probe_seq)) {
		sky_track_corrupted(&p->back, drops);
		return SKY_MEASURED_CORRUPTED;
	}
	kind = sky_track_take(&p->round, r.probe_seq, len, 0, false);
	p->first = kind == SKY_TRACK_NEW;
	p->last = r.probe_seq;
	if (p->ours)
		kind = sky_track_take(&p->back, r.seq, len, drops, false);
	if (kind == SKY_TRACK_NEW)
		measure(p, &r, time_ns);
	settle_if_all(p);
	return SKY_MEASURED_BACK;
}

static void
welcomed(struct prober *p, const struct sky_tally *t, uint64_t now)
{
	p->ours = true;
	p->token = t->value[0];
	if (p->phase == GREETING)
		p->phase = RUNNING;
}

static void
told_busy(struct prober *p, const struct sky_tally *t, uint64_t now)
{
	if (p->phase != ENDING)
		return;
	p->busy = true;
	p->tries = 1;
	p->deadline = now + 2 * RETRY_NS;
}

static void
told_report(struct prober *p, const struct sky_tally *t, uint64_t now)
{
	p->thanks = true;
	if (p->phase > ENDING || t->n <= SKY_REPORT_USED)
		return;
	p->report = *t;
	p->reported = true;
	p->phase = SETTLING;
	p->deadline = now + SETTLE_NS;
}

static enum sky_measured
take_message(struct prober *p, const void *data, size_t len, uint32_t drops, uint64_t now)
{
	static void (*const takers[])(struct prober *, const struct sky_tally *, uint64_t) = {
		[SKY_TALLY_WELCOME] = welcomed,
		[SKY_TALLY_BUSY] = told_busy,
		[SKY_TALLY_REPORT] = told_report,
	};
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_tally t;

	sky_track_other(&p->back, drops);
	if (sky_tally_decode(&t, &rd) < 0 || t.session != p->session ||
	    t.kind >= sizeof(takers) / sizeof(takers[0]) || !takers[t.kind])
		return SKY_MEASURED_STRAY;
	p->messages++;
	takers[t.kind](p, &t, now);
	settle_if_all(p);
	return SKY_MEASURED_CONTROL;
}

enum sky_measured
sky_prober_take(struct sky_prober *sp, const void *data, size_t len, uint64_t time_ns,
    uint32_t drops, uint64_t now)
{
	struct prober *p = of(sp);

	p->first = false;
	if (sky_tally_is(data, len))
		return take_message(p, data, len, drops, now);
	return take_reflection(p, data, len, time_ns, drops);
}

bool
sky_prober_first(const struct sky_prober *sp, uint64_t *seq)
{
	*seq = of_const(sp)->last;
	return of_const(sp)->first;
}

bool
sky_prober_quoted(const struct sky_prober *sp, const void *quote, size_t len, uint64_t *seq)
{
	const struct prober *p = of_const(sp);
	struct sky_rd rd = sky_rd_of(quote, len);
	uint16_t ssid;

	*seq = sky_rd_u32(&rd);
	if (rd.cut || *seq >= p->used)
		return false;
	sky_rd_take(&rd, 10);
	ssid = sky_rd_u16(&rd);
	return rd.cut || ssid == (uint16_t)p->session;
}

void
sky_prober_lost(struct sky_prober *sp, uint64_t seq)
{
	struct prober *p = of(sp);
	unsigned at = seq % SKY_TRACK_WINDOW;

	if (seq >= p->used || p->is_named[at / 8] & 1u << at % 8)
		return;
	p->is_named[at / 8] |= (uint8_t)(1u << at % 8);
	p->named++;
}

/* --- messages --- */

static size_t
write_message(struct prober *p, void *buf, enum sky_tally_kind kind, uint16_t n, uint64_t a, uint64_t b)
{
	struct sky_wr wr = sky_wr_of(buf, SKY_MEASURE_CONTROL);
	struct sky_tally t = {
		.kind = (uint8_t)kind, .n = n, .session = p->session, .serial = p->serial++,
		.value = { a, b },
	};

	return sky_tally_encode(&t, &wr) < 0 ? 0 : sky_wr_len(&wr);
}

static void
next_try(struct prober *p, uint64_t now)
{
	uint64_t most = p->phase == GREETING ? 2 * RETRY_NS : RETRY_MOST_NS;
	uint64_t wait = RETRY_NS << (p->tries < 4 ? p->tries : 4);

	p->tries++;
	p->deadline = now + (wait < most ? wait : most);
}

static size_t
greet(struct prober *p, uint64_t now, void *buf)
{
	if (p->tries == GREETINGS) {
		p->phase = RUNNING;
		return 0;
	}
	next_try(p, now);
	return write_message(p, buf, SKY_TALLY_HELLO, 1, p->flags, 0);
}

static size_t
say_end(struct prober *p, uint64_t now, void *buf)
{
	if (p->tries == ENDINGS) {
		p->phase = OVER;
		return 0;
	}
	next_try(p, now);
	return write_message(p, buf, SKY_TALLY_END, 2, p->token, p->used);
}

size_t
sky_prober_control(struct sky_prober *sp, uint64_t now, void *buf)
{
	struct prober *p = of(sp);

	if (p->thanks) {
		p->thanks = false;
		return write_message(p, buf, SKY_TALLY_THANKS, 1, p->token, 0);
	}
	if (p->phase == RUNNING || p->phase == OVER || now < p->deadline)
		return 0;
	if (p->phase == GREETING)
		return greet(p, now, buf);
	if (p->phase == ENDING)
		return say_end(p, now, buf);
	p->phase = OVER;
	return 0;
}

uint64_t
sky_prober_deadline(const struct sky_prober *sp)
{
	const struct prober *p = of_const(sp);

	return p->phase == RUNNING || p->phase == OVER ? NEVER : p->deadline;
}

bool
sky_prober_ready(const struct sky_prober *sp)
{
	return of_const(sp)->phase != GREETING;
}

void
sky_prober_end(struct sky_prober *sp, uint64_t now, uint64_t wait)
{
	struct prober *p = of(sp);

	if (p->phase > RUNNING)
		return;
	p->tries = 0;
	p->phase = p->ours ? ENDING : WAITING;
	p->deadline = p->ours ? now : now + wait;
	settle_if_all(p);
}

bool
sky_prober_over(const struct sky_prober *sp)
{
	return of_const(sp)->phase == OVER;
}

bool
sky_prober_waits(const struct sky_prober *sp)
{
	return of_const(sp)->phase == ENDING && of_const(sp)->busy;
}

bool
sky_prober_knows(const struct sky_prober *sp)
{
	return of_const(sp)->ours;
}

bool
sky_prober_reported(const struct sky_prober *sp)
{
	return of_const(sp)->reported;
}

/* --- counts --- */

static void
way_out(const struct prober *p, struct sky_way *w)
{
	static const uint8_t classes[SKY_LOSSES] = {
		[SKY_LOST_NETWORK] = SKY_REPORT_NETWORK,
		[SKY_LOST_QUEUE] = SKY_REPORT_QUEUE,
		[SKY_LOST_UNREAD] = SKY_REPORT_UNREAD,
		[SKY_LOST_UNEXPLAINED] = SKY_REPORT_UNEXPLAINED,
	};
	const uint64_t *v = p->report.value;
	int i;

	w->received = v[SKY_REPORT_RECEIVED];
	w->bytes = v[SKY_REPORT_BYTES];
	w->duplicated = v[SKY_REPORT_DUPLICATED];
	w->reordered = v[SKY_REPORT_REORDERED];
	w->late = v[SKY_REPORT_LATE];
	w->corrupted = v[SKY_REPORT_CORRUPTED];
	for (i = SKY_LOST_NETWORK; i < SKY_LOSSES; i++)
		w->lost[i] = v[classes[i]];
	/* A mirror that closed early knew of fewer numbers. */
	if (p->used > v[SKY_REPORT_USED])
		w->lost[SKY_LOST_UNEXPLAINED] += p->used - v[SKY_REPORT_USED];
	w->told |= SKY_WAY_RECEIVED | 1u << SKY_LOST_NETWORK | 1u << SKY_LOST_QUEUE |
	    1u << SKY_LOST_UNREAD | 1u << SKY_LOST_UNEXPLAINED;
	w->delays = v[SKY_REPORT_DELAYS];
	w->delay_min = (int64_t)v[SKY_REPORT_DELAY_MIN];
	w->delay_median = (int64_t)v[SKY_REPORT_DELAY_MEDIAN];
	w->delay_p99 = (int64_t)v[SKY_REPORT_DELAY_P99];
	w->delay_max = (int64_t)v[SKY_REPORT_DELAY_MAX];
	w->jitter = v[SKY_REPORT_JITTER];
	if (w->delays)
		w->told |= SKY_WAY_DELAY;
}

/* Only what the reflections themselves carry. */
static void
way_delay(const struct sky_track *t, struct sky_way *w)
{
	struct sky_way all = { .told = 0 };

	sky_track_way(t, t->next, t->drops, 0, &all);
	w->told |= all.told & SKY_WAY_DELAY;
	w->delays = all.delays;
	w->delay_min = all.delay_min;
	w->delay_median = all.delay_median;
	w->delay_p99 = all.delay_p99;
	w->delay_max = all.delay_max;
	w->jitter = all.jitter;
}

static void
way_back(const struct prober *p, uint32_t drops, struct sky_way *w)
{
	const uint64_t *v = p->report.value;
	uint32_t others = (uint32_t)v[SKY_REPORT_MESSAGES] - p->messages;

	if (p->reported && p->report.n > SKY_REPORT_MESSAGES) {
		sky_track_way(&p->back, v[SKY_REPORT_REFLECTED], drops,
		    others > INT32_MAX ? 0 : others, w);
		w->sent = v[SKY_REPORT_REFLECTED] + v[SKY_REPORT_REFUSED];
		w->lost[SKY_LOST_HOST] = v[SKY_REPORT_REFUSED];
		w->told |= SKY_WAY_SENT | 1u << SKY_LOST_HOST;
		return;
	}
	way_delay(&p->back, w);
	w->received = p->round.received;
	w->bytes = p->round.bytes;
	w->duplicated = p->round.duplicated;
	w->reordered = p->round.reordered;
	w->late = p->round.late;
	w->corrupted = p->back.corrupted;
	w->told |= SKY_WAY_RECEIVED;
}

static void
way_round(const struct prober *p, struct sky_way *w)
{
	uint64_t missing;

	sky_track_way(&p->round, p->used, 0, 0, w);
	w->told &= SKY_WAY_RECEIVED | SKY_WAY_DELAY;
	memset(w->lost, 0, sizeof(w->lost));
	w->corrupted = p->back.corrupted;
	w->sent = p->used + p->refused;
	w->lost[SKY_LOST_HOST] = p->refused;
	w->told |= SKY_WAY_SENT | 1u << SKY_LOST_HOST;
	if (p->reported || p->flags & SKY_PROBER_ONE_WAY)
		return;
	missing = sky_track_missing(&p->round, p->used);
	w->lost[SKY_LOST_NETWORK] = p->named < missing ? p->named : missing;
	w->lost[SKY_LOST_UNEXPLAINED] = missing - w->lost[SKY_LOST_NETWORK];
	w->told |= 1u << SKY_LOST_UNEXPLAINED;
	if (p->named)
		w->told |= 1u << SKY_LOST_NETWORK;
}

void
sky_prober_way(const struct sky_prober *sp, enum sky_direction d, uint32_t drops,
    struct sky_way *w)
{
	const struct prober *p = of_const(sp);
	uint32_t size = w->size;

	memset(w, 0, sizeof(*w));
	w->size = size;
	if (d == SKY_WAY_BACK) {
		way_back(p, drops, w);
		return;
	}
	if (d == SKY_WAY_ROUND) {
		way_round(p, w);
		return;
	}
	if (p->reported)
		way_out(p, w);
	else
		way_delay(&p->out, w);
	w->sent = p->used + p->refused;
	w->lost[SKY_LOST_HOST] = p->refused;
	w->told |= SKY_WAY_SENT | 1u << SKY_LOST_HOST;
}
