/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpd's tables: registrations against a plain list, queues against a plain row of
 * records; what they cost in memory.
 */
#include "../wire/test.h"
#include "prog/icmpd/queue.h"
#include "prog/icmpd/table.h"

#include <errno.h>

enum { CLIENTS = 5, STEPS = 20000, COOKIES = 300, MANY = 100000 };

static const uint64_t key[2] = { 3, 4 };
static uint64_t seed = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 20) % n;
}

static struct sky_icmpdmsg_socket
a_socket(uint64_t cookie, uint32_t id, uint16_t port, bool group)
{
	struct sky_icmpdmsg_socket s = { .id = id, .cookie = cookie, .proto = 17,
		.family = AF_INET, .flags = group ? SKY_ICMPDMSG_GROUP : 0 };

	assert_int_equal(sky_addr_parse(&s.local, "127.0.0.1"), 0);
	sky_addr_set_port(&s.local, port);
	return s;
}

/* The list: what a client said last of a cookie. */
struct said {
	bool is;
	uint32_t id;
	uint16_t port;
	bool group;
};
static struct said said[CLIENTS][COOKIES];

static void
compare(const struct table *t, uint64_t cookie, uint16_t port)
{
	unsigned found = 0, want = 0, group = 0, want_group = 0;
	const struct reg *r;

	for (r = table_by_cookie(t, cookie); r; r = table_next_cookie(t, r), found++) {
		assert_true(said[r->client][cookie - 1].is);
		assert_int_equal(said[r->client][cookie - 1].id, r->id);
	}
	for (r = table_by_group(t, 17, port); r; r = table_next_group(t, r), group++) {
		assert_true(said[r->client][r->cookie - 1].group);
		assert_int_equal(said[r->client][r->cookie - 1].port, port);
	}
	for (unsigned c = 0; c < CLIENTS; c++) {
		want += said[c][cookie - 1].is;
		for (unsigned i = 0; i < COOKIES; i++)
			want_group += said[c][i].is && said[c][i].group && said[c][i].port == port;
	}
	assert_int_equal(found, want);
	assert_int_equal(group, want_group);
}

static void
like_a_list(void **state)
{
	uint32_t own[CLIENTS], used = 0;
	struct table t;

	memset(own, 0xff, sizeof(own));
	assert_int_equal(table_init(&t, key), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned c = random_below(CLIENTS), i = random_below(COOKIES);
		struct table_owner o = { c, 1000, &own[c] };
		struct said *x = &said[c][i];
		struct sky_icmpdmsg_socket s = a_socket(i + 1, random_below(1000),
		    (uint16_t)(1 + random_below(8)), random_below(2));

		if (random_below(1000) == 0) {
			used -= table_remove_all(&t, &o);
			memset(said[c], 0, sizeof(said[c]));
		} else if (random_below(5) < 3) {
			assert_int_equal(table_put(&t, &o, &s), !x->is);
			used += !x->is;
			*x = (struct said){ true, s.id, sky_addr_port(&s.local),
				s.flags & SKY_ICMPDMSG_GROUP };
		} else {
			assert_false(table_remove(&t, &o, x->id + 1, i + 1));
			assert_int_equal(table_remove(&t, &o, x->id, i + 1), x->is);
			used -= x->is;
			*x = (struct said){ .is = false };
		}
		assert_int_equal(t.used, used);
		compare(&t, i + 1, (uint16_t)(1 + random_below(8)));
	}
	table_release(&t);
}

/* One user cannot keep another from a socket by asking for it often. */
static void
a_crowd_of_one_user(void **state)
{
	uint32_t own[20];
	struct sky_icmpdmsg_socket s = a_socket(7, 1, 9, false);
	struct table t;
	int let = 0;

	memset(own, 0xff, sizeof(own));
	assert_int_equal(table_init(&t, key), 0);
	for (uint32_t c = 0; c < 19; c++) {
		struct table_owner o = { c, 1000, &own[c] };
		int r = table_put(&t, &o, &s);

		assert_true(r == 1 || r == -ENOSPC);
		let += r == 1;
	}
	assert_int_equal(let, TABLE_SAME_COOKIE);
	assert_int_equal(table_put(&t, &(struct table_owner){ 19, 1001, &own[19] }, &s), 1);
	table_release(&t);
}

/* A user's group has an end, another user's of the same port does not count. */
static void
a_large_group(void **state)
{
	uint32_t own = TABLE_NONE, others = TABLE_NONE;
	struct table_owner o = { 0, 1000, &own }, other = { 1, 1001, &others };
	struct sky_icmpdmsg_socket s = a_socket(1, 1, 9, true);
	struct table t;

	assert_int_equal(table_init(&t, key), 0);
	for (uint32_t i = 1; i <= TABLE_GROUP; i++) {
		s.cookie = i;
		assert_int_equal(table_put(&t, &o, &s), 1);
	}
	assert_int_equal(table_put(&t, &o, &s), 0);
	s.cookie = TABLE_GROUP + 1;
	assert_int_equal(table_put(&t, &o, &s), -ENOSPC);
	assert_int_equal(table_put(&t, &other, &s), 1);
	assert_int_equal(table_by_group(&t, 17, 9)->local, table_local(&s.local));
	s.flags = 0;
	assert_int_equal(table_put(&t, &o, &s), 1);
	table_release(&t);
}

/* At most 256 bytes for a socket, and given up places are used again. */
static void
memory(void **state)
{
	uint32_t own = TABLE_NONE, touched;
	struct table_owner o = { 0, 0, &own };
	struct table t;
	size_t bytes;

	assert_int_equal(table_init(&t, key), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		struct sky_icmpdmsg_socket s = a_socket(i + 1, i, (uint16_t)(1 + i % 60000), true);

		assert_int_equal(table_put(&t, &o, &s), 1);
	}
	bytes = t.cap * sizeof(*t.reg) + 2 * t.buckets * sizeof(uint32_t);
	print_message("# %zu bytes for each of %d sockets\n", bytes / MANY, MANY);
	assert_true(bytes / MANY <= 256);
	touched = t.touched;
	assert_int_equal(table_remove_all(&t, &o), MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		struct sky_icmpdmsg_socket s = a_socket(2 * i + 1, i, 9, false);

		assert_int_equal(table_put(&t, &o, &s), 1);
	}
	assert_int_equal(t.touched, touched);
	table_release(&t);
}

static bool
put(struct queue *q, uint32_t limit, enum sky_icmpdmsg_kind kind, uint64_t n)
{
	struct sky_icmpdmsg_out o;

	if (!queue_room(q, limit, &o))
		return false;
	sky_icmpdmsg_put_pair(&o, n, ~n);
	queue_add(q, kind, &o);
	return true;
}

/* Records come out in the order in which they went in, each kind in messages of its
 * own; what was not sent is sent again. */
static void
queue_keeps_order(void **state)
{
	static uint8_t msg[SKY_ICMPDMSG_MAX];
	uint64_t in = 0, out = 0, a, b;
	struct queue q = { .buf = NULL };
	struct sky_icmpdmsg m;
	uint32_t used;

	for (unsigned step = 0; step < STEPS || out < in; step++) {
		size_t len;

		if (step < STEPS && random_below(3))
			in += put(&q, 100000, in / 50 % 2 ? SKY_ICMPDMSG_COUNTERS :
			    SKY_ICMPDMSG_DONE, in);
		if (random_below(40) && step < STEPS)
			continue;
		len = queue_message(&q, msg, &used);
		assert_int_equal(len != 0, out < in);
		if (!len || random_below(4) == 0)
			continue;
		assert_int_equal(sky_icmpdmsg_open(&m, msg, len), 0);
		while (sky_icmpdmsg_next_pair(&m, &a, &b) == 1) {
			assert_true(a == out && b == ~out);
			assert_int_equal(m.kind, out / 50 % 2 ? SKY_ICMPDMSG_COUNTERS :
			    SKY_ICMPDMSG_DONE);
			out++;
		}
		queue_drop(&q, used);
	}
	assert_int_equal(queue_bytes(&q), 0);
	queue_release(&q);
}

static void
queue_has_an_end(void **state)
{
	struct queue q = { .buf = NULL };
	uint32_t used, n = 0;
	static uint8_t msg[SKY_ICMPDMSG_MAX];

	while (put(&q, 50000, SKY_ICMPDMSG_DONE, n))
		assert_true(++n < 50000);
	assert_in_range(queue_bytes(&q), 40000, 50000);
	assert_true(q.cap <= 65536 * 2);
	while (queue_message(&q, msg, &used))
		queue_drop(&q, used);
	/* nothing waits: it has no memory to speak of */
	assert_true(q.cap <= 16384);
	queue_release(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_a_list),
		cmocka_unit_test(a_crowd_of_one_user),
		cmocka_unit_test(a_large_group),
		cmocka_unit_test(memory),
		cmocka_unit_test(queue_keeps_order),
		cmocka_unit_test(queue_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
