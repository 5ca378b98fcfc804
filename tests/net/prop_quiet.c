/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_quiet.c - what the library does not do: allocate after open, touch
 * errno, raise a signal, block, count backwards.
 */
#include "bed.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARK 4711		/* an errno that nothing sets */
#define ROUNDS 300

static volatile sig_atomic_t signals;

static void
on_signal(int sig)
{
	signals += sig != 0;
}

struct quiet {
	struct sky_udp udp;
	struct sky_addr any, live, dead;
	struct sockaddr_storage at, live_at, dead_at;
	int raw, peer;
	unsigned touched;		/* calls that changed errno */
	unsigned back;			/* counters that went back */
	unsigned bad;
	struct sky_udp_info last;
};

static void
mark(void)
{
	errno = MARK;
}

static void
check(struct quiet *q)
{
	q->touched += errno != MARK;
}

static bool
quiet_open(struct quiet *q, int family, const struct sky_addr *peer)
{
	struct sky_udp_conf c = {
		.size = sizeof(c), .family = family, .local = &q->any, .peer = peer,
		.want = SKY_WANT_LOCAL | SKY_WANT_TTL | SKY_WANT_TOS | SKY_WANT_TIME |
		    SKY_WANT_FRAGSIZE | SKY_WANT_DROPS,
	};
	struct sky_udp_info info = { .size = sizeof(info) };
	int rc;

	sky_addr_parse(&q->any, family == AF_INET6 ? "::1" : "127.0.0.1");
	q->raw = bed_raw(family);
	q->peer = bed_udp(family, &q->live_at);
	bed_closed(family, &q->dead_at);
	sky_addr_from(&q->live, (struct sockaddr *)&q->live_at, bed_len(&q->live_at));
	sky_addr_from(&q->dead, (struct sockaddr *)&q->dead_at, bed_len(&q->dead_at));
	mark();
	rc = sky_udp_open(&q->udp, &c);
	check(q);
	if (rc || sky_udp_info(&q->udp, &info))
		return false;
	q->last = info;
	sky_addr_to(&info.local, family, &q->at);
	return true;
}

static void
counters(struct quiet *q)
{
	struct sky_udp_info i = { .size = sizeof(i) };
	const struct sky_udp_info *l = &q->last;

	mark();
	q->bad += sky_udp_info(&q->udp, &i) != 0;
	check(q);
	q->back += i.rx < l->rx || i.tx < l->tx || i.rx_drops < l->rx_drops ||
	    i.rx_truncated < l->rx_truncated || i.errors < l->errors ||
	    i.errors_lost < l->errors_lost || i.errors_maybe_lost < l->errors_maybe_lost ||
	    i.retries < l->retries || i.gso_trains < l->gso_trains ||
	    i.gso_refused < l->gso_refused || i.enobufs < l->enobufs || i.eperm < l->eperm;
	q->last = i;
}

/* A train, an empty one, one for the dead peer, one too large. */
static void
send_all(struct quiet *q)
{
	static char data[70000];
	struct sky_msg m[4];
	char sink[2048];

	memset(m, 0, sizeof(m));
	for (int i = 0; i < 4; i++) {
		m[i].data = data;
		m[i].have = SKY_MSG_PEER;
		m[i].peer = i == 2 ? q->dead : q->live;
	}
	m[0].len = 1000;
	m[0].seg = 100;
	m[2].len = 10;
	m[3].len = 66000;
	mark();
	q->bad += sky_udp_send(&q->udp, m, 4) != 4 || m[0].status || m[1].status ||
	    m[2].status || m[3].status != -EMSGSIZE;
	check(q);
	for (int i = 0; i < 100 && recv(q->peer, sink, sizeof(sink), MSG_DONTWAIT) >= 0; i++)
		;
}

static void
receive_all(struct quiet *q)
{
	static char data[8][64];
	struct sky_msg m[8];
	int n;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < 8; i++) {
		m[i].data = data[i];
		m[i].cap = sizeof(data[i]);
	}
	do {
		mark();
		n = sky_udp_recv(&q->udp, m, 8);
		check(q);
		q->bad += n < 0;
	} while (n > 0);
}

static void
tell_all(struct quiet *q)
{
	struct sky_fate f[4];
	char quotes[512], text[200];
	int n;

	do {
		mark();
		n = sky_udp_errors(&q->udp, f, 4, quotes, sizeof(quotes));
		check(q);
		q->bad += n < 0;
		for (int i = 0; i < n; i++) {
			mark();
			sky_fate_explain(&f[i], text, sizeof(text));
			sky_fate_vouch(&f[i], "x", 1, 0);
			check(q);
		}
	} while (n > 0);
	mark();
	q->bad += sky_udp_pending(&q->udp) != 0;
	check(q);
}

static void
round_of(struct quiet *q, unsigned r)
{
	char small[8];
	struct sky_addr from;

	if (r % 3 == 0)
		bed_forge(q->raw, sky_addr_port(&q->last.local), &q->dead_at, "quiet", 5);
	q->bad += sendto(q->peer, "twelve bytes", 12, 0, (struct sockaddr *)&q->at,
	    bed_len(&q->at)) != 12;
	mark();
	q->bad += sky_udp_recvfrom(&q->udp, small, sizeof(small), &from) < 0;
	check(q);
	send_all(q);
	mark();
	q->bad += sky_udp_sendto(&q->udp, "x", 1, &q->dead) != 1;
	check(q);
	receive_all(q);
	tell_all(q);
	counters(q);
}

static void
quiet(int family)
{
	static struct quiet q;
	unsigned long before;

	memset(&q, 0, sizeof(q));
	if (!bed_ok(quiet_open(&q, family, NULL), "a socket, family %d", family))
		return;
	before = bed_mallocs();
	for (unsigned r = 0; r < ROUNDS; r++)
		round_of(&q, r);
	before = bed_mallocs() - before;
	bed_ok(!q.bad, "family %d: %d rounds of every call, %u wrong", family, ROUNDS, q.bad);
	bed_ok(!q.touched, "errno touched by %u calls", q.touched);
	bed_ok(!q.back, "counters that went back: %u", q.back);
	bed_ok(q.last.tx >= ROUNDS * 13u && q.last.rx >= ROUNDS && q.last.errors >= ROUNDS,
	    "counted: %lu out, %lu in, %lu errors", q.last.tx, q.last.rx, q.last.errors);
	if (bed_counts_mallocs())
		bed_ok(!before, "%lu allocations", before);
	mark();
	sky_udp_close(&q.udp);
	check(&q);
	bed_ok(!q.touched, "close leaves errno alone");
	close(q.raw);
	close(q.peer);
}

/* A socket shut down for sending: plain send(2) would raise SIGPIPE. */
static void
no_signal(int family)
{
	static struct quiet q;
	struct sockaddr_storage peer_at;
	struct sky_addr peer;
	struct sky_msg m = { .data = (void *)(uintptr_t)"x", .len = 1 };
	int fd = bed_udp(family, &peer_at);

	memset(&q, 0, sizeof(q));
	sky_addr_from(&peer, (struct sockaddr *)&peer_at, bed_len(&peer_at));
	if (!bed_ok(quiet_open(&q, family, &peer), "a connected socket, family %d", family))
		return;
	shutdown(sky_udp_fd(&q.udp), SHUT_WR);
	bed_ok(sky_udp_send(&q.udp, &m, 1) == 1 && m.status == -EPIPE && !signals,
	    "shut down for sending: status %d, %d signals", m.status, (int)signals);
	bed_ok(sky_udp_sendto(&q.udp, "x", 1, NULL) == -EPIPE && !signals,
	    "the same by sendto: %d signals", (int)signals);
	sky_udp_close(&q.udp);
	close(fd);
	close(q.raw);
	close(q.peer);
}

/* A blocking descriptor is adopted: no call waits. The alarm would end it. */
static void
never_blocks(int family)
{
	static struct sky_udp u;
	struct sockaddr_storage at;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int twin = bed_udp(family, &at);
	uint64_t start = bed_now_ns();
	char data[8];
	struct sky_fate f;
	struct sky_msg m = { .data = data, .cap = sizeof(data) };
	bool ok;

	at.ss_family = (sa_family_t)family;
	ok = !sky_udp_adopt(&u, fd, NULL) && sky_udp_recv(&u, &m, 1) == 0 &&
	    sky_udp_recvfrom(&u, data, sizeof(data), NULL) == -EAGAIN &&
	    sky_udp_errors(&u, &f, 1, data, sizeof(data)) == 0;
	bed_ok(ok && bed_now_ns() - start < 1000000000u, "an adopted blocking socket never waits");
	sky_udp_close(&u);
	close(twin);
}

/* Nonsense is refused, not acted upon. */
static void
nonsense(void)
{
	static struct sky_udp u;
	struct sky_udp_conf c = { .size = 3 };
	int file = bed_raw(AF_INET), pipes[2];

	bed_ok(sky_udp_open(&u, &c) == -EINVAL, "a conf of the wrong size");
	if (pipe(pipes))
		return;
	bed_ok(sky_udp_adopt(&u, pipes[0], NULL) == -ENOTSOCK, "a pipe is not adopted");
	bed_ok(file < 0 || sky_udp_adopt(&u, file, NULL) == -EPROTOTYPE,
	    "a raw socket is not adopted");
	close(pipes[0]);
	close(pipes[1]);
	close(file);
}

int
main(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	const int families[] = { AF_INET, AF_INET6 };

	bed_enter(60);
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGIO, &sa, NULL);
	sigaction(SIGURG, &sa, NULL);
	for (int i = 0; i < 2; i++) {
		quiet(families[i]);
		no_signal(families[i]);
		never_blocks(families[i]);
	}
	nonsense();
	return bed_done();
}
