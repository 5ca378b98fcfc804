/* SPDX-License-Identifier: BSD-2-Clause */
/* second.c - see second.h. */
#include "sock/second.h"
#include "base/sip.h"
#include "sys/clock.h"
#include "sys/sockopt.h"

#include <errno.h>
#include <string.h>

/* One reporter may lag behind the other so far; then a like error is another one. */
static const uint32_t pair_ms = 2000;

static struct second *
second_of(const struct udp *u)
{
	return &icmpd_of(u->icmpd)->second;
}

int
sky_second_open(struct udp *u, struct sky_icmpd *d, const char *path)
{
	struct sky_icmpd_conf c = { .size = sizeof(c), .path = path };
	struct second *s;
	int group = 0;
	int r = sky_icmpd_open(d, &c);

	if (r < 0)
		return r;
	u->icmpd = d;
	s = second_of(u);
	sky_sockopt_get(u->fd, u->carries, SKY_OPT_REUSEPORT, &group);
	s->group = group != 0;
	s->id = sky_icmpd_add(d, u->fd, 0);
	s->err = icmpd_of(d)->connect_err ? icmpd_of(d)->connect_err : -ENOTCONN;
	if (s->id < 0)
		s->err = s->id;
	return 0;
}

void
sky_second_close(struct udp *u)
{
	if (u->icmpd)
		sky_icmpd_close(u->icmpd);
	u->icmpd = NULL;
}

int
sky_second_state(const struct udp *u)
{
	return second_of(u)->err ? second_of(u)->err : 1;
}

/* Two places for each destination; the older of two gives way. */
void
sky_second_sent(struct udp *u, const struct sky_addr *dst)
{
	struct second *s = second_of(u);
	uint32_t hash = sky_addr_hash(dst) | 1;
	_Atomic uint32_t *at = s->sent[hash / 2 % SECOND_SENT];
	uint32_t first;

	if (!s->group)
		return;
	first = atomic_load_explicit(&at[0], memory_order_relaxed);
	if (first == hash)
		return;
	atomic_store_explicit(&at[1], first, memory_order_relaxed);
	atomic_store_explicit(&at[0], hash, memory_order_relaxed);
}

static bool
was_sent(const struct second *s, const struct sky_addr *dst)
{
	uint32_t hash = sky_addr_hash(dst) | 1;
	const _Atomic uint32_t *at = s->sent[hash / 2 % SECOND_SENT];

	return atomic_load_explicit(&at[0], memory_order_relaxed) == hash ||
	    atomic_load_explicit(&at[1], memory_order_relaxed) == hash;
}

/* What both reporters know of an error alike. */
static uint64_t
key_of(const struct sky_fate *f, const void *quote, size_t len)
{
	static const uint64_t fixed[2] = { 1, 2 };
	struct {
		uint32_t dst, by, mtu;
		uint8_t type, code, origin, len;
		uint8_t quote[32];
	} k;

	memset(&k, 0, sizeof(k));
	k.dst = sky_addr_hash(&f->dst);
	k.by = sky_addr_hash(&f->by);
	k.mtu = f->mtu;
	k.type = f->icmp_type;
	k.code = f->icmp_code;
	k.origin = f->origin;
	k.len = (uint8_t)(len < sizeof(k.quote) ? len : sizeof(k.quote));
	if (k.len)
		memcpy(k.quote, quote, k.len);
	return sky_sip_hash(fixed, &k, sizeof(k));
}

/* The place of a key among those that fell into its set: its own, else a free one
 * (stale ones become free), else the oldest. */
static struct unpaired *
place_of(struct second *s, uint64_t key, uint32_t now)
{
	struct unpaired *set = s->unpaired[key % SECOND_SETS], *worst = set;
	uint32_t tag = (uint32_t)(key >> 32);

	for (unsigned i = 0; i < SECOND_WAYS; i++) {
		if (now - set[i].ms >= pair_ms)
			set[i].count = 0;
		if (set[i].count && set[i].tag == tag)
			return &set[i];
		if (worst->count && (!set[i].count || now - set[i].ms > now - worst->ms))
			worst = &set[i];
	}
	*worst = (struct unpaired){ .tag = tag };
	return worst;
}

/* True if the other reporter has told this one. sign: +1 for the queue, -1 for
 * icmpd; a count that is not zero says how many more the one has told. */
static bool
is_double(struct second *s, uint64_t key, int sign)
{
	uint32_t now = (uint32_t)(sky_clock_steady() / 1000000);
	struct unpaired *p = place_of(s, key, now);
	bool told = p->count * sign < 0;

	p->count += sign;
	p->ms = now;
	return told;
}

static bool
is_icmp(const struct sky_fate *f)
{
	return f->origin == SKY_ORIGIN_ICMP || f->origin == SKY_ORIGIN_ICMP6;
}

bool
sky_second_queue(struct udp *u, const struct sky_fate *f, const void *data, size_t len)
{
	struct second *s = second_of(u);

	/* while icmpd cannot tell the right member, the wrong one is better than none */
	if (s->err || !is_icmp(f))
		return true;
	if (s->group && !was_sent(s, &f->dst)) {
		s->others++;
		return false;
	}
	return !is_double(s, key_of(f, data, len), 1);
}

static void
take_news(struct udp *u, const struct sky_icmpd_event *e)
{
	struct second *s = second_of(u);

	if (e->kind == SKY_ICMPD_ADDED)
		s->err = 0;
	else if (e->kind == SKY_ICMPD_REFUSED || e->kind == SKY_ICMPD_DOWN)
		s->err = e->err;
	else if (e->kind == SKY_ICMPD_LOST && !e->err)
		udp_count(&u->lost2, e->count);
	/* what came while it was away, or was too much for it, may have been ours */
	if ((e->kind == SKY_ICMPD_UP && e->count > 1) || (e->kind == SKY_ICMPD_LOST && e->err))
		udp_count(&u->maybe_lost, 1);
}

/* The daemon names the local end that was quoted; the socket's own name says no
 * more. */
static bool
is_news(struct udp *u, const struct sky_icmpd_event *e)
{
	struct second *s = second_of(u);

	if (e->kind != SKY_ICMPD_FATE) {
		take_news(u, e);
		return false;
	}
	if (s->group && !was_sent(s, &e->fate.dst)) {
		s->others++;
		return false;
	}
	return !is_double(s, key_of(&e->fate, e->fate.quote, e->fate.quote_len), -1);
}

int
sky_second_next(struct udp *u, struct sky_fate *f, void *buf, size_t size)
{
	struct sky_icmpd_event e;

	while (sky_icmpd_recv(u->icmpd, &e, 1, buf, size) == 1)
		if (is_news(u, &e)) {
			*f = e.fate;
			return 1;
		}
	return 0;
}
