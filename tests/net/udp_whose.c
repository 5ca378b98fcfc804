/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_whose.c - whose error is it? Errors whose codes a send may also fail with
 * by itself (net and host unreachable, prohibited, too big) are forged as fast as can
 * be, while datagrams go to a live peer, to where no route leads, and out too
 * big. Each must get its own status, whoever reads the errors meanwhile.
 */
#include "bed.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sockeye/sockeye.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_MS = 700, BATCH = 30, BIG = 1600, MTU = 1500 };

struct storm {
	struct sky_udp u;
	int raw;
	uint16_t port;
	atomic_bool stop;
	unsigned long forged;
	atomic_ulong told;
};

static uint16_t
sum(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < n; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void *
forge(void *arg)
{
	static const uint8_t codes[] = { 0, 1, 4, 13 };
	struct storm *s = arg;
	struct sockaddr_in lo = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	uint8_t p[40] = { 3, 0, 0, 0, 0, 0, 1300 >> 8, 1300 & 255,
		0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 9 };

	p[28] = (uint8_t)(s->port >> 8);
	p[29] = (uint8_t)s->port;
	p[31] = 9;
	p[33] = 12;
	for (unsigned i = 0; !s->stop; i++) {
		uint16_t c;

		p[1] = codes[i % sizeof(codes)];
		p[2] = p[3] = 0;
		c = sum(p, sizeof(p));
		p[2] = (uint8_t)(c >> 8);
		p[3] = (uint8_t)c;
		s->forged += sendto(s->raw, p, sizeof(p), 0, (struct sockaddr *)&lo,
		    sizeof(lo)) > 0;
	}
	return NULL;
}

static void
take(struct storm *s)
{
	struct sky_fate f[64];

	for (int i = 0; i < 4; i++) {
		int n = sky_udp_errors(&s->u, f, 64, NULL, 0);

		if (n <= 0)
			break;
		s->told += (unsigned)n;
	}
}

static void *
receive(void *arg)
{
	struct storm *s = arg;

	while (!s->stop) {
		struct pollfd p = { .fd = sky_udp_fd(&s->u), .events = POLLIN };

		if (!sky_udp_pending(&s->u))
			poll(&p, 1, 10);
		take(s);
	}
	return NULL;
}

struct count {
	unsigned long live, unrouted, big, wrong, rounds;
	int bad;
};

static void
send_round(struct storm *s, struct count *c, const struct sky_addr to[3])
{
	static char data[BIG];
	static const int want[3] = { 0, -ENETUNREACH, -EMSGSIZE };
	struct sky_msg m[BATCH];
	int n;

	for (int i = 0; i < BATCH; i++)
		m[i] = (struct sky_msg){ .data = data, .len = i % 3 == 2 ? BIG : 4,
			.peer = to[i % 3], .have = SKY_MSG_PEER };
	n = sky_udp_send(&s->u, m, BATCH);
	c->wrong += n != BATCH;
	for (int i = 0; i < n; i++) {
		bool good = m[i].status == want[i % 3];

		if (good && i % 3 == 2 && (m[i].have & SKY_MSG_MTU))
			good = m[i].mtu == MTU;
		if (!good)
			c->bad = i % 3 * 1000 - m[i].status;
		c->wrong += !good;
	}
	c->rounds++;
}

static void
try(bool threads)
{
	static struct storm s;
	static uint64_t room[SKY_UDP_ROOM(256) / 8];
	struct sky_udp_conf c = { .size = sizeof(c), .family = AF_INET, .pmtu = SKY_PMTU_DO,
		.room = room, .room_size = sizeof(room) };
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sockaddr_storage at;
	int peer = bed_udp(AF_INET, &at);
	struct sky_addr any, to[3];
	struct count n = { 0 };
	unsigned long live = 0;
	pthread_t t[2];
	uint64_t end;
	char buf[8];

	memset(&s, 0, sizeof(s));
	sky_addr_parse(&any, "127.0.0.1");
	sky_addr_from(&to[0], (struct sockaddr *)&at, bed_len(&at));
	sky_addr_parse(&to[1], "203.0.113.1:9");
	sky_addr_parse(&to[2], "127.0.0.5:9");
	c.local = &any;
	s.raw = bed_raw(AF_INET);
	/* bound to any address: the route, not the source, is what is missing */
	sky_addr_parse(&any, "0.0.0.0");
	bed_ok(s.raw >= 0 && sky_udp_open(&s.u, &c) == 0 && sky_udp_info(&s.u, &i) == 0,
	    "a socket in a storm");
	s.port = sky_addr_port(&i.local);
	pthread_create(&t[0], NULL, forge, &s);
	if (threads)
		pthread_create(&t[1], NULL, receive, &s);
	for (end = bed_now_ns() + RUN_MS * 1000000ull; bed_now_ns() < end;) {
		send_round(&s, &n, to);
		if (!threads)
			take(&s);
		while (recv(peer, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			live++;
	}
	s.stop = true;
	pthread_join(t[0], NULL);
	if (threads)
		pthread_join(t[1], NULL);
	sky_udp_info(&s.u, &i);
	bed_ok(n.wrong == 0, "%s: %lu batches in a storm of %lu, wrong %lu (last %d)",
	    threads ? "two threads" : "one thread", n.rounds, s.forged, n.wrong, n.bad);
	bed_ok(live == n.rounds * BATCH / 3, "live datagrams: %lu of %lu", live,
	    n.rounds * BATCH / 3);
	bed_ok(s.told > 0 && i.retries > 0, "told %lu, lost %lu, retries %lu",
	    (unsigned long)s.told, (unsigned long)i.errors_lost, (unsigned long)i.retries);
	sky_udp_close(&s.u);
	close(s.raw);
	close(peer);
}

int
main(void)
{
	bed_enter(60);
	if (system("ip link set lo mtu 1500")) {
		bed_ok(true, "whose # SKIP no ip (package iproute2)");
		return bed_done();
	}
	try(false);
	try(true);
	return bed_done();
}
