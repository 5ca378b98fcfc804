/* SPDX-License-Identifier: BSD-2-Clause */
/* model.c - what the ledger's header says, done the slow way; see model.h. */
#include "model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct model m;

bool
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

int
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

struct packet *
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

int
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

void
model_close(bool expected)
{
	for (int i = 0; i < m.n && expected; i++)
		if (m.packets[i].final == SKY_SENT)
			change(&m.packets[i], SKY_SILENT);
}
