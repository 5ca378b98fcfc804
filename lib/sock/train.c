/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.c - trains that do not leave as one.
 *
 * Longer than the kernel segments at once: as several trains. Refused (by the
 * route's MTU, a device, an option): as single datagrams, at once, and the
 * destination is remembered for a while so that the next train is not tried
 * first. One refusal says nothing about another destination.
 */
#include "sock/out.h"
#include "sock/refusal.h"
#include "sys/clock.h"

#include <errno.h>

static bool
is_refused(struct udp *u, const struct sky_msg *m)
{
	return u->refusals && sky_refusal_find(&u->ring, out_target(u, m), sky_clock_steady(),
	    u->gso_memory_ns);
}

/* Bytes that one call may carry: whole segments, within both limits. */
static size_t
train_max(const struct udp *u, const struct sky_msg *m)
{
	size_t most = sky_udp_payload_max(out_family(u, m));
	size_t segments = most / m->seg;

	return (segments < u->gso_max ? segments : u->gso_max) * m->seg;
}

bool
out_is_train(struct udp *u, const struct sky_msg *m)
{
	return !(u->flags & SKY_UDP_NO_GSO) && m->seg <= UINT16_MAX &&
	    m->len <= train_max(u, m) && !is_refused(u, m);
}

static void
advance(struct sky_msg *m, size_t bytes)
{
	m->data = (char *)m->data + bytes;
	m->len -= bytes;
}

/* One prepared datagram of m: 0 sent, a positive errno of its own, or -EAGAIN. */
static int
send_one(struct udp *u, struct out_batch *b, unsigned i, struct sky_msg *m)
{
	struct out_cure c = { 0 };
	struct sky_msg part = *m;
	enum out_verdict v = OUT_AGAIN;
	int err = 0;

	part.len = b->iov[i].iov_len;
	while (v == OUT_AGAIN) {
		err = -sky_msg_send(u->fd, b->h + i, 1);
		if (err < 0)
			return 0;
		v = out_judge(u, &c, &b->h[i].msg_hdr, &part, false, &err);
	}
	m->have = part.have;
	m->mtu = part.mtu;
	return v == OUT_FULL ? -EAGAIN : err;
}

static unsigned
fill_singles(const struct udp *u, struct out_batch *b, struct sky_msg *m, int *bad)
{
	char *at = m->data;
	size_t left = m->len;
	unsigned k;

	for (k = 0; k < SKY_UDP_BATCH && left; k++) {
		size_t len = left < m->seg ? left : m->seg;

		*bad = out_prepare(u, b, k, m, 0);
		if (*bad)
			break;
		b->iov[k] = (struct iovec){ at, len };
		at += len;
		left -= len;
	}
	return k;
}

/* Where the first failure goes: the status of the whole. */
static void
note_failure(struct udp *u, struct sky_msg *m, int *first, int err)
{
	int before = m->status;

	out_failed(u, m, err);
	m->status = before;
	if (!*first)
		*first = err;
}

/* One batch of single datagrams; m moves on. 0, or -EAGAIN. */
static int
singles_batch(struct udp *u, struct out_batch *b, struct sky_msg *m, unsigned k, int *first,
    uint64_t *sent)
{
	unsigned done = 0;

	while (done < k) {
		int r = sky_msg_send(u->fd, b->h + done, k - done);

		if (r <= 0) {
			r = send_one(u, b, done, m);
			if (r < 0)
				return r;
			if (r > 0)
				note_failure(u, m, first, r);
			*sent += r == 0;
			advance(m, b->iov[done].iov_len);
			done++;
			continue;
		}
		*sent += (unsigned)r;
		for (unsigned end = done + (unsigned)r; done < end; done++)
			advance(m, b->iov[done].iov_len);
		if (done < k)
			out_stopped(u, &b->h[done].msg_hdr);
	}
	return 0;
}

/* A refusal is worth remembering only if single datagrams do better. */
static void
remember(struct udp *u, const struct sky_msg *m)
{
	if (sky_refusal_note(&u->ring, out_target(u, m), sky_clock_steady()))
		u->refusals++;
}

int
out_singles(struct udp *u, struct out_batch *b, struct sky_msg *m, bool note)
{
	struct sky_msg whole = *m;
	uint64_t sent = 0;
	int first = 0, r = 0;

	while (m->len && r == 0) {
		int bad = 0;
		unsigned k = fill_singles(u, b, m, &bad);

		if (bad) {
			out_failed(u, m, -bad);
			return 0;
		}
		r = singles_batch(u, b, m, k, &first, &sent);
	}
	udp_count(&u->tx, sent);
	if (note) {
		udp_count(&u->refused, 1);
		if (sent)
			remember(u, m);
	}
	if (r < 0)
		return r;
	m->data = whole.data;
	m->len = whole.len;
	m->status = -first;
	return 0;
}

/* One piece of a longer train, whole or in singles: as out_singles(). */
static int
send_piece(struct udp *u, struct out_batch *b, struct sky_msg *m)
{
	struct out_cure c = { 0 };
	enum out_verdict v = OUT_AGAIN;
	int err = out_prepare(u, b, 0, m, m->len > m->seg ? m->seg : 0);

	if (err) {
		out_failed(u, m, -err);
		return 0;
	}
	while (v == OUT_AGAIN) {
		err = -sky_msg_send(u->fd, b->h, 1);
		if (err < 0) {
			udp_count(&u->tx, udp_parts(m->len, m->seg));
			udp_count(&u->trains, m->len > m->seg);
			m->status = 0;
			return 0;
		}
		v = out_judge(u, &c, &b->h[0].msg_hdr, m, m->len > m->seg, &err);
	}
	if (v == OUT_FULL)
		return -EAGAIN;
	if (v == OUT_REFUSED)
		return out_singles(u, b, m, true);
	out_failed(u, m, err);
	return 0;
}

/* The next part of m: a train, or all that is left when none can be made. */
static int
next_piece(struct udp *u, struct out_batch *b, struct sky_msg *part)
{
	size_t most = train_max(u, part);

	if ((u->flags & SKY_UDP_NO_GSO) || part->seg > UINT16_MAX || !most ||
	    is_refused(u, part))
		return out_singles(u, b, part, false);
	if (part->len > most)
		part->len = most;
	return send_piece(u, b, part);
}

int
out_pieces(struct udp *u, struct out_batch *b, struct sky_msg *m)
{
	struct sky_msg whole = *m;
	int first = 0;

	while (m->len) {
		struct sky_msg part = *m;
		int r = next_piece(u, b, &part);

		m->have = part.have;
		m->mtu = part.mtu;
		if (r < 0) {
			/* part.data is past what went out of it */
			advance(m, (size_t)((char *)part.data - (char *)m->data));
			return r;
		}
		if (part.status && !first)
			first = part.status;
		advance(m, part.len);
	}
	m->data = whole.data;
	m->len = whole.len;
	m->status = first;
	return 0;
}
