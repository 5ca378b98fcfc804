/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * few.c - a receive call brings all that is there, in order, whatever the calls
 * before it brought: it may not stop at the small number it begins with.
 */
#include "bench/place.h"

#include <sockeye/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ROOM 100

static struct sky_udp rx, tx;
static unsigned next_out, next_in, tests, failures;

static bool
open_both(void)
{
	struct sky_addr at;
	struct sky_udp_conf in = {.size = sizeof(in), .local = &at, .rcvbuf = 1 << 20};
	struct sky_udp_conf out = {.size = sizeof(out), .peer = &at};

	return sky_addr_parse(&at, "127.0.0.1:4712") == 0 && sky_udp_open(&rx, &in) == 0 &&
	    sky_udp_open(&tx, &out) == 0;
}

static int
send_some(unsigned n)
{
	struct sky_msg m[ROOM] = {0};
	unsigned number[ROOM], i;

	for (i = 0; i < n; i++) {
		number[i] = next_out++;
		m[i].data = &number[i];
		m[i].len = sizeof(number[i]);
	}
	return sky_udp_send(&tx, m, n);
}

/* How many of `room` came in one call; -1 if one of them was not the next. */
static int
recv_some(unsigned room)
{
	struct sky_msg m[ROOM] = {0};
	unsigned number[ROOM];
	int i, n;

	for (i = 0; i < (int)room; i++) {
		m[i].data = &number[i];
		m[i].cap = sizeof(number[i]);
	}
	n = sky_udp_recv(&rx, m, room);
	for (i = 0; i < n; i++)
		if (m[i].len != sizeof(number[i]) || number[i] != next_in++)
			return -1;
	return n;
}

static const struct {
	unsigned sent, room, want;
} rows[] = {
	{64, 64, 64}, {3, 64, 3}, {40, 64, 40}, {1, 64, 1}, {15, 64, 15}, {16, 64, 16},
	{17, 64, 17}, {0, 64, 0}, {64, 64, 64}, {2, 64, 2}, {100, 100, 100}, {0, 100, 0},
	{90, 20, 20}, {0, 1, 1}, {0, 100, 69}, {1, 1, 1}, {100, 64, 64}, {0, 64, 36},
};

int
main(void)
{
	int got, err = place_network();
	unsigned i;

	if (err != 0) {
		printf("1..0 # SKIP no network namespace: %s\n", strerror(-err));
		return 0;
	}
	if (!open_both()) {
		printf("not ok 1 - two sockets can be opened\n1..1\n");
		return 1;
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = send_some(rows[i].sent) == (int)rows[i].sent ? recv_some(rows[i].room) : -2;
		failures += got != (int)rows[i].want;
		printf("%sok %u - %u more, room for %u: %d of %u come, in order\n",
		    got == (int)rows[i].want ? "" : "not ", ++tests, rows[i].sent, rows[i].room,
		    got, rows[i].want);
	}
	printf("1..%u\n", tests);
	return failures != 0;
}
