/* SPDX-License-Identifier: BSD-2-Clause */
/* The bounded reader and writer at their ends. */
#include "../wire/test.h"
#include "base/rd.h"
#include "base/wr.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };

static void
values_are_big_endian(void **state)
{
	struct sky_rd rd = sky_rd_of(bytes, sizeof(bytes));

	assert_int_equal(sky_rd_u8(&rd), 1);
	assert_int_equal(sky_rd_u16(&rd), 0x0203);
	assert_int_equal(sky_rd_u32(&rd), 0x04050607);
	assert_false(rd.cut);
	assert_int_equal(sky_rd_left(&rd), 0);
}

static void
a_read_past_the_end_gives_0_for_good(void **state)
{
	for (size_t n = 0; n < 4; n++) {
		uint8_t *p = exact(bytes, n);
		struct sky_rd rd = sky_rd_of(p, n);

		assert_int_equal(sky_rd_u32(&rd), 0);
		assert_true(rd.cut);
		assert_int_equal(sky_rd_u8(&rd), 0);
		assert_int_equal(sky_rd_left(&rd), 0);
		free(p);
	}
}

static void
a_part_holds_what_there_is(void **state)
{
	struct sky_rd rd = sky_rd_of(bytes, 5);
	struct sky_rd part = sky_rd_part(&rd, 3);

	assert_int_equal(sky_rd_left(&part), 3);
	assert_false(rd.cut);
	part = sky_rd_part(&rd, 3);
	assert_int_equal(sky_rd_left(&part), 2);
	assert_true(rd.cut);
	assert_false(part.cut);
}

static void
a_short_copy_is_zeroed(void **state)
{
	uint8_t out[4] = { 9, 9, 9, 9 }, zero[4] = { 0 };
	struct sky_rd rd = sky_rd_of(bytes, 3);

	sky_rd_copy(&rd, out, sizeof(out));
	assert_memory_equal(out, zero, sizeof(out));
	assert_true(rd.cut);
}

static void
nothing_at_all_can_be_read(void **state)
{
	struct sky_rd rd = sky_rd_of(NULL, 0);
	struct sky_rd part = sky_rd_part(&rd, 0);

	assert_int_equal(sky_rd_left(&part), 0);
	assert_false(rd.cut);
	sky_rd_take(&rd, 0);
	assert_false(rd.cut);
	assert_int_equal(sky_rd_u8(&rd), 0);
	assert_true(rd.cut);
}

static void
a_write_is_whole_or_not_at_all(void **state)
{
	for (size_t room = 0; room < 4; room++) {
		uint8_t out[4] = { 9, 9, 9, 9 }, same[4] = { 9, 9, 9, 9 };
		struct sky_wr wr = sky_wr_of(out, room);

		sky_wr_u32(&wr, 0x01020304);
		assert_true(wr.full);
		assert_int_equal(sky_wr_len(&wr), 0);
		sky_wr_u8(&wr, 1);
		assert_memory_equal(out, same, sizeof(out));
	}
}

static void
written_values_are_big_endian(void **state)
{
	uint8_t out[9];
	struct sky_wr wr = sky_wr_of(out, sizeof(out));

	sky_wr_u8(&wr, 1);
	sky_wr_u16(&wr, 0x0203);
	sky_wr_u32(&wr, 0x04050607);
	sky_wr_zero(&wr, 2);
	assert_false(wr.full);
	assert_memory_equal(out, bytes, sizeof(bytes));
	assert_int_equal(out[7] | out[8], 0);
	sky_wr_bytes(&wr, NULL, 0);
	assert_false(wr.full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_big_endian),
		cmocka_unit_test(a_read_past_the_end_gives_0_for_good),
		cmocka_unit_test(a_part_holds_what_there_is),
		cmocka_unit_test(a_short_copy_is_zeroed),
		cmocka_unit_test(nothing_at_all_can_be_read),
		cmocka_unit_test(a_write_is_whole_or_not_at_all),
		cmocka_unit_test(written_values_are_big_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
