/* SPDX-License-Identifier: BSD-2-Clause */
/* mass.c - the window of targets and the clock; see mass.h and massin.h. */
#include "proto/massin.h"

#include <errno.h>
#include <string.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

enum {
	NEAR_LEAST = 1 << 12, NEAR_MOST = 1 << 18, NEAR_EACH = 16,
	AHEAD = 3,		/* into the unknown at a time: less than a bucket */
	LOOKS = 4096,		/* slots looked at by one call of next */
};

/* --- memory --- */

static uint32_t
power(uint32_t n)
{
	uint32_t p = 16;

	while (p < n)
		p *= 2;
	return p;
}

static bool
sane(const struct sky_mass_conf *c)
{
	const uint32_t most = UINT32_C(1) << 24;

	return c->targets && c->shards && c->shard < c->shards &&
	    c->window && c->window <= most && c->routers >= 16 && c->routers <= most &&
	    c->max_ttl && c->max_ttl <= SKY_MASS_HOPS && c->tries && c->tries <= 8 &&
	    (c->mtu == 0 || c->mtu >= 68) && (c->mtu6 == 0 || c->mtu6 >= 80) &&
	    c->hop_rate <= SECOND / 1000;
}

static size_t
hop_bytes(const struct sky_mass_conf *c)
{
	return (size_t)c->window * (c->max_ttl + 1u) * sizeof(struct mass_hop);
}

/* Cells of near.h: for what the window has open, and a little memory. */
static uint32_t
cells(const struct sky_mass_conf *c)
{
	if (c->window >= NEAR_MOST / NEAR_EACH)
		return NEAR_MOST;
	return power(c->window * NEAR_EACH > NEAR_LEAST ? c->window * NEAR_EACH : NEAR_LEAST);
}

/* Each part begins where a uint64_t may. */
static size_t
rounded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

size_t
sky_mass_size(const struct sky_mass_conf *c)
{
	return rounded(sizeof(struct sky_mass)) + rounded(sky_hops_size(c->routers)) +
	    rounded(sky_near_size(cells(c))) + rounded(c->window * sizeof(struct mass_slot)) +
	    rounded(hop_bytes(c)) + rounded(power(c->window) * sizeof(uint32_t));
}

static void *
carve(uint8_t **at, size_t n)
{
	uint8_t *p = *at;

	*at += rounded(n);
	return p;
}

/* --- lists --- */

static struct mass_slot *
first(const struct sky_mass *m, uint32_t list)
{
	return m->head[list] == MASS_NO ? NULL : &m->slot[m->head[list]];
}

static void
unlink_slot(struct sky_mass *m, struct mass_slot *s)
{
	if (s->list == MASS_NO)
		return;
	if (s->prev == MASS_NO)
		m->head[s->list] = s->next;
	else
		m->slot[s->prev].next = s->next;
	if (s->next == MASS_NO)
		m->tail[s->list] = s->prev;
	else
		m->slot[s->next].prev = s->prev;
	s->list = MASS_NO;
}

static void
append(struct sky_mass *m, struct mass_slot *s, uint32_t list)
{
	uint32_t i = (uint32_t)(s - m->slot);

	unlink_slot(m, s);
	s->list = list;
	s->next = MASS_NO;
	s->prev = m->tail[list];
	if (s->prev == MASS_NO)
		m->head[list] = i;
	else
		m->slot[s->prev].next = i;
	m->tail[list] = i;
}

void
sky_mass_ready(struct sky_mass *m, struct mass_slot *s)
{
	s->waiting = false;
	append(m, s, MASS_LIST_READY);
}

void
sky_mass_sleep(struct sky_mass *m, struct mass_slot *s, uint64_t until)
{
	uint64_t tick = until / MASS_TICK;

	s->due = until;
	append(m, s, (uint32_t)((tick > m->tick ? tick : m->tick) % MASS_WHEEL));
}

uint64_t
sky_mass_wait(const struct sky_mass *m)
{
	uint64_t ns = 2 * m->rtt_top_us * US + 50 * MS;

	if (!m->rtt_top_us)
		return m->conf.wait_ns ? m->conf.wait_ns : SECOND;
	return ns < 3 * SECOND ? ns : 3 * SECOND;
}

/* --- slots by address: only for answers that quote too little --- */

static uint32_t *
chain_of(struct sky_mass *m, const struct sky_addr *a)
{
	return &m->by_addr[sky_addr_hash(a) & m->addr_mask];
}

static void
list_addr(struct sky_mass *m, struct mass_slot *s)
{
	uint32_t *head = chain_of(m, &s->dst);

	s->addr_next = *head;
	*head = (uint32_t)(s - m->slot);
}

static void
unlist_addr(struct sky_mass *m, const struct mass_slot *s)
{
	uint32_t *at = chain_of(m, &s->dst);

	while (*at != MASS_NO && &m->slot[*at] != s)
		at = &m->slot[*at].addr_next;
	if (*at != MASS_NO)
		*at = s->addr_next;
}

static struct mass_slot *
find_addr(struct sky_mass *m, const struct sky_addr *a)
{
	uint32_t i = *chain_of(m, a);

	while (i != MASS_NO && !sky_addr_same_host(&m->slot[i].dst, a))
		i = m->slot[i].addr_next;
	return i == MASS_NO ? NULL : &m->slot[i];
}

/* --- beginning --- */

struct sky_mass *
sky_mass_init(void *memory, size_t size, const struct sky_mass_conf *c)
{
	uint8_t *at = memory;
	struct sky_mass *m;

	if (!sane(c) || size < sky_mass_size(c))
		return NULL;
	m = carve(&at, sizeof(*m));
	memset(m, 0, sizeof(*m));
	m->conf = *c;
	if (m->conf.split > c->max_ttl || !m->conf.split)
		m->conf.split = c->max_ttl;
	sky_hops_init(&m->hops, carve(&at, sky_hops_size(c->routers)), c->routers, c->hop_rate,
	    c->hop_burst);
	sky_near_init(&m->near, carve(&at, sky_near_size(cells(c))), cells(c), AHEAD);
	m->slot = carve(&at, c->window * sizeof(*m->slot));
	m->hop = carve(&at, hop_bytes(c));
	m->addr_mask = power(c->window) - 1;
	m->by_addr = carve(&at, power(c->window) * sizeof(uint32_t));
	memset(m->by_addr, 0xff, power(c->window) * sizeof(uint32_t));
	memset(m->head, 0xff, sizeof(m->head));
	memset(m->tail, 0xff, sizeof(m->tail));
	for (uint32_t i = 0; i < c->window; i++) {
		m->slot[i] = (struct mass_slot){ .list = MASS_NO };
		append(m, &m->slot[i], MASS_LIST_FREE);
	}
	if (c->targets->count)
		sky_perm_init(&m->perm, c->targets->count, c->seed);
	m->stats.all = sky_perm_share(c->targets->count, c->shard, c->shards);
	return m;
}

static bool
left_out(const struct sky_mass *m, uint64_t place)
{
	const uint8_t *done = m->conf.done;

	return done && (done[place / 8] >> (place % 8) & 1);
}

/* The next target gets a slot and becomes ready; NULL if there is none. */
static struct mass_slot *
begin(struct sky_mass *m)
{
	struct mass_slot *s = first(m, MASS_LIST_FREE);

	for (; m->place < m->stats.all && left_out(m, m->place); m->place++)
		m->stats.left_out++;
	if (!s || m->stopped || m->place >= m->stats.all)
		return NULL;
	unlink_slot(m, s);
	*s = (struct mass_slot){ .list = MASS_NO, .edge = SKY_HOPS_NONE,
	    .guess = SKY_HOPS_NONE, .cell = SKY_NEAR_FREE, .mtu_by = SKY_HOPS_NONE,
	    .by = SKY_HOPS_NONE };
	s->position = m->conf.shard + m->place++ * m->conf.shards;
	sky_targets_at(m->conf.targets, sky_perm_at(&m->perm, s->position), &s->dst);
	list_addr(m, s);
	for (unsigned t = 0; t <= m->conf.max_ttl; t++)
		*mass_hop(m, s, t) = (struct mass_hop){ .node = SKY_HOPS_NONE };
	m->open++;
	m->stats.begun++;
	sky_mass_far_begin(m, s);
	return s;
}

/* --- the clock --- */

static void
expire(struct sky_mass *m, struct mass_slot *s)
{
	if (!s->waiting) {
		sky_mass_ready(m, s);
		return;
	}
	s->waiting = false;
	if (s->phase == MASS_AT_FAR)
		sky_mass_far_silence(m, s);
	else
		sky_mass_way_silence(m, s);
}

static void
turn_list(struct sky_mass *m, uint32_t list, uint64_t now)
{
	uint32_t i = m->head[list], next;

	for (; i != MASS_NO; i = next) {
		struct mass_slot *s = &m->slot[i];

		next = s->next;
		if (s->due > now)
			continue;
		unlink_slot(m, s);
		expire(m, s);
	}
}

/* What expires may sleep again, but never into the list that is looked at:
 * the wheel stands one further by then. */
static void
turn(struct sky_mass *m, uint64_t now)
{
	uint64_t to = now / MASS_TICK;

	if (!m->tick || to > m->tick + MASS_WHEEL)
		m->tick = to > MASS_WHEEL ? to - MASS_WHEEL : 0;
	while (m->tick < to) {
		uint32_t list = (uint32_t)(m->tick++ % MASS_WHEEL);

		turn_list(m, list, now);
	}
}

static uint64_t
next_due(const struct sky_mass *m)
{
	for (uint64_t t = m->tick; t < m->tick + MASS_WHEEL; t++)
		if (m->head[t % MASS_WHEEL] != MASS_NO)
			return (t + 1) * MASS_TICK;
	return UINT64_MAX;
}

/* --- sending --- */

static void
pay(struct sky_mass *m, uint64_t now)
{
	uint64_t gap = m->conf.rate ? SECOND / m->conf.rate : 0;

	if (m->send_at + 2 * MS + gap < now)
		m->send_at = now - 2 * MS;
	m->send_at += gap;
}

static void
emit(struct sky_mass *m, struct mass_slot *s, uint64_t now, struct sky_mass_probe *p)
{
	bool far = s->phase == MASS_AT_FAR;
	uint8_t small = sky_addr_family(&s->dst) == AF_INET6 ? 80 : 60;

	p->dst = s->dst;
	p->mark = (struct sky_massmark){ .position = s->position,
	    .slot = (uint32_t)(s - m->slot), .sent_us = (uint32_t)(now / US),
	    .len = far ? s->len : small, .ttl = far ? SKY_MASS_FAR : s->ttl };
	s->sent_at = now;
	s->waiting = true;
	s->probes++;
	m->stats.probes++;
	m->stats.far += far;
	pay(m, now);
	if (s->phase == MASS_AT_ALL && s->asked != (UINT64_C(2) << s->top) - 2)
		sky_mass_ready(m, s);
	else
		sky_mass_sleep(m, s, now + sky_mass_wait(m));
}

int
sky_mass_next(struct sky_mass *m, uint64_t now, struct sky_mass_probe *p, uint64_t *deadline)
{
	struct mass_slot *s;

	turn(m, now);
	if (m->conf.rate && m->send_at > now) {
		*deadline = m->send_at;
		return 0;
	}
	for (int i = 0; i < LOOKS; i++) {
		s = first(m, MASS_LIST_READY);
		if (!s)
			s = begin(m);
		if (!s)
			break;
		unlink_slot(m, s);
		if (s->phase == MASS_AT_FAR || sky_mass_way_ask(m, s, now)) {
			emit(m, s, now, p);
			return 1;
		}
	}
	*deadline = first(m, MASS_LIST_READY) ? now : next_due(m);
	return 0;
}

/* --- answers --- */

static struct mass_slot *
slot_of(struct sky_mass *m, struct sky_mass_answer *a)
{
	struct mass_slot *s;

	if (a->mark.position != SKY_MASSMARK_NONE) {
		if (a->mark.slot >= m->conf.window)
			return NULL;
		s = &m->slot[a->mark.slot];
		return s->position == a->mark.position ? s : NULL;
	}
	s = find_addr(m, &a->dst);
	if (!s || !s->waiting || s->phase == MASS_AT_ALL)
		return NULL;
	s->flags |= SKY_MASS_SHORT;
	a->mark.len = s->len;
	a->mark.sent_us = (uint32_t)(s->sent_at / US);
	a->mark.ttl = s->phase == MASS_AT_FAR ? SKY_MASS_FAR : s->ttl;
	return s;
}

static void
learn_rtt(struct sky_mass *m, const struct sky_mass_answer *a)
{
	uint64_t rtt = (uint32_t)(a->at / US) - a->mark.sent_us;

	if (a->what != SKY_HOP_REACHED && a->what != SKY_HOP_EXCEEDED)
		return;
	if (rtt > 10 * SECOND / US)
		return;
	if (rtt > m->stats.rtt_max_us)
		m->stats.rtt_max_us = rtt;
	if (rtt >= m->rtt_top_us)
		m->rtt_top_us = rtt + 1;
	else
		m->rtt_top_us -= (m->rtt_top_us - rtt) >> 10;
}

/* It was counted when it was asked for. */
static void
not_sent(struct sky_mass *m, struct mass_slot *s)
{
	s->probes -= s->probes > 0;
	m->stats.probes -= m->stats.probes > 0;
}

void
sky_mass_answer(struct sky_mass *m, const struct sky_mass_answer *given, uint64_t now)
{
	struct sky_mass_answer a = *given;
	struct mass_slot *s = slot_of(m, &a);

	if (!s || s->phase == MASS_FREE || s->phase == MASS_DONE || a.what == SKY_HOP_NOTHING ||
	    !sky_addr_family(&a.by)) {
		m->stats.strays++;
		return;
	}
	if (a.what == SKY_HOP_LOCAL) {
		not_sent(m, s);
	} else {
		m->stats.answers++;
		learn_rtt(m, &a);
	}
	if (a.what == SKY_HOP_UNREACHABLE && sky_addr_same_host(&a.by, &s->dst))
		a.what = SKY_HOP_REACHED;
	if (a.mark.ttl == SKY_MASS_FAR)
		sky_mass_far_answer(m, s, &a);
	else if (a.mark.ttl && a.mark.ttl <= m->conf.max_ttl)
		sky_mass_way_answer(m, s, &a, now);
}

/* --- ending --- */

void
sky_mass_finish(struct sky_mass *m, struct mass_slot *s)
{
	static const size_t by_end[] = {
		[SKY_HOP_NOTHING] = offsetof(struct sky_mass_stats, silent),
		[SKY_HOP_EXCEEDED] = offsetof(struct sky_mass_stats, unreachable),
		[SKY_HOP_REACHED] = offsetof(struct sky_mass_stats, reached),
		[SKY_HOP_UNREACHABLE] = offsetof(struct sky_mass_stats, unreachable),
		[SKY_HOP_LOCAL] = offsetof(struct sky_mass_stats, local),
	};
	uint8_t *stats = (uint8_t *)&m->stats;
	uint64_t n;

	sky_near_back(&m->near, s->cell);
	s->cell = SKY_NEAR_FREE;
	sky_mass_out_root(m, s);
	memcpy(&n, stats + by_end[s->end], sizeof(n));
	n++;
	memcpy(stats + by_end[s->end], &n, sizeof(n));
	m->stats.done++;
	m->stats.with_mtu += m->conf.mtu && s->end == SKY_HOP_REACHED && s->hi <= s->lo + 1;
	s->phase = MASS_DONE;
	append(m, s, MASS_LIST_OUT);
}

bool
sky_mass_result(struct sky_mass *m, struct sky_mass_result *out)
{
	struct mass_slot *s = first(m, MASS_LIST_OUT);

	if (!s)
		return false;
	sky_mass_out_result(m, s, out);
	for (unsigned i = 0; i < out->hops; i++)
		m->stats.hops[out->hop[i].how]++;
	unlist_addr(m, s);
	s->phase = MASS_FREE;
	append(m, s, MASS_LIST_FREE);
	m->open--;
	return true;
}

bool
sky_mass_over(const struct sky_mass *m)
{
	uint64_t place = m->place;

	if (m->open)
		return false;
	while (place < m->stats.all && left_out(m, place))
		place++;
	return m->stopped || place >= m->stats.all;
}

void
sky_mass_stop(struct sky_mass *m)
{
	m->stopped = true;
}

const struct sky_mass_stats *
sky_mass_stats(const struct sky_mass *m)
{
	return &m->stats;
}

const struct sky_hops *
sky_mass_hops(const struct sky_mass *m)
{
	return &m->hops;
}

uint64_t
sky_mass_debt(const struct sky_mass *m)
{
	return m->hops.debt_ns;
}
