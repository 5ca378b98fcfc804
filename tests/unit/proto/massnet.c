/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated Internet of 100,000 destinations: what the engine spends and finds
 * there, beside one who asks every hop of every target as traceroute does.
 * unit-proto-massnet TARGETS RATE is another size, for figures.
 */
#include "../wire/test.h"

#include "massbed.h"

#include "proto/perm.h"

#include <arpa/inet.h>

#define S UINT64_C(1000000000)

static uint32_t targets = 100000, rate = 20000;

static const struct inet_conf world = {
	.seed = 20261122, .silent_hosts = 400, .filtered = 30,
	.silent_routers = 40, .branched = 150, .small = 80, .holes = 10, .liars = 10,
	.crooked = 50, .unlimited = 200, .fast = 300, .loss = 3,
};

struct tally {
	const struct inet *net;
	uint64_t results, reached, can, mtu_right, mtu_bounds, false_hole;
	uint64_t distance_wrong, checked;
	uint64_t hops, found, beside, wrong, how[4], wrong_how[4], to_find;
};

static void
count_hops(struct tally *t, const struct sky_mass_result *r, uint32_t i)
{
	uint32_t hop[INET_HOPS];
	unsigned n = inet_path(t->net, i, hop);

	for (unsigned k = 0; k < n; k++)
		t->to_find += hop[k] != 0;
	for (unsigned k = 0; k < r->hops; k++) {
		uint32_t by = ntohl(r->hop[k].by.u.in.sin_addr.s_addr);
		uint8_t how = r->hop[k].how;

		t->hops++;
		t->how[how]++;
		if (how == SKY_MASS_SILENT)
			continue;
		if (k < n && by == hop[k]) {
			t->found++;
			continue;
		}
		if (inet_beside(t->net, i, k, by)) {
			t->beside++;
			continue;
		}
		t->wrong++;
		t->wrong_how[how]++;
	}
}

static void
count(void *arg, const struct sky_mass_result *r)
{
	struct tally *t = arg;
	uint32_t i = inet_number(t->net, ntohl(r->dst.u.in.sin_addr.s_addr)), hop[INET_HOPS];
	bool hole, liar;
	unsigned mtu = inet_mtu(t->net, i, &hole, &liar);

	t->results++;
	t->can += inet_answers(t->net, i);
	count_hops(t, r, i);
	if (r->end != SKY_HOP_REACHED)
		return;
	t->reached++;
	t->mtu_right += r->pmtu == mtu;
	t->mtu_bounds += r->pmtu <= mtu && (!r->pmtu_below || r->pmtu_below > mtu);
	t->false_hole += !hole && (r->flags & SKY_MASS_BLACK_HOLE);
	t->checked += !!(r->flags & SKY_MASS_CHECKED);
	t->distance_wrong += (r->flags & SKY_MASS_CHECKED) &&
	    r->distance != inet_path(t->net, i, hop) + 1;
}

/* Each TTL of each target once, up to the one that ends it; targets in a random
 * order, at the same rate. What the limits leave of that. */
struct naive {
	uint64_t probes, answers, to_find;
	double seconds;
};

static void
ask_naively(struct inet *net, struct naive *v)
{
	struct sky_perm p;
	struct inet_answer a;
	uint32_t hop[INET_HOPS];

	sky_perm_init(&p, targets, 3);
	for (uint32_t k = 0; k < targets; k++) {
		uint32_t i = (uint32_t)sky_perm_at(&p, k);
		unsigned n = inet_path(net, i, hop), last = inet_answers(net, i) ? n + 1 : n + 5;

		for (unsigned t = 1; t <= last; t++) {
			inet_probe(net, v->probes++ * (S / rate), i, t, 60, &a);
			v->answers += a.what == INET_EXCEEDED;
			v->to_find += t <= n && hop[t - 1];
		}
	}
	v->seconds = (double)v->probes / rate;
}

static void
report(const struct massbed *b, const struct tally *t, const struct naive *v, double seconds)
{
	const struct sky_mass_stats *s = sky_mass_stats(b->mass);

	print_message("# %u routers; %.2f probes a target (naive %.2f), "
	    "%.1f s at %u/s (naive %.1f s)\n",
	    b->net.routers, (double)s->probes / targets, (double)v->probes / targets, seconds,
	    rate, v->seconds);
	print_message("# hops found %.2f %% (naive %.2f %%): measured %.1f %%, shared %.1f %%, "
	    "assumed %.1f %%; beside %.2f %%, wrong %.2f %%\n", 100.0 * (double)t->found / (double)t->to_find,
	    100.0 * (double)v->answers / (double)v->to_find,
	    100.0 * (double)t->how[1] / (double)t->hops, 100.0 * (double)t->how[2] / (double)t->hops,
	    100.0 * (double)t->how[3] / (double)t->hops,
	    100.0 * (double)t->beside / (double)t->hops, 100.0 * (double)t->wrong / (double)t->hops);
	print_message("# wrong: measured %lu, shared %lu, assumed %lu; reached %lu of %lu; "
	    "MTU right %lu, in bounds %lu, false holes %lu; checked %lu, wrong %lu\n",
	    (unsigned long)t->wrong_how[1], (unsigned long)t->wrong_how[2],
	    (unsigned long)t->wrong_how[3], (unsigned long)t->reached, (unsigned long)t->can,
	    (unsigned long)t->mtu_right, (unsigned long)t->mtu_bounds,
	    (unsigned long)t->false_hole, (unsigned long)t->checked,
	    (unsigned long)t->distance_wrong);
	print_message("# denied %lu, debt %.0f s, interfaces %u\n", (unsigned long)s->denied,
	    (double)sky_mass_debt(b->mass) / 1e9, sky_mass_hops(b->mass)->ifaces);
}

static void
beyond(const struct inet *net, uint64_t *asked, uint64_t *refused)
{
	*asked = *refused = 0;
	for (uint32_t i = 0; i < net->routers; i++) {
		*asked += net->router[i].asked;
		*refused += net->router[i].refused;
	}
	print_message("# errors asked for %lu, beyond the limits %lu\n", (unsigned long)*asked,
	    (unsigned long)*refused);
}

static void
an_internet_of_a_hundred_thousand(void **state)
{
	struct sky_mass_conf c = { .seed = 1, .shards = 1, .window = 65536, .routers = 1 << 20,
	    .rate = rate, .hop_rate = 6, .hop_burst = 6, .mtu = 1500, .max_ttl = 32,
	    .split = 16, .gap = 5, .tries = 2, .patience_ns = 5 * S };
	uint64_t asked, refused, naive_asked, naive_refused;
	struct naive v = { 0 };
	struct inet_conf w = world;
	struct massbed b;
	struct tally t = { 0 };

	w.targets = targets;
	massbed_init(&b, &w);
	t.net = &b.net;
	massbed_engine(&b, &c);
	assert_true(massbed_run(&b, count, &t));
	beyond(&b.net, &asked, &refused);
	inet_free(&b.net);
	inet_make(&b.net, &w);
	ask_naively(&b.net, &v);
	beyond(&b.net, &naive_asked, &naive_refused);
	report(&b, &t, &v, (double)(b.now - S) / 1e9);

	assert_int_equal(t.results, targets);
	assert_true(sky_mass_stats(b.mass)->probes * 100 < v.probes * 40);
	assert_true((double)(b.now - S) / 1e9 < v.seconds);
	assert_true(refused * 100 < asked * 5);
	assert_true(t.found * v.to_find * 100 > v.answers * t.to_find * 120);
	assert_true(t.reached * 1000 >= t.can * 999);
	assert_true(t.mtu_right * 1000 >= t.reached * 999);
	assert_true(t.mtu_bounds * 1000 >= t.reached * 999);
	assert_true(t.false_hole <= 5);
	assert_true(t.distance_wrong * 200 <= t.checked);
	assert_int_equal(t.wrong_how[SKY_MASS_MEASURED] + t.wrong_how[SKY_MASS_SHARED], 0);
	assert_true(t.wrong * 40 < t.hops);
	massbed_release(&b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_internet_of_a_hundred_thousand),
	};

	if (argc == 3) {
		targets = (uint32_t)strtoul(argv[1], NULL, 10);
		rate = (uint32_t)strtoul(argv[2], NULL, 10);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
