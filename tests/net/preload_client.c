/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload_client.c - programs as others write them, that know nothing of sockeye.
 *
 *	preload-client WAY ADDRESS PORT [ADDRESS PORT]
 *
 * Each prints what its calls returned, one word per line: the name of an errno,
 * "data", "silence". preload.py runs them without the library and with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 64, BURSTS = 50 };
#define WAIT_MS wait_ms()

struct end {
	struct sockaddr_storage a;
	socklen_t len;
};

/* How long to wait for an answer: WAIT in the environment, or 400 ms. */
static int
wait_ms(void)
{
	const char *ms = getenv("WAIT");

	return ms ? (int)strtol(ms, NULL, 10) : 400;
}

static void
word(long r)
{
	printf("%s\n", r < 0 ? strerrorname_np(errno) : "data");
	fflush(stdout);
}

static struct end
end_of(const char *address, const char *port)
{
	struct end e = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	in.sin_port = in6.sin6_port = htons((in_port_t)strtoul(port, NULL, 10));
	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(&e.a, &in, sizeof(in));
		e.len = sizeof(in);
	} else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1) {
		memcpy(&e.a, &in6, sizeof(in6));
		e.len = sizeof(in6);
	}
	return e;
}

static const struct sockaddr *
sa(const struct end *e)
{
	return (const struct sockaddr *)&e->a;
}

static int
udp(const struct end *e, int flags)
{
	return socket(e->a.ss_family, SOCK_DGRAM | flags, 0);
}

static void
say(int fd, const struct end *to)
{
	if (sendto(fd, "x", 1, 0, sa(to), to->len) < 0)
		printf("send-%s\n", strerrorname_np(errno));
}

/* poll(2), then the receive: as most small programs do. */
static void
way_poll(const struct end *to)
{
	struct pollfd p = { .fd = udp(to, 0), .events = POLLIN };
	char b[100];

	say(p.fd, to);
	if (poll(&p, 1, WAIT_MS) == 0)
		puts("silence");
	else
		word(recv(p.fd, b, sizeof(b), 0));
}

static void
way_select(const struct end *to)
{
	struct timeval t = { WAIT_MS / 1000, WAIT_MS % 1000 * 1000 };
	int fd = udp(to, 0);
	struct end from = { .len = sizeof(from.a) };
	char b[100];
	fd_set in;
	int n;

	say(fd, to);
	FD_ZERO(&in);
	for (int i = 0; i < 20; i++)	/* what is set beyond the first number is not asked for */
		FD_SET(fd + i, &in);
	n = select(fd + 1, &in, NULL, NULL, &t);
	if (n == 0)
		puts("silence");
	else if (n != 1 || !FD_ISSET(fd, &in))
		puts("another");
	else
		word(recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&from.a, &from.len));
}

/* SO_RCVTIMEO and a blocking receive; the socket is another descriptor's copy. */
static void
way_block(const struct end *to)
{
	struct timeval t = { WAIT_MS / 1000, WAIT_MS % 1000 * 1000 };
	int fd = udp(to, 0), copy = dup(fd);
	char b[100];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	say(fd, to);
	say(fd, to);		/* meets the error of the first */
	close(fd);
	for (int i = 0; i < 3; i++)
		word(recv(copy, b, sizeof(b), 0));
}

/* One datagram, one blocking receive. */
static void
way_once(const struct end *to)
{
	struct timeval t = { WAIT_MS / 1000, WAIT_MS % 1000 * 1000 };
	int fd = udp(to, 0);
	char b[100];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	say(fd, to);
	word(recv(fd, b, sizeof(b), 0));
}

/* Two sockets share a port, and each sends to a destination of its own. */
static void
way_pair(const struct end *to)
{
	struct end here = end_of(to->a.ss_family == AF_INET ? "0.0.0.0" : "::", "7099");
	struct pollfd p[2];
	char b[100];
	int on = 1;

	for (int i = 0; i < 2; i++) {
		p[i] = (struct pollfd){ .fd = udp(to, 0), .events = POLLIN };
		setsockopt(p[i].fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		if (bind(p[i].fd, sa(&here), here.len) < 0)
			word(-1);
	}
	for (int i = 0; i < 2; i++) {
		say(p[i].fd, &to[i]);
		if (poll(p, 2, WAIT_MS) == 0)
			puts("silence");
		for (int j = 0; j < 2; j++) {
			if (!p[j].revents)
				continue;
			printf("%s-", i == j ? "sender" : "other");
			word(recv(p[j].fd, b, sizeof(b), MSG_DONTWAIT));
		}
	}
}

/* Closes all that it knows nothing of, as daemons do, then asks. */
static void
way_closer(const struct end *to)
{
	int first = udp(to, 0);

	say(first, to);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	way_poll(to);
}

/* Connected; read(2) and write(2). */
static void
way_read(const struct end *to)
{
	struct pollfd p = { .fd = udp(to, 0), .events = POLLIN };
	char b[100];

	if (connect(p.fd, sa(to), to->len) < 0 || write(p.fd, "x", 1) < 0)
		word(-1);
	if (poll(&p, 1, WAIT_MS) == 0)
		puts("silence");
	else
		word(read(p.fd, b, sizeof(b)));
}

/* Connected, and never receives: learns from its sends, if from anything. */
static void
way_mute(const struct end *to)
{
	struct timespec moment = { 0, 20000000 };
	int fd = udp(to, 0);

	if (connect(fd, sa(to), to->len) < 0)
		word(-1);
	for (int i = 0; i < 3; i++) {
		word(send(fd, "x", 1, 0));
		nanosleep(&moment, NULL);
	}
}

/* Edge triggered: reads until there is nothing, and only when woken. */
static void
way_edge(const struct end *to)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 0xfeedfacefeedface };
	int fd = udp(to, SOCK_NONBLOCK), epfd = epoll_create1(0);
	char b[100];

	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
	for (int i = 0; i < 3; i++) {
		int n;

		say(fd, to);
		n = epoll_wait(epfd, &e, 1, WAIT_MS);
		if (n == 0)
			puts("silence");
		while (n > 0 && (e.events & EPOLLIN)) {
			long r = recv(fd, b, sizeof(b), 0);

			if (r < 0 && errno == EAGAIN)
				break;
			word(r);
		}
	}
}

/* A receive buffer full of data, so that errors find no room; then waits with poll
 * for what is not input: how often is it woken? */
static void
way_full(const struct end *to)
{
	struct end here = end_of("0.0.0.0", "0");
	int fd = udp(to, SOCK_NONBLOCK), small = 1, woken = 0;
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	char b[2000] = { 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(fd, sa(&here), here.len) < 0 || getsockname(fd, (struct sockaddr *)&here.a, &here.len))
		word(-1);
	((struct sockaddr_in *)&here.a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 20; i++)
		sendto(fd, b, sizeof(b), 0, sa(&here), here.len);
	say(fd, to);
	while (woken < 1000 && poll(&p, 1, WAIT_MS) > 0)
		woken++;
	printf("woken-%d\n", woken);
}

/* Waits for room to send alone; how often is it woken for nothing? */
static void
way_deaf(const struct end *to)
{
	struct epoll_event e = { .events = 0 };
	int fd = udp(to, SOCK_NONBLOCK), epfd = epoll_create1(0);
	int woken = 0;

	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
	say(fd, to);
	while (woken < 1000 && epoll_wait(epfd, &e, 1, WAIT_MS) > 0)
		woken++;
	printf("woken-%d\n", woken);
}

/* Takes a descriptor, gives an errno. */
static void *
receiver(void *arg)
{
	int *fd = arg;
	char b[100];

	*fd = recv(*fd, b, sizeof(b), 0) < 0 ? errno : 0;
	return NULL;
}

/* One thread is blocked in recv(2), another sends, and again at once. Many times,
 * as long as the receiver is told the same. */
static void
way_threads(const struct end *to)
{
	struct timeval t = { WAIT_MS / 1000, WAIT_MS % 1000 * 1000 };
	int first = 0, i;

	for (i = 0; i < BURSTS; i++) {
		int fd = udp(to, 0), told = fd;
		pthread_t thread;

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
		pthread_create(&thread, NULL, receiver, &told);
		say(fd, to);
		say(fd, to);
		pthread_join(thread, NULL);
		close(fd);
		if (i == 0)
			first = told;
		if (told != first || told == EAGAIN)
			break;
	}
	printf("%s\nafter-%d\n", strerrorname_np(first), i < BURSTS ? i : BURSTS - 1);
}

/* The child receives, the parent sends. */
static void
way_fork(const struct end *to)
{
	struct timeval t = { 1, 0 };
	int fd = udp(to, 0), ready[2];
	char b[100];
	pid_t child;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (pipe(ready) < 0)
		return;
	child = fork();
	if (child == 0) {
		close(ready[1]);
		word(recv(fd, b, sizeof(b), 0));
		_exit(0);
	}
	say(fd, to);
	say(fd, to);
	waitpid(child, NULL, 0);
}

/* Becomes another program, which has the socket as its descriptor 0. */
static void
way_exec(const struct end *to)
{
	int fd = udp(to, 0);

	connect(fd, sa(to), to->len);
	if (send(fd, "x", 1, 0) < 0)
		word(-1);
	dup2(fd, 0);
	execl("/proc/self/exe", "preload-client", "inherited", "127.0.0.1", "1", NULL);
}

static void
way_inherited(const struct end *to)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };
	char b[100];

	(void)to;
	if (poll(&p, 1, WAIT_MS) == 0)
		puts("silence");
	else
		word(read(0, b, sizeof(b)));
}

/* Reads its own error queue. */
static void
way_own(const struct end *to)
{
	int fd = udp(to, 0), on = 1, got = 0;
	socklen_t len = sizeof(on);
	struct pollfd p = { .fd = fd };
	char b[100], control[512];
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };

	say(fd, to);
	getsockopt(fd, IPPROTO_IP, IP_RECVERR, &got, &len);
	printf("hidden-%d\n", got);
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	say(fd, to);
	poll(&p, 1, WAIT_MS);
	word(recvmsg(fd, &m, MSG_ERRQUEUE));
	word(recvmsg(fd, &m, MSG_ERRQUEUE));
}

/* Longer than the interface takes: its own fault, and told once. */
static void
way_long(const struct end *to)
{
	int fd = udp(to, SOCK_NONBLOCK), dont = 2;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static char b[60000];

	setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont, sizeof(dont));
	word(sendto(fd, b, sizeof(b), 0, sa(to), to->len));
	printf("%s\n", poll(&p, 1, 50) ? "woken" : "quiet");
	word(recv(fd, b, sizeof(b), 0));
}

static void
fill(struct mmsghdr *h, struct iovec *v, const struct end *to, size_t n)
{
	memset(h, 0, n * sizeof(*h));
	for (size_t i = 0; i < n; i++) {
		h[i].msg_hdr.msg_name = (void *)(uintptr_t)&to[i == n / 2].a;
		h[i].msg_hdr.msg_namelen = to[i == n / 2].len;
		h[i].msg_hdr.msg_iov = v;
		h[i].msg_hdr.msg_iovlen = 1;
	}
}

/* to[0] lives, to[1] is dead: batches with one for the dead in the middle. */
static long
batches(const struct end *to, bool directly)
{
	int fd = udp(to, 0);
	struct mmsghdr h[MANY];
	char x = 0;
	struct iovec v = { &x, 1 };
	char b[100];
	long sent = 0;

	for (int i = 0; i < BURSTS; i++) {
		long r;

		fill(h, &v, to, MANY);
		r = directly ? syscall(SYS_sendmmsg, fd, h, MANY, 0) : sendmmsg(fd, h, MANY, 0);
		sent += r > 0 ? r : 0;
		while (recv(fd, b, sizeof(b), MSG_DONTWAIT) >= 0)
			continue;
	}
	return sent;
}

static void
way_batch(const struct end *to)
{
	printf("%ld\n", batches(to, false));
}

static void
way_direct(const struct end *to)
{
	printf("%ld\n", batches(to, true));
}

/* One for the dead, one for the living; nobody looks at what send returns. */
static void
way_turns(const struct end *to)
{
	int fd = udp(to, 0);

	for (int i = 0; i < BURSTS * 10; i++)
		if (sendto(fd, "x", 1, 0, sa(&to[~i & 1]), to[~i & 1].len) < 0)
			printf("%s\n", strerrorname_np(errno));
}

/* A hundred errors come while nobody receives, then data: it must find room. */
static void
way_storm(const struct end *to)
{
	struct timeval t = { WAIT_MS / 1000, WAIT_MS % 1000 * 1000 };
	int fd = udp(to, 0), small = 4096, data = 0, errors = 0;
	char b[100];
	long r;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	for (int i = 0; i < 300; i++)
		say(fd, &to[1]);
	say(fd, &to[0]);
	while ((r = recv(fd, b, sizeof(b), 0)) >= 0 || errno != EAGAIN) {
		data += r >= 0;
		errors += r < 0;
	}
	printf("data %d\nerrors %s\n", data, errors ? "some" : "none");
}

/* SO_ERROR after a wait, as event libraries do. */
static void
way_soerror(const struct end *to)
{
	int fd = udp(to, SOCK_NONBLOCK), err = 0;
	socklen_t len = sizeof(err);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	say(fd, to);
	poll(&p, 1, WAIT_MS);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	printf("%s\n", err ? strerrorname_np(err) : "none");
	printf("%s\n", poll(&p, 1, 10) ? "woken" : "quiet");
}

static void
on_signal(int n)
{
	(void)n;
}

/* A signal without SA_RESTART ends a blocked receive, in a program of threads too. */
static void
way_signal(const struct end *to)
{
	struct sigaction a = { .sa_handler = on_signal };
	int fd = udp(to, 0), copy = fd;
	pthread_t other;
	char b[100];

	sigaction(SIGALRM, &a, NULL);
	pthread_create(&other, NULL, receiver, &copy);
	pthread_cancel(other);
	pthread_join(other, NULL);
	ualarm(20000, 0);
	word(recv(fd, b, sizeof(b), 0));
}

static const struct {
	const char *name;
	void (*run)(const struct end *to);
} ways[] = {
	{ "poll", way_poll }, { "select", way_select }, { "block", way_block },
	{ "read", way_read }, { "mute", way_mute }, { "edge", way_edge }, { "deaf", way_deaf },
	{ "full", way_full },
	{ "threads", way_threads }, { "fork", way_fork }, { "exec", way_exec },
	{ "inherited", way_inherited }, { "own", way_own }, { "long", way_long },
	{ "batch", way_batch }, { "direct", way_direct }, { "turns", way_turns },
	{ "storm", way_storm }, { "once", way_once }, { "pair", way_pair },
	{ "closer", way_closer }, { "soerror", way_soerror }, { "signal", way_signal },
};

int
main(int argc, char **argv)
{
	struct end to[2] = { 0 };

	for (int i = 0; i < 2 && 2 * i + 3 < argc; i++)
		to[i] = end_of(argv[2 * i + 2], argv[2 * i + 3]);
	for (size_t i = 0; argc > 3 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]))
			continue;
		ways[i].run(to);
		return 0;
	}
	return 2;
}
