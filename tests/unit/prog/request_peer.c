/* SPDX-License-Identifier: BSD-2-Clause */
/* The far end of requests: counts copies, touches nothing else, stays bounded. */
#include "../wire/test.h"
#include "../proto/callwire.h"
#include "prog/sock/request_peer.h"

static struct request_peer p;
static struct sky_addr from;
static struct wire w;
static uint8_t data[64];

/* Copy nth of request id comes; what the reply says is in w. */
static bool
comes(uint64_t id, unsigned nth)
{
	struct wire ask = { 0, nth, 0, id, 0 };

	wire_make(&ask, data);
	memcpy(data + 24, "hello", 5);
	if (!request_peer_answer(&p, &from, data, 29))
		return false;
	assert_true(wire_read(&w, data, 29));
	assert_memory_equal(data + 24, "hello", 5);
	assert_true(w.id == id);
	assert_int_equal(w.kind, 1);
	assert_int_equal(w.nth, nth);
	return true;
}

static int
begin(void **state)
{
	request_peer_init(&p);
	return sky_addr_parse(&from, "192.0.2.1:7777");
}

static void
copies_are_counted(void **state)
{
	assert_true(comes(1, 1));
	assert_int_equal(w.seen, 1);
	assert_int_equal(w.copies, 1);
	assert_true(comes(1, 3));
	assert_int_equal(w.seen, 5);
	assert_int_equal(w.copies, 2);
	assert_true(comes(1, 3));		/* the network doubled it */
	assert_int_equal(w.seen, 5);
	assert_int_equal(w.copies, 3);
	assert_true(comes(1, 32));
	assert_int_equal(w.seen, 0x80000005);
	for (int i = 0; i < 300; i++)
		comes(1, 1);
	assert_int_equal(w.copies, 255);
}

static void
clients_and_ids_are_told_apart(void **state)
{
	comes(1, 1);
	comes(2, 2);
	assert_int_equal(w.seen, 2);
	sky_addr_set_port(&from, 8888);
	comes(1, 2);
	assert_int_equal(w.seen, 2);
	assert_int_equal(w.copies, 1);
}

static void
what_is_no_request_is_left_alone(void **state)
{
	struct wire answer = { 1, 1, 1, 5, 1 };
	uint8_t before[64];

	wire_make(&answer, data);
	memcpy(before, data, sizeof(data));
	assert_false(request_peer_answer(&p, &from, data, 29));	/* two of us would not stop */
	comes(5, 1);
	for (size_t n = 0; n < 24; n++)
		assert_false(request_peer_answer(&p, &from, data, n));
	wire_make(&(struct wire){ 0, 1, 0, 5, 0 }, data);
	data[10] ^= 1;
	memcpy(before, data, sizeof(data));
	assert_false(request_peer_answer(&p, &from, data, 29));
	assert_memory_equal(data, before, sizeof(data));
	assert_false(request_peer_answer(&p, &from, NULL, 0));
}

/* A flood takes places, the oldest first; then a reply says less, never more. */
static void
the_oldest_are_forgotten(void **state)
{
	comes(1, 1);
	for (uint64_t id = 1000; id < 100000; id++)
		assert_true(comes(id, 1) && w.seen == 1 && w.copies == 1);
	assert_true(comes(1, 2));
	assert_int_equal(w.seen, 2);
	assert_int_equal(w.copies, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(copies_are_counted, begin),
		cmocka_unit_test_setup(clients_and_ids_are_told_apart, begin),
		cmocka_unit_test_setup(what_is_no_request_is_left_alone, begin),
		cmocka_unit_test_setup(the_oldest_are_forgotten, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
