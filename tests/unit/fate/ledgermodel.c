/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger against the model of model.h. Random histories from fixed seeds;
 * after each step all sums, rows and return values are compared, and the promise
 * itself is checked: per destination the finals sum to what was sent.
 */
#include "model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 4000, STEPS = 150, HOSTS = 3 };

static uint64_t state;

static unsigned
pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

static struct sky_addr
address(unsigned host, unsigned port)
{
	struct sky_addr a = { 0 };

	if (host == 2) {
		a.u.in6.sin6_family = AF_INET6;
		a.u.in6.sin6_addr.s6_addr[15] = 1;
	} else {
		a.u.in.sin_family = AF_INET;
		a.u.in.sin_addr.s_addr = htonl(0xc0000200u + host);
	}
	sky_addr_set_port(&a, (uint16_t)port);
	return a;
}

/* --- the comparison --- */

static void
check_sums(const struct sky_ledger_dest *got, const struct sky_ledger_dest *want, uint64_t rtt_sum)
{
	uint64_t finals = 0;

	for (int w = 1; w < SKY_WHATS; w++) {
		assert_int_equal(got->counts[w], want->counts[w]);
		assert_int_equal(got->lost[w], want->lost[w]);
		finals += is_final(w) ? got->counts[w] : 0;
	}
	assert_int_equal(finals, got->sent);
	assert_int_equal(got->sent, want->sent);
	assert_int_equal(got->received, want->received);
	assert_int_equal(got->rtts, want->rtts);
	assert_int_equal(got->rtt_min_ns, want->rtt_min_ns);
	assert_int_equal(got->rtt_max_ns, want->rtt_max_ns);
	assert_int_equal(got->rtt_mean_ns, want->rtts ? rtt_sum / want->rtts : 0);
}

static void
check_total(const struct sky_ledger *l)
{
	struct sky_ledger_dest got, want = { 0 };
	uint64_t rtt_sum = 0;

	for (int d = 0; d <= DESTS; d++) {
		const struct sky_ledger_dest *s = &m.sums[d];

		want.sent += s->sent;
		want.received += s->received;
		for (int w = 1; w < SKY_WHATS; w++) {
			want.counts[w] += s->counts[w];
			want.lost[w] += s->lost[w];
		}
		if (s->rtts && (!want.rtts || s->rtt_min_ns < want.rtt_min_ns))
			want.rtt_min_ns = s->rtt_min_ns;
		if (s->rtt_max_ns > want.rtt_max_ns)
			want.rtt_max_ns = s->rtt_max_ns;
		want.rtts += s->rtts;
		rtt_sum += m.rtt_sum[d];
	}
	sky_ledger_total(l, &got);
	check_sums(&got, &want, rtt_sum);
	assert_int_equal(sky_ledger_open(l), want.counts[SKY_SENT]);
}

static void
check(const struct sky_ledger *l)
{
	struct sky_ledger_dest got;
	struct sky_ledger_row row;

	assert_int_equal(sky_ledger_dests(l), m.dests);
	for (int i = 0; i < m.dests; i++) {
		assert_int_equal(sky_ledger_dest(l, (unsigned)i, &got), 0);
		assert_true(sky_addr_equal(&got.dst, &m.addr[i]));
		check_sums(&got, &m.sums[i], m.rtt_sum[i]);
	}
	assert_int_equal(sky_ledger_dest(l, (unsigned)m.dests, &got), -ENOENT);
	assert_int_equal(sky_ledger_rows(l), m.rows_n);
	for (int i = 0; i < m.rows_n; i++) {
		assert_int_equal(sky_ledger_row(l, (unsigned)i, &row), 0);
		assert_int_equal(row.dest, m.rows[i].dest);
		assert_int_equal(row.what, m.rows[i].what);
		assert_int_equal(row.count, m.rows[i].count);
		assert_null(row.last.quote);
	}
	assert_int_equal(sky_ledger_overflow(l), m.overflow);
	check_total(l);
}

/* --- random histories --- */

static struct sky_fate
random_fate(void)
{
	static const uint8_t common[] = {
		SKY_ANSWERED, SKY_ANSWERED, SKY_REFUSED, SKY_REFUSED, SKY_TOO_BIG,
		SKY_SILENT, SKY_QUENCHED, SKY_REASSEMBLY_TIMEOUT, SKY_NO_NEIGHBOUR,
		SKY_FILTERED_LOCAL, SKY_TRUNCATED, SKY_DROPPED_RECEIVING,
	};
	struct sky_fate f = { .size = sizeof f, .quote = "quote", .quote_len = 5 };

	f.what = pick(4) ? common[pick(sizeof common)] : (uint8_t)pick(SKY_WHATS);
	f.evidence = (uint8_t)pick(pick(2) ? SKY_EVIDENCES : 4);
	f.trust = pick(10) ? SKY_TRUST_MATCHED : SKY_TRUST_MISMATCH;
	f.origin = (uint8_t)pick(4);
	f.have = pick(12) ? SKY_HAVE_DST : 0;
	f.have |= pick(2) ? SKY_HAVE_SEQ : 0;
	f.have |= pick(2) ? SKY_HAVE_BY : 0;
	f.have |= pick(2) ? SKY_HAVE_ICMP : 0;
	f.have |= pick(3) ? SKY_HAVE_TIME : 0;
	f.have |= pick(6) ? 0 : SKY_HAVE_RTT;
	f.dst = address(pick(HOSTS), pick(8) ? 1 + pick(2) : 0);
	f.by = address(pick(2), pick(2));
	f.icmp_type = 3;
	f.icmp_code = (uint8_t)pick(2);
	f.seq = pick(20);
	f.time_ns = pick(2000);
	f.rtt_ns = pick(1000);
	f.count = pick(4) ? 0 : pick(5);
	return f;
}

static void
step_sent(struct sky_ledger *l)
{
	struct sky_addr dst = address(pick(HOSTS), 1 + pick(2));
	uint64_t seq = pick(20), n = pick(2) ? 1 : pick(6), time = pick(1000);
	int dest = get_dest(&dst);

	for (uint64_t i = 0; i < n; i++)
		new_packet(dest, seq + i, time, true);
	m.overflow += dest == DESTS ? n : 0;
	assert_int_equal(sky_ledger_sent_many(l, &dst, seq, n, time),
	    dest == DESTS ? -ENOSPC : 0);
}

static void
step(struct sky_ledger *l)
{
	struct sky_fate f;
	int want;

	switch (pick(16)) {
	default:
		f = random_fate();
		want = model_take(&f);
		assert_int_equal(sky_ledger_take(l, &f), want);
		break;
	case 0: case 1: case 2: case 3: case 4: case 5:
		step_sent(l);
		break;
	case 6:
		if (pick(8))
			break;
		want = (int)pick(2);
		model_close(want);
		sky_ledger_close(l, want);
	}
}

static void
random_histories(void **unused)
{
	struct sky_ledger l;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		unsigned dests, rows, recent;
		size_t size;
		void *room;

		state = seed * 0x9e3779b97f4a7c15u;
		memset(&m, 0, sizeof m);
		m.max_dests = (int)(dests = pick(DESTS + 1));
		m.max_rows = (int)(rows = pick(4) ? RELATIONS : pick(6));
		m.recent = (int)(recent = pick(3) ? pick(12) : 64);
		size = sky_ledger_room(dests, rows, recent);
		room = malloc(size);
		assert_non_null(room);
		assert_int_equal(sky_ledger_init(&l, room, size - 1, dests, rows, recent), -EINVAL);
		assert_int_equal(sky_ledger_init(&l, room, size, dests, rows, recent), 0);
		for (int i = 0; i < STEPS; i++) {
			step(&l);
			check(&l);
		}
		free(room);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories),
	};

	return cmocka_run_group_tests_name("random histories agree with the model",
	    tests, NULL, NULL);
}
