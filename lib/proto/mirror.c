/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror.c - reflects test packets of many sessions; see measure.h.
 *
 * A stateful reflector (RFC 8762, 4.3): its numbers are its own, so that loss
 * there and loss back are two things.
 */
#include "proto/mirror.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct mirror) <= sizeof(struct sky_mirror), "SKY_MIRROR is too small");

size_t
sky_mirror_room(unsigned sessions)
{
	return sessions * sizeof(struct session);
}

int
sky_mirror_init(struct sky_mirror *sm, void *room, size_t size, unsigned sessions,
    uint64_t secret, uint32_t flags)
{
	struct mirror *m = mirror_of(sm);

	if (!sessions || size < sky_mirror_room(sessions))
		return -EINVAL;
	memset(m, 0, sizeof(*m));
	memset(room, 0, sky_mirror_room(sessions));
	m->session = room;
	m->size = sessions;
	m->secret = secret;
	m->flags = flags;
	return 0;
}

struct session *
sky_mirror_find(struct mirror *m, const struct sky_addr *from, uint16_t ssid)
{
	struct session *s;
	unsigned i;

	for (i = 0; i < m->size; i++) {
		s = &m->session[i];
		if (s->open && s->ssid == ssid && sky_addr_equal(&s->peer, from))
			return s;
	}
	return NULL;
}

/* A place for a new session: a free one, else that of the oldest from which one
 * datagram came, if any. So garbage makes room for others, and not the others for
 * garbage. */
static struct session *
place(const struct mirror *m)
{
	struct session *s, *least = NULL;
	unsigned i;

	for (i = 0; i < m->size; i++) {
		s = &m->session[i];
		if (!s->open)
			return s;
		if (s->out.received + s->out.unread > 1)
			continue;
		if (!least || s->heard < least->heard)
			least = s;
	}
	return least;
}

struct session *
sky_mirror_add(struct mirror *m, const struct sky_mirror_in *in, uint16_t ssid)
{
	struct session *s = place(m);

	if (!s || s->open)
		m->sums.refused++;
	if (!s)
		return NULL;
	m->opened += !s->open;
	memset(s, 0, sizeof(*s));
	s->open = true;
	s->peer = in->from;
	s->ssid = ssid;
	s->heard = in->now;
	sky_track_init(&s->out, in->drops);
	m->others++;
	s->others = m->others;
	return s;
}

/* Drops of the socket are this session's only while it is alone there. */
static void
note_company(struct mirror *m, struct session *s)
{
	if (m->opened > 1 || s->others != m->others)
		sky_track_mixed(&s->out);
	s->others = m->others;
}

static enum sky_measured
stray(struct mirror *m)
{
	m->sums.strays++;
	m->others++;
	return SKY_MEASURED_STRAY;
}

/* A multiplier of zero makes a packet that is to be discarded (RFC 4656, 4.1.2). */
static bool
is_probe(struct sky_stamp_probe *p, struct sky_rd *rd)
{
	return sky_stamp_probe_decode(p, rd) == 0 && p->error & 0xff;
}

static size_t
reflect(const struct session *s, const struct sky_mirror_in *in, const struct sky_stamp_probe *p,
    struct sky_rd *rest, uint64_t time_ns, void *buf)
{
	struct sky_wr wr = sky_wr_of(buf, in->len);
	struct sky_stamp_reply r = {
		.seq = (uint32_t)s->reflected,
		.time_ns = time_ns,
		.error = SKY_PROBE_ERROR,
		.ssid = p->ssid,
		.came_ns = in->time_ns,
		.probe_seq = p->seq,
		.probe_time_raw = p->time_raw,
		.probe_error = p->error,
		.probe_ttl = in->ttl,
	};

	if (sky_stamp_reply_encode(&r, &wr) < 0 || sky_stamp_mirror(rest, &wr) < 0)
		return 0;
	if (s->ours)
		sky_probe_seal(buf, sky_wr_len(&wr), s->session);
	return sky_wr_len(&wr);
}

static void
count(struct mirror *m, struct session *s, const struct sky_mirror_in *in,
    const struct sky_stamp_probe *p)
{
	if (sky_track_take(&s->out, p->seq, in->len, in->drops, in->unread) == SKY_TRACK_NEW)
		sky_track_delay(&s->out, (int64_t)(in->time_ns - p->time_ns));
	if (in->unread) {
		m->sums.unread++;
		return;
	}
	m->sums.received++;
	m->sums.bytes += in->len;
}

size_t
sky_mirror_take(struct sky_mirror *sm, const struct sky_mirror_in *in, uint64_t time_ns,
    void *buf, struct sky_mirror_out *out)
{
	struct mirror *m = mirror_of(sm);
	struct sky_rd rd = sky_rd_of(in->data, in->len);
	struct sky_stamp_probe p;
	struct session *s;

	*out = (struct sky_mirror_out){ .size = out->size, .session = -1 };
	if (!is_probe(&p, &rd)) {
		out->what = stray(m);
		return 0;
	}
	s = sky_mirror_find(m, &in->from, p.ssid);
	if (!s) {
		s = sky_mirror_add(m, in, p.ssid);
		if (!s) {
			out->what = stray(m);
			return 0;
		}
		out->opened = true;
		s->out.next = p.seq;	/* what came before it, if anything, is not known */
	}
	out->session = (int)(s - m->session);
	s->heard = in->now;
	note_company(m, s);
	if (s->ours && !sky_probe_sealed(in->data, in->len, s->session)) {
		sky_track_corrupted(&s->out, in->drops);
		m->sums.corrupted++;
		out->what = SKY_MEASURED_CORRUPTED;
		return 0;
	}
	out->what = SKY_MEASURED_BACK;
	count(m, s, in, &p);
	if (in->unread || s->silent || m->flags & SKY_MIRROR_SILENT)
		return 0;
	return reflect(s, in, &p, &rd, time_ns, buf);
}

void
sky_mirror_sent(struct sky_mirror *sm, int session, bool taken)
{
	struct mirror *m = mirror_of(sm);
	struct session *s = &m->session[session];

	if (!taken) {
		s->refused++;
		return;
	}
	s->reflected++;
	m->sums.reflected++;
}

unsigned
sky_mirror_sessions(const struct sky_mirror *m)
{
	return mirror_of_const(m)->opened;
}

void
sky_mirror_sums(const struct sky_mirror *m, struct sky_mirror_sums *out)
{
	uint32_t size = out->size;

	*out = mirror_of_const(m)->sums;
	out->size = size;
}
