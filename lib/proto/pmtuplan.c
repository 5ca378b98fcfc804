/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmtuplan.c - the sizes of the next round.
 *
 * A round begins when nothing in flight can still move the limits. First sizes
 * that are common as MTUs (or RFC 1191's, after an error that tells none), then
 * the byte above the largest that fits, in case it was met exactly, then sizes
 * spread evenly; in the end the byte above again, until it is proven.
 */
#include "proto/pmtu.h"

/* Tunnels, DSL and virtual networks below the links that they run over. */
static const uint16_t common[] = {
	65535, 32000, 17914, 9216, 9180, 9000, 8166, 4470, 4464, 4352, 2304, 2048, 2002, 1600,
	1536, 1500, 1492, 1480, 1472, 1460, 1454, 1452, 1450, 1440, 1420, 1400, 1380, 1372,
	1360, 1350, 1300, 1280, 1006, 576, 552, 544, 512, 508, 296, 68,
};

static const uint16_t plateau[] = {
	17914, 8166, 4464, 4352, 2048, 2002, 1536, 1500, 1492, 1006, 576, 552, 544, 512, 508,
	296, 68,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

uint32_t
sky_mtu_plateau(uint32_t below)
{
	for (size_t i = 0; i < COUNT(plateau); i++)
		if (plateau[i] < below)
			return plateau[i];
	return 0;
}

uint32_t
sky_pmtu_common(uint32_t below)
{
	for (size_t i = 0; i < COUNT(common); i++)
		if (common[i] < below)
			return common[i];
	return 0;
}

/* When b counts as lost: after the retransmission timeout, or once something
 * sent no earlier has come through and half a round trip more has passed. */
uint64_t
sky_pmtu_due(const struct pmtu *p, const struct pmtu_probe *b)
{
	uint64_t rtt = p->rto.samples ? p->rto.srtt_ns : 0, due;

	if (!rtt)
		return b->due;
	due = b->sent + sky_rto_value(&p->rto);
	if (p->last_rtt > rtt)
		rtt = p->last_rtt;
	if (b->sent < p->alive)
		due = b->sent + rtt + rtt / 2 + 2 * p->rto.granularity_ns;
	return due < b->due ? due : b->due;
}

static void
add(struct pmtu *p, uint32_t size)
{
	if (p->queued < SKY_MTU_BATCH)
		p->queue[p->queued++] = size;
}

/* Something was lost, and it is not known whether the path lived then. */
static bool
unclear(const struct pmtu *p)
{
	for (uint32_t i = 0; i < PMTU_PROBES; i++)
		if (p->probe[i].is == PMTU_TIMED_OUT && p->probe[i].seq >= p->epoch &&
		    p->probe[i].size > p->low)
			return true;
	return false;
}

static bool
low_in_doubt(const struct pmtu *p)
{
	return p->low && (p->doubt || p->contra || p->contra_told);
}

/* Can this one still move a limit? */
static bool
matters(const struct pmtu *p, const struct pmtu_probe *b)
{
	const struct pmtu_suspect *s = pmtu_bound(p);
	uint32_t high = pmtu_ceiling(p);

	if (b->is != PMTU_FLYING || b->seq < p->epoch || b->size > p->top)
		return false;
	if (b->size <= p->low)
		return low_in_doubt(p) || p->dead > p->cover || unclear(p) || sky_pmtu_failed(p);
	if (b->size != high)
		return b->size < high;
	return !s->told || (high == p->low + 1 && !sky_pmtu_proven(p));
}

static bool
waits(const struct pmtu *p)
{
	for (uint32_t i = 0; i < PMTU_PROBES; i++)
		if (matters(p, &p->probe[i]))
			return true;
	return false;
}

/* --- sizes between low and the ceiling --- */

static size_t
rungs(const struct pmtu *p, const uint16_t **first)
{
	const uint16_t *table = p->old_format ? plateau : common;
	size_t n = p->old_format ? COUNT(plateau) : COUNT(common), i = 0, count = 0;

	while (i < n && table[i] >= pmtu_ceiling(p))
		i++;
	*first = &table[i];
	while (i + count < n && table[i + count] > p->low && table[i + count] >= p->floor)
		count++;
	return count;
}

static bool
is_rung(uint32_t size)
{
	for (size_t i = 0; i < COUNT(common); i++)
		if (common[i] == size)
			return true;
	return sky_mtu_plateau(size + 1) == size;
}

static void
add_rungs(struct pmtu *p, const uint16_t *rung, size_t count, size_t n)
{
	if (n > count)
		n = count;
	for (size_t i = 0; i < n; i++)
		add(p, n == count ? rung[i] : rung[(i + 1) * count / (n + 1)]);
}

static void
add_spread(struct pmtu *p, uint32_t n)
{
	uint32_t gap = pmtu_ceiling(p) - p->low;

	if (n > gap - 1)
		n = gap - 1;
	for (uint32_t i = 0; i < n; i++)
		add(p, p->low + (uint32_t)((uint64_t)(i + 1) * gap / (n + 1)));
}

/* The byte above low, with low itself in between, so that losing the one and not
 * the other means something. A router that tells needs but one. */
static void
add_next(struct pmtu *p, bool tells, uint32_t lost)
{
	uint32_t n = tells ? 1 : sky_pmtu_need(p), room = p->batch;

	n = n > lost ? n - lost : 1;
	p->checked = p->low;
	for (uint32_t i = 0; i < n && room > 0; i++, room--) {
		if (room > 1 && i % 2 == 0) {
			add(p, p->low);
			room--;
		}
		add(p, p->low + 1);
	}
}

static void
plan_search(struct pmtu *p)
{
	const struct pmtu_suspect *s = pmtu_bound(p);
	const uint16_t *rung;
	size_t count = rungs(p, &rung);
	bool tells = s && s->told;
	uint32_t n = p->batch, left = (p->cap - p->packets) / 5;

	if (n > left)				/* some must be left for the proof */
		n = left ? left : 1;
	if (p->low == p->hint && p->checked != p->low) {
		add_next(p, true, 0);
		return;
	}
	if (!count && p->checked != p->low && is_rung(p->low)) {
		add_next(p, tells, 0);
		return;
	}
	if (!tells && n > 1) {
		add(p, p->low);			/* a control */
		n--;
	}
	if (s && !tells && s->lost < 2 && n > 1) {
		add(p, s->size);		/* lost by chance? */
		n--;
	}
	if (p->hint > p->low && p->hint < pmtu_ceiling(p) && n > 1) {
		add(p, p->hint);
		n--;
	}
	if (count)
		add_rungs(p, rung, count, n);
	else
		add_spread(p, n);
}

/* Nothing came through yet. */
static void
plan_base(struct pmtu *p)
{
	const uint16_t *rung;
	size_t count;
	bool fits = p->base < pmtu_ceiling(p);

	if (fits)
		add(p, p->base);
	if (!p->tried_top && p->top != p->base && p->batch > 1 && p->top < pmtu_ceiling(p))
		add(p, p->top);
	if (fits && !p->idle)
		return;
	if (p->floor < p->base)
		add(p, p->floor);
	if (fits)
		return;
	count = rungs(p, &rung);
	if (p->batch > 1)
		add_rungs(p, rung, count, p->batch - 1);
}

static void
plan_low(struct pmtu *p)
{
	uint32_t n = p->doubt && p->batch > 2 ? p->batch - 1 : 1;

	if (n > p->confirm + 1)
		n = p->confirm + 1;
	while (n--)
		add(p, p->low);
	if (p->low > p->base)
		add(p, p->base);
	if (p->low > p->floor && (p->low <= p->base || p->idle > 1))
		add(p, p->floor);
}

static void
plan_sizes(struct pmtu *p, uint64_t now)
{
	const struct pmtu_suspect *s = pmtu_bound(p);

	if (!p->low)
		plan_base(p);
	else if (low_in_doubt(p) || (p->idle && p->dead > p->cover))
		plan_low(p);
	else if (unclear(p))
		add(p, p->low);
	else if (sky_pmtu_proven(p))
		sky_pmtu_finish(p, now);
	else if (sky_pmtu_failed(p))
		add(p, p->low);
	else if (!s && !p->tried_top)
		add(p, p->top);
	else if (pmtu_ceiling(p) == p->low + 1)
		add_next(p, s && s->told, s ? s->fresh : 0);
	else
		plan_search(p);
}

void
sky_pmtu_plan(struct pmtu *p, uint64_t now)
{
	if (waits(p))
		return;
	p->queued = p->queue_at = 0;
	if (p->idle >= p->silent || (!p->low && pmtu_ceiling(p) <= p->floor)) {
		sky_pmtu_finish(p, now);
		return;
	}
	plan_sizes(p, now);
	if (p->done)
		return;
	if (p->idle > 1)
		sky_rto_backoff(&p->rto);
	p->idle++;
	p->rounds++;
}

/* A told MTU is tried at once, whatever else is in flight; the byte above it
 * too, for it may be told too small. */
void
sky_pmtu_plan_hint(struct pmtu *p)
{
	if (p->done)
		return;
	p->queued = p->queue_at = 0;
	add(p, p->hint);
	p->rounds++;
	if (p->batch > 1 && p->hint + 1 < pmtu_ceiling(p)) {
		add(p, p->hint + 1);
		p->checked = p->hint;
	}
}
