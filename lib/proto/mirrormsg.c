/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirrormsg.c - the mirror's side of the messages beside STAMP's, and its
 * sessions' ends; see measure.h.
 *
 * A stranger can open a session, as with any reflector, but only who got the
 * welcome knows the token with which a report is asked for.
 */
#include "proto/mirror.h"

#include <string.h>

#define GRACE_NS UINT64_C(200000000)	/* the end may overtake test packets */
#define RETRY_NS UINT64_C(200000000)	/* of a report at close */
#define RETRIES 3
#define KEEP_NS UINT64_C(3000000000)	/* a report that nobody thanked for */
#define IDLE_NS UINT64_C(10000000000)

static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t
token_for(const struct mirror *m, const struct session *s)
{
	return mix(m->secret ^ mix(m->secret + ((uint64_t)sky_addr_hash(&s->peer) << 32 | s->session)));
}

static struct sky_tally
message(struct session *s, enum sky_tally_kind kind)
{
	s->messages++;
	return (struct sky_tally){ .kind = (uint8_t)kind, .session = s->session,
	    .serial = s->serial++ };
}

static size_t
encode(const struct sky_tally *t, void *buf)
{
	struct sky_wr wr = sky_wr_of(buf, SKY_MEASURE_CONTROL);

	return sky_tally_encode(t, &wr) < 0 ? 0 : sky_wr_len(&wr);
}

static size_t
welcome(struct mirror *m, struct session *s, void *buf)
{
	struct sky_tally t = message(s, SKY_TALLY_WELCOME);

	t.n = 1;
	t.value[0] = s->token;
	return encode(&t, buf);
}

/* Before the sender told its numbers, the highest that came counts as the last. */
static uint64_t
used(const struct session *s)
{
	return s->ending ? s->used : s->out.next;
}

static void
way_out(const struct session *s, uint32_t drops, struct sky_way *w)
{
	if (s->final)
		drops = s->final_drops;
	else if (!s->ending)
		drops = s->out.drops;
	sky_track_way(&s->out, used(s), drops, 0, w);
}

static size_t
report(struct session *s, void *buf)
{
	struct sky_tally t = message(s, SKY_TALLY_REPORT);
	struct sky_way w = { .size = sizeof(w) };
	uint64_t *v = t.value;

	way_out(s, s->final_drops, &w);
	t.n = SKY_REPORT_VALUES;
	v[SKY_REPORT_USED] = used(s);
	v[SKY_REPORT_RECEIVED] = w.received;
	v[SKY_REPORT_BYTES] = w.bytes;
	v[SKY_REPORT_DUPLICATED] = w.duplicated;
	v[SKY_REPORT_REORDERED] = w.reordered;
	v[SKY_REPORT_LATE] = w.late;
	v[SKY_REPORT_CORRUPTED] = w.corrupted;
	v[SKY_REPORT_NETWORK] = w.lost[SKY_LOST_NETWORK];
	v[SKY_REPORT_QUEUE] = w.lost[SKY_LOST_QUEUE];
	v[SKY_REPORT_UNREAD] = w.lost[SKY_LOST_UNREAD];
	v[SKY_REPORT_UNEXPLAINED] = w.lost[SKY_LOST_UNEXPLAINED];
	v[SKY_REPORT_DELAYS] = w.delays;
	v[SKY_REPORT_DELAY_MIN] = (uint64_t)w.delay_min;
	v[SKY_REPORT_DELAY_MEDIAN] = (uint64_t)w.delay_median;
	v[SKY_REPORT_DELAY_P99] = (uint64_t)w.delay_p99;
	v[SKY_REPORT_DELAY_MAX] = (uint64_t)w.delay_max;
	v[SKY_REPORT_JITTER] = w.jitter;
	v[SKY_REPORT_REFLECTED] = s->reflected;
	v[SKY_REPORT_REFUSED] = s->refused;
	v[SKY_REPORT_MESSAGES] = s->messages;
	return encode(&t, buf);
}

static void
finish(const struct mirror *m, struct session *s, uint64_t now, uint32_t drops)
{
	if (m->opened > 1 || s->others != m->others)
		sky_track_mixed(&s->out);
	s->final = true;
	s->final_at = now;
	s->final_drops = drops;
}

static size_t
said_hello(struct mirror *m, struct session *s, const struct sky_tally *t,
    const struct sky_mirror_in *in, void *buf)
{
	s->ours = true;
	s->silent = t->value[0] & SKY_PROBER_ONE_WAY;
	s->session = t->session;
	s->token = token_for(m, s);
	return welcome(m, s, buf);
}

static size_t
said_end(struct mirror *m, struct session *s, const struct sky_tally *t,
    const struct sky_mirror_in *in, void *buf)
{
	struct sky_tally busy;

	if (!s->ending) {
		s->ending = true;
		s->end_heard = in->now;
		s->used = t->value[1];
	}
	if (s->final)
		return report(s, buf);
	busy = message(s, SKY_TALLY_BUSY);
	return encode(&busy, buf);
}

static size_t
said_thanks(struct mirror *m, struct session *s, const struct sky_tally *t,
    const struct sky_mirror_in *in, void *buf)
{
	s->thanked = s->final;
	return 0;
}

static struct session *
session_of(struct mirror *m, const struct sky_mirror_in *in, const struct sky_tally *t,
    struct sky_mirror_out *out)
{
	struct session *s = sky_mirror_find(m, &in->from, (uint16_t)t->session);

	if (t->kind != SKY_TALLY_HELLO)
		return s && s->ours && t->session == s->session && t->n &&
		    t->value[0] == s->token ? s : NULL;
	if (s && s->ours && s->session != t->session)
		return NULL;
	if (s || m->closing)
		return s;
	out->opened = true;
	return sky_mirror_add(m, in, (uint16_t)t->session);
}

size_t
sky_mirror_control(struct sky_mirror *sm, const struct sky_mirror_in *in, void *buf,
    struct sky_mirror_out *out)
{
	static size_t (*const takers[])(struct mirror *, struct session *,
	    const struct sky_tally *, const struct sky_mirror_in *, void *) = {
		[SKY_TALLY_HELLO] = said_hello,
		[SKY_TALLY_END] = said_end,
		[SKY_TALLY_THANKS] = said_thanks,
	};
	struct mirror *m = mirror_of(sm);
	struct sky_rd rd = sky_rd_of(in->data, in->len);
	struct sky_tally t;
	struct session *s = NULL;

	*out = (struct sky_mirror_out){ .size = out->size, .session = -1 };
	if (sky_tally_decode(&t, &rd) == 0 && t.kind < sizeof(takers) / sizeof(takers[0]) &&
	    takers[t.kind])
		s = session_of(m, in, &t, out);
	if (!s) {
		m->sums.strays++;
		out->opened = false;
		return 0;
	}
	out->what = SKY_MEASURED_CONTROL;
	out->session = (int)(s - m->session);
	s->heard = in->now;
	out->ending = t.kind == SKY_TALLY_END && !s->ending;
	return takers[t.kind](m, s, &t, in, buf);
}

/* When the counts of a session are final, if they are not yet. */
static uint64_t
final_due(const struct mirror *m, const struct session *s)
{
	if (!s->ending)
		return m->closing ? 0 : UINT64_MAX;
	return sky_track_missing(&s->out, s->used) ? s->end_heard + GRACE_NS : 0;
}

static uint64_t
due_of(const struct mirror *m, const struct session *s)
{
	if (!s->open || !s->ours || s->thanked)
		return UINT64_MAX;
	if (!s->final)
		return final_due(m, s);
	return m->closing && s->tries < RETRIES ? s->retry_at : UINT64_MAX;
}

size_t
sky_mirror_due(struct sky_mirror *sm, uint64_t now, uint32_t drops, void *buf, int *session)
{
	struct mirror *m = mirror_of(sm);
	struct session *s;
	unsigned i;

	for (i = 0; i < m->size; i++) {
		s = &m->session[i];
		if (now < due_of(m, s))
			continue;
		if (!s->final)
			finish(m, s, now, drops);
		s->tries++;
		s->retry_at = now + RETRY_NS;
		*session = (int)i;
		return report(s, buf);
	}
	return 0;
}

static uint64_t
end_of(const struct mirror *m, const struct session *s)
{
	if (!s->open)
		return UINT64_MAX;
	if (s->thanked || (m->closing && !s->ours))
		return 0;
	if (m->closing)
		return s->final && s->tries >= RETRIES ? s->retry_at : UINT64_MAX;
	return s->final ? s->final_at + KEEP_NS : s->heard + (s->ours ? 6 : 1) * IDLE_NS;
}

uint64_t
sky_mirror_deadline(const struct sky_mirror *sm)
{
	const struct mirror *m = mirror_of_const(sm);
	uint64_t first = UINT64_MAX, at;
	unsigned i;

	for (i = 0; m->opened && i < m->size; i++) {
		at = due_of(m, &m->session[i]);
		if (at < first)
			first = at;
		at = end_of(m, &m->session[i]);
		if (at < first)
			first = at;
	}
	return first;
}

void
sky_mirror_close(struct sky_mirror *sm, uint64_t now)
{
	mirror_of(sm)->closing = true;
}

static void
tell(const struct session *s, uint32_t drops, struct sky_way *out, struct sky_way *back)
{
	memset(out, 0, sizeof(*out));
	memset(back, 0, sizeof(*back));
	out->size = back->size = sizeof(*out);
	way_out(s, drops, out);
	out->sent = used(s);
	if (s->ending)
		out->told |= SKY_WAY_SENT;
	back->sent = s->reflected + s->refused;
	back->lost[SKY_LOST_HOST] = s->refused;
	back->told = SKY_WAY_SENT | 1u << SKY_LOST_HOST;
}

bool
sky_mirror_ended(struct sky_mirror *sm, uint64_t now, uint32_t drops, int *session,
    struct sky_addr *peer, struct sky_way *out, struct sky_way *back)
{
	struct mirror *m = mirror_of(sm);
	struct session *s;
	unsigned i;

	for (i = 0; m->opened && i < m->size; i++) {
		s = &m->session[i];
		if (now < end_of(m, s))
			continue;
		tell(s, drops, out, back);
		*session = (int)i;
		*peer = s->peer;
		s->open = false;
		m->opened--;
		m->others++;
		return true;
	}
	return false;
}
