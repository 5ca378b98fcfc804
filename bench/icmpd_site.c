/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd_site.c - see icmpd_site.h. */
#include "icmpd_site.h"
#include "place.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sockeye/icmpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_PORT 10000u
#define PORTS 50000u
#define BUFFER (4 << 20)
#define BATCH 64

static uint64_t
clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t
site_clock(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

/* --- sockets and what is forged about them --- */

static struct sockaddr_in
address_of(unsigned i)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(FIRST_PORT + i % PORTS)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 * (i / PORTS)),
	};
}

static int
bound(unsigned i)
{
	struct sockaddr_in a = address_of(i);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		err(1, "socket %u", i);
	return fd;
}

static uint16_t
sum_of(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void
site_forge(struct site *s, unsigned i, uint16_t port)
{
	static const uint8_t head[] = {
		3, 3, 0, 0, 0, 0, 0, 0,				/* port unreachable */
		0x45, 0, 0, 36, 0, 0, 0, 0, 64, 17, 0, 0,	/* IP, UDP */
		0, 0, 0, 0, 10, 9, 9, 9,
		0, 0, 0, 0, 0, 16, 0, 0,			/* of 8 bytes */
	};
	struct sockaddr_in a = address_of(i);
	uint8_t p[44] = { 0 };
	uint16_t sum;

	memcpy(p, head, sizeof(head));
	memcpy(p + 20, &a.sin_addr, 4);
	memcpy(p + 28, &a.sin_port, 2);
	port = htons(port);
	memcpy(p + 30, &port, 2);
	sum = htons(sum_of(p, sizeof(p)));
	memcpy(p + 2, &sum, 2);
	a.sin_port = 0;
	if (sendto(s->raw, p, sizeof(p), 0, (struct sockaddr *)&a, sizeof(a)) < 0)
		err(1, "cannot forge");
}

/* ignore: bits of ICMP types. */
static int
raw_socket(uint32_t ignore)
{
	const struct icmp_filter filter = { ignore };
	const int big = BUFFER;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd < 0)
		err(1, "raw socket");
	setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	return fd;
}

uint64_t
site_stamp(struct site *s)
{
	char data[256], control[128];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct timespec t = { 0 };

	if (recvmsg(s->stamp, &m, MSG_DONTWAIT) < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&t, CMSG_DATA(c), sizeof(t));
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* --- clients --- */

static void
heard(struct site_counts *c, unsigned n, int ack)
{
	c->at_ns = clock_of(CLOCK_REALTIME);
	c->told += n;
	if (ack >= 0 && write(ack, "", 1) < 0)
		_exit(1);
}

static int
epoll_on(int fd, uint32_t events)
{
	struct epoll_event e = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
		err(1, "epoll");
	return ep;
}

_Noreturn static void
hear_queue(struct site_counts *c, int ack)
{
	char data[576], control[512];
	struct iovec iov = { data, sizeof(data) };
	struct epoll_event e;
	const int on = 1;
	int fd = bound(0), ep = epoll_on(fd, 0);

	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	c->ready = 1;
	for (;;) {
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof(control) };

		epoll_wait(ep, &e, 1, -1);
		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
			heard(c, 1, ack);
	}
}

_Noreturn static void
hear_bare(struct site_counts *c, int ack)
{
	static char data[BATCH][2048];
	static struct mmsghdr m[BATCH];
	static struct iovec iov[BATCH];
	int fd = raw_socket(~(1u << 3)), n;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ data[i], sizeof(data[i]) };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	c->ready = 1;
	for (;;) {
		n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL);
		if (n > 0)
			heard(c, (unsigned)n, ack);
	}
}

/* Events of a batch; how many of them are errors, and how many sockets were taken. */
static unsigned
take(struct sky_icmpd *d, struct site_counts *c, unsigned *taken)
{
	static struct sky_icmpd_event e[BATCH];
	static uint8_t quotes[BATCH * SKY_ICMPD_QUOTE];
	int n = sky_icmpd_recv(d, e, BATCH, quotes, sizeof(quotes));
	unsigned fates = 0;

	for (int i = 0; i < n; i++) {
		fates += e[i].kind == SKY_ICMPD_FATE;
		*taken += e[i].kind == SKY_ICMPD_ADDED;
		if (e[i].kind == SKY_ICMPD_LOST)
			c->lost += e[i].count;
		if (e[i].kind == SKY_ICMPD_REFUSED || e[i].kind == SKY_ICMPD_DOWN)
			errx(1, "icmpd refused or is gone: %s", strerror(-e[i].err));
	}
	return fates;
}

static void
add_all(struct sky_icmpd *d, struct site_counts *c, unsigned from, unsigned n)
{
	struct pollfd p = { .fd = sky_icmpd_fd(d), .events = POLLIN };
	unsigned added = 0, taken = 0;

	while (taken < n) {
		for (; added < n && added < taken + 1024; added++)
			if (sky_icmpd_add(d, bound(from + added), added) < 0)
				errx(1, "cannot add socket %u", from + added);
		if (poll(&p, 1, 10000) <= 0)
			errx(1, "icmpd does not take sockets: %u of %u", taken, n);
		take(d, c, &taken);
	}
}

_Noreturn static void
hear_icmpd(const struct site *s, unsigned client, int ack)
{
	unsigned n = s->sockets / s->clients + (client < s->sockets % s->clients), taken = 0;
	unsigned from = 0;
	struct site_counts *c = &s->counts[client];
	struct sky_icmpd_conf conf = { .size = sizeof(conf), .flags = SKY_ICMPD_NOW,
				       .path = s->path, .room_size = SKY_ICMPD_ROOM(n + 1) };
	static struct sky_icmpd d;
	struct epoll_event e;
	unsigned got;
	int r, ep;

	for (unsigned i = 0; i < client; i++)
		from += s->sockets / s->clients + (i < s->sockets % s->clients);
	conf.room = calloc(1, conf.room_size);
	r = conf.room ? sky_icmpd_open(&d, &conf) : -ENOMEM;
	if (r < 0)
		errx(1, "cannot reach icmpd: %s", strerror(-r));
	add_all(&d, c, from, n);
	ep = epoll_on(sky_icmpd_fd(&d), EPOLLIN);
	c->ready = 1;
	for (;;) {
		if (!sky_icmpd_pending(&d))
			epoll_wait(ep, &e, 1, -1);
		got = take(&d, c, &taken);
		if (got)
			heard(c, got, ack);
	}
}

/* --- the daemon --- */

static void
more_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		err(1, "RLIMIT_NOFILE");
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		err(1, "%ju descriptors", (uintmax_t)r.rlim_max);
}

static void
start_daemon(struct site *s, const char *icmpd)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char notify[128], text[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	snprintf(s->dir, sizeof(s->dir), "/tmp/bench-icmpd-XXXXXX");
	if (!mkdtemp(s->dir))
		err(1, "%s", s->dir);
	snprintf(s->path, sizeof(s->path), "%s/socket", s->dir);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", s->dir);
	snprintf(notify, sizeof(notify), "NOTIFY_SOCKET=%s", a.sun_path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		err(1, "%s", a.sun_path);
	s->daemon = fork();
	if (s->daemon == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		place_pin(s->cpu);
		place_fifo();
		putenv(notify);
		execl(icmpd, "icmpd", "-f", "-s", s->path, "-u", "root", (char *)NULL);
		err(1, "%s", icmpd);
	}
	if (poll(&p, 1, 5000) <= 0 || recv(fd, text, sizeof(text), 0) <= 0)
		errx(1, "icmpd does not say that it is ready");
	close(fd);
	unlink(a.sun_path);
}

/* A number behind a word in a file of the daemon's folder in /proc. */
static uint64_t
read_number(const struct site *s, const char *file, const char *word)
{
	char path[64], line[256];
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)s->daemon, file);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, word, strlen(word)) == 0) {
			n = strtoull(line + strlen(word), NULL, 10);
			break;
		}
	if (f)
		fclose(f);
	return n;
}

uint64_t
site_cpu_ns(const struct site *s)
{
	return read_number(s, "schedstat", "");
}

uint64_t
site_kib(const struct site *s)
{
	return read_number(s, "status", "VmRSS:");
}

uint64_t
site_wakes(const struct site *s)
{
	return read_number(s, "status", "voluntary_ctxt_switches:");
}

uint64_t
site_counter(const struct site *s, int which)
{
	static struct sky_icmpd d;
	struct sky_icmpd_conf conf = { .size = sizeof(conf), .flags = SKY_ICMPD_NOW,
				       .path = s->path };
	struct sky_icmpd_event e[BATCH];
	struct pollfd p = { .events = POLLIN };
	uint64_t value = 0;
	bool done = false;

	if (sky_icmpd_open(&d, &conf) < 0 || sky_icmpd_ask(&d, SKY_ICMPD_COUNTERS) < 0)
		errx(1, "cannot ask icmpd");
	p.fd = sky_icmpd_fd(&d);
	while (!done && poll(&p, 1, 5000) > 0) {
		int n = sky_icmpd_recv(&d, e, BATCH, NULL, 0);

		for (int i = 0; i < n; i++) {
			if (e[i].kind == SKY_ICMPD_COUNTER && e[i].counter == which)
				value = e[i].count;
			done |= e[i].kind == SKY_ICMPD_DONE;
		}
	}
	sky_icmpd_close(&d);
	return value;
}

/* --- a site --- */

static void
start_client(struct site *s, unsigned i, const int acks[2])
{
	s->client[i] = fork();
	if (s->client[i] < 0)
		err(1, "fork");
	if (s->client[i] > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (acks[0] >= 0)
		close(acks[0]);
	place_pin(s->cpu);
	place_fifo();
	if (s->way == SITE_QUEUE)
		hear_queue(&s->counts[i], acks[1]);
	if (s->way == SITE_BARE)
		hear_bare(&s->counts[i], acks[1]);
	hear_icmpd(s, i, acks[1]);
}

static void
await_ready(const struct site *s)
{
	uint64_t end = site_clock() + 120000000000u;

	for (unsigned i = 0; i < s->clients; i++)
		while (!s->counts[i].ready) {
			if (waitpid(s->client[i], NULL, WNOHANG) || site_clock() > end)
				errx(1, "a client did not begin");
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		}
}

/* A host with 100,000 sockets has a table for them: the kernel's own chains are not
 * what is measured. It is set for the children of a namespace of our own, and the
 * site is one of these. (Linux 6.1; without, chains of six.) */
static void
enter_network(void)
{
	int r = place_network(), fd;

	if (r < 0)
		errx(1, "no network of one's own: %s", strerror(-r));
	fd = open("/proc/sys/net/ipv4/udp_child_hash_entries", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "65536", 5) != 5)
		warn("udp_child_hash_entries");
	if (fd >= 0)
		close(fd);
	r = place_network();
	if (r < 0)
		errx(1, "no network of one's own: %s", strerror(-r));
}

void
site_open(struct site *s, const char *icmpd)
{
	int acks[2] = { -1, -1 };
	const int on = 1;

	more_descriptors();
	enter_network();
	s->counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->counts == MAP_FAILED || (s->ack && pipe2(acks, O_CLOEXEC) < 0))
		err(1, "memory, pipe");
	if (s->way == SITE_ICMPD) {
		start_daemon(s, icmpd);
		s->empty_kib = site_kib(s);
	}
	s->raw = raw_socket(~0u);
	s->stamp = s->ack ? raw_socket(~(1u << 3)) : -1;
	if (s->stamp >= 0)
		setsockopt(s->stamp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	for (unsigned i = 0; i < s->clients; i++)
		start_client(s, i, acks);
	if (acks[1] >= 0)
		close(acks[1]);
	s->acks = acks[0];
	await_ready(s);
}

static void
end_process(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void
site_close(struct site *s)
{
	for (unsigned i = 0; i < s->clients; i++)
		end_process(s->client[i]);
	end_process(s->daemon);
	if (s->dir[0]) {
		unlink(s->path);
		rmdir(s->dir);
	}
	close(s->raw);
	if (s->stamp >= 0)
		close(s->stamp);
	if (s->acks >= 0)
		close(s->acks);
	munmap(s->counts, 4096);
}

uint64_t
site_told(const struct site *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->clients; i++)
		n += s->counts[i].told;
	return n;
}

uint64_t
site_lost(const struct site *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->clients; i++)
		n += s->counts[i].lost;
	return n;
}

bool
site_await(const struct site *s, uint64_t n)
{
	uint64_t last = 0, since = site_clock(), now;

	while (site_told(s) + site_lost(s) < n) {
		now = site_clock();
		if (site_told(s) != last)
			since = now;
		last = site_told(s);
		if (now > since + 1000000000)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
	}
	return true;
}
