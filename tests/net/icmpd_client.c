/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpd_client.c - libsockeye as a client of icmpd: before the daemon is there, with
 * it, after it was killed under load and came back; alone, and as the second reporter
 * of a UDP socket, alone and in a group.
 */
#include "bed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 100, WAIT_MS = 5000, SENDS = 200, GROUP = 4, MANY = 3000 };

static char dir[64], path[96];
static struct {
	pid_t pid;
	int news;
} daemon_;

static void
start_daemon(void)
{
	char program[4096], notify[96];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct pollfd p;

	snprintf(program, sizeof(program), "%s/prog/icmpd/icmpd", getenv("SOCKEYE_BUILD"));
	snprintf(notify, sizeof(notify), "%s/notify", dir);
	unlink(notify);
	daemon_.news = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", notify);
	if (bind(daemon_.news, (struct sockaddr *)&a, sizeof(a)))
		abort();
	daemon_.pid = fork();
	if (daemon_.pid == 0) {
		setenv("NOTIFY_SOCKET", notify, 1);
		execl(program, "icmpd", "-f", "-s", path, "-u", "root", (char *)NULL);
		_exit(127);
	}
	p = (struct pollfd){ .fd = daemon_.news, .events = POLLIN };
	bed_ok(poll(&p, 1, WAIT_MS) == 1, "icmpd is ready");
	close(daemon_.news);
}

static int
stop_daemon(int how)
{
	int status = 0;

	kill(daemon_.pid, how);
	waitpid(daemon_.pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What came, until it is of a kind; the rest is counted. */
struct seen {
	struct sky_icmpd *d;
	unsigned count[SKY_ICMPD_KINDS];
	struct sky_icmpd_event last;
	uint8_t quote[SKY_ICMPD_QUOTE];
};

static bool
next(struct seen *s, int ms)
{
	struct pollfd p = { .fd = sky_icmpd_fd(s->d), .events = POLLIN };
	uint64_t end = bed_now_ns() + (uint64_t)ms * 1000000u;

	while (sky_icmpd_recv(s->d, &s->last, 1, s->quote, sizeof(s->quote)) != 1) {
		int left = (int)((int64_t)(end - bed_now_ns()) / 1000000);

		if (left <= 0 || poll(&p, 1, left) < 0)
			return false;
	}
	s->count[s->last.kind]++;
	return true;
}

static bool
await(struct seen *s, enum sky_icmpd_kind kind)
{
	while (next(s, WAIT_MS))
		if (s->last.kind == kind)
			return true;
	return false;
}

/* Everything that was sent before has been dealt with when this returns. */
static bool
fence(struct seen *s)
{
	return sky_icmpd_ask(s->d, SKY_ICMPD_COUNTERS) == 0 && await(s, SKY_ICMPD_DONE);
}

static void
hit(int fd, const struct sockaddr_storage *to)
{
	sendto(fd, "hello", 5, 0, (const struct sockaddr *)to, bed_len(to));
}

static bool
is_about(const struct sky_icmpd_event *e, const struct sockaddr_storage *to)
{
	struct sky_addr a;

	return e->fate.what == SKY_REFUSED && e->fate.evidence == SKY_BY_ICMPD &&
	    sky_addr_from(&a, (const struct sockaddr *)to, bed_len(to)) == 0 &&
	    sky_addr_equal(&a, &e->fate.dst) && e->fate.quote_len == 5 &&
	    memcmp(e->fate.quote, "hello", 5) == 0;
}

static void
before_it_is_there(struct seen *s)
{
	struct sky_icmpd_conf c = { .size = sizeof(c), .path = path, .flags = SKY_ICMPD_NOW };
	char longer[200];
	struct sky_icmpd d;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	bed_ok(sky_icmpd_open(&d, &c) == -ENOENT, "nobody there, and asked to say so: ENOENT");
	bed_ok(sky_icmpd_fd(&d) == -1, "then the handle is not open");
	sky_icmpd_close(&d);
	c.path = longer;
	bed_ok(sky_icmpd_open(&d, &c) == -ENAMETOOLONG, "a path that is too long");
	c.path = path;
	c.flags = 2;
	bed_ok(sky_icmpd_open(&d, &c) == -EINVAL, "an unknown flag");
	c.flags = 0;
	bed_ok(sky_icmpd_open(s->d, &c) == 0 && sky_icmpd_fd(s->d) >= 0,
	    "nobody there: it is tried again");
	bed_ok(sky_icmpd_ask(s->d, SKY_ICMPD_COUNTERS) == -ENOTCONN, "nobody to ask");
}

static void
kinds_of_descriptors(struct seen *s)
{
	int pair[2], raw = bed_raw(AF_INET);

	bed_ok(sky_icmpd_add(s->d, 12345, 0) == -EBADF, "no descriptor");
	if (pipe(pair))
		abort();
	bed_ok(sky_icmpd_add(s->d, pair[0], 0) == -ENOTSOCK, "a pipe");
	bed_ok(sky_icmpd_add(s->d, raw, 0) == -EPROTOTYPE, "a raw socket");
	bed_ok(sky_icmpd_remove(s->d, 5) == -ENOENT && sky_icmpd_remove(s->d, -1) == -ENOENT,
	    "nothing to remove");
	close(pair[0]);
	close(pair[1]);
	close(raw);
}

static void
one_socket(struct seen *s, int family, const char *name)
{
	struct sockaddr_storage at, dead;
	int fd = bed_udp(family, &at), id;
	unsigned fates;

	bed_closed(family, &dead);
	id = sky_icmpd_add(s->d, fd, 4711);
	bed_ok(id >= 0 && await(s, SKY_ICMPD_ADDED) && s->last.id == id && s->last.tag == 4711,
	    "%s: the daemon takes the socket", name);
	hit(fd, &dead);
	bed_ok(await(s, SKY_ICMPD_FATE) && is_about(&s->last, &dead) && s->last.id == id &&
	    s->last.tag == 4711 && s->last.owner.known && s->last.owner.inode,
	    "%s: its error is told, once and whole", name);
	bed_ok(sky_icmpd_remove(s->d, id) == 0 && sky_icmpd_remove(s->d, id) == -ENOENT,
	    "%s: removed, once", name);
	fates = s->count[SKY_ICMPD_FATE];
	hit(fd, &dead);
	bed_ok(fence(s) && s->count[SKY_ICMPD_FATE] == fates, "%s: and then nothing", name);
	close(fd);
}

/* Bind and connect come after the socket was added. */
static void
later(struct seen *s)
{
	struct sockaddr_storage dead4, dead6, mapped;
	struct sockaddr_in6 *m = (struct sockaddr_in6 *)&mapped;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), four, id, id4;

	bed_closed(AF_INET, &dead4);
	bed_closed(AF_INET6, &dead6);
	memset(&mapped, 0, sizeof(mapped));
	m->sin6_family = AF_INET6;
	m->sin6_port = ((struct sockaddr_in *)&dead4)->sin_port;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &m->sin6_addr);
	id = sky_icmpd_add(s->d, fd, 1);
	bed_ok(await(s, SKY_ICMPD_ADDED), "a socket without a port is taken");
	hit(fd, &dead6);
	bed_ok(await(s, SKY_ICMPD_FATE) && is_about(&s->last, &dead6), "then it sends by IPv6");
	hit(fd, &mapped);
	bed_ok(await(s, SKY_ICMPD_FATE) && is_about(&s->last, &dead4), "and by IPv4");
	four = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	id4 = sky_icmpd_add(s->d, four, 2);
	await(s, SKY_ICMPD_ADDED);
	if (connect(four, (struct sockaddr *)&dead4, bed_len(&dead4)))
		abort();
	if (send(four, "hello", 5, 0) != 5)
		abort();
	bed_ok(await(s, SKY_ICMPD_FATE) && is_about(&s->last, &dead4) && s->last.id == id4,
	    "another is connected later");
	sky_icmpd_remove(s->d, id);
	sky_icmpd_remove(s->d, id4);
	close(fd);
	close(four);
}

/* Its number is another socket by the time that the daemon is told again. */
static void
killed_under_load(struct seen *s)
{
	struct sockaddr_storage at, dead;
	int fd = bed_udp(AF_INET, &at), gone = bed_udp(AF_INET, &at), other;
	int id = sky_icmpd_add(s->d, fd, 9), id2 = sky_icmpd_add(s->d, gone, 10);
	struct sky_icmpd_status st = { .size = sizeof(st) };
	unsigned added;

	bed_closed(AF_INET, &dead);
	await(s, SKY_ICMPD_ADDED);
	await(s, SKY_ICMPD_ADDED);
	for (int i = 0; i < SENDS; i++) {
		hit(fd, &dead);
		if (i == SENDS / 2)
			stop_daemon(SIGKILL);
	}
	other = dup(fd);
	dup2(other, gone);
	close(other);
	bed_ok(await(s, SKY_ICMPD_DOWN) && s->last.err < 0, "killed under load: told at once");
	sky_icmpd_status(s->d, &st);
	bed_ok(!st.up && st.downs == 1 && st.sockets == 2 && st.accepted == 0, "the status says so");
	start_daemon();
	added = s->count[SKY_ICMPD_ADDED];
	bed_ok(await(s, SKY_ICMPD_UP) && s->last.count == 2, "it came back, and that is told");
	bed_ok(await(s, SKY_ICMPD_ADDED) && s->last.id == id && fence(s) &&
	    s->count[SKY_ICMPD_ADDED] == added + 1,
	    "the socket is added again, not what became of the other's number");
	hit(fd, &dead);
	bed_ok(await(s, SKY_ICMPD_FATE) && is_about(&s->last, &dead), "and its errors are told");
	bed_ok(sky_icmpd_remove(s->d, id2) == -ENOENT, "the other one is gone");
	sky_icmpd_remove(s->d, id);
	close(fd);
	close(gone);
}

/* More than a message, a socket buffer and the handle's own room hold. */
static void
many(void)
{
	static uint64_t room[SKY_ICMPD_ROOM(MANY) / sizeof(uint64_t)];
	static int fds[MANY], ids[MANY];
	struct sky_icmpd_conf c = { .size = sizeof(c), .path = path, .room = room,
		.room_size = sizeof(room) };
	struct sky_icmpd_status st = { .size = sizeof(st) };
	static struct sky_icmpd d;
	struct seen s = { .d = &d };
	struct sockaddr_storage dead;
	int n;

	bed_closed(AF_INET, &dead);
	sky_icmpd_open(&d, &c);
	for (n = 0; n < MANY; n++) {
		fds[n] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fds[n] < 0)
			break;
		ids[n] = sky_icmpd_add(&d, fds[n], (uint64_t)n);
		if (ids[n] < 0)
			abort();
	}
	while (s.count[SKY_ICMPD_ADDED] < (unsigned)n && next(&s, WAIT_MS))
		continue;
	bed_ok(s.count[SKY_ICMPD_ADDED] == (unsigned)n, "%d sockets are taken", n);
	bed_ok(n < MANY || sky_icmpd_add(&d, fds[0], 0) == -ENOSPC, "and then there is no room");
	for (int i = 0; i < n; i += 7)
		hit(fds[i], &dead);
	for (int i = 0; i < n; i += 7)
		if (!await(&s, SKY_ICMPD_FATE) || s.last.tag % 7 || !is_about(&s.last, &dead))
			break;
	bed_ok(s.count[SKY_ICMPD_FATE] == (unsigned)(n + 6) / 7, "each seventh sent, and is told");
	sky_icmpd_status(&d, &st);
	bed_ok(st.accepted == (unsigned)n && st.lost == 0, "none was lost");
	for (int i = 0; i < n; i++)
		sky_icmpd_remove(&d, ids[i]);
	bed_ok(fence(&s), "all removed");
	sky_icmpd_status(&d, &st);
	bed_ok(st.sockets == 0, "and none is left");
	for (int i = 0; i < n; i++)
		close(fds[i]);
	sky_icmpd_close(&d);
}

/* --- the second reporter --- */
struct second {
	struct sky_udp u;
	struct sky_icmpd d;
	unsigned fates, by_icmpd, last;
	uint16_t dport;
};

static bool
open_second(struct second *x, const struct sky_addr *local, uint32_t flags)
{
	struct sky_udp_conf c = { .size = sizeof(c), .local = local, .flags = flags,
		.icmpd = &x->d, .icmpd_path = path };
	struct sky_udp_info info = { .size = sizeof(info) };
	uint64_t end = bed_now_ns() + WAIT_MS * 1000000ull;
	struct sky_fate f;
	int fds[2];

	if (sky_udp_open(&x->u, &c) < 0 || sky_udp_fds(&x->u, fds) != 2)
		return false;
	while (bed_now_ns() < end) {
		struct pollfd p = { .fd = fds[1], .events = POLLIN };

		while (sky_udp_errors(&x->u, &f, 1, NULL, 0) > 0)
			continue;
		sky_udp_info(&x->u, &info);
		if (info.cap[SKY_CAP_ICMPD] == 1)
			return true;
		poll(&p, 1, 100);
	}
	return false;
}

/* All that both reporters tell until neither has anything for so long. */
static void
collect(struct second *x, unsigned expect, int ms)
{
	struct sky_fate f[16];
	uint8_t quotes[16 * 1280];
	int fds[2], n;

	sky_udp_fds(&x->u, fds);
	for (;;) {
		struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };

		while ((n = sky_udp_errors(&x->u, f, 16, quotes, sizeof(quotes))) > 0)
			for (int i = 0; i < n; i++) {
				x->fates++;
				x->by_icmpd += f[i].evidence == SKY_BY_ICMPD;
				x->last = f[i].what;
				x->dport = sky_addr_port(&f[i].dst);
			}
		if (x->fates >= expect)
			ms = 100;
		if (poll(p, 2, ms) <= 0)
			return;
	}
}

static void
merged(int family, const char *host)
{
	static struct second x;
	struct sky_addr local, to;
	char text[64];
	unsigned sent;

	memset(&x, 0, sizeof(x));
	sky_addr_parse(&local, host);
	snprintf(text, sizeof(text), family == AF_INET ? "%s:9" : "[%s]:9", host);
	sky_addr_parse(&to, text);
	bed_ok(open_second(&x, &local, 0), "%s: a socket with two reporters", host);
	for (sent = 0; sent < SENDS; sent++)
		sky_udp_sendto(&x.u, &sent, sizeof(sent), &to);
	collect(&x, sent, WAIT_MS);
	bed_ok(x.fates == sent, "%s: %u datagrams, %u fates (%u told by icmpd first)", host, sent,
	    x.fates, x.by_icmpd);
	/* the same payload each time: like errors are counted, not merged into one */
	for (x.fates = 0, sent = 0; sent < SENDS; sent++)
		sky_udp_sendto(&x.u, "same", 4, &to);
	collect(&x, sent, WAIT_MS);
	bed_ok(x.fates == sent, "%s: %u that are alike, %u fates", host, sent, x.fates);
	sky_udp_close(&x.u);
	bed_ok(sky_icmpd_fd(&x.d) == -1, "%s: one close closes both", host);
}

static uint16_t
sum_of(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < n; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* Source quench and reassembly timeout: what the kernel keeps to itself. */
static void
kept_by_the_kernel(void)
{
	static const uint8_t kinds[][2] = { { 4, 0 }, { 11, 1 } };
	static struct second x;
	struct sky_addr local;
	struct sky_udp_info info = { .size = sizeof(info) };
	struct sockaddr_in lo = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	int raw = bed_raw(AF_INET);

	memset(&x, 0, sizeof(x));
	sky_addr_parse(&local, "127.0.0.1");
	open_second(&x, &local, 0);
	sky_udp_info(&x.u, &info);
	for (int i = 0; i < 2; i++) {
		uint8_t p[40] = { kinds[i][0], kinds[i][1], 0, 0, 0, 0, 0, 0,
			0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 9 };
		uint16_t port = sky_addr_port(&info.local), c;

		p[28] = (uint8_t)(port >> 8);
		p[29] = (uint8_t)port;
		p[31] = 9;
		p[33] = 12;
		c = sum_of(p, sizeof(p));
		p[2] = (uint8_t)(c >> 8);
		p[3] = (uint8_t)c;
		x.fates = x.by_icmpd = 0;
		sendto(raw, p, sizeof(p), 0, (struct sockaddr *)&lo, sizeof(lo));
		collect(&x, 1, WAIT_MS);
		bed_ok(x.fates == 1 && x.by_icmpd == 1 && x.last ==
		    (i ? SKY_REASSEMBLY_TIMEOUT : SKY_QUENCHED), "%s is told, by icmpd alone",
		    sky_fate_word((enum sky_what)x.last));
	}
	close(raw);
	sky_udp_close(&x.u);
}

/* Four sockets at one port: the kernel gives each error to any of them, icmpd to all;
 * who sent it keeps it. */
static void
group(void)
{
	static struct second x[GROUP];
	struct sky_udp_info info = { .size = sizeof(info) };
	struct sky_addr local, to;
	unsigned own = 0, all = 0;

	memset(x, 0, sizeof(x));
	sky_addr_parse(&local, "127.0.0.1");
	for (int i = 0; i < GROUP; i++) {
		if (!open_second(&x[i], &local, SKY_UDP_REUSEPORT))
			bed_ok(false, "member %d", i);
		if (i == 0) {
			sky_udp_info(&x[0].u, &info);
			sky_addr_set_port(&local, sky_addr_port(&info.local));
		}
	}
	for (unsigned n = 0; n < SENDS; n++)
		for (int i = 0; i < GROUP; i++) {
			sky_addr_parse(&to, "127.0.0.1");
			sky_addr_set_port(&to, (uint16_t)(200 + i));
			sky_udp_sendto(&x[i].u, &n, sizeof(n), &to);
		}
	for (int i = 0; i < GROUP; i++) {
		collect(&x[i], SENDS, WAIT_MS);
		own += x[i].fates == SENDS && x[i].dport == 200 + i;
		all += x[i].fates;
	}
	bed_ok(own == GROUP, "a group of %d: each member learns of its own %d, nobody of "
	    "another's (%u in all)", GROUP, SENDS, all);
	for (int i = 0; i < GROUP; i++)
		sky_udp_close(&x[i].u);
}

/* The reporter goes and comes back; the queue goes on meanwhile. */
static void
second_comes_back(void)
{
	static struct second x;
	struct sky_addr local, to;
	struct sky_udp_info info = { .size = sizeof(info) };
	uint64_t end = bed_now_ns() + WAIT_MS * 1000000ull;

	memset(&x, 0, sizeof(x));
	sky_addr_parse(&local, "127.0.0.1");
	sky_addr_parse(&to, "127.0.0.1:9");
	open_second(&x, &local, 0);
	bed_ok(stop_daemon(SIGTERM) == 0, "icmpd ends with status 0");
	sky_udp_sendto(&x.u, "alone", 5, &to);
	collect(&x, 1, WAIT_MS);
	bed_ok(x.fates == 1 && x.by_icmpd == 0, "without icmpd the error queue tells");
	sky_udp_info(&x.u, &info);
	bed_ok(info.cap[SKY_CAP_ICMPD] < 0, "the info call says that it is gone: %s",
	    strerror(-info.cap[SKY_CAP_ICMPD]));
	start_daemon();
	while (info.cap[SKY_CAP_ICMPD] != 1 && bed_now_ns() < end) {
		collect(&x, 2, 100);
		sky_udp_info(&x.u, &info);
	}
	bed_ok(info.cap[SKY_CAP_ICMPD] == 1, "and that it is back");
	bed_ok(info.errors_maybe_lost > 0, "errors may have been missed between");
	sky_udp_close(&x.u);
}

static void
quiet(struct seen *s)
{
	unsigned long before = bed_mallocs();
	struct sockaddr_storage at, dead;
	int fd = bed_udp(AF_INET, &at), id;

	errno = 12345;
	bed_closed(AF_INET, &dead);
	id = sky_icmpd_add(s->d, fd, 0);
	await(s, SKY_ICMPD_ADDED);
	for (int i = 0; i < SENDS; i++)
		hit(fd, &dead);
	for (int i = 0; i < SENDS; i++)
		await(s, SKY_ICMPD_FATE);
	sky_icmpd_remove(s->d, id);
	bed_ok(errno == 12345, "errno is not touched");
	if (bed_counts_mallocs())
		bed_ok(bed_mallocs() == before, "nothing is allocated");
	close(fd);
}

static void
clean_up(void)
{
	static const char *const names[] = { "/notify", "/run/socket", "/run", "" };
	char name[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", dir, names[i]);
		remove(name);
	}
}

int
main(void)
{
	static struct sky_icmpd d;
	struct seen s = { .d = &d };

	if (!getenv("SOCKEYE_BUILD")) {
		printf("1..0 # SKIP SOCKEYE_BUILD says where icmpd is\n");
		return 0;
	}
	bed_enter(SECONDS);
	signal(SIGPIPE, SIG_DFL);
	snprintf(dir, sizeof(dir), "/tmp/icmpd-client-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/run/socket", dir);
	before_it_is_there(&s);
	kinds_of_descriptors(&s);
	start_daemon();
	bed_ok(await(&s, SKY_ICMPD_UP) && s.last.count == 1, "the daemon started: told");
	one_socket(&s, AF_INET, "IPv4");
	one_socket(&s, AF_INET6, "IPv6");
	later(&s);
	quiet(&s);
	killed_under_load(&s);
	many();
	merged(AF_INET, "127.0.0.1");
	merged(AF_INET6, "::1");
	kept_by_the_kernel();
	group();
	second_comes_back();
	sky_icmpd_close(&d);
	sky_icmpd_close(&d);
	bed_ok(stop_daemon(SIGTERM) == 0, "icmpd ends with status 0");
	clean_up();
	return bed_done();
}
