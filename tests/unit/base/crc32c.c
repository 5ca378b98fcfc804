/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32C against values that others published, and one way against the other. */
#include "../wire/test.h"
#include "base/crc32c.h"

#include <string.h>

/* RFC 3720, B.4, as numbers whose least significant byte goes first. */
static void
published(void **state)
{
	uint8_t data[32];

	(void)state;
	assert_int_equal(sky_crc32c("123456789", 9), 0xe3069283);
	memset(data, 0, sizeof(data));
	assert_int_equal(sky_crc32c(data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(sky_crc32c(data, sizeof(data)), 0x62a8ab43);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	assert_int_equal(sky_crc32c(data, sizeof(data)), 0x46dd794e);
	assert_int_equal(sky_crc32c_table(data, sizeof(data)), 0x46dd794e);
	assert_int_equal(sky_crc32c(data, 0), 0);
}

static void
both_ways(void **state)
{
	uint8_t data[80];
	uint32_t x = 1;

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	for (unsigned from = 0; from < 8; from++)
		for (unsigned n = 0; n + from <= sizeof(data); n++)
			assert_int_equal(sky_crc32c(data + from, n), sky_crc32c_table(data + from, n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
