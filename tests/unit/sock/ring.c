/* SPDX-License-Identifier: BSD-2-Clause */
/* ring.c - errors that wait, and refusals that are forgotten: time is an argument. */
#include "sock/refusal.h"
#include "sock/ring.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

static struct sky_slot slots[16];

static struct sky_errq
entry(int err, unsigned len, unsigned ext_at)
{
	struct sky_errq e = { .err = err };

	e.len = (uint16_t)len;
	e.ext_at = (uint16_t)ext_at;
	return e;
}

/* Every length of ring, filled and emptied past 32 bits of its counters. */
static void
order(void **state)
{
	uint8_t data[SKY_ERRQ_DATA] = { 1, 2, 3 };
	struct sky_ring r;

	(void)state;
	for (uint32_t n = 1; n <= 16; n++) {
		sky_ring_init(&r, slots, n);
		atomic_store(&r.head, 0xfffffff0u);
		atomic_store(&r.tail, 0xfffffff0u);
		for (int round = 0, next = 1; round < 40; round++, next += (int)n) {
			for (uint32_t i = 0; i < n; i++) {
				struct sky_errq e = entry(next + (int)i, 3, 0);

				assert_true(sky_ring_put(&r, &e, data));
			}
			assert_false(sky_ring_put(&r, &(struct sky_errq){ 0 }, data));
			assert_int_equal(sky_ring_count(&r), n);
			for (uint32_t i = 0; i < n; i++) {
				assert_int_equal(sky_ring_first(&r)->e.err, next + (int)i);
				assert_memory_equal(sky_ring_first(&r)->data, data, 3);
				sky_ring_drop(&r);
			}
			assert_null(sky_ring_first(&r));
		}
	}
}

static void
long_quote(void **state)
{
	uint8_t data[SKY_ERRQ_DATA];
	struct sky_errq e = entry(1, SKY_ERRQ_DATA, SKY_SLOT_DATA + 4);
	const struct sky_slot *s;
	struct sky_ring r;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	sky_ring_init(&r, slots, 2);
	assert_true(sky_ring_put(&r, &e, data));
	s = sky_ring_first(&r);
	assert_int_equal(s->e.len, SKY_SLOT_DATA);
	assert_int_equal(s->e.ext_at, 0);
	assert_true(s->e.flags & SKY_ERRQ_CUT);
	assert_memory_equal(s->data, data, SKY_SLOT_DATA);
}

static struct sky_addr
host(uint32_t ip, uint16_t port)
{
	struct sky_addr a = { 0 };

	a.u.in.sin_family = AF_INET;
	a.u.in.sin_addr.s_addr = htonl(ip);
	a.u.in.sin_port = htons(port);
	return a;
}

static void
memory(void **state)
{
	struct sky_addr a = host(0xc0000201, 53), same = host(0xc0000201, 54);
	struct sky_addr b = host(0xc0000202, 53);
	struct sky_ring r;

	(void)state;
	sky_ring_init(&r, slots, 8);
	assert_false(sky_refusal_find(&r, &a, 100, 50));
	assert_true(sky_refusal_note(&r, &a, 100));
	assert_false(sky_refusal_note(&r, &same, 100));
	assert_true(sky_refusal_find(&r, &same, 149, 50));
	assert_false(sky_refusal_find(&r, &b, 149, 50));
	assert_false(sky_refusal_find(&r, &a, 150, 50));
	assert_false(sky_refusal_find(&r, &a, 101, 50));
	sky_refusal_note(&r, &a, 200);
	sky_refusal_clear(&r);
	assert_false(sky_refusal_find(&r, &a, 201, 50));
}

/* More destinations than room: the newest is always known, none is made up. */
static void
crowd(void **state)
{
	struct sky_ring r;

	(void)state;
	for (uint32_t n = 1; n <= 16; n++) {
		sky_ring_init(&r, slots, n);
		for (uint32_t i = 1; i < 500; i++) {
			struct sky_addr a = host(i, 0), never = host(i + 100000, 0);

			sky_refusal_note(&r, &a, i);
			assert_true(sky_refusal_find(&r, &a, i, 10));
			assert_false(sky_refusal_find(&r, &never, i, 1000));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "first in, first out, full and empty, past 2^32", order, NULL, NULL, NULL },
		{ "a long quote is cut and marked", long_quote, NULL, NULL, NULL },
		{ "a refusal is of a host, and forgotten in time", memory, NULL, NULL, NULL },
		{ "more refusals than room", crowd, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
