/* SPDX-License-Identifier: BSD-2-Clause */
/* pmtu.c - what became of the probes, and what that says about sizes. */
#include "proto/pmtu.h"

#include <errno.h>
#include <string.h>

#define HIGHEST 65535

_Static_assert(sizeof(struct pmtu) <= sizeof(struct sky_mtu), "struct sky_mtu is too small");

static struct pmtu *
inside(struct sky_mtu *p)
{
	return (struct pmtu *)p->opaque;
}

static uint32_t
or_default(uint32_t given, uint32_t by_default)
{
	return given ? given : by_default;
}

static uint32_t
at_most(uint32_t n, uint32_t most)
{
	return n < most ? n : most;
}

int
sky_mtu_init(struct sky_mtu *handle, const struct sky_mtu_conf *c)
{
	struct pmtu *p = inside(handle);

	memset(handle, 0, sizeof(*handle));
	if (!c || c->size != sizeof(*c))
		return -EINVAL;
	p->floor = or_default(c->floor, 68);
	p->top = p->local_top = or_default(c->high, HIGHEST);
	p->base = or_default(c->base, at_most(p->top, 1280));
	p->batch = at_most(or_default(c->batch, 4), SKY_MTU_BATCH);
	p->confirm = at_most(or_default(c->confirm, 4), 20);
	p->cap = or_default(c->packets, 100);
	p->silent = or_default(c->silent, 4);
	p->hole = or_default(c->hole, 6);
	p->raise_ns = c->raise_ns;
	p->raise_at = SKY_MTU_NEVER;
	p->next_seq = p->epoch = 1;
	if (p->floor > p->base || p->base > p->top || p->top > HIGHEST)
		return -EINVAL;
	return sky_rto_init(&p->rto, c->rto.size ? &c->rto : NULL);
}

static struct pmtu_probe *
find(struct pmtu *p, uint32_t seq)
{
	struct pmtu_probe *b = &p->probe[seq % PMTU_PROBES];

	return b->is != PMTU_FREE && b->seq == seq ? b : NULL;
}

/* --- suspects --- */

/* The entry of this size, made in its place if need be. The largest makes room:
 * it says the least. NULL if this one is the largest. */
static struct pmtu_suspect *
suspect(struct pmtu *p, uint32_t size)
{
	uint32_t i = 0;

	while (i < p->suspects && p->suspect[i].size < size)
		i++;
	if (i < p->suspects && p->suspect[i].size == size)
		return &p->suspect[i];
	if (i == PMTU_SUSPECTS)
		return NULL;
	if (p->suspects < PMTU_SUSPECTS)
		p->suspects++;
	memmove(&p->suspect[i + 1], &p->suspect[i],
	    (p->suspects - i - 1) * sizeof(p->suspect[0]));
	memset(&p->suspect[i], 0, sizeof(p->suspect[0]));
	p->suspect[i].size = size;
	return &p->suspect[i];
}

/* This fits after all. If what it clears was thought proven, the path carries
 * more than before, and nothing older counts any longer. */
static void
clear_to(struct pmtu *p, const struct pmtu_probe *b)
{
	bool changed = false;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->suspects; i++) {
		const struct pmtu_suspect *s = &p->suspect[i];
		bool fits = s->size <= b->size;

		if (fits && (s->told || s->lost >= sky_pmtu_need(p))) {
			changed = true;
		} else if (fits) {
			p->good += s->lost;
			p->good_lost += s->lost;
		}
		if (!fits && !(changed && s->told_sent < b->sent && s->lost_sent < b->sent))
			p->suspect[kept++] = *s;
	}
	p->suspects = kept;
	if (changed)
		p->hint = p->tried_top = 0;
}

static void
blame(struct pmtu *p, struct pmtu_probe *b)
{
	struct pmtu_suspect *s;

	b->is = PMTU_SETTLED;
	if (b->size <= p->low || b->size > p->top || b->seq < p->epoch)
		return;
	s = suspect(p, b->size);
	if (!s)
		return;
	s->lost++;
	s->fresh += b->sent >= p->low_sent;
	if (b->sent > s->lost_sent)
		s->lost_sent = b->sent;
}

/* What was lost while low came through counts; what was lost when low was lost
 * as well does not. */
static void
settle(struct pmtu *p)
{
	for (uint32_t i = 0; i < PMTU_PROBES; i++) {
		struct pmtu_probe *b = &p->probe[i];

		if (b->is != PMTU_TIMED_OUT)
			continue;
		if (b->sent < p->dead)
			b->is = PMTU_SETTLED;
		else if (b->sent < p->cover)
			blame(p, b);
	}
}

/* What came through before does not any more: begin again from the base. */
static void
fall(struct pmtu *p)
{
	uint32_t was = p->low;
	struct pmtu_suspect *s;

	p->changes++;
	p->low = p->hint = p->checked = 0;
	p->low_sent = p->cover = p->dead = 0;
	p->contra = p->contra_told = p->idle = p->data_lost = 0;
	p->good = p->good_lost = 0;		/* what was lost now was no chance */
	p->epoch = p->next_seq;
	p->queued = p->queue_at = 0;
	p->doubt = false;
	s = suspect(p, was);
	if (s)
		s->lost++;
}

/* --- news about probes --- */

/* A size that was known to fit was lost. Smaller ones that came through make it
 * evidence against low; if none did, what else was lost then proves nothing. */
static void
low_lost(struct pmtu *p, const struct pmtu_probe *b)
{
	p->good++;
	p->good_lost++;
	if (b->size < p->low || b->seq < p->low_seq)
		return;
	if (b->sent >= p->cover && b->sent >= p->dead)
		p->dead = b->sent + 1;
	if (b->sent < p->alive && ++p->contra > p->confirm)
		fall(p);
}

static void
time_out(struct pmtu *p, struct pmtu_probe *b)
{
	b->is = b->size > p->low ? PMTU_TIMED_OUT : PMTU_SETTLED;
	if (b->size <= p->low && p->low)
		low_lost(p, b);
}

static void
expire(struct pmtu *p, uint64_t now)
{
	for (uint32_t i = 0; i < PMTU_PROBES; i++)
		if (p->probe[i].is == PMTU_FLYING && sky_pmtu_due(p, &p->probe[i]) <= now)
			time_out(p, &p->probe[i]);
	settle(p);
}

static void
rise(struct pmtu *p, const struct pmtu_probe *b)
{
	clear_to(p, b);
	for (uint32_t i = 0; i < p->suspects; i++)
		p->suspect[i].fresh = 0;
	p->low = b->size;
	p->low_sent = b->sent;
	p->cover = p->dead = 0;
	p->done = false;
}

static void
came_through(struct pmtu *p, const struct pmtu_probe *b)
{
	p->good++;
	p->idle = 0;
	p->answered = true;
	if (b->sent >= p->alive)
		p->alive = b->sent + 1;
	if (b->size < p->low || b->size > p->top)
		return;
	if (b->size > p->low)
		rise(p, b);
	p->low_seq = p->next_seq;
	p->contra = p->contra_told = p->data_lost = 0;
	p->doubt = false;
	if (b->sent >= p->cover)
		p->cover = b->sent + 1;
}

int
sky_mtu_acked(struct sky_mtu *handle, uint64_t now, uint32_t seq)
{
	struct pmtu *p = inside(handle);
	struct pmtu_probe *b = find(p, seq);

	if (!b)
		return -ENOENT;
	if (b->acked)
		return 0;
	b->acked = 1;
	b->is = PMTU_SETTLED;
	if (now >= b->sent) {
		p->last_rtt = now - b->sent;
		sky_rto_sample(&p->rto, p->last_rtt, 1, true);
	}
	if (seq < p->epoch)
		return 0;
	came_through(p, b);
	settle(p);
	return 0;
}

int
sky_mtu_lost(struct sky_mtu *handle, uint64_t now, uint32_t seq)
{
	struct pmtu *p = inside(handle);
	struct pmtu_probe *b = find(p, seq);

	(void)now;
	if (!b)
		return -ENOENT;
	if (b->is == PMTU_FLYING)
		time_out(p, b);
	settle(p);
	return 0;
}

int
sky_mtu_unsent(struct sky_mtu *handle, uint64_t now, uint32_t seq)
{
	struct pmtu *p = inside(handle);
	struct pmtu_probe *b = find(p, seq);

	(void)now;
	if (!b)
		return -ENOENT;
	if (b->is == PMTU_FLYING)
		b->is = PMTU_SETTLED;
	return 0;
}

int
sky_mtu_local(struct sky_mtu *handle, uint64_t now, uint32_t seq, uint32_t mtu)
{
	struct pmtu *p = inside(handle);
	struct pmtu_probe *b = find(p, seq);

	(void)now;
	if (!b)
		return -ENOENT;
	b->is = PMTU_SETTLED;
	if (b->size <= p->floor || b->size > p->top)
		return 0;
	p->top = mtu >= p->floor && mtu < b->size ? mtu : b->size - 1;
	p->tried_top = p->top == b->size - 1;	/* else as good as told */
	if (p->low > p->top)
		fall(p);
	while (p->suspects && p->suspect[p->suspects - 1].size > p->top)
		p->suspects--;
	p->base = at_most(p->base, p->top);
	p->queued = p->queue_at = 0;
	return 0;
}

/* --- hints --- */

/* Two refusals, of probes that left after low was known to fit. */
static enum sky_mtu_heed
refused_low(struct pmtu *p, const struct pmtu_probe *b)
{
	if (b->seq < p->low_seq || b->acked || ++p->contra_told < 2)
		return SKY_MTU_OLD_NEWS;
	fall(p);
	return SKY_MTU_FOLLOWED;
}

static void
refuse(struct pmtu *p, struct pmtu_probe *b, const struct sky_fate *f)
{
	struct pmtu_suspect *s = suspect(p, b->size);

	if (b->is == PMTU_FLYING || b->is == PMTU_TIMED_OUT)
		b->is = PMTU_SETTLED;
	p->idle = 0;
	if (!s)
		return;
	s->told++;
	if (b->sent > s->told_sent)
		s->told_sent = b->sent;
	s->mtu = f->have & SKY_HAVE_MTU ? f->mtu : 0;
	memset(&s->by, 0, sizeof(s->by));
	if (f->have & SKY_HAVE_BY)
		s->by = f->by;
}

static enum sky_mtu_heed
weigh(struct pmtu *p, const struct pmtu_probe *b, const struct sky_fate *f)
{
	uint32_t mtu = f->have & SKY_HAVE_MTU ? f->mtu : 0;

	if (!mtu) {
		p->old_format = true;
		return SKY_MTU_OLD_FORMAT;
	}
	if (mtu >= b->size || mtu < p->floor || mtu < p->low) {
		p->lies++;
		return mtu >= b->size ? SKY_MTU_LIE_LARGE : SKY_MTU_LIE_SMALL;
	}
	if (mtu >= pmtu_ceiling(p) || mtu == p->hint)
		return SKY_MTU_OLD_NEWS;
	p->hint = mtu;
	p->hint_by = f->have & SKY_HAVE_BY ? f->by : (struct sky_addr){ 0 };
	sky_pmtu_plan_hint(p);
	return SKY_MTU_FOLLOWED;
}

enum sky_mtu_heed
sky_mtu_hint(struct sky_mtu *handle, uint64_t now, uint32_t seq, const struct sky_fate *f)
{
	struct pmtu *p = inside(handle);
	struct pmtu_probe *b = find(p, seq);

	(void)now;
	if (f->what != SKY_TOO_BIG || f->trust != SKY_TRUST_MATCHED) {
		p->unvouched++;
		return SKY_MTU_UNVOUCHED;
	}
	if (!b || b->seq < p->epoch || b->size > p->top)
		return SKY_MTU_OLD_NEWS;
	p->told++;
	if (b->size <= p->low && refused_low(p, b) != SKY_MTU_FOLLOWED)
		return SKY_MTU_OLD_NEWS;
	refuse(p, b, f);
	return weigh(p, b, f);
}

/* --- what to send --- */

static void
renew(struct pmtu *p)
{
	p->done = false;
	p->raise_at = SKY_MTU_NEVER;
	p->packets = p->rounds = p->idle = 0;
	p->queued = p->queue_at = 0;
}

void
sky_mtu_again(struct sky_mtu *handle, uint64_t now)
{
	struct pmtu *p = inside(handle);

	(void)now;
	renew(p);
	p->suspects = 0;
	p->top = p->local_top;
	p->hint = p->checked = 0;
	p->old_format = p->tried_top = false;
}

static void
put(struct pmtu *p, uint64_t now, uint32_t size, struct sky_mtu_probe *out)
{
	struct pmtu_probe *b = &p->probe[p->next_seq % PMTU_PROBES];

	b->sent = now;
	b->due = now + sky_rto_value(&p->rto);
	b->seq = p->next_seq++;
	b->size = size;
	b->is = PMTU_FLYING;
	b->acked = 0;
	p->packets++;
	p->total++;
	if (size == p->top)
		p->tried_top = true;
	out->timeout_ns = b->due - now;
	out->seq = b->seq;
	out->size = size;
}

enum sky_mtu_kind
sky_mtu_poll(struct sky_mtu *handle, uint64_t now, struct sky_mtu_probe *out)
{
	struct pmtu *p = inside(handle);

	if (p->done && p->raise_at <= now)
		sky_mtu_again(handle, now);
	expire(p, now);
	if (!p->done && p->queue_at == p->queued)
		sky_pmtu_plan(p, now);
	if (p->done)
		return SKY_MTU_DONE;
	if (p->queue_at == p->queued)
		return SKY_MTU_WAIT;
	if (p->packets >= p->cap) {
		p->queued = p->queue_at = 0;
		sky_pmtu_finish(p, now);
		return SKY_MTU_DONE;
	}
	put(p, now, p->queue[p->queue_at++], out);
	return SKY_MTU_SEND;
}

uint64_t
sky_mtu_deadline(const struct sky_mtu *handle)
{
	const struct pmtu *p = (const struct pmtu *)handle->opaque;
	uint64_t first = UINT64_MAX, due;

	if (p->done)
		return p->raise_at;
	if (p->queue_at < p->queued)
		return 0;
	for (uint32_t i = 0; i < PMTU_PROBES; i++) {
		if (p->probe[i].is != PMTU_FLYING)
			continue;
		due = sky_pmtu_due(p, &p->probe[i]);
		first = due < first ? due : first;
	}
	return first == UINT64_MAX ? 0 : first;
}

/* --- senders --- */

void
sky_mtu_data(struct sky_mtu *handle, uint64_t now, uint32_t size, bool delivered)
{
	struct pmtu *p = inside(handle);

	(void)now;
	if (size > p->low || !p->low)
		return;
	if (size <= p->base || size < p->low / 2) {
		p->data_small = p->data_small || delivered;
		return;
	}
	if (delivered) {
		p->data_lost = 0;
		p->data_small = false;
		return;
	}
	if (!p->data_lost++)
		p->data_small = false;
	if (p->data_lost < p->hole || !p->data_small || p->doubt)
		return;
	if (p->done)
		renew(p);
	p->doubt = true;
	p->contra = 0;
	p->low_seq = p->next_seq;
}

uint32_t
sky_mtu_size(const struct sky_mtu *handle)
{
	const struct pmtu *p = (const struct pmtu *)handle->opaque;

	return p->low && !p->doubt ? p->low : at_most(p->base, p->top);
}
