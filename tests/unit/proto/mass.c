/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine of many targets on small Internets: what it says against what is
 * true there.
 */
#include "../wire/test.h"

#include "massbed.h"

#include <arpa/inet.h>

#define S UINT64_C(1000000000)

struct seen {
	const struct inet *net;
	uint64_t results, reached, wrong_hop, hops, wrong_distance, wrong_mtu, unchecked, missing;
	uint64_t how[4], right[4], wrong_how[4];
	uint64_t probes, sum;
	uint8_t *times;
};

static struct sky_mass_conf
plain(void)
{
	return (struct sky_mass_conf){ .seed = 1, .shards = 1, .window = 1024, .routers = 100000,
	    .rate = 20000, .hop_burst = 6, .mtu = 1500, .max_ttl = 32, .split = 16, .gap = 5,
	    .tries = 2, .patience_ns = 5 * S };
}

static void
look_at_hops(struct seen *s, const struct sky_mass_result *r, uint32_t i)
{
	uint32_t hop[INET_HOPS];
	unsigned n = inet_path(s->net, i, hop);

	for (unsigned k = 0; k < r->hops; k++) {
		const struct sky_mass_hop *h = &r->hop[k];
		uint32_t by = ntohl(h->by.u.in.sin_addr.s_addr);
		bool wrong = h->how != SKY_MASS_SILENT && (k >= n || by != hop[k]);

		assert_int_equal(h->ttl, k + 1);
		s->how[h->how]++;
		s->hops++;
		s->missing += h->how == SKY_MASS_SILENT && k < n && hop[k];
		if (!wrong)
			s->right[h->how]++;
		else
			s->wrong_how[h->how]++;
		s->wrong_hop += wrong;
		s->sum += (uint64_t)by * (k + 1) * (i + 7);
	}
}

static void
see(void *arg, const struct sky_mass_result *r)
{
	struct seen *s = arg;
	uint32_t i = inet_number(s->net, ntohl(r->dst.u.in.sin_addr.s_addr));
	uint32_t hop[INET_HOPS];
	bool hole, liar;
	unsigned mtu = inet_mtu(s->net, i, &hole, &liar);

	s->results++;
	s->probes += r->probes;
	if (s->times)
		s->times[i]++;
	look_at_hops(s, r, i);
	if (r->end != SKY_HOP_REACHED)
		return;
	s->reached++;
	s->wrong_mtu += r->pmtu != mtu;
	if (!(r->flags & SKY_MASS_CHECKED))
		s->unchecked++;
	else
		s->wrong_distance += r->distance != inet_path(s->net, i, hop) + 1;
}

static struct seen
run(struct massbed *b, struct sky_mass_conf *c)
{
	struct seen s = { .net = &b->net };

	massbed_engine(b, c);
	assert_true(massbed_run(b, see, &s));
	assert_int_equal(s.results, sky_mass_stats(b->mass)->done);
	assert_int_equal(s.probes, sky_mass_stats(b->mass)->probes);
	return s;
}

static void
all_is_found_where_nothing_is_in_the_way(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 2000, .seed = 5, .unlimited = 1000 };
	struct massbed b;
	struct seen s;

	massbed_init(&b, &net);
	s = run(&b, &c);
	assert_int_equal(s.results, 2000);
	assert_int_equal(s.reached, 2000);
	assert_int_equal(s.wrong_hop + s.missing + s.wrong_distance + s.wrong_mtu + s.unchecked, 0);
	assert_int_equal(s.how[SKY_MASS_ASSUMED], 0);
	assert_true(s.probes < 2000 * 5);
	massbed_release(&b);
}

static void
every_hop_asks_each(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 2000, .seed = 5, .unlimited = 1000 };
	struct massbed b;
	struct seen s;

	massbed_init(&b, &net);
	c.every_hop = true;
	s = run(&b, &c);
	assert_int_equal(s.reached, 2000);
	assert_int_equal(s.wrong_hop + s.missing + s.wrong_mtu, 0);
	assert_int_equal(s.how[SKY_MASS_MEASURED], s.hops);
	assert_int_equal(s.probes, s.hops + 2000);
	massbed_release(&b);
}

static void
the_union_of_shards_is_one_run(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 1003, .seed = 9, .unlimited = 1000, .small = 100,
	    .silent_hosts = 200 };
	static uint8_t times[1003];
	struct massbed b;
	struct seen whole, part;
	uint64_t sum, results;

	massbed_init(&b, &net);
	whole = run(&b, &c);
	for (unsigned k = 2; k < 9; k += 3) {
		memset(times, 0, sizeof(times));
		sum = results = 0;
		c.shards = k;
		for (c.shard = 0; c.shard < k; c.shard++) {
			part = (struct seen){ .net = &b.net, .times = times };
			massbed_engine(&b, &c);
			assert_true(massbed_run(&b, see, &part));
			sum += part.sum;
			results += part.results;
		}
		for (unsigned i = 0; i < 1003; i++)
			assert_int_equal(times[i], 1);
		assert_int_equal(results, whole.results);
		assert_true(sum == whole.sum);
	}
	massbed_release(&b);
}

static void
what_was_done_is_left_out(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 1000, .seed = 2, .unlimited = 1000 };
	static uint8_t done[125], times[1000];
	struct seen s;
	struct massbed b;

	massbed_init(&b, &net);
	for (unsigned i = 0; i < 1000; i += 3)
		done[i / 8] |= (uint8_t)(1u << i % 8);
	c.done = done;
	s = (struct seen){ .net = &b.net, .times = times };
	massbed_engine(&b, &c);
	assert_true(massbed_run(&b, see, &s));
	assert_int_equal(s.results, 666);
	assert_int_equal(sky_mass_stats(b.mass)->left_out, 334);
	memset(done, 0xff, sizeof(done));
	massbed_engine(&b, &c);
	assert_true(sky_mass_over(b.mass));
	massbed_release(&b);
}

/* 6 at once and 1 a second is what routers give; they are never asked for more
 * by much, and the rest is told from neighbours, in a time that has a bound. */
static void
no_router_is_asked_beyond_its_budget(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 4000, .seed = 3 };
	struct massbed b;
	struct seen s;
	uint64_t asked = 0, refused = 0;

	massbed_init(&b, &net);
	c.hop_rate = 6;
	s = run(&b, &c);
	for (uint32_t i = 0; i < b.net.routers; i++) {
		asked += b.net.router[i].asked;
		refused += b.net.router[i].refused;
	}
	print_message("# %u routers, %lu errors due, %lu beyond a bucket; %.1f s; "
	    "assumed %lu of %lu, wrong %lu\n",
	    b.net.routers, (unsigned long)asked, (unsigned long)refused, (double)(b.now - S) / 1e9,
	    (unsigned long)s.how[SKY_MASS_ASSUMED], (unsigned long)s.hops, (unsigned long)s.wrong_hop);
	assert_int_equal(s.reached, 4000);
	assert_true(refused * 10 < asked);
	assert_int_equal(s.wrong_how[SKY_MASS_MEASURED] + s.wrong_how[SKY_MASS_SHARED], 0);
	assert_true(s.wrong_hop * 15 < s.hops);
	assert_true(b.now < 60 * S);
	massbed_release(&b);
}

/* The same, all hops of all targets. Parallel questions are only roughly kept to
 * the budget, but what is told stays true. */
/* Over 100 s, by the second: never more than the bucket and the rate allow, nearly as
 * many, whatever the rate, once all is answered. */
static void
a_bucket_gives_what_its_rate_says(void **state)
{
	static const uint32_t rates[] = { 1, 6, 100, 999, 1001, 5000, 100000 };
	static uint64_t memory[4096];
	struct sky_addr a = { .u.in = { .sin_family = AF_INET, .sin_addr = { 1 } } };

	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		uint64_t now = S, end = 101 * S, taken = 0, after = 0;
		struct sky_hops h;
		uint32_t i;

		assert_true(sky_hops_size(16) <= sizeof(memory));
		sky_hops_init(&h, memory, 16, rates[r], 6);
		i = sky_hops_iface(&h, &a);
		while (now < end) {
			uint64_t wait = sky_hops_take(&h, i, now, 10 * S);

			assert_true(wait <= 5 * S);
			now += wait;
			taken++;
			after += now > 51 * S;
			sky_hops_answered(&h, i);
		}
		assert_true(taken <= 6 + 100ull * rates[r] + 1);
		assert_true(after >= 49ull * rates[r]);
	}
}

static void
every_hop_within_a_budget(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 1000, .seed = 3 };
	struct massbed b;
	struct seen s;
	uint64_t asked = 0, refused = 0;

	massbed_init(&b, &net);
	c.hop_rate = 6;
	c.every_hop = true;
	s = run(&b, &c);
	for (uint32_t i = 0; i < b.net.routers; i++) {
		asked += b.net.router[i].asked;
		refused += b.net.router[i].refused;
	}
	print_message("# every hop: errors due %lu, beyond %lu; %.1f s; measured %lu assumed %lu "
	    "silent %lu wrong %lu\n",
	    (unsigned long)asked, (unsigned long)refused, (double)(b.now - S) / 1e9,
	    (unsigned long)s.how[1], (unsigned long)s.how[3], (unsigned long)s.how[0],
	    (unsigned long)s.wrong_hop);
	assert_int_equal(s.reached, 1000);
	assert_int_equal(s.wrong_how[SKY_MASS_MEASURED], 0);
	assert_true(b.now < 120 * S);
	massbed_release(&b);
}

static void
loss_is_neither_silence_nor_a_black_hole(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 4000, .seed = 11, .unlimited = 1000, .small = 200,
	    .loss = 50 };
	struct massbed b;
	struct seen s;

	massbed_init(&b, &net);
	c.tries = 3;
	s = run(&b, &c);
	print_message("# 5 %% each way: reached %lu, MTU wrong %lu, missing hops %lu of %lu, "
	    "unchecked %lu, probes %lu\n",
	    (unsigned long)s.reached, (unsigned long)s.wrong_mtu, (unsigned long)s.missing,
	    (unsigned long)s.hops, (unsigned long)s.unchecked, (unsigned long)s.probes);
	assert_true(s.reached * 1000 >= 4000 * 990);
	assert_true(s.wrong_mtu * 100 <= s.reached);
	assert_int_equal(s.wrong_hop, 0);
	massbed_release(&b);
}

static void
sizes_are_exact_or_told_to_be_bounds(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 2000, .seed = 8, .unlimited = 1000, .small = 300,
	    .holes = 100, .liars = 100 };
	struct massbed b;
	struct seen s;

	massbed_init(&b, &net);
	s = run(&b, &c);
	assert_int_equal(s.reached, 2000);
	assert_int_equal(s.wrong_mtu, 0);	/* all sizes here are usual ones */
	assert_int_equal(s.wrong_hop, 0);
	massbed_release(&b);
}

static void
short_quotes_are_matched_one_at_a_time(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 1000, .seed = 4, .unlimited = 1000, .small = 200 };
	struct massbed b;
	struct seen s;

	massbed_init(&b, &net);
	b.cut_quotes = true;
	s = run(&b, &c);
	assert_int_equal(s.reached, 1000);
	assert_int_equal(s.wrong_hop + s.missing + s.wrong_mtu, 0);
	massbed_release(&b);
}

static void
ways_back_of_another_length_are_noticed(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 2000, .seed = 6, .unlimited = 1000, .crooked = 300 };
	struct massbed b;
	struct seen s;

	massbed_init(&b, &net);
	s = run(&b, &c);
	assert_int_equal(s.reached, 2000);
	assert_int_equal(s.wrong_distance + s.unchecked + s.wrong_hop + s.missing, 0);
	massbed_release(&b);
}

/* Routers that send everything round and round: each TTL ends at one of three. */
static void
a_loop_is_told_and_left(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 1, .seed = 7 };
	struct sky_mass_probe p;
	struct sky_mass_result r;
	uint64_t now = S, deadline;
	unsigned probes = 0;
	struct massbed b;

	massbed_init(&b, &net);
	massbed_engine(&b, &c);
	while (!sky_mass_result(b.mass, &r)) {
		struct sky_mass_answer a = { .what = SKY_HOP_EXCEEDED, .type = 11, .ttl = 60 };

		if (!sky_mass_next(b.mass, now, &p, &deadline)) {
			now = deadline;
			continue;
		}
		assert_true(++probes < 100);
		a.mark = p.mark;
		a.dst = p.dst;
		a.at = now += 1000000;
		a.by.u.in.sin_family = AF_INET;
		a.by.u.in.sin_addr.s_addr = htonl(0x64000001u + p.mark.ttl % 3u);
		sky_mass_answer(b.mass, &a, now);
	}
	assert_int_equal(r.end, SKY_HOP_EXCEEDED);
	assert_true(r.hops >= 16);
	assert_true(probes < 20);
	massbed_release(&b);
}

static void
what_does_not_leave_ends_the_target(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 1, .seed = 7 };
	struct sky_mass_probe p;
	struct sky_mass_result r;
	struct sky_mass_answer a = { .what = SKY_HOP_LOCAL, .err = EACCES, .at = S };
	uint64_t deadline;
	struct massbed b;

	massbed_init(&b, &net);
	massbed_engine(&b, &c);
	assert_int_equal(sky_mass_next(b.mass, S, &p, &deadline), 1);
	a.mark = p.mark;
	a.dst = a.by = p.dst;
	sky_mass_answer(b.mass, &a, S);
	assert_true(sky_mass_result(b.mass, &r));
	assert_int_equal(r.end, SKY_HOP_LOCAL);
	assert_int_equal(r.err, EACCES);
	massbed_engine(&b, &c);
	assert_int_equal(sky_mass_next(b.mass, S, &p, &deadline), 1);
	a.mark = p.mark;
	a.err = EMSGSIZE;
	a.mtu = 1400;
	sky_mass_answer(b.mass, &a, S);
	assert_int_equal(sky_mass_next(b.mass, S, &p, &deadline), 1);
	assert_int_equal(p.mark.len, 1400);
	massbed_release(&b);
}

static void
ignore(void *arg, const struct sky_mass_result *r)
{
	(*(uint64_t *)arg)++;
}

/* Answers that a generator makes up, some with true marks: nothing grows, all
 * ends. */
static void
made_up_answers_change_no_bound(void **state)
{
	struct sky_mass_conf c = plain();
	struct inet_conf net = { .targets = 300, .seed = 7, .silent_hosts = 1000,
	    .silent_routers = 1000 };
	struct sky_mass_probe p;
	struct sky_mass_result r;
	uint64_t now = S, deadline, x = 1, results = 0;
	struct massbed b;

	massbed_init(&b, &net);
	c.routers = 64;
	c.window = 16;
	massbed_engine(&b, &c);
	for (unsigned i = 0; i < 2000000 && !sky_mass_over(b.mass); i++) {
		struct sky_mass_answer a = { .at = now };

		while (sky_mass_result(b.mass, &r))
			ignore(&results, &r);
		if (!sky_mass_next(b.mass, now, &p, &deadline)) {
			now = deadline == UINT64_MAX ? now + S : deadline;
			continue;
		}
		for (int k = 0; k < 3; k++) {
			x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			a.mark = p.mark;
			a.dst = p.dst;
			a.what = (uint8_t)((x >> 40) % 6);
			a.mtu = (uint32_t)(x >> 20) % 2000;
			a.ttl = (uint8_t)(x >> 12);
			a.mark.ttl = (uint8_t)(k == 1 ? x >> 30 : a.mark.ttl);
			a.mark.slot += k == 2 ? (uint32_t)(x >> 50) : 0;
			a.mark.position = (x >> 34) % 8 ? a.mark.position : SKY_MASSMARK_NONE;
			a.by.u.in.sin_family = AF_INET;
			a.by.u.in.sin_addr.s_addr = (uint32_t)(x >> 29);
			sky_mass_answer(b.mass, &a, now);
		}
	}
	while (sky_mass_result(b.mass, &r))
		ignore(&results, &r);
	assert_true(sky_mass_over(b.mass));
	assert_int_equal(results, 300);
	assert_true(sky_mass_hops(b.mass)->ifaces <= 64);
	massbed_release(&b);
}

static void
marks_are_sealed(void **state)
{
	const uint64_t key[2] = { 11, 22 }, other[2] = { 11, 23 };
	struct sky_massmark m = { .position = UINT64_C(0xfedcba9876), .slot = 77, .sent_us = 99,
	    .len = 1500, .ttl = 64 }, got;
	uint8_t data[SKY_MASSMARK_LEN];

	sky_massmark_encode(&m, key, data);
	assert_true(sky_massmark_decode(&got, key, data, sizeof(data)));
	assert_true(got.position == m.position && got.slot == m.slot && got.len == m.len &&
	    got.sent_us == m.sent_us && got.ttl == m.ttl);
	assert_false(sky_massmark_decode(&got, other, data, sizeof(data)));
	for (unsigned n = 0; n < sizeof(data); n++) {
		uint8_t *cut = exact(data, n);

		assert_false(sky_massmark_decode(&got, key, cut, n));
		free(cut);
	}
	for (unsigned bit = 0; bit < sizeof(data) * 8; bit++) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(sky_massmark_decode(&got, key, data, sizeof(data)));
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
nonsense_is_refused(void **state)
{
	static const struct sky_targets none;
	struct sky_mass_conf ok = plain(), c;
	uint64_t word;

	ok.targets = &none;
	c = ok, c.shard = 1;
	assert_null(sky_mass_init(&word, SIZE_MAX, &c));
	c = ok, c.window = 0;
	assert_null(sky_mass_init(&word, SIZE_MAX, &c));
	c = ok, c.max_ttl = SKY_MASS_HOPS + 1;
	assert_null(sky_mass_init(&word, SIZE_MAX, &c));
	c = ok, c.mtu = 67;
	assert_null(sky_mass_init(&word, SIZE_MAX, &c));
	assert_null(sky_mass_init(&word, sky_mass_size(&ok) - 1, &ok));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_sealed),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(all_is_found_where_nothing_is_in_the_way),
		cmocka_unit_test(every_hop_asks_each),
		cmocka_unit_test(the_union_of_shards_is_one_run),
		cmocka_unit_test(what_was_done_is_left_out),
		cmocka_unit_test(no_router_is_asked_beyond_its_budget),
		cmocka_unit_test(a_bucket_gives_what_its_rate_says),
		cmocka_unit_test(every_hop_within_a_budget),
		cmocka_unit_test(loss_is_neither_silence_nor_a_black_hole),
		cmocka_unit_test(sizes_are_exact_or_told_to_be_bounds),
		cmocka_unit_test(short_quotes_are_matched_one_at_a_time),
		cmocka_unit_test(ways_back_of_another_length_are_noticed),
		cmocka_unit_test(a_loop_is_told_and_left),
		cmocka_unit_test(what_does_not_leave_ends_the_target),
		cmocka_unit_test(made_up_answers_change_no_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
