/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * router.c - how many packets a second pass the lab's router without loss,
 * beside the kernel's own forwarding between the same namespaces.
 *
 * Three namespaces, host a - router - host b, and a second link router - b. The
 * sender paces datagrams of 64 bytes to 64 ports by the millisecond; the
 * receiver counts. Needs no privilege where user namespaces are allowed.
 */
#include "router/io.h"
#include "stat.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORTS 64
#define SLOTS (1u << 16)
#define SECOND 1000000000ull

/* What parent and children share. */
struct shared {
	volatile uint64_t received;
	volatile int ready[2];
	uint64_t router_cpu_ns;
	struct rt_ledger *ledger;
};

struct way {
	const char *name;
	bool kernel, harm;		/* two paths, delay and jitter */
};

static const struct way ways[] = {
	{ "router", false, false },
	{ "kernel forwarding", true, false },
	{ "router, delay, jitter, 2 paths", false, true },
};

static struct shared *shared;

static uint64_t
clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void __attribute__((format(printf, 1, 2)))
run(const char *format, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (system(line) != 0)
		errx(1, "cannot run '%s'", line);
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "cannot write '%s' to %s", text, path);
	close(fd);
}

static void
be_root_inside(void)
{
	char map[64];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		err(1, "no user namespaces here");
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

static pid_t
child_in_own_net(void (*body)(const struct way *w, int stop), const struct way *w, int stop,
    int index)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0)
		err(1, "cannot make a network namespace");
	shared->ready[index] = 1;
	while (shared->ready[index] != 2)
		sched_yield();
	body(w, stop);
	_exit(0);
}

static void
router_body(const struct way *w, int stop)
{
	static struct rt_conf c;
	const char *what, *ifs[] = { "r0", "r1", "r2" };
	struct rt_io *io;
	int ret;

	for (unsigned i = 0; i < 3; i++)
		run("ip link set %s up; ethtool -K %s tx off gso off tso off gro off >/dev/null", ifs[i],
		    ifs[i]);
	if (w->kernel) {
		run("ip addr add 10.0.1.1/24 dev r0; ip addr add 10.0.2.1/24 dev r1; "
		    "ip route add 10.9.0.1 via 10.0.2.2; sysctl -qw net.ipv4.ip_forward=1");
		shared->ready[0] = 3;
		while (waitpid(-1, NULL, 0) >= 0 || read(stop, &(uint64_t){ 0 }, 8) < 0)
			;
		return;
	}
	c.ifaces = 3;
	c.ring = 16384;		/* this machine may be busy with something else */
	for (unsigned i = 0; i < 3; i++) {
		char a[16];

		snprintf(a, sizeof(a), "10.0.%u.1", i + 1);
		strcpy(c.iface[i].name, ifs[i]);
		c.iface[i].mtu = 1500;
		c.iface[i].addrs = 1;
		c.iface[i].addr[0].len = 24;
		sky_addr_parse(&c.iface[i].addr[0].addr, a);
		if (w->harm)
			c.iface[i].harm = (struct rt_harm){ .delay_ns = 5000000, .jitter_ns = 1000000 };
	}
	c.routes = 1;
	c.route[0].net.len = 32;
	sky_addr_parse(&c.route[0].net.addr, "10.9.0.1");
	c.route[0].hops = w->harm ? 2 : 1;
	for (unsigned i = 0; i < 2; i++) {
		c.route[0].hop[i].iface = (uint8_t)(i + 1);
		sky_addr_parse(&c.route[0].hop[i].via, i ? "10.0.3.2" : "10.0.2.2");
	}
	if ((ret = rt_io_open(&io, &c, &what)) < 0)
		errx(1, "cannot open %s: %s", what, strerror(-ret));
	shared->ready[0] = 3;
	rt_io_run(io, &c, shared->ledger, SLOTS, stop);
	shared->router_cpu_ns = clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void
receiver_body(const struct way *w, int stop)
{
	struct mmsghdr m[64] = { 0 };
	struct iovec iov[64];
	static char buf[64][2048];
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd[PORTS], size = 16 << 20;

	run("ip link set lo up; ip addr add 10.9.0.1/32 dev lo; ip link set b1 up; "
	    "ip link set b2 up; ip addr add 10.0.2.2/24 dev b1; ip addr add 10.0.3.2/24 dev b2; "
	    "sysctl -qw net.ipv4.conf.all.rp_filter=0; ip route add 10.0.1.0/24 via 10.0.2.1");
	/* one socket, every port: a raw one would see all, but copies headers too */
	for (unsigned i = 0; i < PORTS; i++) {
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		sin.sin_port = htons((uint16_t)(9000 + i));
		if (bind(fd[i], (struct sockaddr *)&sin, sizeof(sin)) < 0)
			err(1, "cannot bind port %u", 9000 + i);
		setsockopt(fd[i], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
		setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	for (unsigned i = 0; i < 64; i++) {
		iov[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	shared->ready[1] = 3;
	for (;;) {
		struct timespec t = { .tv_nsec = 1000000 };

		for (unsigned i = 0; i < PORTS; i++) {
			int n = recvmmsg(fd[i], m, 64, MSG_DONTWAIT, NULL);

			if (n > 0)
				shared->received += (uint64_t)n;
		}
		nanosleep(&t, NULL);	/* sleep, then drain: woken per datagram costs more */
	}
	(void)stop;
}

static uint64_t
send_paced(unsigned rate, unsigned seconds)
{
	struct mmsghdr m[512] = { 0 };
	static char payload[64];
	struct iovec iov = { payload, sizeof(payload) };
	struct sockaddr_in to[PORTS];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 8 << 20;
	uint64_t sent = 0, start = clock_of(CLOCK_MONOTONIC);

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (unsigned i = 0; i < 512; i++) {
		to[i % PORTS] = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons((uint16_t)(9000 + i % PORTS)) };
		inet_pton(AF_INET, "10.9.0.1", &to[i % PORTS].sin_addr);
		m[i].msg_hdr = (struct msghdr){ .msg_name = &to[i % PORTS],
			.msg_namelen = sizeof(to[0]), .msg_iov = &iov, .msg_iovlen = 1 };
	}
	for (unsigned ms = 1; ms <= seconds * 1000; ms++) {
		uint64_t due = start + ms * 1000000ull, want = (uint64_t)rate * ms / 1000;
		struct timespec t = { (time_t)(due / SECOND), (long)(due % SECOND) };

		while (sent < want) {
			unsigned n = want - sent < 512 ? (unsigned)(want - sent) : 512;
			int r = sendmmsg(fd, m, n, 0);

			if (r > 0)
				sent += (uint64_t)r;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	}
	close(fd);
	return sent;
}

static void
wait_state(int index, int state)
{
	for (unsigned i = 0; shared->ready[index] != state; i++) {
		struct timespec t = { .tv_nsec = 1000000 };

		if (i > 5000)
			errx(1, "child %d is not ready", index);
		nanosleep(&t, NULL);
	}
}

/* Until nothing has arrived for 50 ms. */
static void
settle(void)
{
	uint64_t last = UINT64_MAX;

	for (unsigned i = 0; i < 100 && last != shared->received; i++) {
		struct timespec t = { .tv_nsec = 50000000 };

		last = shared->received;
		nanosleep(&t, NULL);
	}
}

/* Share of the packets that arrived. */
static double
measure(const struct way *w, unsigned rate, unsigned seconds)
{
	int stop = eventfd(0, EFD_CLOEXEC);
	pid_t r, b;
	uint64_t sent, one = 1;
	static unsigned turn;

	memset(shared, 0, offsetof(struct shared, ledger));
	r = child_in_own_net(router_body, w, stop, 0);
	b = child_in_own_net(receiver_body, w, stop, 1);
	wait_state(0, 1);
	wait_state(1, 1);
	/* the last one's end goes away in its own time */
	run("ip link add a%u type veth peer name r0 netns %d", ++turn, (int)r);
	run("ip link add r1 netns %d type veth peer name b1 netns %d", (int)r, (int)b);
	run("ip link add r2 netns %d type veth peer name b2 netns %d", (int)r, (int)b);
	shared->ready[0] = shared->ready[1] = 2;
	wait_state(0, 3);
	wait_state(1, 3);
	run("ip link set lo up; ip link set a%u up; ip addr add 10.0.1.2/24 dev a%u; "
	    "ethtool -K a%u tx off gso off tso off gro off >/dev/null; "
	    "ip route add 10.9.0.0/16 via 10.0.1.1", turn, turn, turn);
	sent = send_paced(1000, 1);	/* neighbours */
	wait_state(0, 3);
	settle();
	shared->received = 0;
	sent = send_paced(rate, seconds);
	settle();
	if (write(stop, &one, sizeof(one)) < 0)
		err(1, "cannot stop the router");
	waitpid(r, NULL, 0);
	kill(b, SIGKILL);
	waitpid(b, NULL, 0);
	run("ip link del a%u 2>/dev/null || true", turn);
	close(stop);
	printf("  %-32s %7u/s  sent %8llu  arrived %8llu  lost %.4f %%", w->name, rate,
	    (unsigned long long)sent, (unsigned long long)shared->received,
	    100.0 * (1 - (double)shared->received / (double)sent));
	if (shared->router_cpu_ns)
		printf("  router %4llu ns/packet; ring full %llu, link full %llu",
		    (unsigned long long)(shared->router_cpu_ns / (sent + 1000)),
		    (unsigned long long)shared->ledger->ring_full,
		    (unsigned long long)shared->ledger->link_full);
	printf("\n");
	return (double)shared->received / (double)sent;
}

int
main(int argc, char **argv)
{
	static const unsigned rates[] = { 50000, 100000, 150000, 200000, 250000, 300000 };
	unsigned seconds = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 1 : 3;
	double plain = 0, harmed = 0;

	be_root_inside();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared->ledger = mmap(NULL, sizeof(struct rt_ledger) + SLOTS * sizeof(struct rt_record),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		for (unsigned w = 0; w < 3; w++) {
			double share = measure(&ways[w], rates[i], seconds);

			if (share == 1.0 && w == 0)
				plain = rates[i];
			if (share == 1.0 && w == 2)
				harmed = rates[i];
		}
	printf("without loss: %.0f/s; with delay, jitter and two paths: %.0f/s\n", plain, harmed);
	return plain >= 150000 && harmed >= 100000 ? 0 : 4;
}
