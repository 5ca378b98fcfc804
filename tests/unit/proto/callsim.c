/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of small networks that lose, double, delay, overtake, damage, refuse
 * and forge, with a clock of their own. What the engine says is compared with
 * what really happened; nothing but the head's layout is shared, and that is
 * written a second time in callwire.h.
 */
#include "../wire/test.h"
#include "callwire.h"

#include <sockeye/call.h>
#include <stdio.h>

#define MS UINT64_C(1000000)
#define SEEDS 4000
#define REQUESTS 8
#define PEERS 3
#define TRIES 6
#define DATA 5
#define PACKETS 4096
#define MIN_RTO (20 * MS)
#define MAX_RTO (400 * MS)
#define KEEP (3000 * MS)

enum peer_kind { COUNTS, ECHOES, REFUSES, MUTE, FLAKY, PEER_KINDS };
enum what { TO_PEER, REPLY, ERROR, FORGED };

struct packet {
	uint64_t at;
	enum what what;
	unsigned req, nth, len;
	bool hurt_head, elsewhere, tells;
	uint32_t seen;			/* what its peer had got when it was made */
	uint8_t data[24 + DATA];
};

struct truth {				/* of one request */
	unsigned peer, tries;
	uint64_t id, started, timeout;
	bool open, forgotten, answered, hinted;
	uint64_t sent[TRIES];
	uint32_t arrived;		/* copies that came to the peer */
	unsigned copies;
	uint32_t intact, damaged, refused;	/* that came to us */
	uint32_t told, before;		/* union of seen; copies before the latest told */
	char data[DATA];
};

static struct sim {
	uint32_t random;
	uint64_t now;
	unsigned loss_there, loss_back, twice, hurt, forge, jitter, quote;
	enum peer_kind kind[PEERS];
	struct sky_addr addr[PEERS], elsewhere;
	struct packet packet[PACKETS];
	unsigned packets, steps;
	struct truth truth[REQUESTS];
	struct sky_call call;
	uint64_t room[16384];
} sim;

static unsigned long answers, silents, refusals, lost_there, lost_back, untold, doubles, lates,
	strays, corrupts;

static unsigned
roll(unsigned n)
{
	sim.random ^= sim.random << 13;
	sim.random ^= sim.random >> 17;
	sim.random ^= sim.random << 5;
	return sim.random % n;
}

static void
travel(const struct packet *p, unsigned loss)
{
	unsigned copies = 1 + (roll(100) < sim.twice);

	while (copies--) {
		struct packet *q = &sim.packet[sim.packets];

		if (roll(100) < loss)
			continue;
		assert_true(sim.packets < PACKETS);
		*q = *p;
		q->at = sim.now + 2 * MS + (sim.jitter ? roll(sim.jitter) * MS / 10 : 0);
		if (roll(100) < sim.hurt && q->what != ERROR && q->what != FORGED) {
			unsigned at = roll(q->len);

			q->data[at] ^= (uint8_t)(1 << roll(8));
			q->hurt_head |= at < 24;
		}
		sim.packets++;
	}
}

/* A forger saw nothing: magic and version, the rest by chance. */
static void
forge(unsigned req)
{
	struct packet p = { .what = FORGED, .req = req, .len = 24 + DATA };

	memcpy(p.data, "SKYR\1\0\1\0", 8);
	for (unsigned i = 8; i < p.len; i++)
		p.data[i] = (uint8_t)roll(256);
	travel(&p, 0);
}

static void
to_peer(const struct packet *p)
{
	struct truth *t = &sim.truth[p->req];
	enum peer_kind kind = sim.kind[t->peer];
	struct packet r = *p;

	if (p->hurt_head || kind == MUTE)
		return;
	r.what = REPLY;
	if (kind == REFUSES || (kind == FLAKY && roll(4) == 0)) {
		r.what = ERROR;
		r.len = sim.quote;
	} else if (kind != ECHOES) {
		struct wire w = { 1, p->nth, 0, t->id, 0 };

		t->arrived |= 1u << (p->nth - 1);
		w.copies = ++t->copies;
		w.seen = r.seen = t->arrived;
		r.tells = true;
		wire_make(&w, r.data);
	}
	r.elsewhere = r.what == REPLY && roll(20) == 0;
	travel(&r, sim.loss_back);
}

/* --- what the engine says, against the truth --- */

static void
has_ended(struct truth *t, const struct sky_call_news *n)
{
	assert_true(t->open && n->known && n->id == t->id);
	assert_int_equal(n->tries, t->tries);
	t->open = false;
}

static void
check_reply(const struct packet *p, int kind, const struct sky_call_news *n)
{
	struct truth *t = &sim.truth[p->req];
	uint32_t bit = 1u << (p->nth - 1);
	bool first = !(t->intact & bit);

	if (p->hurt_head || p->elsewhere || t->forgotten) {
		assert_int_equal(kind, SKY_CALL_TOLD);
		assert_true(n->fate.what == SKY_STRAY ||
		    (p->hurt_head && n->fate.what == SKY_CORRUPTED));
		strays++;
		return;
	}
	if (p->tells) {
		t->told |= p->seen;
		t->before |= bit - 1;
	}
	if (memcmp(p->data + 24, t->data, DATA) != 0) {
		assert_int_equal(kind, SKY_CALL_TOLD);
		assert_int_equal(n->fate.what, SKY_CORRUPTED);
		t->damaged |= bit;
		t->refused &= ~bit;
		corrupts++;
		return;
	}
	t->intact |= bit;
	assert_int_equal(n->first, first);
	assert_memory_equal(n->data, t->data, DATA);
	if (first)
		assert_true(n->fate.rtt_ns == sim.now - t->sent[p->nth - 1]);
	if (t->open) {
		assert_int_equal(kind, SKY_CALL_ENDED);
		assert_int_equal(n->fate.what, SKY_ANSWERED);
		has_ended(t, n);
		t->answered = true;
		answers++;
		return;
	}
	assert_int_equal(kind, SKY_CALL_TOLD);
	assert_int_equal(n->fate.what, t->answered || !first ? SKY_DUPLICATED : SKY_LATE);
	*(n->fate.what == SKY_LATE ? &lates : &doubles) += 1;
}

static void
check_error(const struct packet *p, int kind, const struct sky_fate *f,
    const struct sky_call_news *n)
{
	struct truth *t = &sim.truth[p->req];
	uint32_t bit = p->nth ? 1u << (p->nth - 1) : 0;

	if (p->what == FORGED) {
		assert_int_equal(kind, SKY_CALL_TOLD);
		assert_int_not_equal(f->trust, SKY_TRUST_MATCHED);
		return;
	}
	if (p->len < 16) {
		assert_int_equal(kind, SKY_CALL_TOLD);
		assert_int_equal(f->trust, SKY_TRUST_SHORT);
		return;
	}
	if (t->forgotten) {
		assert_int_not_equal(f->trust, SKY_TRUST_MATCHED);
		return;
	}
	if (p->len > 24 && t->open && memcmp(p->data + 24, t->data, p->len - 24) != 0) {
		assert_int_equal(f->trust, SKY_TRUST_MISMATCH);
		assert_int_equal(kind, SKY_CALL_TOLD);
		return;
	}
	assert_int_equal(f->trust, SKY_TRUST_MATCHED);
	if (!((t->intact | t->damaged) & bit))
		t->refused |= bit;
	assert_int_equal(kind, t->open ? SKY_CALL_ENDED : SKY_CALL_TOLD);
	if (!t->open)
		return;
	assert_int_equal(n->fate.what, SKY_REFUSED);
	has_ended(t, n);
	refusals++;
}

static void
deliver(struct packet p)
{
	struct truth *t = &sim.truth[p.req];
	struct sky_fate f = { .size = sizeof(f), .what = SKY_REFUSED, .evidence = SKY_BY_QUEUE,
	    .origin = SKY_ORIGIN_ICMP, .dst = sim.addr[t->peer], .have = SKY_HAVE_DST,
	    .quote = p.data, .quote_len = p.len };
	struct sky_call_news n;
	int kind;

	if (p.what == TO_PEER) {
		to_peer(&p);
	} else if (p.what == REPLY) {
		kind = sky_call_input(&sim.call, sim.now,
		    p.elsewhere ? &sim.elsewhere : &sim.addr[t->peer], p.data, p.len, &n);
		check_reply(&p, kind, &n);
	} else {
		kind = sky_call_event(&sim.call, sim.now, &f, &n);
		check_error(&p, kind, &f, &n);
		if (f.trust == SKY_TRUST_SHORT)
			for (unsigned i = 0; i < REQUESTS; i++)
				sim.truth[i].hinted |= sim.truth[i].peer == t->peer && sim.truth[i].id;
	}
}

static void
check_sent(const struct sky_call_news *n, const uint8_t *out)
{
	struct truth *t = &sim.truth[n->tag];
	struct packet p = { .what = TO_PEER, .req = (unsigned)n->tag, .nth = n->nth, .len = n->len };
	uint64_t least = t->tries ? 2 * t->timeout : MIN_RTO;
	struct wire w;

	assert_true(t->open && t->tries < TRIES);
	assert_int_equal(n->nth, ++t->tries);
	assert_true(wire_read(&w, out, n->len) && w.id == t->id && w.nth == n->nth);
	assert_memory_equal(out + 24, t->data, DATA);
	if (n->nth > 1)		/* no storm */
		assert_true(sim.now - t->sent[n->nth - 2] >= t->timeout);
	assert_true(n->timeout_ns >= (least < MAX_RTO ? least : MAX_RTO));
	assert_true(n->timeout_ns <= MAX_RTO);
	t->timeout = n->timeout_ns;
	t->sent[n->nth - 1] = sim.now;
	memcpy(p.data, out, n->len);
	travel(&p, sim.loss_there);
	if (roll(100) < sim.forge)
		forge(p.req);
}

static void
check_given_up(const struct sky_call_news *n)
{
	struct truth *t = &sim.truth[n->tag];

	assert_int_equal(t->tries, TRIES);
	assert_true(sim.now - t->sent[TRIES - 1] >= t->timeout);
	assert_int_equal(t->intact, 0);
	if (n->fate.what != SKY_SILENT) {
		assert_int_equal(n->fate.what, SKY_REFUSED);
		assert_int_equal(n->fate.trust, SKY_TRUST_SHORT);
		assert_true(t->hinted);
	}
	has_ended(t, n);
	silents++;
}

static void
check_forgotten(const struct sky_call_news *n)
{
	struct truth *t = &sim.truth[n->tag];
	uint32_t all = (1u << t->tries) - 1;
	uint32_t open = all & ~(t->intact | t->damaged | t->refused);
	bool plain = !sim.jitter && !sim.twice;

	assert_true(!t->open && !t->forgotten && n->id == t->id);
	t->forgotten = true;
	assert_int_equal(n->answered, t->intact);
	assert_int_equal(n->damaged, t->damaged & ~t->intact);
	assert_int_equal(n->refused, t->refused & ~t->intact);
	assert_int_equal(n->answered | n->damaged | n->refused | n->lost_request | n->lost_reply |
	    n->lost_untold, all);
	assert_int_equal(n->lost_reply, open & t->told);
	assert_int_equal(n->lost_request, open & ~t->told & t->before);
	assert_int_equal(n->lost_untold, open & ~t->told & ~t->before);
	assert_int_equal(n->lost_reply & ~t->arrived, 0);
	if (plain)		/* nothing overtakes: what is said to be lost is */
		assert_int_equal(n->lost_request & t->arrived, 0);
	if (sim.kind[t->peer] != COUNTS && sim.kind[t->peer] != FLAKY)
		assert_int_equal(n->lost_request | n->lost_reply, 0);
	lost_there += (unsigned)__builtin_popcount(n->lost_request);
	lost_back += (unsigned)__builtin_popcount(n->lost_reply);
	untold += (unsigned)__builtin_popcount(n->lost_untold);
}

/* --- the clockwork --- */

static void
poll_all(void)
{
	struct sky_call_news n;
	uint8_t out[64];
	int kind;

	while ((kind = sky_call_poll(&sim.call, sim.now, out, sizeof(out), &n)) > 0) {
		if (kind == SKY_CALL_SEND)
			check_sent(&n, out);
		else if (kind == SKY_CALL_ENDED)
			check_given_up(&n);
		else
			check_forgotten(&n);
	}
	assert_int_equal(kind, SKY_CALL_NOTHING);
	assert_true(sky_call_deadline(&sim.call) > sim.now);
}

static void
start(unsigned i)
{
	struct truth *t = &sim.truth[i];

	t->peer = roll(PEERS);
	t->open = true;
	t->started = sim.now;
	for (unsigned k = 0; k < DATA; k++)
		t->data[k] = (char)roll(256);
	assert_int_equal(sky_call_start(&sim.call, sim.now, &sim.addr[t->peer], t->data, DATA, i,
	    &t->id), 0);
	for (unsigned k = 0; k < i; k++)
		assert_true(sim.truth[k].id != t->id);
}

static void
prepare(unsigned seed)
{
	struct sky_call_conf conf = { .size = sizeof(conf), .flags = SKY_CALL_ECHO,
	    .seed = { seed, 77 }, .requests = REQUESTS, .peers = seed % 4, .tries = TRIES,
	    .keep_ns = KEEP, .rto = { .size = sizeof(conf.rto), .initial_ns = 50 * MS,
	    .min_ns = MIN_RTO, .max_ns = MAX_RTO } };
	char text[32];

	memset(&sim, 0, sizeof(sim));
	sim.random = seed * 2654435761u | 1;
	for (unsigned i = 0; i < PEERS; i++) {
		snprintf(text, sizeof(text), i & 1 ? "[2001:db8::%u]:7" : "192.0.2.%u:7", i + 1);
		assert_int_equal(sky_addr_parse(&sim.addr[i], text), 0);
		sim.kind[i] = roll(PEER_KINDS);
	}
	sky_addr_parse(&sim.elsewhere, "192.0.2.99:7");
	sim.loss_there = roll(2) ? roll(60) : 0;
	sim.loss_back = roll(2) ? roll(60) : 0;
	sim.twice = roll(3) ? 0 : roll(40);
	sim.hurt = roll(3) ? 0 : roll(30);
	sim.forge = roll(3) ? 0 : roll(60);
	sim.jitter = roll(2) ? 0 : 1 + roll(4000);
	sim.quote = roll(24 + DATA + 1);
	assert_int_equal(sky_call_init(&sim.call, &conf, sim.room, sizeof(sim.room)), 0);
}

static void
run(unsigned seed)
{
	unsigned started = 0, first, i;
	uint64_t next;

	prepare(seed);
	for (;;) {
		assert_true(++sim.steps < 100000);
		while (started < REQUESTS && roll(3))
			start(started++);
		poll_all();
		next = sky_call_deadline(&sim.call);
		for (i = first = 0; i < sim.packets; i++)
			if (sim.packet[i].at < sim.packet[first].at)
				first = i;
		if (started < REQUESTS && sim.now + 7 * MS < next)
			next = sim.now + 7 * MS;
		if (sim.packets && sim.packet[first].at <= next) {
			struct packet p = sim.packet[first];

			/* the oldest first, also of those that come together */
			memmove(&sim.packet[first], &sim.packet[first + 1],
			    (--sim.packets - first) * sizeof(p));
			sim.now = p.at;
			deliver(p);
		} else if (next == SKY_CALL_NEVER) {
			break;
		} else {
			sim.now = next;
		}
	}
	for (i = 0; i < REQUESTS; i++)
		assert_true(!sim.truth[i].open && sim.truth[i].forgotten);
	assert_int_equal(sky_call_open(&sim.call), 0);
	assert_int_equal(sky_call_awaited(&sim.call), 0);
}

static void
what_is_told_is_what_happened(void **state)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++)
		run(seed);
	printf("# %u networks: %lu answered, %lu silent, %lu refused; lost there %lu, back %lu, "
	    "untold %lu; doubled %lu, late %lu, stray %lu, corrupted %lu\n", SEEDS, answers, silents,
	    refusals, lost_there, lost_back, untold, doubles, lates, strays, corrupts);
	assert_true(answers > SEEDS && silents > 100 && refusals > 100 && lost_there > 100 &&
	    lost_back > 100 && untold > 100 && doubles > 100 && lates > 20 && strays > 100 &&
	    corrupts > 100);
}

/* A steady path: the timer comes down to round trip and granularity. */
static void
the_timer_finds_a_steady_round_trip(void **state)
{
	struct sky_call_conf conf = { .size = sizeof(conf), .requests = 1, .peers = 1,
	    .rto = { .size = sizeof(conf.rto), .min_ns = 1 } };
	struct sky_call_news n;
	struct sky_rto t;
	uint64_t id, now = 0;
	uint8_t out[64];

	prepare(1);
	assert_int_equal(sky_call_init(&sim.call, &conf, sim.room, sizeof(sim.room)), 0);
	for (int i = 0; i < 100; i++) {
		while (sky_call_forget(&sim.call, &n) == SKY_CALL_FORGOTTEN)
			;
		assert_int_equal(sky_call_start(&sim.call, now, &sim.addr[0], "x", 1, 0, &id), 0);
		assert_int_equal(sky_call_poll(&sim.call, now, out, 64, &n), SKY_CALL_SEND);
		now += 30 * MS;
		assert_int_equal(sky_call_input(&sim.call, now, &sim.addr[0], out, n.len, &n),
		    SKY_CALL_ENDED);
	}
	assert_int_equal(sky_call_timer(&sim.call, &sim.addr[0], &t), 0);
	assert_int_equal(t.srtt_ns, 30 * MS);
	assert_int_equal(t.rto_ns, 31 * MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_what_happened),
		cmocka_unit_test(the_timer_finds_a_steady_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
