/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_pending.c - an error is never slept upon.
 *
 * Errors are forged at random moments between sends (which may have to drain
 * them) and receives. The program under test follows the one rule: ask
 * sky_udp_pending(), then wait, then read both until 0. Every error that was
 * forged must be told before a wait of two seconds ends with nothing. Level and
 * edge triggered; one thread; one that sends and one that receives. Some sends
 * are too big, because to learn the MTU the library must empty the queue.
 */
#include "bed.h"

#include <errno.h>
#include <pthread.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define WAIT_MS 2000
#define PEERS 4

struct scene {
	struct sky_udp udp;
	int ep, raw, live;
	uint16_t port;			/* ours */
	int family;
	unsigned seed;
	unsigned forged, told, slept, wrong, bad_send;
	unsigned sends, drained;	/* drained: pending() was not 0 before a wait */
	uint64_t room[SKY_UDP_ROOM(16) / 8];
	struct sockaddr_storage live_at, dead[PEERS];
	bool stop;
};

static unsigned
dice(struct scene *s, unsigned sides)
{
	s->seed = s->seed * 1103515245u + 12345u;
	return (s->seed >> 16) % sides;
}

static bool
scene_open(struct scene *s, int family, bool edge)
{
	struct sky_addr any;
	struct sky_udp_conf c = {
		.size = sizeof(c), .family = family, .local = &any, .pmtu = SKY_PMTU_DO,
		.room = s->room, .room_size = sizeof(s->room),
	};
	struct epoll_event ev = { .events = EPOLLIN | (edge ? (uint32_t)EPOLLET : 0) };
	struct sky_udp_info info = { .size = sizeof(info) };

	memset(s, 0, sizeof(*s));
	s->seed = 2463534242u + (unsigned)family + edge;
	s->family = family;
	sky_addr_parse(&any, family == AF_INET6 ? "::1" : "127.0.0.1");
	s->raw = bed_raw(family);
	s->ep = epoll_create1(EPOLL_CLOEXEC);
	s->live = bed_udp(family, &s->live_at);
	for (int i = 0; i < PEERS; i++)
		bed_closed(family, &s->dead[i]);
	if (s->raw < 0 || s->ep < 0 || sky_udp_open(&s->udp, &c) ||
	    sky_udp_info(&s->udp, &info))
		return false;
	s->port = sky_addr_port(&info.local);
	return !epoll_ctl(s->ep, EPOLL_CTL_ADD, sky_udp_fd(&s->udp), &ev);
}

static void
scene_close(struct scene *s)
{
	sky_udp_close(&s->udp);
	close(s->ep);
	close(s->raw);
	close(s->live);
}

static void
forge(struct scene *s, unsigned i)
{
	if (bed_forge(s->raw, s->port, &s->dead[i % PEERS], "gone", 4))
		__atomic_add_fetch(&s->forged, 1, __ATOMIC_SEQ_CST);
}

static void
send_some(struct scene *s)
{
	static const char data[BED_MTU];
	struct sky_msg m[3];
	char drain[16];
	bool big = s->sends++ % 5 == 0;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < 3; i++) {
		m[i].data = (void *)(uintptr_t)data;
		m[i].len = big && i == 1 ? sizeof(data) : 1;
		m[i].have = SKY_MSG_PEER;
		sky_addr_from(&m[i].peer, (struct sockaddr *)&s->live_at, bed_len(&s->live_at));
	}
	if (sky_udp_send(&s->udp, m, 3) != 3 || m[0].status ||
	    m[1].status != (big ? -EMSGSIZE : 0) || m[2].status)
		s->bad_send++;
	if (big && (!(m[1].have & SKY_MSG_MTU) || m[1].mtu != BED_MTU))
		s->bad_send++;
	while (recv(s->live, drain, sizeof(drain), MSG_DONTWAIT) >= 0)
		;
}

static bool
is_dead(const struct scene *s, const struct sky_addr *a)
{
	struct sky_addr one;

	for (int i = 0; i < PEERS; i++) {
		sky_addr_from(&one, (const struct sockaddr *)&s->dead[i], bed_len(&s->dead[i]));
		if (sky_addr_equal(a, &one))
			return true;
	}
	return false;
}

/* The library's rule: both until 0. */
static void
read_both(struct scene *s)
{
	struct sky_fate f[3];
	char quotes[256], data[64];
	struct sky_msg m = { .data = data, .cap = sizeof(data) };
	int n, got;

	do {
		got = sky_udp_recv(&s->udp, &m, 1);
		n = sky_udp_errors(&s->udp, f, 3, quotes, sizeof(quotes));
		for (int i = 0; i < n; i++)
			s->wrong += f[i].what != SKY_REFUSED || !is_dead(s, &f[i].dst);
		if (n > 0)
			__atomic_add_fetch(&s->told, (unsigned)n, __ATOMIC_SEQ_CST);
	} while (got > 0 || n > 0);
}

/* Before sleeping, ask. Returns false when it slept upon an error. */
static bool
wait_for_news(struct scene *s, int ms)
{
	struct epoll_event ev;

	if (sky_udp_pending(&s->udp)) {
		s->drained++;
		return true;
	}
	return epoll_wait(s->ep, &ev, 1, ms) > 0;
}

static void
one_thread(int family, bool edge, unsigned rounds)
{
	static struct scene s;

	if (!bed_ok(scene_open(&s, family, edge), "a socket to try"))
		return;
	for (unsigned r = 0; r < rounds && !s.slept; r++) {
		for (unsigned k = 0, n = 1 + dice(&s, 6); k < n; k++) {
			if (dice(&s, 2))
				forge(&s, r + k);
			else
				send_some(&s);
		}
		while (s.told < s.forged && !s.slept) {
			s.slept += !wait_for_news(&s, WAIT_MS);
			read_both(&s);
		}
	}
	bed_ok(!s.slept && s.told == s.forged && !s.wrong && !s.bad_send && s.drained > 0,
	    "one thread, %s, family %d: %u forged, %u told (%u waits had some pending), slept upon %u, wrong %u, bad sends %u",
	    edge ? "edge" : "level", family, s.forged, s.told, s.drained, s.slept, s.wrong, s.bad_send);
	scene_close(&s);
}

static void *
sender(void *arg)
{
	struct scene *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST))
		send_some(s);
	return NULL;
}

/* The sender never rests, so whoever gets to the error first is chance; one
 * error at a time, so that one that is slept upon cannot be woken by the next. */
static void
two_threads(int family, bool edge, unsigned rounds)
{
	static struct scene s;
	pthread_t t;
	uint64_t end = bed_now_ns() + 20000000000u;

	if (!bed_ok(scene_open(&s, family, edge), "a socket for two threads"))
		return;
	if (pthread_create(&t, NULL, sender, &s))
		abort();
	for (unsigned r = 0; r < rounds && !s.slept && bed_now_ns() < end; r++) {
		for (unsigned k = 0, n = 1 + r % 3; k < n; k++)
			forge(&s, r + k);
		while (s.told < s.forged && !s.slept) {
			s.slept += !wait_for_news(&s, WAIT_MS);
			read_both(&s);
		}
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_SEQ_CST);
	pthread_join(t, NULL);
	bed_ok(!s.slept && s.told == s.forged && !s.wrong && !s.bad_send,
	    "two threads, %s, family %d: %u forged, %u told (%u waits had some pending), slept upon %u, wrong %u, bad sends %u",
	    edge ? "edge" : "level", family, s.forged, s.told, s.drained, s.slept, s.wrong, s.bad_send);
	scene_close(&s);
}

static void *
meet_and_drain(void *arg)
{
	struct scene *s = arg;

	forge(s, 0);
	s->sends = 0;		/* the next is one that is too big */
	send_some(s);
	return NULL;
}

/* The worst moment: the receiver has asked and is about to wait when another
 * thread's send takes the error off the kernel's queue. The wait must end. */
static void
past_the_question(int family, bool edge)
{
	static struct scene s;
	struct epoll_event ev;
	pthread_t t;
	unsigned asked = 0, moved = 0;

	if (!bed_ok(scene_open(&s, family, edge), "a socket past the question"))
		return;
	for (unsigned r = 0; r < 200 && !s.slept; r++) {
		read_both(&s);
		while (epoll_wait(s.ep, &ev, 1, 0) > 0)
			read_both(&s);
		asked += sky_udp_pending(&s.udp) == 0;
		if (pthread_create(&t, NULL, meet_and_drain, &s))
			abort();
		pthread_join(t, NULL);
		moved += sky_udp_pending(&s.udp) > 0;
		s.slept += epoll_wait(s.ep, &ev, 1, WAIT_MS) <= 0;
	}
	read_both(&s);
	bed_ok(asked == 200 && moved > 0 && !s.slept && s.told == s.forged && !s.wrong &&
	    !s.bad_send, "past the question, %s, family %d: asked %u, drained %u, slept upon %u, "
	    "told %u of %u, bad sends %u", edge ? "edge" : "level", family, asked, moved, s.slept,
	    s.told, s.forged, s.bad_send);
	scene_close(&s);
}

/* Forges from a third thread while the receiver is about to sleep. */
static void *
forger(void *arg)
{
	struct scene *s = arg;

	for (unsigned i = 0; !__atomic_load_n(&s->stop, __ATOMIC_SEQ_CST); i++) {
		unsigned told = __atomic_load_n(&s->told, __ATOMIC_SEQ_CST);

		if (told == __atomic_load_n(&s->forged, __ATOMIC_SEQ_CST))
			forge(s, i);
	}
	return NULL;
}

static void
three_threads(int family, bool edge, unsigned rounds)
{
	static struct scene s;
	pthread_t t, f;
	uint64_t end = bed_now_ns() + 20000000000u;

	if (!bed_ok(scene_open(&s, family, edge), "a socket for three threads"))
		return;
	if (pthread_create(&t, NULL, sender, &s) || pthread_create(&f, NULL, forger, &s))
		abort();
	while (s.told < rounds && !s.slept && bed_now_ns() < end) {
		s.slept += !wait_for_news(&s, WAIT_MS);
		read_both(&s);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_SEQ_CST);
	pthread_join(f, NULL);
	pthread_join(t, NULL);
	read_both(&s);
	bed_ok(!s.slept && s.told == s.forged && s.told >= rounds && !s.wrong && !s.bad_send,
	    "three threads, %s, family %d: %u forged, %u told (%u waits had some pending), slept upon %u, wrong %u, bad sends %u",
	    edge ? "edge" : "level", family, s.forged, s.told, s.drained, s.slept, s.wrong, s.bad_send);
	scene_close(&s);
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3000;
	const int families[] = { AF_INET, AF_INET6 };

	bed_enter(100);
	for (int i = 0; i < 2; i++) {
		for (int edge = 0; edge < 2; edge++) {
			one_thread(families[i], edge, rounds);
			past_the_question(families[i], edge);
			two_threads(families[i], edge, rounds);
			three_threads(families[i], edge, rounds);
		}
	}
	return bed_done();
}
