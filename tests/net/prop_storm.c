/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_storm.c - errors forged as fast as the machine can, and floods of data.
 *
 * The sums are honest: data sent = data received + what the kernel says it
 * dropped; errors forged = errors told + errors counted lost, or else the
 * library says that errors may have been lost. Neither starves the other, and
 * memory does not grow.
 */
#include "bed.h"

#include <errno.h>
#include <pthread.h>
#include <sockeye/sockeye.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICES 8
#define SLICE_NS 250000000u	/* 8 of these: two seconds */

struct storm {
	struct sky_udp udp;
	int family, raw, peer;
	uint16_t port;
	struct sockaddr_storage at, peer_at, dead;
	bool stop;
	uint64_t forged, told, data_sent, data_got, live_sent, live_got, bad;
};

static bool
storm_open(struct storm *s, int family, void *room, size_t size)
{
	struct sky_addr any;
	struct sky_udp_conf c = {
		.size = sizeof(c), .family = family, .local = &any,
		.room = room, .room_size = size,
	};
	struct sky_udp_info info = { .size = sizeof(info) };
	char text[SKY_ADDRSTRLEN];

	memset(s, 0, sizeof(*s));
	s->family = family;
	sky_addr_parse(&any, family == AF_INET6 ? "::1" : "127.0.0.1");
	s->raw = bed_raw(family);
	s->peer = bed_udp(family, &s->peer_at);
	bed_closed(family, &s->dead);
	if (s->raw < 0 || sky_udp_open(&s->udp, &c) || sky_udp_info(&s->udp, &info))
		return false;
	sky_addr_format(&info.local, text, sizeof(text));
	s->port = sky_addr_port(&info.local);
	sky_addr_to(&info.local, family, &s->at);
	return s->port != 0;
}

static void
storm_close(struct storm *s)
{
	sky_udp_close(&s->udp);
	close(s->raw);
	close(s->peer);
}

static void *
forge_all(void *arg)
{
	struct storm *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		s->forged += bed_forge(s->raw, s->port, &s->dead, "storm", 5);
	return NULL;
}

/* A steady sender of data, a small burst at a time. */
static void
data_in(struct storm *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		s->data_sent += sendto(s->peer, "data", 4, MSG_DONTWAIT,
		    (struct sockaddr *)&s->at, bed_len(&s->at)) == 4;
}

static void
data_out(struct storm *s, unsigned n)
{
	struct sky_msg m[16];
	char buf[64];

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < n && i < 16; i++) {
		m[i].data = (void *)(uintptr_t)"live";
		m[i].len = 4;
		m[i].have = SKY_MSG_PEER;
		sky_addr_from(&m[i].peer, (struct sockaddr *)&s->peer_at, bed_len(&s->peer_at));
	}
	s->bad += sky_udp_send(&s->udp, m, n) != (int)n;
	for (unsigned i = 0; i < n && i < 16; i++)
		s->bad += m[i].status != 0;
	s->live_sent += n;
	while (recv(s->peer, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		s->live_got++;
}

static void
take_data(struct storm *s)
{
	static char data[16][64];
	struct sky_msg m[16];
	int n;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < 16; i++) {
		m[i].data = data[i];
		m[i].cap = sizeof(data[i]);
	}
	do {
		n = sky_udp_recv(&s->udp, m, 16);
		s->bad += n < 0;
		if (n > 0)
			s->data_got += (unsigned)n;
	} while (n == 16);
}

/* One call: a program that reads errors for ever would starve itself. */
static int
take_some(struct storm *s, unsigned most)
{
	struct sky_fate f[64];
	char quotes[2048];
	int n = sky_udp_errors(&s->udp, f, most, quotes, sizeof(quotes));

	s->bad += n < 0;
	for (int i = 0; i < n; i++)
		s->bad += f[i].what != SKY_REFUSED;
	if (n > 0)
		s->told += (unsigned)n;
	return n;
}

static int
take_errors(struct storm *s)
{
	return take_some(s, 64);
}

static void
settle(struct storm *s)
{
	take_data(s);
	for (int i = 0; i < 100000 && take_errors(s) > 0; i++)
		;
	take_data(s);
}

/* Errors forged = told + lost in the handle, or else "maybe lost" is said. */
static bool
sum_is_honest(const struct storm *s, const struct sky_udp_info *i)
{
	uint64_t known = s->told + i->errors_lost;

	return known <= s->forged && (known == s->forged || i->errors_maybe_lost > 0);
}

static void
judge(struct storm *s, const char *what, unsigned slices, long kb, unsigned long mallocs)
{
	struct sky_udp_info i = { .size = sizeof(i) };

	sky_udp_info(&s->udp, &i);
	bed_ok(slices == SLICES, "%s, family %d: data moved in %u of %u slices of time",
	    what, s->family, slices, SLICES);
	bed_ok(s->data_got + i.rx_drops == s->data_sent,
	    "data sent %lu = received %lu + dropped by the kernel %lu", s->data_sent,
	    s->data_got, i.rx_drops);
	bed_ok(s->live_got == s->live_sent && !s->bad,
	    "sent while it rages %lu, arrived %lu, bad results %lu", s->live_sent, s->live_got, s->bad);
	bed_ok(sum_is_honest(s, &i), "forged %lu = told %lu + lost %lu, or maybe lost (%lu times)",
	    s->forged, s->told, i.errors_lost, i.errors_maybe_lost);
	bed_ok(kb <= 16, "memory grew by %ld KiB", kb);
	bed_ok(!bed_counts_mallocs() || !mallocs, "%lu allocations", mallocs);
}

/* The storm rages for two seconds; the program receives, sends, reads errors. */
static void
storm(int family, bool sends)
{
	static struct storm s;
	static uint64_t room[SKY_UDP_ROOM(64) / 8];
	pthread_t t;
	unsigned slices = 0;
	unsigned long mallocs;
	long kb;

	if (!bed_ok(storm_open(&s, family, room, sizeof(room)), "a socket in the storm"))
		return;
	if (pthread_create(&t, NULL, forge_all, &s))
		abort();
	mallocs = bed_mallocs();
	kb = 0;
	for (int slice = 0; slice < SLICES; slice++) {
		uint64_t end = bed_now_ns() + SLICE_NS, before = s.data_got;

		if (slice == 1)		/* every page was touched by now */
			kb = bed_memory_kb();
		while (bed_now_ns() < end) {
			data_in(&s, 4);
			if (sends)
				data_out(&s, 16);
			take_data(&s);
			take_errors(&s);
		}
		slices += s.data_got > before;
	}
	mallocs = bed_mallocs() - mallocs;
	kb = bed_memory_kb() - kb;
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	settle(&s);
	judge(&s, sends ? "storm while sending" : "storm", slices, kb, mallocs);
	storm_close(&s);
}

/* Bursts of data, until one comes through whole; how many did not. */
static unsigned
bursts(struct storm *s, uint64_t ns)
{
	uint64_t end = bed_now_ns() + ns, before;
	unsigned cut = 0;

	do {
		before = s->data_got;
		data_in(s, 50);
		take_data(s);
		cut += s->data_got - before < 50;
	} while (s->data_got - before < 50 && bed_now_ns() < end);
	return cut;
}

/* A program that never asks for errors (it adopted its socket and that was all)
 * gets its data: the errors that it does not want make room within a second. */
static void
deaf(int family, bool sends)
{
	static struct storm s;
	struct sky_udp_info i = { .size = sizeof(i) };
	unsigned cut, again = 0;

	if (!bed_ok(storm_open(&s, family, NULL, 0), "a socket that is never asked for errors"))
		return;
	for (int k = 0; k < 3000; k++) {
		s.forged += bed_forge(s.raw, s.port, &s.dead, "deaf", 4);
		if (sends)
			data_out(&s, 1);
		take_data(&s);
	}
	cut = bursts(&s, 1000000000u);
	for (int k = 0; k < 20; k++)
		again += bursts(&s, 0);
	sky_udp_info(&s.udp, &i);
	bed_ok(!again && s.live_got == s.live_sent && !s.bad && sum_is_honest(&s, &i) &&
	    i.errors_lost > 100, "family %d, %lu errors never asked for%s: %u bursts cut, then %u of 20; lost %lu, maybe %lu",
	    family, s.forged, sends ? " by one that sends" : "", cut, again, i.errors_lost,
	    i.errors_maybe_lost);
	storm_close(&s);
}

/* Few errors: every one is told or counted lost, to the last. A send that is
 * too big empties the kernel's queue into the handle, which holds 8. */
static void
exact(int family, unsigned n, unsigned sends, bool big)
{
	static struct storm s;
	static const char data[60000];
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sky_addr to;

	if (!bed_ok(storm_open(&s, family, NULL, 0), "a socket with no room of its own"))
		return;
	sky_udp_set(&s.udp, SKY_SET_PMTU, SKY_PMTU_DO);
	sky_addr_from(&to, (struct sockaddr *)&s.peer_at, bed_len(&s.peer_at));
	for (unsigned k = 0; k < n; k++) {
		s.forged += bed_forge(s.raw, s.port, &s.dead, "exact", 5);
		if (k < sends)
			data_out(&s, 1);
	}
	if (big)
		s.bad += sky_udp_sendto(&s.udp, data, sizeof(data), &to) != -EMSGSIZE;
	data_out(&s, 1);
	settle(&s);
	sky_udp_info(&s.udp, &i);
	bed_ok(s.forged == n && s.told + i.errors_lost == n && !i.errors_maybe_lost && !s.bad &&
	    s.live_got == s.live_sent && s.told >= (n < 8 ? n : 8) && (big || !i.errors_lost),
	    "family %d, %u errors, %u sends among them%s: told %lu, lost %lu, maybe %lu, live %lu of %lu",
	    family, n, sends, big ? ", one too big" : "", s.told, i.errors_lost,
	    i.errors_maybe_lost, s.live_got, s.live_sent);
	storm_close(&s);
}

enum first { RECV_FIRST, ERRORS_FIRST, SEND_FIRST, FIRSTS };

/* Data fills the receive buffer, so errors are lost in the kernel without a
 * trace there: whatever the program calls first, it is told so. */
static void
flood(int family, enum first first)
{
	static struct storm s;
	static const char *const names[] = { "receives", "asks for errors", "sends" };
	struct sky_udp_info i = { .size = sizeof(i) };

	if (!bed_ok(storm_open(&s, family, NULL, 0), "a socket in the flood"))
		return;
	data_in(&s, 3000);
	for (int k = 0; k < 10; k++)
		s.forged += bed_forge(s.raw, s.port, &s.dead, "flood", 5);
	if (first == SEND_FIRST)
		data_out(&s, 1);
	else if (first == ERRORS_FIRST)
		take_errors(&s);
	settle(&s);
	sky_udp_info(&s.udp, &i);
	bed_ok(s.told + i.errors_lost < s.forged && sum_is_honest(&s, &i),
	    "family %d, a flood, the program %s first: forged %lu, told %lu, maybe lost %lu times",
	    family, names[first], s.forged, s.told, i.errors_maybe_lost);
	bed_ok(s.data_got + i.rx_drops == s.data_sent && i.rx_drops > 0,
	    "flood %lu = received %lu + dropped %lu", s.data_sent, s.data_got, i.rx_drops);
	storm_close(&s);
}

/* The same without a single datagram dropped: the buffer is full to the brim,
 * data would still fit, an error does not. */
static void
brim(int family, enum first first)
{
	static struct storm s;
	static const char *const names[] = { "receives", "asks for errors", "sends" };
	struct sky_udp_info i = { .size = sizeof(i) };
	uint32_t mem[16] = { 0 };
	socklen_t len = sizeof(mem);

	if (!bed_ok(storm_open(&s, family, NULL, 0), "a socket full to the brim"))
		return;
	do {
		data_in(&s, 1);
		getsockopt(sky_udp_fd(&s.udp), SOL_SOCKET, SO_MEMINFO, mem, &len);
	} while (mem[0] + 700 < mem[1] && s.data_sent < 3000);
	for (int k = 0; k < 10; k++)
		s.forged += bed_forge(s.raw, s.port, &s.dead, "brim", 4);
	if (first == SEND_FIRST)
		data_out(&s, 1);
	else if (first == ERRORS_FIRST)
		take_errors(&s);
	settle(&s);
	sky_udp_info(&s.udp, &i);
	bed_ok(!i.rx_drops && sum_is_honest(&s, &i),
	    "family %d, full to the brim, the program %s first: forged %lu, told %lu, maybe lost %lu times",
	    family, names[first], s.forged, s.told, i.errors_maybe_lost);
	storm_close(&s);
}

/* Errors alone fill the buffer; nobody reads them in time. */
static void
heap(int family, bool sends, unsigned at_once)
{
	static struct storm s;
	struct sky_udp_info i = { .size = sizeof(i) };

	if (!bed_ok(storm_open(&s, family, NULL, 0), "a socket under a heap of errors"))
		return;
	for (int k = 0; k < 2000; k++)
		s.forged += bed_forge(s.raw, s.port, &s.dead, "heap", 4);
	if (sends)
		data_out(&s, 1);
	for (int k = 0; at_once && k < 3000 && take_some(&s, at_once) > 0; k++)
		;
	settle(&s);
	sky_udp_info(&s.udp, &i);
	bed_ok(s.forged == 2000 && s.told + i.errors_lost < s.forged && s.told > 50 && !s.bad &&
	    s.live_got == s.live_sent && sum_is_honest(&s, &i),
	    "family %d, a heap of errors%s, read by %u: forged %lu, told %lu, lost %lu, maybe lost %lu times",
	    family, sends ? ", a send among them" : "", at_once ? at_once : 64, s.forged, s.told, i.errors_lost,
	    i.errors_maybe_lost);
	storm_close(&s);
}

int
main(void)
{
	const int families[] = { AF_INET, AF_INET6 };

	bed_enter(100);
	for (int k = 0; k < 2; k++) {
		storm(families[k], false);
		storm(families[k], true);
		deaf(families[k], true);
		deaf(families[k], false);
		exact(families[k], 6, 0, false);
		exact(families[k], 50, 0, false);
		exact(families[k], 50, 50, false);
		exact(families[k], 6, 3, true);
		exact(families[k], 50, 0, true);
		heap(families[k], false, 0);
		heap(families[k], true, 0);
		heap(families[k], false, 1);
		for (enum first f = 0; f < FIRSTS; f++)
			flood(families[k], f);
		for (enum first f = 0; f < FIRSTS; f++)
			brim(families[k], f);
	}
	return bed_done();
}
