/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and replies, one situation at a time; callsim.c has the storms. */
#include "../wire/test.h"
#include "base/sip.h"
#include "callwire.h"

#include <sockeye/call.h>

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static uint64_t room[65536];
static struct sky_call c;
static struct sky_call_news news;
static uint8_t out[65536];
static struct sky_addr peer, other;
static uint64_t id;

static void
begin(unsigned requests, unsigned tries, uint32_t flags)
{
	struct sky_call_conf conf = { .size = sizeof(conf), .flags = flags, .seed = { 1, 2 },
	    .requests = requests, .peers = 2, .tries = tries, .keep_ns = 10 * S };

	assert_true(sky_call_room(requests, 2) <= sizeof(room));
	assert_int_equal(sky_call_init(&c, &conf, room, sky_call_room(requests, 2)), 0);
	sky_addr_parse(&peer, "192.0.2.1:7");
	sky_addr_parse(&other, "192.0.2.2:7");
}

static void
ask(uint64_t now, const char *data)
{
	assert_int_equal(sky_call_start(&c, now, &peer, data, strlen(data), 77, &id), 0);
}

static int
poll_at(uint64_t now)
{
	return sky_call_poll(&c, now, out, sizeof(out), &news);
}

static void
sends(uint64_t now, unsigned nth)
{
	struct wire w = { .id = 0 };

	assert_int_equal(poll_at(now), SKY_CALL_SEND);
	assert_true(wire_read(&w, out, news.len));
	assert_int_equal(w.kind, 0);
	assert_int_equal(w.nth, nth);
	assert_int_equal(news.nth, nth);
	assert_int_equal(w.copies, 0);
	assert_int_equal(w.seen, 0);
	assert_true(w.id == id && news.id == id && news.tag == 77);
	assert_true(sky_addr_equal(&news.dst, &peer));
	assert_int_equal(poll_at(now), SKY_CALL_NOTHING);
}

/* The peer that keeps count answers copy nth. */
static int
reply(uint64_t now, unsigned nth, unsigned copies, uint32_t seen, const char *data)
{
	struct wire w = { 1, nth, copies, id, seen };
	uint8_t p[200];

	wire_make(&w, p);
	memcpy(p + 24, data, strlen(data));
	return sky_call_input(&c, now, &peer, p, 24 + strlen(data), &news);
}

static int
echo(uint64_t now, unsigned nth, const char *data)
{
	struct wire w = { 0, nth, 0, id, 0 };
	uint8_t p[200];

	wire_make(&w, p);
	memcpy(p + 24, data, strlen(data));
	return sky_call_input(&c, now, &peer, p, 24 + strlen(data), &news);
}

static void
ends(int kind, enum sky_what what)
{
	assert_int_equal(kind, SKY_CALL_ENDED);
	assert_int_equal(news.fate.what, what);
	assert_true(news.known && news.tag == 77 && news.id == id);
}

static void
tells(int kind, enum sky_what what)
{
	assert_int_equal(kind, SKY_CALL_TOLD);
	assert_string_equal(sky_fate_word(news.fate.what), sky_fate_word(what));
}

static void
lost(uint32_t requests, uint32_t replies, uint32_t untold)
{
	assert_int_equal(news.lost_request, requests);
	assert_int_equal(news.lost_reply, replies);
	assert_int_equal(news.lost_untold, untold);
}

static void
answered_at_once(void **state)
{
	begin(4, 0, SKY_CALL_ECHO);
	ask(0, "hello");
	assert_int_equal(sky_call_deadline(&c), 0);
	sends(0, 1);
	assert_memory_equal(out + 24, "hello", 5);
	assert_int_equal(sky_call_deadline(&c), S);
	ends(reply(20 * MS, 1, 1, 1, "hello"), SKY_ANSWERED);
	assert_int_equal(news.fate.rtt_ns, 20 * MS);
	assert_int_equal(news.len, 5);
	assert_memory_equal(news.data, "hello", 5);
	lost(0, 0, 0);
	assert_true(news.told);
	assert_int_equal(sky_call_open(&c), 0);
	assert_int_equal(sky_call_awaited(&c), 0);
	assert_int_equal(poll_at(10 * S + 20 * MS - 1), SKY_CALL_NOTHING);
	assert_int_equal(poll_at(10 * S + 20 * MS), SKY_CALL_FORGOTTEN);
	assert_int_equal(sky_call_deadline(&c), SKY_CALL_NEVER);
}

/* 1 s, 2 s, 4 s, ... and given up after the last timer (RFC 6298, 5.5). */
static void
silence_is_given_up_after_the_last_timer(void **state)
{
	begin(4, 4, 0);
	ask(0, "x");
	sends(0, 1);
	assert_int_equal(poll_at(S - 1), SKY_CALL_NOTHING);
	sends(S, 2);
	sends(3 * S, 3);
	sends(7 * S, 4);
	assert_int_equal(poll_at(15 * S - 1), SKY_CALL_NOTHING);
	ends(poll_at(15 * S), SKY_SILENT);
	assert_int_equal(news.fate.evidence, SKY_BY_DEADLINE);
	assert_int_equal(news.tries, 4);
	assert_false(news.told);
	lost(0, 0, 15);
	tells(reply(16 * S, 2, 1, 2, "x"), SKY_LATE);
	lost(1, 0, 12);
	assert_true(news.told && news.first);
	tells(reply(16 * S, 2, 2, 2, "x"), SKY_DUPLICATED);
	assert_false(news.first);
}

static void
the_peer_tells_which_was_lost(void **state)
{
	begin(4, 5, SKY_CALL_ECHO);
	ask(0, "x");
	sends(0, 1);		/* this one gets lost */
	sends(S, 2);		/* its reply gets lost */
	sends(3 * S, 3);
	ends(reply(3 * S + MS, 3, 2, 6, "x"), SKY_ANSWERED);
	assert_int_equal(news.fate.rtt_ns, MS);
	assert_true(news.told);
	lost(1, 2, 0);
	tells(reply(3 * S + 2 * MS, 2, 1, 2, "x"), SKY_DUPLICATED);	/* it was only late */
	assert_true(news.first);
	lost(1, 0, 0);
	assert_int_equal(poll_at(14 * S), SKY_CALL_FORGOTTEN);
	lost(1, 0, 0);
	assert_int_equal(news.answered, 6);
}

static void
a_plain_echo_cannot_tell(void **state)
{
	begin(4, 5, SKY_CALL_ECHO);
	ask(0, "x");
	sends(0, 1);
	sends(S, 2);
	ends(echo(S + MS, 2, "x"), SKY_ANSWERED);
	assert_false(news.told);
	lost(0, 0, 1);
}

/* Copy 2 was sent for nothing; while its reply may come nothing is said of it. */
static void
a_copy_sent_in_vain_is_awaited(void **state)
{
	begin(4, 5, SKY_CALL_ECHO);
	ask(0, "x");
	sends(0, 1);
	sends(S, 2);
	ends(reply(S + MS, 1, 1, 1, "x"), SKY_ANSWERED);
	lost(0, 0, 2);
	assert_int_equal(sky_call_awaited(&c), 1);
	tells(reply(S + 2 * MS, 2, 2, 3, "x"), SKY_DUPLICATED);
	assert_true(news.first);
	assert_int_equal(sky_call_awaited(&c), 0);
	lost(0, 0, 0);
}

/* The round trip is that of the copy answered (Karn's problem, solved). */
static void
samples_are_of_the_copy_that_is_answered(void **state)
{
	struct sky_rto t;

	begin(4, 5, SKY_CALL_ECHO);
	ask(0, "x");
	sends(0, 1);
	sends(S, 2);
	assert_int_equal(sky_call_timer(&c, &peer, &t), 0);
	assert_int_equal(t.rto_ns, 2 * S);
	assert_int_equal(t.samples, 0);
	reply(S + 200 * MS, 1, 1, 1, "x");
	sky_call_timer(&c, &peer, &t);
	assert_int_equal(t.srtt_ns, 1200 * MS);
	assert_int_equal(t.rto_ns, 1200 * MS + 4 * 600 * MS);
	assert_int_equal(sky_call_timer(&c, &other, &t), -ENOENT);
}

static void
what_is_not_the_answer_ends_nothing(void **state)
{
	struct wire w = { 1, 1, 1, 0, 1 };
	uint8_t p[64];

	begin(4, 5, SKY_CALL_ECHO);
	ask(0, "x");
	sends(0, 1);
	tells(reply(MS, 1, 1, 1, "y"), SKY_CORRUPTED);
	assert_int_equal(news.damaged, 1);
	tells(reply(MS, 1, 1, 1, ""), SKY_CORRUPTED);
	tells(reply(MS, 2, 1, 2, "x"), SKY_CORRUPTED);	/* never sent */
	w.id = id;
	wire_make(&w, p);
	p[24] = 'x';
	p[9] ^= 4;
	tells(sky_call_input(&c, MS, &peer, p, 25, &news), SKY_CORRUPTED);
	assert_false(news.known);
	tells(sky_call_input(&c, MS, &peer, p, 20, &news), SKY_CORRUPTED);
	p[9] ^= 4;
	tells(sky_call_input(&c, MS, &other, p, 25, &news), SKY_STRAY);
	assert_true(news.known && news.id == id && sky_addr_same_host(&news.fate.by, &other));
	assert_true(sky_addr_equal(&news.fate.dst, &peer));
	tells(sky_call_input(&c, MS, &peer, "hello", 5, &news), SKY_STRAY);
	tells(sky_call_input(&c, MS, &peer, NULL, 0, &news), SKY_STRAY);
	w.id++;
	wire_make(&w, p);
	tells(sky_call_input(&c, MS, &peer, p, 25, &news), SKY_STRAY);
	assert_false(news.known);
	assert_int_equal(sky_call_open(&c), 1);
	ends(reply(2 * MS, 1, 1, 1, "x"), SKY_ANSWERED);
	assert_int_equal(news.damaged, 0);
}

static struct sky_fate
error(const void *quote, size_t len)
{
	struct sky_fate f = { .size = sizeof(f), .what = SKY_REFUSED, .evidence = SKY_BY_QUEUE,
	    .origin = SKY_ORIGIN_ICMP, .dst = peer, .have = SKY_HAVE_DST, .quote = quote,
	    .quote_len = (uint32_t)len };

	return f;
}

static void
an_error_that_quotes_it_ends_it_at_once(void **state)
{
	struct sky_fate f;

	for (size_t quoted = 0; quoted <= 29; quoted++) {
		begin(4, 5, 0);
		ask(0, "hello");
		sends(0, 1);
		f = error(out, quoted);
		if (quoted < 16) {
			tells(sky_call_event(&c, MS, &f, &news), SKY_REFUSED);
			assert_int_equal(f.trust, SKY_TRUST_SHORT);
			continue;
		}
		ends(sky_call_event(&c, MS, &f, &news), SKY_REFUSED);
		assert_int_equal(f.trust, SKY_TRUST_MATCHED);
		assert_int_equal(news.fate.trust, SKY_TRUST_MATCHED);
		lost(0, 0, 0);
		assert_int_equal(news.refused, 1);
	}
}

static void
a_forged_error_ends_nothing(void **state)
{
	struct sky_fate f;

	begin(4, 1, 0);
	ask(0, "hello");
	sends(0, 1);
	for (size_t at = 0; at < 29; at++) {	/* one bit is wrong */
		out[at] ^= 1;
		f = error(out, 29);
		assert_int_equal(sky_call_event(&c, MS, &f, &news), SKY_CALL_TOLD);
		assert_true(f.trust == SKY_TRUST_MISMATCH || f.trust == SKY_TRUST_UNKNOWN);
		out[at] ^= 1;
	}
	f = error(out, 29);
	f.dst = other;
	assert_int_equal(sky_call_event(&c, MS, &f, &news), SKY_CALL_TOLD);
	assert_int_equal(sky_call_open(&c), 1);
	ends(reply(2 * MS, 1, 1, 1, "x"), SKY_ANSWERED);
}

static void
a_hint_is_told_when_it_is_given_up(void **state)
{
	struct sky_fate f = error(out, 8);

	begin(4, 1, 0);
	ask(0, "hello");
	sends(0, 1);
	tells(sky_call_event(&c, MS, &f, &news), SKY_REFUSED);
	assert_int_equal(sky_call_open(&c), 1);
	ends(poll_at(S), SKY_REFUSED);
	assert_int_equal(news.fate.trust, SKY_TRUST_SHORT);
	ask(S + 1, "again");			/* it was about the one before */
	sends(S + 1, 1);
	ends(poll_at(4 * S), SKY_SILENT);
}

static void
too_big_sends_the_next_copy_at_once(void **state)
{
	struct sky_fate f;

	begin(4, 2, 0);
	ask(0, "hello");
	sends(0, 1);
	f = error(out, 29);
	f.what = SKY_TOO_BIG;
	tells(sky_call_event(&c, MS, &f, &news), SKY_TOO_BIG);
	assert_int_equal(news.refused, 1);
	lost(0, 0, 0);
	assert_int_equal(sky_call_event(&c, MS, &f, &news), SKY_CALL_TOLD);
	sends(MS, 2);
	tells(sky_call_event(&c, 2 * MS, &f, &news), SKY_TOO_BIG);	/* of the first */
	assert_int_equal(poll_at(2 * MS), SKY_CALL_NOTHING);
}

static void
a_copy_that_does_not_leave(void **state)
{
	struct sky_fate f = error(NULL, 0);

	begin(4, 3, 0);
	ask(0, "hello");
	sends(0, 1);
	f.what = SKY_DROPPED_SENDING;
	tells(sky_call_unsent(&c, 0, id, &f, &news), SKY_DROPPED_SENDING);
	sends(S, 2);
	f.what = SKY_NO_ROUTE;
	ends(sky_call_unsent(&c, S, id, &f, &news), SKY_NO_ROUTE);
	assert_int_equal(sky_call_unsent(&c, S, id, &f, &news), -ENOENT);
	lost(0, 0, 0);
}

/* Ten requests lost together double the timer once, not a thousandfold. */
static void
one_flight_backs_off_once(void **state)
{
	struct sky_rto t;

	begin(20, 5, 0);
	for (int i = 0; i < 10; i++)
		ask(0, "x");
	for (int i = 0; i < 10; i++)
		assert_int_equal(poll_at((uint64_t)i), SKY_CALL_SEND);
	for (int i = 0; i < 10; i++)
		assert_int_equal(poll_at(S + (uint64_t)i), SKY_CALL_SEND);
	assert_int_equal(poll_at(S + 9), SKY_CALL_NOTHING);
	sky_call_timer(&c, &peer, &t);
	assert_int_equal(t.rto_ns, 2 * S);
	assert_int_equal(sky_call_deadline(&c), 3 * S);
}

static void
room_is_what_was_given(void **state)
{
	struct sky_call_conf conf = { .size = sizeof(conf), .requests = 2, .peers = 0 };
	uint64_t before;

	begin(2, 1, 0);
	ask(0, "a");
	ask(0, "b");
	before = id;
	assert_int_equal(sky_call_start(&c, 0, &peer, "c", 1, 0, &id), -ENOBUFS);
	assert_int_equal(sky_call_forget(&c, &news), SKY_CALL_NOTHING);
	id = before;
	poll_at(0), poll_at(0);
	assert_int_equal(reply(1, 1, 1, 1, "b"), SKY_CALL_ENDED);
	assert_int_equal(sky_call_start(&c, 0, &peer, "c", 1, 0, &id), -ENOBUFS);
	assert_int_equal(sky_call_forget(&c, &news), SKY_CALL_FORGOTTEN);
	assert_true(news.id == before);
	assert_int_equal(sky_call_start(&c, 0, &peer, "c", 1, 0, &id), 0);
	assert_int_equal(sky_call_start(&c, 0, &peer, out, SKY_CALL_DATA + 1, 0, &id), -EMSGSIZE);
	id = before;
	tells(reply(1, 1, 1, 1, "b"), SKY_STRAY);
	assert_int_equal(sky_call_poll(&c, 2, out, 24, &news), -ENOSPC);
	assert_int_equal(sky_call_init(&c, &conf, room, sky_call_room(2, 0) - 1), -EINVAL);
	conf.tries = 33;
	assert_int_equal(sky_call_init(&c, &conf, room, sizeof(room)), -EINVAL);
	conf.tries = 32;
	assert_int_equal(sky_call_init(&c, &conf, room, sizeof(room)), 0);
	conf.requests = 0;
	assert_int_equal(sky_call_init(&c, &conf, room, sizeof(room)), -EINVAL);
}

static void
the_total_time_ends_it(void **state)
{
	struct sky_call_conf conf = { .size = sizeof(conf), .requests = 2, .peers = 1,
	    .tries = 32, .total_ns = 5 * S };

	begin(2, 1, 0);
	assert_int_equal(sky_call_init(&c, &conf, room, sizeof(room)), 0);
	ask(0, "a");
	sends(0, 1);
	sends(S, 2);
	sends(3 * S, 3);
	assert_int_equal(sky_call_deadline(&c), 5 * S);
	ends(poll_at(5 * S), SKY_SILENT);
}

static void
all_32_copies_can_be_told_apart(void **state)
{
	uint64_t now = 0;

	begin(2, 32, 0);
	ask(0, "a");
	for (unsigned i = 1; i <= 32; i++) {
		now = i == 1 ? 0 : sky_call_deadline(&c);
		sends(now, i);
	}
	ends(reply(now, 32, 1, 0x80000000, "a"), SKY_ANSWERED);
	lost(0x7fffffff, 0, 0);
	tells(reply(now, 1, 255, 0xffffffff, "a"), SKY_DUPLICATED);
	lost(0, 0x7ffffffe, 0);
	assert_int_equal(news.copies, 255);
}

/* Asks one peer and forgets it. */
static void
ask_once(const struct sky_addr *dst)
{
	assert_int_equal(sky_call_start(&c, 0, dst, "x", 1, 77, &id), 0);
	sky_call_poll(&c, 0, out, sizeof(out), &news);
	peer = *dst;
	reply(1, 1, 1, 1, "x");
	assert_int_equal(sky_call_forget(&c, &news), SKY_CALL_FORGOTTEN);
}

static void
the_peer_longest_unused_gives_its_place(void **state)
{
	struct sky_addr a[4];
	struct sky_rto t;

	begin(4, 5, 0);
	for (int i = 0; i < 4; i++) {
		a[i] = peer;
		sky_addr_set_port(&a[i], (uint16_t)(100 + i));
	}
	ask_once(&a[0]);
	ask_once(&a[1]);
	ask_once(&a[0]);
	ask_once(&a[2]);			/* in the place of a[1] */
	assert_int_equal(sky_call_timer(&c, &a[0], &t), 0);
	assert_int_equal(t.samples, 2);
	assert_int_equal(sky_call_timer(&c, &a[1], &t), -ENOENT);
	assert_int_equal(sky_call_timer(&c, &a[2], &t), 0);
	assert_int_equal(sky_call_start(&c, 0, &a[0], "x", 1, 0, &id), 0);
	assert_int_equal(sky_call_start(&c, 0, &a[2], "x", 1, 0, &id), 0);
	while (poll_at(0) == SKY_CALL_SEND)
		;
	ask_once(&a[3]);			/* both are needed: it shares */
	assert_int_equal(sky_call_timer(&c, &a[3], &t), -ENOENT);
	assert_int_equal(sky_call_timer(&c, &a[0], &t), 0);
	assert_int_equal(sky_call_timer(&c, &a[2], &t), 0);
	assert_int_equal(t.samples, 1);
}

/* Ids are told neither by the ones before nor by those of another seed. */
static void
ids_cannot_be_guessed(void **state)
{
	struct sky_call_conf conf = { .size = sizeof(conf), .requests = 64, .peers = 1 };
	uint64_t ids[2][64];
	unsigned flips = 0;

	for (unsigned s = 0; s < 2; s++) {
		conf.seed[1] = s;
		assert_int_equal(sky_call_init(&c, &conf, room, sizeof(room)), 0);
		for (unsigned i = 0; i < 64; i++)
			assert_int_equal(sky_call_start(&c, 0, &peer, "x", 1, 0, &ids[s][i]), 0);
	}
	for (unsigned i = 1; i < 64; i++) {
		flips += (unsigned)__builtin_popcountll(ids[0][i] ^ ids[0][i - 1]);
		flips += (unsigned)__builtin_popcountll(ids[0][i] ^ ids[1][i]);
	}
	assert_in_range(flips, 126 * 29, 126 * 35);	/* half of 64 bits each time */
}

/* From RFC 3720, B.4, and the paper's appendix A. */
static void
published_figures(void **state)
{
	static const struct { uint8_t first, step; uint32_t crc; } rows[] = {
		{ 0, 0, 0x8a9136aa }, { 0xff, 0, 0x62a8ab43 }, { 0, 1, 0x46dd794e },
	};
	uint64_t key[2] = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	uint8_t p[32];

	for (size_t i = 0; i < 3; i++) {
		for (unsigned k = 0; k < 32; k++)
			p[k] = (uint8_t)(rows[i].first + k * rows[i].step);
		assert_int_equal(wire_crc(p, 32), rows[i].crc);
	}
	assert_true(sky_sip_hash(key, p, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void
heads_that_make_no_sense_are_refused(void **state)
{
	static const struct wire bad[] = {
		{ 0, 0, 0, 1, 0 }, { 0, 33, 0, 1, 0 }, { 0, 1, 1, 1, 0 }, { 0, 1, 0, 1, 1 },
		{ 1, 1, 0, 1, 1 }, { 1, 2, 1, 1, 1 }, { 2, 1, 1, 1, 1 },
	};
	static const struct wire good[] = { { 0, 32, 0, 9, 0 }, { 1, 2, 255, ~0ull, 2 } };
	struct sky_call_head h;
	uint8_t p[24], q[24];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wire_make(&bad[i], p);
		assert_int_equal(sky_call_head_decode(&h, p, 24), -EBADMSG);
		assert_int_equal(sky_call_head_encode(&h, q, 24), -EINVAL);
	}
	for (size_t i = 0; i < 2; i++) {
		wire_make(&good[i], p);
		assert_int_equal(sky_call_head_decode(&h, p, 24), 0);
		assert_true(h.id == good[i].id && h.seen == good[i].seen);
		assert_int_equal(sky_call_head_encode(&h, q, 24), 24);
		assert_memory_equal(p, q, 24);
		assert_int_equal(sky_call_head_encode(&h, q, 23), -ENOSPC);
		for (size_t n = 0; n < 24; n++)
			assert_int_equal(sky_call_head_decode(&h, p, n), n < 4 ? -ENOMSG : -EBADMSG);
		p[4] = 2;
		assert_int_equal(sky_call_head_decode(&h, p, 24), -EPROTONOSUPPORT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answered_at_once),
		cmocka_unit_test(silence_is_given_up_after_the_last_timer),
		cmocka_unit_test(the_peer_tells_which_was_lost),
		cmocka_unit_test(a_plain_echo_cannot_tell),
		cmocka_unit_test(a_copy_sent_in_vain_is_awaited),
		cmocka_unit_test(samples_are_of_the_copy_that_is_answered),
		cmocka_unit_test(what_is_not_the_answer_ends_nothing),
		cmocka_unit_test(an_error_that_quotes_it_ends_it_at_once),
		cmocka_unit_test(a_forged_error_ends_nothing),
		cmocka_unit_test(a_hint_is_told_when_it_is_given_up),
		cmocka_unit_test(too_big_sends_the_next_copy_at_once),
		cmocka_unit_test(a_copy_that_does_not_leave),
		cmocka_unit_test(one_flight_backs_off_once),
		cmocka_unit_test(room_is_what_was_given),
		cmocka_unit_test(the_total_time_ends_it),
		cmocka_unit_test(all_32_copies_can_be_told_apart),
		cmocka_unit_test(the_peer_longest_unused_gives_its_place),
		cmocka_unit_test(ids_cannot_be_guessed),
		cmocka_unit_test(published_figures),
		cmocka_unit_test(heads_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
