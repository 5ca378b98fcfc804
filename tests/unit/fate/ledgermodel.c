/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger against a model that keeps every datagram in one array and looks
 * through all of them each time. Random histories from fixed seeds; after each
 * step all sums, rows and return values are compared, and the promise itself is
 * checked: per destination the finals sum to what was sent.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <sockeye/ledger.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 4000, STEPS = 150, MANY = 4096, DESTS = 4, HOSTS = 3, RELATIONS = 512 };

struct packet {
	int dest;			/* DESTS: the rest */
	uint64_t seq, time;
	bool held;
	int final;
	unsigned since;			/* when it got its final fate */
	uint32_t seen;
	unsigned answers[SKY_EVIDENCES];
};

struct relation {
	int dest, what, by, type, code;
	uint64_t count, exact, told[SKY_EVIDENCES];
};

static struct model {
	struct packet packets[MANY];
	int n, clock;
	struct sky_addr addr[DESTS];
	struct sky_ledger_dest sums[DESTS + 1];
	uint64_t rtt_sum[DESTS + 1], overflow;
	uint64_t lost[SKY_WHATS][SKY_EVIDENCES];
	struct relation rows[RELATIONS];
	int dests, rows_n, max_dests, max_rows, recent;
} m;

static uint64_t state;

static unsigned
pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

static bool
is_final(int what)
{
	return sky_fate_class(what) != SKY_CLASS_NOTE;
}

/* The order that design and header give, in this test's own numbers. */
static int
strength(int what)
{
	switch (what) {
	case SKY_SENT:
		return 1;
	case SKY_SILENT:
		return 2;
	case SKY_QUENCHED:
		return 3;
	case SKY_REASSEMBLY_TIMEOUT:
		return 4;
	case SKY_ANSWERED:
		return 6;
	default:
		return 5;
	}
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

static int
find_dest(const struct sky_addr *a, bool by_host)
{
	int best = -1;

	for (int i = 0; i < m.dests; i++)
		if (sky_addr_equal(&m.addr[i], a))
			return i;
	if (!by_host || sky_addr_port(a))
		return -1;
	for (int i = m.dests - 1; i >= 0; i--) {
		if (!sky_addr_same_host(&m.addr[i], a))
			continue;
		if (m.sums[i].counts[SKY_SENT])
			return i;
		best = best < 0 ? i : best;
	}
	return best;
}

static int
get_dest(const struct sky_addr *a)
{
	int d = find_dest(a, false);

	if (d >= 0)
		return d;
	if (m.dests == m.max_dests)
		return DESTS;
	m.addr[m.dests] = *a;
	m.sums[m.dests].dst = *a;
	return m.dests++;
}

static struct packet *
new_packet(int dest, uint64_t seq, uint64_t time, bool hold)
{
	struct packet *p = &m.packets[m.n++];
	int held = 0;

	assert_true(m.n < MANY);
	*p = (struct packet){ .dest = dest, .seq = seq, .time = time, .final = SKY_SENT };
	p->since = (unsigned)m.clock++;
	p->held = hold && dest < DESTS && m.recent > 0;
	for (int i = m.n - 1; i >= 0; i--)
		if (m.packets[i].held && ++held > m.recent)
			m.packets[i].held = false;
	m.sums[dest].sent++;
	m.sums[dest].counts[SKY_SENT]++;
	return p;
}

static void
change(struct packet *p, int to)
{
	m.sums[p->dest].counts[p->final]--;
	m.sums[p->dest].counts[to]++;
	p->final = to;
	p->since = (unsigned)m.clock++;
}

/* The oldest of a fate: first those that are not told apart any more. */
static struct packet *
oldest(int dest, int final, bool loose)
{
	struct packet *best = NULL;

	for (int i = 0; i < m.n; i++) {
		struct packet *p = &m.packets[i];

		if (p->dest != dest || p->final != final)
			continue;
		if (!p->held)
			return p;
		if (!loose && (!best || p->since < best->since))
			best = p;
	}
	return best;
}

static struct packet *
by_seq(int dest, uint64_t seq)
{
	for (int i = m.n - 1; i >= 0; i--)
		if (m.packets[i].held && m.packets[i].dest == dest && m.packets[i].seq == seq)
			return &m.packets[i];
	return NULL;
}

static bool
plain(int what, const struct sky_fate *f)
{
	return sky_fate_class(what) == SKY_CLASS_LOCAL || f->origin == SKY_ORIGIN_LOCAL;
}

static struct relation *
relation(int dest, int what, const struct sky_fate *f)
{
	struct relation key = { .dest = dest, .what = what, .by = -2 };

	if (dest == DESTS)
		return NULL;
	if (!plain(what, f)) {
		key.by = f->have & SKY_HAVE_BY ? f->by.u.sa.sa_data[5] : -1;
		key.type = f->have & SKY_HAVE_ICMP ? f->icmp_type : 0;
		key.code = f->have & SKY_HAVE_ICMP ? f->icmp_code : 0;
	}
	for (int i = 0; i < m.rows_n; i++) {
		struct relation *r = &m.rows[i];

		if (r->dest == dest && r->what == what && r->by == key.by &&
		    r->type == key.type && r->code == key.code)
			return r;
	}
	if (m.rows_n == m.max_rows)
		return NULL;
	m.rows[m.rows_n] = key;
	return &m.rows[m.rows_n++];
}

static uint64_t
grow(struct relation *r, uint64_t to)
{
	uint64_t more = to > r->count ? to - r->count : 0;

	r->count += more;
	return more;
}

static void
measure(struct packet *p, const struct sky_fate *f)
{
	uint64_t rtt = f->rtt_ns;
	struct sky_ledger_dest *s;

	if (f->what != SKY_ANSWERED)
		return;
	if (!(f->have & SKY_HAVE_RTT)) {
		if (!p->held || !(f->have & SKY_HAVE_TIME) || f->time_ns < p->time ||
		    f->count > 1)
			return;
		rtt = f->time_ns - p->time;
	}
	s = &m.sums[p->dest];
	s->rtt_min_ns = s->rtts == 0 || rtt < s->rtt_min_ns ? rtt : s->rtt_min_ns;
	s->rtt_max_ns = rtt > s->rtt_max_ns ? rtt : s->rtt_max_ns;
	s->rtts++;
	m.rtt_sum[p->dest] += rtt;
}

static void
settle(struct packet *p, const struct sky_fate *f, bool timed)
{
	if (strength(f->what) > strength(p->final)) {
		m.sums[p->dest].counts[SKY_LATE] += p->final == SKY_SILENT;
		if (timed)
			measure(p, f);
		change(p, f->what);
	} else if (f->what == SKY_ANSWERED) {
		m.sums[p->dest].counts[SKY_DUPLICATED]++;
	}
}

static struct packet *
weakest(int dest, const struct sky_fate *f, bool loose, bool overrule)
{
	for (int level = 1; level < strength(f->what) && level < 5; level++)
		for (int w = 1; w < SKY_WHATS; w++)
			if (is_final(w) && strength(w) == level && oldest(dest, w, loose))
				return oldest(dest, w, loose);
	for (int w = 1; overrule && w < SKY_WHATS; w++)
		if (is_final(w) && strength(w) == 5 && oldest(dest, w, loose))
			return oldest(dest, w, loose);
	return NULL;
}

static void
settle_some(int dest, const struct sky_fate *f, uint64_t n)
{
	bool first = f->what == SKY_ANSWERED && !m.sums[dest].counts[SKY_ANSWERED];
	bool loose = f->have & SKY_HAVE_SEQ && f->count <= 1;

	for (uint64_t i = 0; i < n; i++) {
		struct packet *p = weakest(dest, f, loose, first && i == 0);
		int note = f->what == SKY_ANSWERED ? SKY_DUPLICATED : SKY_STRAY;

		if (p)
			settle(p, f, i == 0);
		else
			m.sums[dest].counts[note]++;
	}
}

static bool
fresh(struct packet *p, int what, int e)
{
	bool seen = p->seen >> what & 1;
	unsigned most = 0;

	p->seen |= 1u << what;
	if (what != SKY_ANSWERED)
		return !seen;
	for (int i = 0; i < SKY_EVIDENCES; i++)
		most = p->answers[i] > most ? p->answers[i] : most;
	return ++p->answers[e] > most;
}

static int
enter(int dest, struct packet *p, int what, const struct sky_fate *f, uint64_t n)
{
	struct relation *r = relation(dest, what, f);
	bool is_new = !p || fresh(p, what, f->evidence);
	uint64_t news = is_new ? n : 0;

	if (r && p && !is_new) {
		r->told[f->evidence] += r->told[f->evidence] < r->count;
	} else if (r) {
		r->told[f->evidence] += n;
		r->exact += p != NULL;
		news = grow(r, r->told[f->evidence]);
		if (p)
			news += grow(r, r->exact);
		news = p && news ? 1 : news;
	}
	if (!r)
		m.overflow += news;
	if (what == SKY_ANSWERED)
		m.sums[dest].received += news;
	if (news && !is_final(what))
		m.sums[dest].counts[what] += news;
	else if (news && p)
		settle(p, f, true);
	else if (news)
		settle_some(dest, f, news);
	return !r && news ? -ENOSPC : news > 0;
}

static int
model_call(const struct sky_fate *f, uint64_t n)
{
	int dest = get_dest(&f->dst);
	bool hold = f->have & SKY_HAVE_SEQ && n == 1 && dest < DESTS && m.recent;
	struct relation *r;
	uint64_t news = n;

	if (hold)
		return enter(dest, new_packet(dest, f->seq, f->time_ns, true), f->what, f, 1);
	r = relation(dest, f->what, f);
	if (r) {
		r->told[SKY_BY_CALL] += n;
		news = grow(r, r->told[SKY_BY_CALL]);
	} else {
		m.overflow += n;
	}
	for (uint64_t i = 0; i < n; i++) {
		struct packet *p = new_packet(dest, 0, 0, false);

		if (i < news)
			change(p, f->what);
	}
	return r ? news > 0 : -ENOSPC;
}

static int
model_nowhere(const struct sky_fate *f, uint64_t n)
{
	struct sky_ledger_dest *s = &m.sums[DESTS];
	uint64_t *told = &m.lost[f->what][f->evidence];

	if (!is_final(f->what) || f->have & SKY_HAVE_DST ||
	    sky_fate_class(f->what) != SKY_CLASS_LOCAL) {
		s->counts[is_final(f->what) ? SKY_STRAY : f->what] += n;
		return 1;
	}
	*told += n;
	if (*told <= s->lost[f->what])
		return 0;
	s->lost[f->what] = *told;
	return 1;
}

static int
model_silence(int dest, struct packet *p, bool loose, uint64_t n)
{
	int done = 0;

	if (p) {
		if (p->final != SKY_SENT)
			return 0;
		change(p, SKY_SILENT);
		return 1;
	}
	for (; n > 0 && (p = oldest(dest, SKY_SENT, loose)); n--, done = 1)
		change(p, SKY_SILENT);
	return done;
}

static int
model_take(const struct sky_fate *f)
{
	uint64_t n = f->count ? f->count : 1;
	bool from_icmp = f->origin == SKY_ORIGIN_ICMP || f->origin == SKY_ORIGIN_ICMP6;
	bool one = f->have & SKY_HAVE_SEQ && n == 1;
	struct packet *p = NULL;
	int dest;

	if (f->what == SKY_NOTHING || f->what == SKY_SENT)
		return 0;
	if (!(f->have & SKY_HAVE_DST))
		return model_nowhere(f, n);
	if (f->evidence == SKY_BY_CALL && !from_icmp && f->trust != SKY_TRUST_MISMATCH &&
	    (sky_fate_class(f->what) == SKY_CLASS_LOCAL || f->what == SKY_TOO_BIG))
		return model_call(f, n);
	dest = find_dest(&f->dst, true);
	if (dest < 0 && m.sums[DESTS].sent)
		dest = DESTS;
	if (dest < 0)
		return model_nowhere(f, n);
	if (f->trust == SKY_TRUST_MISMATCH)
		return enter(dest, NULL, SKY_STRAY, f, n);
	if (one)
		p = by_seq(dest, f->seq);
	if (f->what == SKY_SILENT)
		return model_silence(dest, p, one, n);
	return enter(dest, p, f->what, f, n);
}

static void
model_close(bool expected)
{
	for (int i = 0; i < m.n && expected; i++)
		if (m.packets[i].final == SKY_SENT)
			change(&m.packets[i], SKY_SILENT);
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
