/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errors.c - entries of the error queue become fates.
 *
 * First what a send had to take off the queue, then the queue itself: the
 * order in which the kernel learnt of them. Each is handed over once; a local
 * error that a send's status told already is swallowed.
 */
#include "sock/entry.h"
#include "sock/second.h"
#include "sys/clock.h"
#include "sys/route.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

/* An answer to "is this address ours?" is good for so long. */
static const uint64_t own_memory_ns = 1000000000u;

/* See udp_heed(). */
static const uint64_t deaf_ns = 100000000u;

/* Swallowed entries must not make one call endless. */
enum { SWALLOW_MAX = 1024 };

/* The caller's buffer for quotes. */
struct quotes {
	uint8_t *at;
	size_t left;
};

/* The neighbour that never answered is reported by this host itself. The
 * report then comes to the address it comes from; else the kernel is asked. */
static bool
is_own(struct udp *u, const struct sky_errq *e, uint64_t now_ns)
{
	if ((e->flags & SKY_ERRQ_LOCAL) && sky_addr_same_host(&e->by, &e->local))
		return true;
	if (u->own_ns && now_ns - u->own_ns < own_memory_ns &&
	    sky_addr_equal(&u->own_asked, &e->by))
		return u->own;
	u->own_asked = e->by;
	u->own_ns = now_ns;
	u->own = sky_route_is_own(&e->by) == 1;
	return u->own;
}

/* Puts the quote into at most room bytes of the caller's buffer. What comes with
 * a time stamp is a copy of the packet, headers and all: not a quote. */
static void
set_quote(struct sky_fate *f, const struct sky_errq *e, const uint8_t *data, struct quotes *q,
    size_t room)
{
	size_t len = e->len < room ? e->len : room;
	size_t quote = e->ext_at && e->ext_at < len ? e->ext_at : len;

	if (len < e->len || (e->flags & SKY_ERRQ_CUT))
		f->flags |= SKY_FATE_QUOTE_CUT;
	if (e->flags & SKY_ERRQ_EXT_BAD)
		f->flags |= SKY_FATE_EXT_BAD;
	if (!len || e->origin == SO_EE_ORIGIN_TIMESTAMPING)
		return;
	memcpy(q->at, data, len);
	f->quote = q->at;
	f->quote_len = (uint32_t)quote;
	if (quote < len) {
		f->ext = q->at + quote;
		f->ext_len = (uint32_t)(len - quote);
	}
	q->at += len;
	q->left -= len;
}

static void
convert(struct udp *u, struct sky_fate *f, const struct sky_errq *e, uint64_t now_ns)
{
	entry_convert(f, e, now_ns);
	if (f->have & SKY_HAVE_SRC)
		sky_addr_set_port(&f->src, sky_addr_port(&u->local));
	if (entry_host_unreachable(e) && is_own(u, e, f->time_ns))
		f->flags |= SKY_FATE_OWN;
	sky_fate_classify(f);
}

/* With two reporters: not told by the other, and about what this socket sent. */
static bool
is_news(struct udp *u, const struct sky_fate *f, const struct sky_errq *e, const uint8_t *data)
{
	size_t len = e->ext_at && e->ext_at < e->len ? e->ext_at : e->len;

	return !u->icmpd || sky_second_queue(u, f, data, len);
}

static unsigned
from_ring(struct udp *u, struct sky_fate *f, unsigned n, struct quotes *q, uint64_t *now_ns)
{
	const struct sky_slot *s;
	uint32_t waiting = sky_ring_count(&u->ring);
	unsigned done;

	for (done = 0; done < n && (s = sky_ring_first(&u->ring));) {
		unsigned share = waiting > done && waiting < n ? waiting - done : n - done;

		if (!*now_ns)
			*now_ns = sky_clock_wall();
		convert(u, &f[done], &s->e, *now_ns);
		if (!is_news(u, &f[done], &s->e, s->data)) {
			sky_ring_drop(&u->ring);
			continue;
		}
		set_quote(&f[done], &s->e, s->data, q, q->left / share);
		sky_ring_drop(&u->ring);
		done++;
	}
	return done;
}

/* What the status of a send has told is not news; its MTU may be the sender's
 * who is looking for it at this moment. */
static bool
swallow(struct udp *u, const struct sky_errq *e)
{
	if (e->origin != SO_EE_ORIGIN_LOCAL || e->err != EMSGSIZE)
		return false;
	if (udp_is_wake(u, e))
		return true;
	atomic_store(&u->local_mtu, e->info);
	return udp_is_told_already(u, e);
}

/* Is there room for one more error? */
static bool
is_full(const struct udp *u)
{
	struct sky_meminfo m;

	return sky_sockopt_meminfo(u->fd, &m) == 0 && udp_is_full(&m);
}

/* A program that receives but never asks for errors would be starved of data by
 * them: they lie in the receive buffer. Who has not asked for so long, while
 * they fill half of it, does not want them. */
void
udp_heed(struct udp *u)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	uint64_t now = sky_clock_steady();
	struct sky_meminfo m;
	int got = SKY_ERRQ_BATCH;

	if (!u->deaf_since)
		u->deaf_since = now;
	if (now - u->deaf_since < deaf_ns)
		return;
	u->deaf_since = now;
	if (sky_sockopt_meminfo(u->fd, &m) < 0 || m.rmem < m.rcvbuf / 2)
		return;
	if (udp_is_full(&m))
		udp_count(&u->maybe_lost, 1);
	for (int i = 0; i < SWALLOW_MAX && got == SKY_ERRQ_BATCH; i += SKY_ERRQ_BATCH) {
		got = sky_errq_read(u->fd, e, data, SKY_ERRQ_BATCH);
		for (int j = 0; j < got; j++)
			udp_count(&u->ignored, !swallow(u, &e[j]));
	}
}

/* Every so many errors, however few are asked for at a time. */
static void
watch_room(struct udp *u, int got, bool full)
{
	u->errors_run += got > 0 ? (uint32_t)got : 0;
	if (u->errors_run >= SKY_ERRQ_BATCH) {
		udp_count(&u->maybe_lost, is_full(u));
		u->errors_run = 0;
	}
	if (!full)
		u->errors_run = 0;
}

/* One batch of the kernel's queue: how many records, or -EAGAIN at its end.
 * *full: more may be there than was asked for. */
static int
from_kernel(struct udp *u, struct sky_fate *f, unsigned n, struct quotes *q, uint64_t *now_ns,
    bool *full)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	unsigned ask = n < SKY_ERRQ_BATCH ? n : SKY_ERRQ_BATCH;
	/* a buffer that fewer than a batch can fill is asked before they are taken */
	bool was_full = u->rcvbuf < SKY_ERRQ_BATCH * SKY_ERROR_MEMORY && is_full(u);
	int got = sky_errq_read(u->fd, e, data, ask);
	int done = 0;
	size_t room;

	udp_count(&u->maybe_lost, was_full && got > 0);
	*full = got == (int)ask;
	watch_room(u, got, *full);
	if (got > 0 && !*now_ns)
		*now_ns = sky_clock_wall();
	room = *full && n > ask ? q->left / n * ask : q->left;
	for (int i = 0; i < got; i++) {
		size_t before = q->left;

		if (swallow(u, &e[i]))
			continue;
		convert(u, &f[done], &e[i], *now_ns);
		if (!is_news(u, &f[done], &e[i], data[i]))
			continue;
		set_quote(&f[done], &e[i], data[i], q, room / (unsigned)(got - i));
		room -= before - q->left;
		done++;
	}
	return got < 0 ? got : done;
}

static void
move_bytes(struct quotes *q, const void **at, uint32_t *len)
{
	uint32_t fits = *len < q->left ? *len : (uint32_t)q->left;

	if (fits)
		memcpy(q->at, *at, fits);
	*at = fits ? q->at : NULL;
	*len = fits;
	q->at += fits;
	q->left -= fits;
}

/* What icmpd alone has told. */
static unsigned
from_icmpd(struct udp *u, struct sky_fate *f, unsigned n, struct quotes *q)
{
	uint8_t buf[SKY_ICMPD_QUOTE];
	unsigned done;

	for (done = 0; done < n && sky_second_next(u, &f[done], buf, sizeof(buf)); done++) {
		uint32_t quoted = f[done].quote_len + f[done].ext_len;
		struct quotes share = { q->at, q->left / (n - done) };

		move_bytes(&share, &f[done].quote, &f[done].quote_len);
		move_bytes(&share, &f[done].ext, &f[done].ext_len);
		q->left -= (size_t)(share.at - q->at);
		q->at = share.at;
		if (f[done].quote_len + f[done].ext_len < quoted)
			f[done].flags |= SKY_FATE_QUOTE_CUT;
	}
	return done;
}

int
sky_udp_errors(struct sky_udp *su, struct sky_fate *f, unsigned n, void *buf, size_t size)
{
	struct udp *u = udp_of(su);
	struct quotes q = { buf, buf ? size : 0 };
	uint64_t now_ns = 0;
	/* a storm in the queue must not keep icmpd waiting for ever */
	unsigned share = u->icmpd && n > 1 ? (n + 1) / 2 : n;
	unsigned done, swallowed = 0;
	bool full = true;

	udp_receiving(u);
	u->deaf_since = 0;
	done = from_ring(u, f, n, &q, &now_ns);
	while (done < share && full && swallowed < SWALLOW_MAX) {
		int r = from_kernel(u, f + done, share - done, &q, &now_ns, &full);

		if (r < 0 && !done)
			return r;
		if (r <= 0)
			swallowed += SKY_ERRQ_BATCH;
		done += r > 0 ? (unsigned)r : 0;
	}
	if (!full)
		atomic_store_explicit(&u->errors_wait, false, memory_order_relaxed);
	if (u->icmpd)
		done += from_icmpd(u, f + done, n - done, &q);
	udp_count(&u->taken, done);
	return (int)done;
}

unsigned
sky_udp_pending(const struct sky_udp *su)
{
	const struct udp *u = udp_of_const(su);

	return sky_ring_count(&u->ring) + (u->icmpd ? sky_icmpd_pending(u->icmpd) : 0);
}
