/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.c - clients that ask servers for all they can, and the simplest server.
 *
 * bench/peers.py sets it against our servers and other people's. Every mode
 * talks to the loopback and ends by itself, but for `serve`, which a signal
 * ends, and `hold`, which ends with its standard input.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ASK 16			/* bytes of one TCP request */
#define EVENTS 256
#define MOST_ASKERS 1024
#define BURST 64		/* datagrams in one call */
#define STALLED_MS 20		/* nothing came: what is out is lost */

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in
address(const char *host, unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		errx(2, "\"%s\": expected an IPv4 address", host);
	return a;
}

static unsigned
number(const char *text, unsigned low, unsigned high)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || v < low || v > high)
		errx(2, "\"%s\": expected a number from %u to %u", text, low, high);
	return (unsigned)v;
}

static int
epoll_new(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		err(1, "epoll_create1");
	return fd;
}

static void
watch(int ep, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
		err(1, "epoll_ctl");
}

/* --- the server by hand --- */

static void
accept_all(int ep, int l)
{
	int fd;

	while ((fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		watch(ep, fd);
}

static void
echo_once(int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if ((n < 0 && errno == EAGAIN) || (n > 0 && write(fd, buf, (size_t)n) == n))
		return;
	close(fd);
}

static int
serve(char **arg)
{
	struct sockaddr_in a = address("127.0.0.1", number(arg[0], 1, 65535));
	int on = 1, n, i, ep = epoll_new(), l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct epoll_event e[EVENTS];

	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (l < 0 || bind(l, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l, 4096) < 0)
		err(1, "listening at %s", arg[0]);
	watch(ep, l);
	for (;;) {
		n = epoll_wait(ep, e, EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (e[i].data.fd == l)
				accept_all(ep, l);
			else
				echo_once(e[i].data.fd);
		}
	}
	return 0;
}

/* --- many short connections --- */

static int
ask(const struct sockaddr_in *to)
{
	static const char text[ASK] = "sixteen letters.";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		err(1, "connect");
	if (write(fd, text, sizeof(text)) != sizeof(text))
		err(1, "write");
	return fd;
}

/* With a reset: no TIME_WAIT that would use the ports up. */
static bool
take_answer(int fd)
{
	struct linger rst = {.l_onoff = 1};
	char buf[ASK * 2];
	ssize_t n = read(fd, buf, sizeof(buf));

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &rst, sizeof(rst));
	close(fd);
	return n == ASK;
}

static int
tcp(char **arg)
{
	struct sockaddr_in to = address("127.0.0.1", number(arg[0], 1, 65535));
	unsigned askers = number(arg[1], 1, MOST_ASKERS), u;
	uint64_t begin = now_ns(), end = begin + number(arg[2], 1, 60000) * 1000000ull;
	uint64_t good = 0, bad = 0;
	struct epoll_event e[EVENTS];
	int n, i, ep = epoll_new();

	for (u = 0; u < askers; u++)
		watch(ep, ask(&to));
	while (now_ns() < end) {
		n = epoll_wait(ep, e, EVENTS, 1000);
		if (n <= 0)
			errx(1, "no answer for a second after %llu", (unsigned long long)good);
		for (i = 0; i < n; i++) {
			if (take_answer(e[i].data.fd))
				good++;
			else
				bad++;
			watch(ep, ask(&to));
		}
	}
	printf("%.0f %llu\n", (double)good * 1e9 / (double)(now_ns() - begin),
	    (unsigned long long)bad);
	return 0;
}

/* --- many connections at once --- */

static int
hold(char **arg)
{
	struct sockaddr_in to = address("127.0.0.1", number(arg[0], 1, 65535));
	unsigned most = number(arg[1], 1, 60000), i, good = 0;
	struct rlimit files = {most + 64, most + 64};
	char buf[ASK];
	int *fd = calloc(most, sizeof(*fd));

	if (!fd || setrlimit(RLIMIT_NOFILE, &files) < 0)
		err(1, "room for %u descriptors", most);
	for (i = 0; i < most; i++)
		fd[i] = ask(&to);
	for (i = 0; i < most; i++)
		good += read(fd[i], buf, sizeof(buf)) == ASK;
	printf("%u\n", good);
	fflush(stdout);
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
	free(fd);
	return 0;
}

/* --- datagrams that come back --- */

struct echo {
	struct sockaddr_in to;
	int fd;
	unsigned window, out;		/* datagrams on their way */
	uint64_t back, wrong, lost;
	struct mmsghdr m[BURST];
	struct iovec v[BURST];
	struct sockaddr_in from[BURST];
	char data[BURST][2048];
};

static void
echo_prepare(struct echo *k, unsigned size)
{
	unsigned i;

	for (i = 0; i < BURST; i++) {
		k->v[i] = (struct iovec){k->data[i], size};
		k->m[i].msg_hdr.msg_iov = &k->v[i];
		k->m[i].msg_hdr.msg_iovlen = 1;
		k->m[i].msg_hdr.msg_name = &k->from[i];
	}
}

static void
echo_send(struct echo *k)
{
	unsigned i, n = k->window - k->out < BURST ? k->window - k->out : BURST;
	int sent;

	for (i = 0; i < n; i++) {
		k->from[i] = k->to;
		k->m[i].msg_hdr.msg_namelen = sizeof(k->to);
	}
	sent = n ? sendmmsg(k->fd, k->m, n, 0) : 0;
	if (sent < 0)
		err(1, "sendmmsg");
	k->out += (unsigned)sent;
}

static void
echo_receive(struct echo *k)
{
	int i, n = recvmmsg(k->fd, k->m, BURST, MSG_WAITFORONE, NULL);

	if (n < 0) {		/* the time of SO_RCVTIMEO */
		k->lost += k->out;
		k->out = 0;
		return;
	}
	for (i = 0; i < n; i++) {
		bool right = k->from[i].sin_addr.s_addr == k->to.sin_addr.s_addr &&
		    k->from[i].sin_port == k->to.sin_port;

		k->back += right;
		k->wrong += !right;
	}
	k->out -= (unsigned)n < k->out ? (unsigned)n : k->out;
}

static int
udp(char **arg)
{
	struct timeval stalled = {.tv_usec = STALLED_MS * 1000};
	static struct echo k;
	uint64_t begin, end;
	int room = 4 << 20;

	k.to = address(arg[0], number(arg[1], 1, 65535));
	echo_prepare(&k, number(arg[2], 1, 2048));
	k.window = number(arg[3], 1, 4096);
	k.fd = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(k.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (k.fd < 0 || setsockopt(k.fd, SOL_SOCKET, SO_RCVTIMEO, &stalled, sizeof(stalled)) < 0)
		err(1, "socket");
	begin = now_ns();
	end = begin + number(arg[4], 1, 60000) * 1000000ull;
	while (now_ns() < end) {
		echo_send(&k);
		echo_receive(&k);
	}
	printf("%.0f %llu %llu\n", (double)(k.back + k.wrong) * 1e9 / (double)(now_ns() - begin),
	    (unsigned long long)k.wrong, (unsigned long long)k.lost);
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
	const char *usage;
} modes[] = {
	{"serve", 1, serve, "PORT"},
	{"tcp", 3, tcp, "PORT AT-ONCE MS"},
	{"hold", 2, hold, "PORT CONNECTIONS"},
	{"udp", 5, udp, "ADDRESS PORT BYTES AT-ONCE MS"},
};

int
main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (argc == modes[i].args + 2 && strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv + 2);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, "usage: bench-load %s %s\n", modes[i].name, modes[i].usage);
	return 2;
}
