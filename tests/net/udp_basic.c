/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_basic.c - the socket by itself: sizes, plain mode, groups, what a conf
 * may say, a buffer that fills in the middle of a train.
 */
#include "bed.h"
#include "sys/msg.h"
#include "sys/sockopt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <poll.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char data[65536];

static struct sky_addr
addr(const char *text)
{
	struct sky_addr a;

	if (sky_addr_parse(&a, text))
		abort();
	return a;
}

static struct sky_addr
from(const struct sockaddr_storage *s)
{
	struct sky_addr a;

	sky_addr_from(&a, (const struct sockaddr *)s, bed_len(s));
	return a;
}

static uint16_t
port_of(struct sky_udp *u)
{
	struct sky_udp_info i = { .size = sizeof(i) };

	sky_udp_info(u, &i);
	return sky_addr_port(&i.local);
}

static struct sky_msg
to(const struct sky_addr *peer, size_t len)
{
	return (struct sky_msg){
		.data = data, .len = len, .peer = *peer, .have = SKY_MSG_PEER,
	};
}

static bool
run(const char *command)
{
	return system(command) == 0;
}

static unsigned
read_all(int fd)
{
	unsigned n = 0;
	char buf[16];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

/* Too big for the link, refused by a dead peer, alive: in turn, one batch. */
static void
sizes(int family, unsigned flags)
{
	static uint64_t room[SKY_UDP_ROOM(64) / 8];
	struct sky_udp_conf c = {
		.size = sizeof(c), .family = family, .flags = flags, .pmtu = SKY_PMTU_DO,
		.room = room, .room_size = sizeof(room),
	};
	struct sockaddr_storage live_at, dead_at;
	int live = bed_udp(family, &live_at);
	struct sky_addr live_to = from(&live_at), dead_to;
	unsigned big = 0, alive = 0, wrong = 0, refused = 0, local_errors = 0;
	struct sky_msg m[60];
	struct sky_fate f[64];
	struct sky_udp u;
	int n;

	bed_closed(family, &dead_at);
	dead_to = from(&dead_at);
	bed_ok(sky_udp_open(&u, &c) == 0, "a socket that never fragments");
	for (int i = 0; i < 60; i++)
		m[i] = to(i % 3 == 1 ? &dead_to : &live_to, i % 3 == 0 ? 1600 : 5);
	n = sky_udp_send(&u, m, 60);
	for (int i = 0; i < 60; i++) {
		if (i % 3 == 0)
			big += m[i].status == -EMSGSIZE && (m[i].have & SKY_MSG_MTU) &&
			    m[i].mtu == 1500;
		else
			wrong += m[i].status != 0;
	}
	alive = read_all(live);
	while ((n = sky_udp_errors(&u, f, 64, NULL, 0)) > 0)
		for (int i = 0; i < n; i++) {
			refused += f[i].what == SKY_REFUSED && sky_addr_equal(&f[i].dst, &dead_to);
			local_errors += f[i].origin == SKY_ORIGIN_LOCAL;
		}
	bed_ok(big == 20 && wrong == 0 && alive == 20,
	    "too big %u with the MTU, wrong %u, alive %u of 20", big, wrong, alive);
	bed_ok(refused == 20, "refused %u of 20, told of the dead one", refused);
	bed_ok(flags ? local_errors >= 20 : local_errors == 0, "local errors told twice: %u",
	    local_errors);
	sky_udp_close(&u);
	close(live);
}

static void
plain(int family)
{
	struct sky_addr dead_to;
	struct sky_udp_conf c = { .size = sizeof(c), .flags = SKY_UDP_PLAIN, .peer = &dead_to };
	struct sockaddr_storage dead_at;
	struct sky_fate f;
	struct sky_udp u;
	char buf[8];

	bed_closed(family, &dead_at);
	dead_to = from(&dead_at);
	bed_ok(sky_udp_open(&u, &c) == 0, "a plain socket, connected to nobody");
	bed_ok(sky_udp_sendto(&u, "a", 1, NULL) == 1, "the first send works");
	bed_ok(sky_udp_sendto(&u, "b", 1, NULL) == -ECONNREFUSED, "the second is refused");
	sky_udp_sendto(&u, "c", 1, NULL);
	bed_ok(sky_udp_recvfrom(&u, buf, 8, NULL) == -ECONNREFUSED, "so is a receive");
	bed_ok(sky_udp_errors(&u, &f, 1, NULL, 0) == 0, "there is no error queue");
	bed_ok(sky_udp_set(&u, SKY_SET_ERRORS, 1) == 0 && sky_udp_sendto(&u, "d", 1, NULL) == 1 &&
	    sky_udp_sendto(&u, "e", 1, NULL) == 1 && sky_udp_errors(&u, &f, 1, buf, 8) == 1 &&
	    f.what == SKY_REFUSED && f.quote_len == 1 && buf[0] == 'd',
	    "switched on, the sends work and the error is told");
	sky_udp_close(&u);
}

/* What is on its way; a neighbour may have to be found first. */
static int
receive_soon(struct sky_udp *u, struct sky_msg *in)
{
	struct pollfd p = { .fd = sky_udp_fd(u), .events = POLLIN };

	poll(&p, 1, 3000);
	return sky_udp_recv(u, in, 1);
}

/* One listener; sent from the link's address; which arrive? */
static void
group(const char *group_text, const char *source_text, const char *self_text, bool heard)
{
	struct sky_addr g = addr(group_text), any = g, self = addr(self_text), source;
	struct sky_udp_conf c = { .size = sizeof(c), .local = &any, .want = SKY_WANT_LOCAL };
	struct sky_udp_conf sc = { .size = sizeof(sc), .local = &self };
	struct sky_msg m, in = { .data = data, .cap = sizeof(data) }, out;
	struct sky_udp u, s;
	unsigned ifindex = if_nametoindex("v0");
	bool got;

	any = addr(sky_addr_family(&g) == AF_INET ? "0.0.0.0" : "::");
	if (sky_udp_open(&u, &c) || sky_udp_open(&s, &sc)) {
		bed_ok(false, "sockets for %s", group_text);
		return;
	}
	if (source_text)
		source = addr(source_text);
	bed_ok(sky_udp_join(&u, &g, source_text ? &source : NULL, ifindex) == 0 &&
	    sky_udp_set(&s, SKY_SET_MULTICAST_IF, ifindex) == 0, "joined %s from %s", group_text,
	    source_text ? source_text : "anybody");
	sky_addr_set_port(&g, port_of(&u));
	m = to(&g, 3);
	sky_udp_send(&s, &m, 1);
	got = (heard ? receive_soon(&u, &in) : sky_udp_recv(&u, &in, 1)) == 1;
	bed_ok(got == heard && m.status == 0, "sent from %s: %s", self_text,
	    heard ? "heard" : "not heard");
	if (got) {
		bed_ok((in.flags & SKY_MSG_GROUP) && sky_addr_same_host(&in.local, &g) &&
		    in.ifindex == ifindex, "marked as the group's, with its interface");
		sky_udp_reply(&out, &in);
		out.data = data;
		out.len = 3;
		sky_udp_send(&u, &out, 1);
		in = (struct sky_msg){ .data = data, .cap = sizeof(data) };
		bed_ok(out.status == 0 && receive_soon(&s, &in) == 1 &&
		    !sky_addr_is_multicast(&in.peer), "the answer has an address of its own");
	}
	sky_addr_set_port(&g, 0);
	bed_ok(sky_udp_leave(&u, &g, source_text ? &source : NULL, ifindex) == 0, "left");
	sky_udp_close(&u);
	sky_udp_close(&s);
}

/* A train in singles through a slow link with a small buffer. */
static void
full(void)
{
	struct sky_addr dst = addr("10.5.0.2");
	struct sky_udp_conf c = {
		.size = sizeof(c), .family = AF_INET, .sndbuf = 8192, .flags = SKY_UDP_NO_GSO,
	};
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sky_msg m;
	struct sky_udp u;
	unsigned stops = 0;
	int r = 0;

	if (!run("ip neigh add 10.5.0.2 lladdr 02:00:00:00:00:09 dev v0 && "
	    "tc qdisc add dev v0 root tbf rate 64mbit burst 1600 limit 4000000 2>/dev/null")) {
		bed_ok(true, "a buffer that fills # SKIP no tbf queue here");
		return;
	}
	bed_ok(sky_udp_open(&u, &c) == 0, "a socket with a small buffer");
	sky_addr_set_port(&dst, 9);
	m = to(&dst, 60000);
	m.seg = 1000;
	for (int tries = 0; tries < 10000 && (r = sky_udp_send(&u, &m, 1)) == -EAGAIN; tries++) {
		struct pollfd p = { .fd = sky_udp_fd(&u), .events = POLLOUT };

		stops++;
		poll(&p, 1, 1000);
	}
	sky_udp_info(&u, &i);
	bed_ok(r == 1 && m.status == 0 && stops > 0, "a train goes on where it stopped, %u times",
	    stops);
	bed_ok(i.tx == 60, "%u datagrams in all, of 60", (unsigned)i.tx);
	sky_udp_close(&u);
}

static void
neighbour(void)
{
	struct sky_addr nobody = addr("10.5.0.9:9"), self = addr("127.0.0.1:9");
	struct sky_addr nowhere = addr("203.0.113.1:9");
	struct sky_udp u;
	struct sky_msg m = to(&nobody, 1), n = to(&nowhere, 1);

	sky_udp_open(&u, NULL);
	bed_ok(!sky_neighbour_unresolved(&nobody), "nobody was asked for yet");
	bed_ok(sky_udp_send(&u, &m, 1) == 1 && sky_neighbour_unresolved(&nobody),
	    "a neighbour that does not answer is not resolved");
	bed_ok(!sky_neighbour_unresolved(&self), "the loopback has none");
	bed_ok(!sky_neighbour_unresolved(&nowhere), "nor has what has no route");
	bed_ok(sky_udp_send(&u, &n, 1) == 1 && n.status == -ENETUNREACH, "which a send says");
	sky_udp_close(&u);
}

static void
refusals(void)
{
	struct sockaddr_storage at;
	int peer = bed_udp(AF_INET, &at);
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sky_addr dst = from(&at);
	struct sky_udp u;
	struct sky_msg m = to(&dst, 1000);
	unsigned got[3];

	m.seg = 100;
	sky_udp_open(&u, &(struct sky_udp_conf){ .size = sizeof(struct sky_udp_conf),
	    .family = AF_INET });
	sky_udp_set(&u, SKY_SET_NO_CHECKSUM, 1);
	sky_udp_send(&u, &m, 1);
	got[0] = read_all(peer);
	sky_udp_set(&u, SKY_SET_NO_CHECKSUM, 0);
	sky_udp_send(&u, &m, 1);
	got[1] = read_all(peer);
	sky_udp_info(&u, &i);
	bed_ok(got[0] == 10 && got[1] == 10 && i.gso_refused == 1 && i.gso_trains == 0,
	    "a refusal loses nothing and is remembered: %u, %u, refused %u", got[0], got[1],
	    (unsigned)i.gso_refused);
	sky_udp_set(&u, SKY_SET_GSO_MEMORY_MS, 0);
	sky_udp_send(&u, &m, 1);
	got[2] = read_all(peer);
	sky_udp_info(&u, &i);
	bed_ok(got[2] == 10 && i.gso_trains == 1 && i.tx == 30, "and forgotten: %u trains",
	    (unsigned)i.gso_trains);
	sky_udp_close(&u);
	close(peer);
}

/* What is no error lies in the same queue, between two errors. */
static void
origins(int family)
{
	const int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
	    SOF_TIMESTAMPING_OPT_ID;
	struct sockaddr_storage live_at, dead_at;
	int live = bed_udp(family, &live_at), fd, one = 1, n = 0;
	struct sky_addr live_to = from(&live_at), dead_to;
	bool stamp = false, copy = false;
	struct sky_fate f[8];
	struct sky_udp u;
	char buf[2048];

	bed_closed(family, &dead_at);
	dead_to = from(&dead_at);
	sky_udp_open(&u, &(struct sky_udp_conf){ .size = sizeof(struct sky_udp_conf),
	    .family = family });
	fd = sky_udp_fd(&u);
	sky_udp_sendto(&u, "dead", 4, &dead_to);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps));
	bed_ok(sky_udp_sendto(&u, "live", 4, &live_to) == 4, "sent with a time stamp");
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &(int){ 0 }, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	sendto(fd, data, 1000, MSG_ZEROCOPY, (struct sockaddr *)&live_at, bed_len(&live_at));
	read_all(live);
	sky_udp_sendto(&u, "dead", 4, &dead_to);
	n = sky_udp_errors(&u, f, 8, buf, sizeof(buf));
	for (int i = 0; i < n; i++) {
		stamp |= f[i].origin == SKY_ORIGIN_TIMESTAMP && f[i].what == SKY_NOTHING &&
		    (f[i].have & SKY_HAVE_ID) && f[i].id == 0 && !f[i].quote &&
		    f[i].time_ns > 1700000000000000000u && !(f[i].have & SKY_HAVE_DST);
		copy |= f[i].origin == SKY_ORIGIN_ZEROCOPY && f[i].what == SKY_NOTHING &&
		    f[i].count == 1;
	}
	bed_ok(n == 4 && f[0].what == SKY_REFUSED && f[3].what == SKY_REFUSED &&
	    f[3].quote_len == 4, "four entries, errors first and last: %d", n);
	bed_ok(stamp, "a time stamp is told apart");
	bed_ok(copy, "a zero-copy completion is told apart");
	sky_udp_close(&u);
	close(live);
}

/* More errors than the receive buffer holds (255 by default) wait in the room,
 * and data still comes in. */
static void
many(void)
{
	static uint64_t room[SKY_UDP_ROOM(2000) / 8];
	static struct sky_msg m[2000];
	struct sky_udp_conf c = { .size = sizeof(c), .family = AF_INET, .room = room,
		.room_size = sizeof(room) };
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sockaddr_storage dead_at, at;
	int peer = bed_udp(AF_INET, &at), n, sent;
	struct sky_addr dead_to;
	struct sky_fate f[32];
	unsigned told = 0;
	struct sky_udp u;
	char buf[8];

	bed_closed(AF_INET, &dead_at);
	dead_to = from(&dead_at);
	for (int k = 0; k < 2000; k++)
		m[k] = to(&dead_to, 3);
	sky_udp_open(&u, &c);
	sky_udp_errors(&u, f, 1, NULL, 0);
	sent = sky_udp_send(&u, m, 2000);
	sky_udp_info(&u, &i);
	at = dead_at;
	((struct sockaddr_in *)&at)->sin_port = htons(sky_addr_port(&i.local));
	sendto(peer, "data", 4, 0, (struct sockaddr *)&at, bed_len(&at));
	bed_ok(sent == 2000 && i.tx == 2000 && sky_udp_pending(&u) > 1500,
	    "2000 datagrams to a dead peer, %u errors wait in the handle", sky_udp_pending(&u));
	bed_ok(sky_udp_recvfrom(&u, buf, 8, NULL) == 4, "data still comes in");
	while ((n = sky_udp_errors(&u, f, 32, NULL, 0)) > 0)
		told += (unsigned)n;
	sky_udp_info(&u, &i);
	bed_ok(told == 2000 && i.errors == 2000 && i.errors_lost == 0 && !i.errors_maybe_lost,
	    "all %u are told, none lost", told);
	sky_udp_close(&u);
	close(peer);
}

/* What the library asks the kernel when it is in doubt sends nothing, and is not
 * answered with somebody else's error. */
static void
questions(int family, const char *nowhere)
{
	struct sockaddr_storage live_at, dead_at, no_at;
	int live = bed_udp(family, &live_at), fd = socket(family, SOCK_DGRAM, 0);
	struct msghdr h = { .msg_name = &live_at, .msg_namelen = bed_len(&live_at) };
	struct msghdr no = { .msg_name = &no_at, .msg_namelen = bed_len(&live_at) };
	struct sky_addr a = addr(nowhere);
	struct pollfd p = { .fd = fd };
	int quiet;

	sky_addr_to(&a, family, &no_at);
	bed_closed(family, &dead_at);
	sky_sockopt_set(fd, family == AF_INET ? SKY_CARRIES4 : SKY_CARRIES6, SKY_OPT_RECVERR, 1);
	sendto(fd, "", 0, 0, (struct sockaddr *)&dead_at, bed_len(&dead_at));
	bed_ok(sky_msg_probe(fd, &h) == 0, "there is a way, whatever error is pending");
	bed_ok(sky_msg_probe(fd, &no) == -ENETUNREACH, "there is none to %s", nowhere);
	bed_ok(sendto(fd, "", 0, 0, (struct sockaddr *)&live_at, bed_len(&live_at)) == -1 &&
	    errno == ECONNREFUSED, "the pending error is still there");
	while (recv(fd, data, 1, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
		;
	quiet = poll(&p, 1, 0);
	sky_msg_wake(fd, &h);
	bed_ok(quiet == 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLERR), "a wake wakes");
	bed_ok(read_all(live) == 0, "nothing of this was sent");
	close(fd);
	close(live);
}

static void
confs(void)
{
	const struct sky_udp_conf good = { .size = sizeof(good) };
	struct sky_addr four = addr("127.0.0.1:9"), six = addr("[::1]:9");
	uint64_t room[2];
	struct sky_udp_conf c[] = { good, good, good, good, good, good, good, good, good };
	static const int want[] = { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
		-EAFNOSUPPORT, -EAFNOSUPPORT, -ENODEV };
	struct sky_udp u;
	struct sky_fd fd;

	c[0].size--;
	c[1].want = 1u << 31;
	c[2].flags = 1u << 31;
	c[3].ttl = 256;
	c[4].reserved[3] = 1;
	c[5].room = (char *)room + 1;
	c[6].local = &four;
	c[6].peer = &six;
	c[7].family = AF_INET;
	c[7].peer = &six;
	c[8].device = "nosuch0";
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		int r = sky_udp_open(&u, &c[i]);

		bed_ok(r == want[i], "a conf that makes no sense, %zu: %s", i, strerror(-r));
	}
	bed_ok(sky_udp_open(&u, NULL) == 0 && sky_fd_ask(sky_udp_fd(&u), &fd) == 0 &&
	    fd.family == AF_INET6 && fd.type == SOCK_DGRAM && fd.protocol == IPPROTO_UDP &&
	    !fd.connected, "no conf at all serves both families");
	sky_udp_close(&u);
	bed_ok(sky_fd_ask(0, &fd) == -ENOTSOCK, "standard input is no socket");
	bed_ok(sky_udp_adopt(&u, -1, NULL) == -EBADF, "nor is -1 anything");
}

/* A buffer that holds five errors, and a hundred of them; a handle that never came
 * to be open. */
static void
small(int family)
{
	struct sky_udp_conf c = { .size = sizeof(c), .family = family, .rcvbuf = 256 };
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sockaddr_storage dead_at;
	struct sky_addr dead_to;
	struct sky_fate f[64];
	struct sky_udp u;
	unsigned told = 0;
	int n, fds[2];

	bed_closed(family, &dead_at);
	dead_to = from(&dead_at);
	sky_udp_open(&u, &c);
	for (int k = 0; k < 100; k++)
		told += sky_udp_sendto(&u, "abc", 3, &dead_to) == 3;
	bed_ok(told == 100, "%u of 100 sends into a full buffer of errors", told);
	for (told = 0; (n = sky_udp_errors(&u, f, 64, NULL, 0)) > 0; told += (unsigned)n)
		;
	sky_udp_info(&u, &i);
	bed_ok(told == 100 || i.errors_lost || i.errors_maybe_lost,
	    "a small buffer, %u of 100 told, lost %u, maybe lost %u times", told,
	    (unsigned)i.errors_lost, (unsigned)i.errors_maybe_lost);
	sky_udp_close(&u);
	sky_udp_errors(&u, f, 1, NULL, 0);
	sky_udp_close(&u);
	memset(&u, 0, sizeof(u));
	bed_ok(sky_udp_fd(&u) == -1 && sky_udp_fds(&u, fds) == 1 && fds[0] == -1 &&
	    sky_udp_release(&u) == -1, "a zeroed handle has no descriptor");
	sky_udp_close(&u);
	memset(&u, 0, sizeof(u));
	c.ttl = 999;
	bed_ok(sky_udp_open(&u, &c) == -EINVAL && sky_udp_fd(&u) == -1, "nor has one refused");
	sky_udp_close(&u);
	bed_ok(fcntl(STDIN_FILENO, F_GETFD) >= 0, "closing it closes nobody else's");
}

int
main(void)
{
	bed_enter(60);
	if (!run("ip link set lo mtu 1500 && ip link add v0 type veth peer name v1 && "
	    "echo 0 > /proc/sys/net/ipv6/conf/v0/accept_dad && "
	    "ip addr add 10.5.0.1/24 dev v0 && ip link set v1 up && ip link set v0 up && "
	    "ip addr add fd05::1/64 dev v0 nodad")) {
		printf("1..0 # SKIP no veth here (ip, package iproute2)\n");
		return 0;
	}
	confs();
	sizes(AF_INET, 0);
	sizes(AF_INET6, 0);
	sizes(AF_INET, SKY_UDP_LOCAL_TWICE);
	plain(AF_INET);
	plain(AF_INET6);
	questions(AF_INET, "203.0.113.1:9");
	questions(AF_INET6, "[2001:db8::1]:9");
	many();
	small(AF_INET);
	small(AF_INET6);
	refusals();
	origins(AF_INET);
	origins(AF_INET6);
	group("239.1.1.1", NULL, "10.5.0.1", true);
	group("232.1.1.1", "10.5.0.1", "10.5.0.1", true);
	group("232.1.1.1", "10.5.0.7", "10.5.0.1", false);
	group("ff15::5", NULL, "fd05::1", true);
	group("ff35::5", "fd05::1", "fd05::1", true);
	group("ff35::5", "fd05::7", "fd05::1", false);
	neighbour();
	full();
	return bed_done();
}
